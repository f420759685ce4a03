"""Every family against logits that transformers gave, stored; needs TensorFlow: `make test-tensorflow`."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ai_edge_litert.interpreter import Interpreter

from tests.importers import stored
from tools.models.encoder import convert_encoder
from tools.models.families import FAMILIES, build_architecture
from tools.models.importers.checkpoint import longest, read_network

CASES = stored.cases()


def logits(content: bytes, ids: Any, pads: int = 0) -> Any:
    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    mask = np.pad(np.ones_like(ids), ((0, 0), (0, pads)))
    padded = np.pad(ids, ((0, 0), (0, pads)))
    return runner(input_ids=padded.astype(np.int32), attention_mask=mask.astype(np.int32))["logits"][0].copy()


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_transformers(name: str) -> None:
    shape, weights = read_network(CASES[name]["config"], stored.weights_of(name))
    content = convert_encoder(build_architecture(shape, weights), int8=False)
    for length in stored.LENGTHS:
        expected = CASES[name]["logits"][str(length)]
        assert np.ptp(expected) > 0.05
        np.testing.assert_allclose(logits(content, stored.ids(length)), expected, atol=1e-4)
        np.testing.assert_allclose(logits(content, stored.ids(length), pads=6), expected, atol=1e-4)
    assert longest(weights, shape) == 70 - shape.position_offset


def test_every_family_has_its_case() -> None:
    assert {case["config"]["model_type"] for case in CASES.values()} == set(FAMILIES)
