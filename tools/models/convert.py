"""Conversion of an encoder to a SavedModel and to TensorFlow Lite, float32 or int8 weights (dynamic range)."""

import tempfile
from pathlib import Path

import tensorflow as tf

from tools.models.encoder import Encoder, module


def save(encoder: Encoder, folder: Path) -> None:
    """Write a SavedModel with signature `serving_default`: input_ids, attention_mask int32 [1, T] to logits."""
    holder = module(encoder)
    tf.saved_model.save(holder, str(folder), signatures={"serving_default": holder.signature})


def to_tflite(folder: Path, *, int8: bool) -> bytes:
    """Return the TensorFlow Lite file of a SavedModel; `int8` stores weight matrices as int8, computed in float."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converted: bytes = converter.convert()
    return converted


def convert(encoder: Encoder, *, int8: bool) -> bytes:
    """Return the TensorFlow Lite file of an encoder."""
    with tempfile.TemporaryDirectory() as folder:
        save(encoder, Path(folder))
        return to_tflite(Path(folder), int8=int8)
