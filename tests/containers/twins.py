"""Run inside the full image: write one small network as a SavedModel and as LiteRT, for both runtimes to agree on.

usage: python3 twins.py FOLDER     writes FOLDER/saved_model/ and FOLDER/model.tflite
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

BATCH, LENGTH, LETTERS = 64, 50, 20


class Network(tf.Module):
    """Embedding, a hidden layer, a score: uint8 [64, 50] to float32 [64]."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(7)
        self.table = tf.Variable(random.normal(size=(LETTERS, 8)).astype(np.float32))
        self.hidden = tf.Variable(random.normal(scale=0.1, size=(LENGTH * 8, 32)).astype(np.float32))
        self.last = tf.Variable(random.normal(size=(32, 1)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([BATCH, LENGTH], tf.uint8, name="sequence")])
    def score(self, sequence: Any) -> dict[str, Any]:
        """Return the scores of a batch."""
        letters = tf.reshape(tf.gather(self.table, tf.cast(sequence, tf.int32)), [BATCH, LENGTH * 8])
        return {"score": tf.reshape(tf.nn.relu(letters @ self.hidden) @ self.last, [BATCH])}


def main(folder: Path) -> None:
    """Write both forms."""
    network = Network()
    saved = str(folder / "saved_model")
    tf.saved_model.save(network, saved, signatures={"serving_default": network.score})
    (folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(saved).convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
