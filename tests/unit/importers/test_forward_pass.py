"""The reference pass against what transformers answered, kept in tests/data; PyTorch is not needed."""

import json
import re
from typing import Any

import numpy as np
import pytest

from assay.errors import UnreadableInput
from tests.conftest import DATA
from tests.unit.importers.drawn import IDS, drawn
from tools.models.importers.forward_pass import ACTIVATIONS, FAMILIES, build

CASES: list[dict[str, Any]] = json.loads((DATA / "forward_passes.json").read_text("utf-8"))
LOOSE = {"deberta-v2", "modernbert"}  # transformers computes their scales and angles in float32


def state(case: dict[str, Any]) -> dict[str, Any]:
    return {name: drawn(name, shape) for name, shape in case["shapes"].items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["config"]["model_type"]))
def test_logits_are_those_of_transformers(case: dict[str, Any]) -> None:
    found = build(case["config"], state(case)).logits(IDS)
    atol = 1e-5 if case["config"]["model_type"] in LOOSE else 1e-10
    np.testing.assert_allclose(found, case["logits"], atol=atol)


def test_every_family_is_held_to_transformers() -> None:
    assert {case["config"]["model_type"] for case in CASES} == set(FAMILIES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["config"]["model_type"]))
def test_a_layer_that_is_missing_is_missed_by_name(case: dict[str, Any]) -> None:
    whole = state(case)
    layers = [name for name in whole if re.search(r"layers?(_groups)?\.\d", name) and name.endswith("weight")]
    for name in [each for each in layers if "norm" not in each.lower()]:
        with pytest.raises(UnreadableInput, match="the checkpoint lacks"):
            build(case["config"], {key: value for key, value in whole.items() if key != name}).logits(IDS)


def test_a_text_longer_than_the_positions_is_refused_in_words() -> None:
    case = CASES[0]
    with pytest.raises(UnreadableInput, match="has 200 rows"):
        build(case["config"], state(case)).logits([5] * 201)


def test_another_family_and_another_activation_are_refused_by_name() -> None:
    case = CASES[0]
    with pytest.raises(UnreadableInput, match="'t5'"):
        build({**case["config"], "model_type": "t5"}, state(case))
    with pytest.raises(UnreadableInput, match="'laplace'"):
        build({**case["config"], "hidden_act": "laplace"}, state(case))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_are_finite_far_out(name: str) -> None:
    far = np.array([-500.0, -20.0, 0.0, 20.0, 500.0])
    assert np.isfinite(ACTIVATIONS[name](far)).all()
