"""The reference pass against what transformers answered, kept in tests/data; PyTorch is not needed."""

import re

import numpy as np
import pytest

from assay.errors import UnreadableInput
from tests.importers import stored
from tools.models.importers.forward_pass import ACTIVATIONS, FAMILIES, build_forward_pass

CASES = stored.cases()
BERT = next(name for name, case in CASES.items() if case["config"]["model_type"] == "bert")
IDS = stored.ids(stored.LENGTHS[0])[0].tolist()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("length", stored.LENGTHS)
def test_logits_are_those_of_transformers(name: str, length: int) -> None:
    found = build_forward_pass(CASES[name]["config"], stored.weights_of(name)).logits(stored.ids(length)[0].tolist())
    np.testing.assert_allclose(found, CASES[name]["logits"][str(length)], atol=1e-5)


def test_every_family_is_held_to_transformers() -> None:
    assert {case["config"]["model_type"] for case in CASES.values()} == set(FAMILIES)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_that_is_missing_is_missed_by_name(name: str) -> None:
    whole = stored.weights_of(name)
    layers = [key for key in whole if re.search(r"layers?(_groups)?\.\d", key) and key.endswith("weight")]
    for key in [each for each in layers if "norm" not in each.lower()]:
        with pytest.raises(UnreadableInput, match="the checkpoint lacks"):
            build_forward_pass(CASES[name]["config"], {each: whole[each] for each in whole if each != key}).logits(IDS)


def test_a_text_longer_than_the_positions_is_refused_in_words() -> None:
    with pytest.raises(UnreadableInput, match="rows, and a text needs more"):
        build_forward_pass(CASES[BERT]["config"], stored.weights_of(BERT)).logits([5] * 600)


def test_another_family_and_another_activation_are_refused_by_name() -> None:
    config, weights = CASES[BERT]["config"], stored.weights_of(BERT)
    with pytest.raises(UnreadableInput, match="'t5'"):
        build_forward_pass({**config, "model_type": "t5"}, weights)
    with pytest.raises(UnreadableInput, match="'laplace'"):
        build_forward_pass({**config, "hidden_act": "laplace"}, weights)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_are_finite_far_out(name: str) -> None:
    far = np.array([-500.0, -20.0, 0.0, 20.0, 500.0])
    assert np.isfinite(ACTIVATIONS[name](far)).all()
