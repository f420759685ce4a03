"""The networks that peers rebuild are those of the shipped models."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assay.models.loading import SequenceScorer, load_folder
from benchmarks.peers.layers import Array, Layer, LayeredNetwork, padding, read, shapes
from benchmarks.peers.sequences import ALPHABET, encode_lines, indicators
from benchmarks.rank import GATE, SCORE
from tools.models.shipped import newest

MODELS = Path(__file__).resolve().parents[3] / "models"


def compute(network: LayeredNetwork, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the scores [N] of codes [N, length], slowly and plainly: what all others are compared with."""
    values: dict[int, Array] = {network.source: codes}
    for step in network.steps:
        found = _apply(step, [values[each] for each in step.inputs])
        values[step.output] = np.maximum(found, 0) if step.relu else found
    return np.asarray(found.reshape(-1), np.float32)


def _apply(step: Layer, given: Sequence[Array]) -> Array:
    if step.kind == "embed":
        return np.asarray(step.weights[0][given[0]])
    if step.kind == "conv":
        return _convolve(given[0], step)
    if step.kind == "add":
        return np.asarray(given[0] + given[1])
    if step.kind == "flatten":
        return given[0].reshape(len(given[0]), -1)
    return np.asarray(given[0] @ step.weights[0] + step.weights[1])


def _convolve(rows: Array, step: Layer) -> Array:
    kernel, bias = step.weights
    wide = np.pad(rows, ((0, 0), padding(rows.shape[1], len(kernel), step.stride), (0, 0)))
    made = -(-rows.shape[1] // step.stride)
    last = (made - 1) * step.stride + 1
    parts = (wide[:, at : at + last : step.stride] @ weight for at, weight in enumerate(kernel))
    return np.asarray(sum(parts) + bias)


@pytest.mark.parametrize("name", [GATE, SCORE])
@pytest.mark.skipif(not (MODELS / GATE).is_dir(), reason="needs the default models")
def test_a_network_read_from_its_file_computes_what_the_runtime_does(name: str) -> None:
    codes = np.random.default_rng(1).integers(0, 20, (70, 50)).astype(np.uint8)
    network = read(newest(MODELS, name) / "model.tflite")
    expected = SequenceScorer(load_folder(newest(MODELS, name), 1)).score(codes)
    np.testing.assert_allclose(compute(network, codes), expected, atol=0.08)
    assert network.flops == sum(shape.flops for shape in shapes(network)) > 0


def test_peers_read_a_line_as_its_indicators_say() -> None:
    line = (ALPHABET * 3)[:50]
    (codes,) = encode_lines(line.encode() + b"\n")
    assert np.eye(20)[codes].reshape(-1).tolist() == indicators(line)
