import os
from pathlib import Path

import numpy as np
import pytest

from assay.models import processors as module
from assay.models.bundle import read_manifest
from assay.models.litert import load
from assay.models.processors import Processors, processors
from tests.conftest import DATA

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads are placed on Linux alone")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """What this thread was kept to, one after the other, on a machine of four processors."""
    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr(module, "_set", lambda _, places: seen.append(tuple(places)))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 2, 5, 7})
    return seen


def test_the_caller_steps_to_the_first_and_is_free_again(kept: list[tuple[int, ...]]) -> None:
    processors(4).step_to_first()
    assert kept == [(2,), (2, 3, 5, 7)]


def test_what_is_begun_keeps_to_the_others(kept: list[tuple[int, ...]]) -> None:
    with processors(4).others():
        assert kept == [(3, 5, 7)]
    assert kept == [(3, 5, 7), (2, 3, 5, 7)]


def test_an_error_lets_the_thread_go(kept: list[tuple[int, ...]]) -> None:
    with pytest.raises(KeyError), processors(4).others():
        raise KeyError
    assert kept[-1] == (2, 3, 5, 7)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_are_left_alone_where_processors_are_more_or_fewer(threads: int, kept: list[tuple[int, ...]]) -> None:
    processors(threads).step_to_first()
    with processors(threads).others():
        assert kept == []


def test_a_single_processor_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert processors(1) == Processors()


def test_threads_of_a_network_keep_to_the_others_and_its_caller_is_free() -> None:
    usable = tuple(sorted(os.sched_getaffinity(0)))
    if len(usable) < 2:
        pytest.skip("one processor")
    folder: Path = DATA / "tiny-index" / "1"
    manifest = read_manifest(folder)
    before = set(os.listdir("/proc/self/task"))
    runner = load(folder, manifest, len(usable))
    runner.run({manifest.inputs[0].name: np.zeros((manifest.inputs[0].shape[0] or 8, 50), np.uint8)})
    begun = [int(each) for each in set(os.listdir("/proc/self/task")) - before]
    assert begun
    assert {frozenset(os.sched_getaffinity(each)) for each in begun} == {frozenset(usable[1:])}
    assert os.sched_getaffinity(0) == set(usable)
