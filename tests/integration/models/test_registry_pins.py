from pathlib import Path

import pytest

from assay.errors import ModelUnavailable
from assay.models.registry import Registry
from tests.conftest import Aws
from tests.integration.registries import NAME, TASK, Traffic, put_version


def test_a_pinned_version_of_another_task_is_unavailable(aws: Aws, registry: Registry) -> None:
    aws.publish(NAME)
    assert registry.pin(NAME, "1", TASK)
    with pytest.raises(ModelUnavailable, match="not for text-classification"):
        registry.pin(NAME, "1", "text-classification")


def test_a_pinned_version_is_the_current_one_or_loaded_beside_it(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path
) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    current = registry.current(NAME, TASK)
    assert registry.pin(NAME, "2", TASK) is current
    old = registry.pin(NAME, "1", TASK)
    assert old.manifest.version == "1"
    assert registry.pin(NAME, "1", TASK) is old
    assert traffic.gets["model.tflite"] == 2


@pytest.mark.parametrize("version", ["9", "../1", ""])
def test_a_pinned_version_that_is_not_there_is_unavailable(aws: Aws, registry: Registry, version: str) -> None:
    aws.publish(NAME)
    with pytest.raises(ModelUnavailable):
        registry.pin(NAME, version, TASK)
