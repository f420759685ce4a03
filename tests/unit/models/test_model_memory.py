"""Which models stay in memory: as many as there is room for, those used last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.models.registry import Memory, estimate_memory
from tests.unit.models.test_registry import Manifest, Model


def model(name: str, size: int) -> Any:
    return Model(Manifest("a", name, size=size), Path("/"))


def test_a_loaded_model_takes_twice_its_files_and_eight_megabytes() -> None:
    manifest: Callable[[int], Any] = lambda size: Manifest("a", "1", size=size)  # noqa: E731
    assert [estimate_memory(manifest(size)) for size in (0, 1, 1 << 20)] == [8 << 20, (8 << 20) + 2, 10 << 20]


@pytest.mark.parametrize(
    ("task", "threads", "megabytes"),
    [("text-classification", 1, 10), ("text-classification", 2, 12), ("sequence-score", 2, 10)],
)
def test_a_classifier_of_several_threads_takes_its_size_once_more_for_each(
    task: str, threads: int, megabytes: int
) -> None:
    known: Any = Manifest("a", "1", task, size=1 << 20)
    assert estimate_memory(known, threads) == megabytes << 20


@pytest.mark.parametrize(
    ("more", "dropped"), [(0, []), (1, ["1"]), ((8 << 20) + 1, ["1", "2"]), (1 << 40, ["1", "2", "3"])]
)
def test_those_used_longest_ago_are_let_go_until_there_is_room_but_for_one(more: int, dropped: list[str]) -> None:
    gone: list[str] = []
    memory = Memory(5 * (8 << 20), lambda key: gone.append(key[1]))
    for name in "1234":
        memory.keep(("a", name), model(name, 0))
    memory.make_room((8 << 20) + more)
    assert gone == dropped
    assert [each.manifest.version for each in memory.models()] == [name for name in "1234" if name not in dropped]


def test_a_model_that_is_used_or_held_anew_is_the_one_used_last() -> None:
    memory = Memory(1)
    for name in "123":
        memory.keep(("a", name), model(name, 0))
    assert memory.get(("a", "1")) is not None
    memory.keep(("a", "2"), model("2", 5))
    assert memory.get(("a", "4")) is None
    assert [(each.manifest.version, each.manifest.size) for each in memory.models()] == [("3", 0), ("1", 0), ("2", 5)]
    memory.drop(("a", "1"))
    memory.drop(("a", "9"))
    memory.make_room(0)
    assert [each.manifest.version for each in memory.models()] == ["2"]
