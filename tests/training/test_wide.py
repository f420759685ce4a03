"""The wide part of the classifier: what it learns, and that the served graph is the encoder's logits and its own."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("sklearn")
pytest.importorskip("torch")

from tools.models import metrics
from tools.models.architecture import Architecture, Weights
from tools.models.encoder import Encoder, convert_encoder
from tools.training.abstracts import wide
from tools.training.abstracts.export import calibrate_head
from tools.training.abstracts.wide_and_deep import WideAndDeep

VOCABULARY, HIDDEN, LABELS = 90, 16, 3
RANDOM = np.random.default_rng(0)
TEXTS = [RANDOM.integers(1, VOCABULARY, length).astype(np.int32) for length in (2, 9, 40, 40, 41, 60)]
SHAPE = Architecture(layers=1, heads=2)


def _drawn(*shape: int) -> npt.NDArray[np.float32]:
    return RANDOM.normal(0, 0.3, shape).astype(np.float32)


def _deep() -> Weights:
    sizes = dict.fromkeys(("query", "key", "value", "attention_output"), (HIDDEN, HIDDEN))
    linear = {f"layer.0.{name}": size for name, size in sizes.items()}
    linear |= {"layer.0.intermediate": (32, HIDDEN), "layer.0.output": (HIDDEN, 32), "head": (LABELS, HIDDEN)}
    weights = {f"{name}.weight": _drawn(*size) for name, size in linear.items()}
    weights |= {f"{name}.bias": _drawn(size[0]) for name, size in linear.items()}
    for name in ("embeddings.norm", "layer.0.attention_norm", "layer.0.norm"):
        weights |= {f"{name}.weight": 1 + _drawn(HIDDEN), f"{name}.bias": _drawn(HIDDEN)}
    tables = {"embeddings.word.weight": _drawn(VOCABULARY, HIDDEN), "embeddings.position.weight": _drawn(64, HIDDEN)}
    return weights | tables


def _beside() -> Weights:
    sizes = {"token": (VOCABULARY, LABELS), "pair": (wide.BUCKETS, LABELS), "bias": (LABELS,)}
    return {f"wide.{name}": _drawn(*size) for name, size in sizes.items()}


def _served(network: Encoder, padding: int = 0) -> npt.NDArray[np.float32]:
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_content=convert_encoder(network, int8=False)).get_signature_runner("serving_default")
    rows = []
    for ids in TEXTS:
        inputs = {"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), np.int32)}
        rows.append(run(**{name: np.pad(value, ((0, 0), (0, padding))) for name, value in inputs.items()})["logits"])
    return np.concatenate(rows)


@pytest.mark.parametrize("padding", [0, 3])
def test_the_graph_adds_the_wide_parts_logits_to_the_encoders(padding: int) -> None:
    deep, beside = _deep(), _beside()
    expected = 0.7 * _served(Encoder(SHAPE, deep)) + 0.3 * wide.logits(beside, TEXTS)
    found = _served(WideAndDeep(SHAPE, wide.join_wide(deep, beside, 0.3)), padding)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_calibration_scales_both_parts() -> None:
    joined = wide.join_wide(_deep(), _beside(), 0.4)
    scale, shift = np.array([0.5, 1.0, 2.0]), np.array([1.0, 0.0, -1.0])
    found = _served(WideAndDeep(SHAPE, calibrate_head(joined, scale, shift)))
    np.testing.assert_allclose(found, _served(WideAndDeep(SHAPE, joined)) * scale + shift, atol=2e-4)


def test_it_learns_a_token_and_an_order_of_two(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    texts = [random.integers(10, VOCABULARY, 20).astype(np.int32) for _ in range(300)]
    for number, ids in enumerate(texts):
        ids[5:7] = (3, 4) if number % 2 else (4, 3)
        if number % 3 == 0:
            ids[11] = 7
    target = np.array([[number % 2, number % 3 == 0] for number in range(300)], float)
    wide.write_wide(tmp_path / "wide.npz", wide.fit_wide(texts[:200], target[:200], VOCABULARY, jobs=1))
    scores = wide.logits(wide.read_wide(tmp_path / "wide.npz"), texts[200:])
    assert metrics.average_precision(target[200:], scores).min() > 0.95


def test_the_buckets_are_those_of_wide_arithmetic_for_the_largest_token() -> None:
    ids = np.array([30_521, 30_521, 0, 1], np.int32)
    long = ids.astype(np.int64)
    np.testing.assert_array_equal(wide.pairs(ids), (long[:-1] * wide.FACTOR + long[1:]) % wide.BUCKETS)


def test_the_share_is_the_one_that_ranks_best() -> None:
    target = np.array([[1.0], [1.0], [0.0], [0.0]])
    right, wrong = 2 * target, 3 - 6 * target
    assert wide.best_share(right, wrong, target) == 0.0
    assert wide.best_share(wrong, right * 10, target) > 0.1
