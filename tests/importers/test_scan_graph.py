"""Files that score all windows of a long sequence: of which networks they are made, and that the bits are equal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from assay.errors import InvalidOption
from assay.models.loading import SequenceScorer, load_folder
from tools.models.importers.networks import convert_network
from tools.models.importers.result import ImportRequest
from tools.models.importing import make_bundle
from tools.models.scan_graph import make_scan
from tools.models.static_quantization import quantize_static

K = keras.layers
SHARED = "windows of long sequences are scored together, with the same bits"


def plain() -> Any:
    body = [K.Conv1D(16, 7, activation="relu"), K.Conv1D(12, 4, strides=3, activation="relu")]
    head = [K.Flatten(), K.Dense(24, activation="relu"), K.Dense(1)]
    return keras.Sequential([keras.Input((50, 20)), *body, *head])


def residual() -> Any:
    source = keras.Input((50,), dtype="int32")
    rows = K.Conv1D(8, 10, strides=2, activation="relu")(K.Embedding(20, 8)(source))
    rows = K.Add()([K.Cropping1D(4)(rows), K.Conv1D(8, 5, dilation_rate=2, activation="relu")(rows)])
    rows = K.Conv1D(8, 3, strides=2, activation="relu")(rows)
    return keras.Model(source, K.Dense(1)(K.Dense(16, activation="relu")(K.Flatten()(rows))))


def separable() -> Any:
    body = [K.DepthwiseConv1D(5, depth_multiplier=2), K.Conv1D(8, 1, activation="relu"), K.BatchNormalization()]
    narrow, head = K.Conv1D(8, 6, strides=4, activation="relu"), [K.Dense(16, activation="relu"), K.Dense(1)]
    return keras.Sequential([keras.Input((50, 20)), *body, narrow, K.Flatten(), *head])


def padded() -> Any:
    return keras.Sequential(
        [keras.Input((50, 20)), K.Conv1D(8, 7, padding="same"), K.Flatten(), K.Dense(8), K.Dense(1)]
    )


def pooled() -> Any:
    return keras.Sequential([keras.Input((50, 20)), K.Conv1D(8, 7), K.GlobalAveragePooling1D(), K.Dense(8), K.Dense(1)])


def _draw(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Return weights, or what is not negative for one axis: variances are among these."""
    values = random.normal(0.02, 0.2, shape)
    return values if len(shape) > 1 else np.abs(values)


def imported(tmp_path: Path, model: Any) -> tuple[Path, list[str]]:
    random = np.random.default_rng(5)
    model.set_weights([_draw(random, each.shape) for each in model.get_weights()])
    model.save(tmp_path / "model.keras")
    wish = ImportRequest(tmp_path / "model.keras", quantize="static", batch=64)
    _, report = make_bundle(wish, "keras", "mine", "1", "MIT", tmp_path / "bundle")
    return tmp_path / "bundle", report


@pytest.mark.parametrize("network", [plain, residual, separable])
def test_windows_of_a_network_without_padding_are_scored_together(tmp_path: Path, network: Any) -> None:
    folder, report = imported(tmp_path, network())
    assert SHARED in report, report
    text = np.random.default_rng(3).integers(0, 20, 5000).astype(np.uint8)
    codes = np.lib.stride_tricks.sliding_window_view(text, 50)
    scorer = SequenceScorer(load_folder(folder, 2))
    assert scorer.model.window_scan is not None
    assert len(np.unique(scorer.score(codes))) > 200
    assert scorer.score(codes).tobytes() == scorer.score_singly(codes).tobytes()


@pytest.mark.parametrize(("network", "why"), [(padded, "has padding"), (pooled, "MEAN")])
def test_windows_of_other_networks_are_scored_one_by_one(tmp_path: Path, network: Any, why: str) -> None:
    folder, report = imported(tmp_path, network())
    (line,) = [line for line in report if "one by one" in line]
    assert why in line
    assert "scan" not in json.loads((folder / "manifest.json").read_text())
    assert not (folder / "scan.tflite").exists()


def test_a_network_that_knows_places_of_a_window_shares_nothing() -> None:
    random = np.random.default_rng(6)
    table, places = (tf.constant(random.normal(0, 1, shape), tf.float32) for shape in ((20, 8), (1, 50, 8)))
    narrow, last = (tf.constant(random.normal(0, 0.1, shape), tf.float32) for shape in ((350, 8), (8, 1)))

    def score(sequence: Any) -> Any:
        rows = tf.gather(table, tf.cast(sequence, tf.int32)) + places
        rows = tf.nn.relu(tf.nn.conv1d(rows, tf.ones((1, 8, 7)), 1, "VALID"))
        return tf.reshape(tf.nn.relu(tf.reshape(rows, (16, -1)) @ narrow) @ last, (16,))

    spec, rows = tf.TensorSpec((16, 50), tf.uint8, "sequence"), random.integers(0, 20, (64, 50)).astype(np.uint8)
    content = quantize_static(convert_network(tf.function(score).get_concrete_function(spec), int8=False), rows)
    with pytest.raises(InvalidOption, match="position to position"):
        make_scan(content, 64)
