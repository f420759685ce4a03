from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import ModelUnavailable, RuntimeMissing
from assay.models import loading
from assay.models.registry import Registry
from tests.conftest import Aws
from tests.integration.registries import (
    NAME,
    TASK,
    Clock,
    Traffic,
    answers,
    change_inputs,
    change_task,
    flip,
    garble_manifest,
    garble_pointer,
    lose_file,
    lose_manifest,
    put_version,
    swap_manifest,
    truncate,
)

DAMAGES = (
    flip,
    truncate,
    lose_file,
    lose_manifest,
    garble_manifest,
    garble_pointer,
    swap_manifest,
    change_task,
    change_inputs,
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_version_is_refused_once_while_the_old_one_serves(
    damage: Callable[[Aws, str], None],
    aws: Aws,
    registry: Registry,
    traffic: Traffic,
    tmp_path: Path,
    clock: Clock,
    metrics: Counter[str],
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    damage(aws, "2")
    clock.pass_refresh()
    traffic.gets.clear()
    assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1
    for _ in range(3):
        clock.pass_refresh()
        assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1
    assert traffic.gets["manifest.json"] <= 1
    assert answers(old)
    put_version(aws, tmp_path, "3")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "3"


def test_a_model_that_answers_nan_is_refused(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    clock.pass_refresh()
    nan = type("Runner", (), {"run": lambda self, inputs: np.full(8, np.nan, np.float32)})
    monkeypatch.setattr(loading, "_runner", lambda *_: nan())
    assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1


def test_a_runtime_that_fails_in_its_own_way_is_a_refusal_too(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    clock.pass_refresh()
    monkeypatch.setattr(loading, "_runner", fail)
    assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1


def test_a_refused_version_is_tried_again_after_a_long_while(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str]
) -> None:
    aws.publish(NAME)
    registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    flip(aws, "2")
    clock.pass_refresh()
    registry.current(NAME, TASK)
    flip(aws, "2")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "1"
    clock.now += 900
    assert registry.current(NAME, TASK).manifest.version == "2"
    assert metrics["ModelRefused"] == 1


@pytest.mark.parametrize("damage", [flip, change_inputs])
def test_a_refusal_leaves_nothing_on_disk(
    aws: Aws, registry: Registry, tmp_path: Path, damage: Callable[[Aws, str], None]
) -> None:
    aws.publish(NAME)
    damage(aws, "1")
    with pytest.raises(ModelUnavailable):
        registry.current(NAME, TASK)
    assert [path for path in (tmp_path / "assay-models").rglob("*") if path.is_file()] == []


def test_a_new_environment_serves_the_version_before_a_broken_one(
    aws: Aws, registry: Registry, tmp_path: Path, metrics: Counter[str]
) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    flip(aws, "2")
    assert registry.current(NAME, TASK).manifest.version == "1"
    assert metrics["ModelRefused"] == 1


def test_a_first_version_that_is_broken_is_not_fetched_again_at_every_request(
    aws: Aws, registry: Registry, traffic: Traffic
) -> None:
    aws.publish(NAME)
    flip(aws, "1")
    traffic.gets.clear()
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match=r"version 1 was refused: .*differs from its manifest"):
            registry.current(NAME, TASK)
    assert traffic.gets == {"current.json": 3, "manifest.json": 1, "model.tflite": 1}


def test_a_format_whose_runtime_is_missing_says_so(
    aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    aws.publish("tiny-index-saved")
    with pytest.raises(ModelUnavailable, match="needs tensorflow") as caught:
        registry.current("tiny-index-saved", TASK)
    assert RuntimeMissing.__name__ not in caught.value.message


def test_a_disk_that_is_too_small_is_a_refusal_that_says_so(
    aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.publish(NAME)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10, "total": 100})())
    with pytest.raises(ModelUnavailable, match="EphemeralStorage"):
        registry.current(NAME, TASK)
