"""Make the tiny sequence model without padding that the tests scan with: seeded, in integers, with both its files.

PYTHONPATH=layers/assay/python:. python tests/data/make_tiny_scan.py   (needs requirements/import.txt)
"""

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

from assay.models.probes import PROBES
from assay.sequences.contract import DEFAULT
from tools.models.build import build_manifest
from tools.models.importers.networks import convert_network
from tools.models.importers.result import FLOAT_TOLERANCE, sequence_header, sequence_probes
from tools.models.scan_graph import score_rows, write_scan
from tools.models.static_quantization import quantize_static

FOLDER = Path(__file__).parent / "tiny-scan" / "1"
BATCH, WIDTH, WINDOWS = 8, 8, 64
LENGTH, LETTERS = DEFAULT.length, len(DEFAULT.alphabet)


def network() -> tf.types.experimental.ConcreteFunction:
    """Return codes [BATCH, 50] to scores: convolutions, one residual, two of stride 2, and two dense layers."""
    random = np.random.default_rng(20)

    def weights(*shape: int) -> tf.Tensor:
        return tf.constant(random.normal(0, np.prod(shape[:-1]) ** -0.5, shape), tf.float32)

    table, stem = weights(LETTERS, 4), weights(1, 10, 4, WIDTH)
    inner, narrow = weights(1, 5, WIDTH, WIDTH), weights(1, 3, WIDTH, WIDTH)
    hidden, last = weights(8 * WIDTH, WIDTH), weights(WIDTH, 1)

    def score(sequence: tf.Tensor) -> tf.Tensor:
        x = tf.reshape(tf.gather(table, tf.cast(sequence, tf.int32)), (BATCH, 1, LENGTH, 4))
        x = tf.nn.relu(tf.nn.conv2d(x, stem, 2, "VALID") + 0.1)
        x = x[:, :, 2:-2] + tf.nn.relu(tf.nn.conv2d(x, inner, 1, "VALID") - 0.1)
        x = tf.nn.relu(tf.nn.conv2d(x, narrow, 2, "VALID") + 0.1)
        x = tf.nn.relu(tf.reshape(x, (BATCH, -1)) @ hidden + 0.1)
        return tf.identity(tf.reshape(x @ last + 0.25, (BATCH,)), "score")

    return tf.function(score).get_concrete_function(tf.TensorSpec((BATCH, LENGTH), tf.uint8, "sequence"))


def main() -> None:
    """Write the bundle."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    rows = np.random.default_rng(1).integers(0, LETTERS, (512, LENGTH)).astype(np.uint8)
    content = quantize_static(convert_network(network(), int8=False), rows)
    (FOLDER / "model.tflite").write_bytes(content)
    scan = write_scan(FOLDER, DEFAULT, WINDOWS)
    probes = sequence_probes(DEFAULT, lambda codes: score_rows(content, codes), FLOAT_TOLERANCE)
    (FOLDER / PROBES).write_bytes(probes.dumps())
    header = sequence_header(DEFAULT, "index", BATCH, "tflite", licence="Apache-2.0", quantization="static", **scan)
    manifest = build_manifest(FOLDER, {**header, "name": "tiny-scan", "version": "1"})
    (FOLDER / "manifest.json").write_bytes(manifest.dumps())


if __name__ == "__main__":
    main()
