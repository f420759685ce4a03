"""Many models on one machine: memory and disk are bounded, and what is in use stays."""

import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from assay.errors import ModelUnavailable
from assay.models.published import bundles_folder
from assay.models.registry import Registry, estimate_memory
from tests.conftest import Aws, delete_objects
from tests.integration.registries import NAME, REFRESH, TASK, Clock, Traffic, answers, make, put_version

VERSIONS = [str(number) for number in range(1, 13)]


@pytest.fixture
def one(aws: Aws, tmp_path: Path) -> int:
    """Publish a dozen versions; return about what one takes in memory."""
    for version in VERSIONS:
        put_version(aws, tmp_path / "made", version)
    return estimate_memory(make(aws, tmp_path, Clock()).pin(NAME, "1", TASK).manifest)


def held(registry: Registry) -> list[str]:
    return [model.manifest.version for model in registry._memory.models()]


@pytest.mark.parametrize("room", [3, 5])
def test_no_more_models_are_held_than_the_budget_has_room_for(
    aws: Aws, tmp_path: Path, clock: Clock, one: int, room: int
) -> None:
    registry = make(aws, tmp_path, clock, memory_bytes=room * one)
    for version in [*VERSIONS, *VERSIONS]:
        assert answers(registry.pin(NAME, version, TASK))
        assert len(held(registry)) <= room
    assert held(registry) == VERSIONS[-room:]


def test_the_one_used_longest_ago_goes_first(aws: Aws, tmp_path: Path, clock: Clock, one: int) -> None:
    registry = make(aws, tmp_path, clock, memory_bytes=3 * one)
    for version in ("1", "2", "3", "1", "4"):
        registry.pin(NAME, version, TASK)
    assert held(registry) == ["3", "1", "4"]


def test_a_pair_is_held_whatever_the_budget(aws: Aws, tmp_path: Path, clock: Clock, one: int, traffic: Traffic) -> None:
    registry = make(aws, tmp_path, clock, memory_bytes=1)
    pair = [registry.pin(NAME, version, TASK) for version in ("1", "2")]
    traffic.gets.clear()
    assert [registry.pin(NAME, version, TASK) for version in ("1", "2")] == pair
    assert not traffic.gets


def test_a_model_that_a_request_has_answers_after_it_was_let_go_of(
    aws: Aws, tmp_path: Path, clock: Clock, one: int
) -> None:
    registry = make(aws, tmp_path, clock, memory_bytes=1)
    first = registry.pin(NAME, "1", TASK)
    for version in ("2", "3", "4"):
        registry.pin(NAME, version, TASK)
    assert "1" not in held(registry)
    assert answers(first)


def test_the_serving_version_comes_back_from_disk_when_it_was_let_go_of(
    aws: Aws, tmp_path: Path, clock: Clock, one: int, traffic: Traffic
) -> None:
    registry = make(aws, tmp_path, clock, memory_bytes=1)
    registry.current(NAME, TASK)
    for version in ("1", "2"):
        registry.pin(NAME, version, TASK)
    assert "12" not in held(registry)
    traffic.gets.clear()
    assert registry.current(NAME, TASK).manifest.version == "12"
    assert traffic.gets == {"manifest.json": 1}


def test_a_serving_version_that_is_gone_by_then_gives_way_to_the_pointer(
    aws: Aws, tmp_path: Path, clock: Clock, one: int
) -> None:
    registry = make(aws, tmp_path, clock, memory_bytes=1)
    registry.current(NAME, TASK)
    for version in ("1", "2"):
        registry.pin(NAME, version, TASK)
    delete_objects(aws.models, f"models/{NAME}/12/manifest.json")
    assert registry.current(NAME, TASK).manifest.version == "11"


def test_a_version_that_was_pinned_is_not_loaded_again_when_it_comes_to_serve(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, traffic: Traffic
) -> None:
    from tools.models.publish import move_pointer

    put_version(aws, tmp_path, "1")
    put_version(aws, tmp_path, "2")
    registry.current(NAME, TASK)
    old = registry.pin(NAME, "1", TASK)
    move_pointer(aws.models, NAME, "1")
    clock.pass_refresh()
    assert registry.current(NAME, TASK) is old


def test_a_pinned_version_that_was_refused_is_not_fetched_again_soon(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, traffic: Traffic, metrics: Counter[str]
) -> None:
    from tests.integration.registries import flip

    put_version(aws, tmp_path, "2")
    flip(aws, "2")
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="differs from its manifest"):
            registry.pin(NAME, "2", TASK)
    assert (traffic.gets["model.tflite"], metrics["ModelRefused"]) == (2, 1)  # flip itself reads it once
    flip(aws, "2")
    clock.now += 900
    assert answers(registry.pin(NAME, "2", TASK))


class Disk:
    """A scratch disk with room for so many bundles."""

    def __init__(self, root: Path, bundles: int, size: int) -> None:
        self._root, self._total = root, bundles * size

    def __call__(self, path: Path) -> SimpleNamespace:
        used = sum(each.stat().st_size for each in self._root.rglob("*") if each.is_file())
        return SimpleNamespace(free=self._total - used, total=0)


def test_bundles_used_longest_ago_leave_a_full_disk(
    aws: Aws, tmp_path: Path, clock: Clock, one: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "small"
    registry = make(aws, root, clock, memory_bytes=1)
    size = registry.pin(NAME, "1", TASK).manifest.size
    monkeypatch.setattr(shutil, "disk_usage", Disk(root, 4, size))
    for version in [*VERSIONS, *VERSIONS]:
        assert answers(registry.pin(NAME, version, TASK))
    kept = sorted(path.name.partition("-")[0] for path in bundles_folder(root).glob("*/*"))
    assert len(kept) <= 4
    assert {"11", "12"} <= set(kept)


def test_models_in_memory_keep_their_files(
    aws: Aws, tmp_path: Path, clock: Clock, one: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make(aws, tmp_path / "small", clock)
    first = registry.pin(NAME, "1", TASK)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10, total=100))
    with pytest.raises(ModelUnavailable, match="EphemeralStorage"):
        registry.pin(NAME, "2", TASK)
    assert first.folder.is_dir()


def test_a_replaced_version_that_a_job_has_pinned_keeps_its_files(
    aws: Aws, tmp_path: Path, clock: Clock, registry: Registry
) -> None:
    put_version(aws, tmp_path, "1")
    registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    clock.now += REFRESH
    registry.current(NAME, TASK)
    pinned = registry.pin(NAME, "1", TASK)
    clock.now += REFRESH
    registry.current(NAME, TASK)
    assert pinned.folder.is_dir()
