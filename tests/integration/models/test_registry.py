from pathlib import Path

import pytest

from assay.errors import ModelUnavailable, NotFound
from assay.models.manifest import Pointer
from assay.models.published import current_key
from assay.models.registry import Registry
from assay.telemetry import LEVELS, logger
from tests.conftest import DATA, Aws
from tests.integration.registries import NAME, TASK, Clock, Traffic, answers, make, put_version, versions
from tests.logs import lines, metrics
from tools.models.publish import move_pointer


def test_the_first_use_pulls_and_loads_and_later_ones_ask_nothing(
    aws: Aws, registry: Registry, traffic: Traffic
) -> None:
    aws.publish(NAME)
    traffic.gets.clear()
    model = registry.current(NAME, TASK)
    assert answers(model)
    assert traffic.gets == {"current.json": 1, "manifest.json": 1, "model.tflite": 1}
    assert registry.current(NAME, TASK) is model
    assert sum(traffic.gets.values()) == 3


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_each_phase_is_measured_and_logged_where_asked_for(
    level: str, aws: Aws, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.publish(NAME)
    monkeypatch.setattr(logger, "level", LEVELS[level])
    capsys.readouterr()
    registry.current(NAME, TASK)
    printed = lines(capsys)
    phases = ["fetch", "verify", "load", "warm"]
    assert [line["phase"] for line in printed if line.get("message") == "phase"] == (phases if level == "DEBUG" else [])
    assert {f"{phase.title()}Seconds" for phase in phases} <= metrics(printed).keys()


def test_chunks_are_fetched_as_ranges_and_come_out_in_order(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path
) -> None:
    put_version(aws, tmp_path, "2", chunk_bytes=1000)
    model = registry.current(NAME, TASK)
    assert traffic.gets["model.tflite"] == len(model.manifest.files[0].chunks) == 19
    assert traffic.statuses[206] == 19
    assert (model.folder / "model.tflite").read_bytes() == (DATA / NAME / "1" / "model.tflite").read_bytes()


def test_a_bundle_on_disk_is_verified_and_reused(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    registry.current(NAME, TASK)
    assert answers(make(aws, tmp_path, clock).current(NAME, TASK))
    assert traffic.gets["model.tflite"] == 1


def test_a_bundle_that_was_damaged_on_disk_is_fetched_again(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    path = registry.current(NAME, TASK).folder / "model.tflite"
    path.write_bytes(path.read_bytes()[:-1])
    assert answers(make(aws, tmp_path, clock).current(NAME, TASK))
    assert traffic.gets["model.tflite"] == 2


def test_an_unchanged_pointer_is_asked_once_an_interval_and_answered_304(
    aws: Aws, registry: Registry, traffic: Traffic, clock: Clock
) -> None:
    aws.publish(NAME)
    traffic.gets.clear()
    model = registry.current(NAME, TASK)
    for _ in range(3):
        clock.pass_refresh()
        assert registry.current(NAME, TASK) is model
        assert registry.current(NAME, TASK) is model
    assert traffic.statuses[304] == 3
    assert traffic.gets == {"current.json": 4, "manifest.json": 1, "model.tflite": 1}


def test_a_new_version_serves_without_a_restart_and_the_old_files_go(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    assert registry.current(NAME, TASK) is old
    clock.pass_refresh()
    new = registry.current(NAME, TASK)
    assert new.manifest.version == "2"
    assert answers(old)
    clock.pass_refresh()
    registry.current(NAME, TASK)
    assert not old.folder.exists()
    assert answers(new)
    assert answers(old)


def test_going_back_to_the_version_before_serves_it_again_from_disk(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, traffic: Traffic
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "2"
    move_pointer(aws.models, NAME, "1")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest == old.manifest
    assert old.folder.is_dir()
    assert traffic.gets["model.tflite"] == 2


def test_without_a_model_the_message_says_how_to_publish(aws: Aws, registry: Registry) -> None:
    with pytest.raises(ModelUnavailable, match=r"tiny-index .* no current version.* publish FOLDER --bucket models"):
        registry.current(NAME, TASK)
    aws.publish(NAME)
    assert answers(registry.current(NAME, TASK))


@pytest.mark.parametrize("name", ["../x", "a/b", "", "UPPER", "x" * 64])
def test_a_name_that_no_model_can_have_is_not_found(registry: Registry, name: str) -> None:
    with pytest.raises(NotFound):
        registry.current(name, TASK)


def test_a_pointer_names_the_version_before(aws: Aws, tmp_path: Path) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    found = aws.models.get(current_key(NAME), limit=1000)
    assert found is not None
    assert versions(Pointer.parse(found[0])) == ("2", "1")
