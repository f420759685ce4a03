"""The networks that peers rebuild are those of the shipped models."""

from pathlib import Path

import numpy as np
import pytest

from assay.models.loading import SequenceScorer, load_folder
from benchmarks.peers.layers import by_numpy, read, shapes
from benchmarks.peers.sequences import ALPHABET, encode_lines, indicators
from benchmarks.rank import GATE, SCORE
from tools.models.shipped import newest

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.mark.parametrize("name", [GATE, SCORE])
@pytest.mark.skipif(not (MODELS / GATE).is_dir(), reason="needs the default models")
def test_a_network_read_from_its_file_computes_what_the_runtime_does(name: str) -> None:
    codes = np.random.default_rng(1).integers(0, 20, (70, 50)).astype(np.uint8)
    network = read(newest(MODELS, name) / "model.tflite")
    expected = SequenceScorer(load_folder(newest(MODELS, name), 1)).score(codes)
    np.testing.assert_allclose(by_numpy(network, codes), expected, atol=0.08)
    assert network.flops == sum(shape.flops for shape in shapes(network)) > 0


def test_peers_read_a_line_as_its_indicators_say() -> None:
    line = (ALPHABET * 3)[:50]
    (codes,) = encode_lines(line.encode() + b"\n")
    assert np.eye(20)[codes].reshape(-1).tolist() == indicators(line)
