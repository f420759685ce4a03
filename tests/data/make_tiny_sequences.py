"""Make the tiny sequence models of the tests: one seeded network, once for each encoding, and as a SavedModel.

PYTHONPATH=layers/assay/python:. python tests/data/make_tiny_sequences.py   (needs requirements/train.txt)
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tools.models.build import build_manifest

HERE = Path(__file__).parent
ALPHABET = "ACDEFGHIKLMNPQRSTVWY"
LENGTH, BATCH, HIDDEN = 50, 8, 4
SHAPES = {"index": (LENGTH,), "one_hot": (LENGTH, 20), "one_hot_flat": (LENGTH * 20,)}


def network(encoding: str) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Return inputs of an encoding to scores [BATCH]: the same numbers whatever the encoding."""
    random = np.random.default_rng(50)
    wide = tf.constant(random.normal(0, 0.4, (LENGTH * 20, HIDDEN)), tf.float32)
    narrow = tf.constant(random.normal(0, 1, (HIDDEN, 1)), tf.float32)

    def score(sequence: tf.Tensor) -> dict[str, tf.Tensor]:
        dense = tf.one_hot(tf.cast(sequence, tf.int32), 20) if encoding == "index" else sequence
        return {"score": tf.reshape(tf.tanh(tf.reshape(dense, [-1, LENGTH * 20]) @ wide) @ narrow, [-1])}

    return score


def save(encoding: str, batch: int | None, folder: Path) -> None:
    """Write the SavedModel of an encoding."""
    holder = tf.Module()
    dtype = tf.uint8 if encoding == "index" else tf.float32
    holder.score = tf.function(network(encoding))
    signature = holder.score.get_concrete_function(tf.TensorSpec([batch, *SHAPES[encoding]], dtype, "sequence"))
    tf.saved_model.save(holder, str(folder), signatures={"serving_default": signature})
    (folder / "fingerprint.pb").unlink(missing_ok=True)


def bundle(encoding: str, kind: str, batch: int | None) -> None:
    """Write one bundle."""
    name = f"tiny-{encoding.replace('_', '-')}" + ("-saved" if kind == "saved_model" else "")
    folder = HERE / name / "1"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if kind == "saved_model":
        save(encoding, batch, folder / "saved")
    else:
        with tempfile.TemporaryDirectory() as saved:
            save(encoding, batch, Path(saved))
            (folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(saved).convert())
    dtype = "uint8" if encoding == "index" else "float32"
    header = {
        "schema": 1,
        "name": name,
        "version": "1",
        "task": "sequence-score",
        "format": kind,
        "inputs": [{"name": "sequence", "dtype": dtype, "shape": [batch, *SHAPES[encoding]]}],
        "outputs": [{"name": "score", "dtype": "float32", "shape": [batch]}],
        "sequence": {"alphabet": ALPHABET, "length": LENGTH, "encoding": encoding},
        "provenance": {"made by": "tests/data/make_tiny_sequences.py"},
        "licence": "Apache-2.0",
    }
    (folder / "manifest.json").write_bytes(build_manifest(folder, header).dumps())


if __name__ == "__main__":
    for each in SHAPES:
        bundle(each, "tflite", BATCH)
    bundle("index", "saved_model", None)
