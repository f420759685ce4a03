"""What a function keeps from call to call does not grow with what callers make up."""

from pathlib import Path

import pytest

from assay.errors import NotFound
from assay.models.model_choice import Choice
from assay.models.published import Shelf
from assay.models.registry import Refusals
from tests.conftest import Aws
from tests.integration.registries import NAME, TASK, Clock, make


def test_names_and_versions_that_callers_make_up_are_not_kept(aws: Aws, tmp_path: Path, clock: Clock) -> None:
    aws.publish(NAME)
    registry = make(aws, tmp_path, clock)
    choice = Choice(registry, Shelf(aws.models))
    for number in range(8):
        for text in (f"made-up-{number}", f"{NAME}@made-up-{number}", f"{NAME}/{number}"):
            with pytest.raises(NotFound):
                choice.model(text, TASK, NAME)
    assert (registry._slots, registry._memory.models(), registry._refusals._known) == ({}, [], {})
    assert choice.model(NAME, TASK, "another").manifest.name == NAME
    assert len(registry._slots) == 1


def test_refusals_are_remembered_of_the_last_64_versions_only() -> None:
    refusals = Refusals()
    for number in range(1000):
        refusals.add((NAME, str(number), TASK), "broken", 0.0)
    assert len(refusals._known) == 64
    assert [refusals.reason((NAME, version, TASK), 1.0) for version in ("935", "936", "999")] == [None, *["broken"] * 2]
