import errno
import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.models import loading as module
from assay.models.loading import Processors, load_litert, processors
from assay.models.manifest import read_manifest
from assay.telemetry import logger
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


REFUSALS = [errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ESRCH]


class Sandbox:
    """A system that places threads so often, then refuses, and counts how often it is asked."""

    def __init__(self, allowed: int, number: int) -> None:
        self.allowed, self.number, self.asked = allowed, number, 0

    def place(self, _: int, places: Collection[int]) -> None:
        self.asked += 1
        if self.asked > self.allowed:
            raise OSError(self.number, os.strerror(self.number))


@given(
    allowed=st.integers(0, 12),
    number=st.sampled_from(REFUSALS),
    steps=st.lists(st.sampled_from(["step", "others"]), min_size=1, max_size=10),
)
def test_a_refusal_is_told_once_and_the_system_never_asked_again(allowed: int, number: int, steps: list[str]) -> None:
    sandbox, told = Sandbox(allowed, number), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_set", sandbox.place)
        patch.setattr(logger, "warning", lambda message, **more: told.append(more["reason"]))
        places = Processors((0, 1, 2))
        for step in steps:
            if step == "step":
                places.step_to_first()
                continue
            with places.others():
                pass
        assert sandbox.asked == min(2 * len(steps), allowed + 1)
        assert len(told) == (2 * len(steps) > allowed)
        assert all(os.strerror(number) in reason for reason in told)


def test_a_system_that_does_not_say_which_processors_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> set[int]:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(module, "_set", lambda *_: None)
    monkeypatch.setattr(os, "sched_getaffinity", refuse)
    assert processors(2) == Processors()


@pytest.mark.parametrize("allowed", [0, 1, 2, 3])
def test_a_network_answers_the_same_where_its_threads_may_not_be_placed(
    allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = DATA / "tiny-index" / "1"
    manifest = read_manifest(folder)
    rows = {manifest.inputs[0].name: np.zeros((manifest.inputs[0].shape[0] or 8, 50), np.uint8)}
    expected = load_litert(folder, manifest, 2).run(rows)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(module, "_set", Sandbox(allowed, errno.EPERM).place)
    runner = load_litert(folder, manifest, 2)
    assert np.array_equal(runner.run(rows), expected)
    assert np.array_equal(runner.run(rows), expected)


def test_threads_of_a_network_keep_to_the_others_and_its_caller_is_free() -> None:
    usable = tuple(sorted(os.sched_getaffinity(0)))
    if len(usable) < 2:
        pytest.skip("one processor")
    folder: Path = DATA / "tiny-index" / "1"
    manifest = read_manifest(folder)
    before = set(os.listdir("/proc/self/task"))
    runner = load_litert(folder, manifest, len(usable))
    runner.run({manifest.inputs[0].name: np.zeros((manifest.inputs[0].shape[0] or 8, 50), np.uint8)})
    begun = [int(each) for each in set(os.listdir("/proc/self/task")) - before]
    assert begun
    assert {frozenset(os.sched_getaffinity(each)) for each in begun} == {frozenset(usable[1:])}
    assert os.sched_getaffinity(0) == set(usable)


def test_of_two_networks_in_a_row_the_second_finds_its_thread_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Collection[int]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(module, "_set", lambda _, places: asked.append(places))
    folder: Path = DATA / "tiny-index" / "1"
    manifest = read_manifest(folder)
    rows = {manifest.inputs[0].name: np.zeros((manifest.inputs[0].shape[0] or 8, 50), np.uint8)}
    first, second = (load_litert(folder, manifest, 2) for _ in range(2))
    first.run(rows), second.run(rows)
    monkeypatch.setattr(module, "_PAUSE", 3600)
    asked.clear()
    first.run(rows), second.run(rows)
    assert asked == []
    monkeypatch.setattr(module, "_PAUSE", -1)
    second.run(rows)
    assert asked == [(0,), (0, 1)]


def test_a_text_of_another_length_leaves_the_caller_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Collection[int]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(module, "_set", lambda _, places: asked.append(places))
    monkeypatch.setattr(module, "_PAUSE", 3600)
    folder: Path = DATA / "tiny-text" / "1"
    manifest = read_manifest(folder)
    runner = load_litert(folder, manifest, 2)

    def run(tokens: int) -> None:
        runner.run({each.name: np.ones((1, tokens), each.dtype) for each in manifest.inputs})

    run(8)
    assert asked == [(1,), (0, 1), (0,), (0, 1)]  # beside the threads that begin, and back to the first
    asked.clear()
    for tokens in (16, 8, 40):
        run(tokens)
    assert asked == []
