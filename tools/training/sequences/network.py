"""The Keras networks: an accurate teacher, and the small fast student that ships.

Both take residue indices [N, 50] and give both stability scores [N, 2], chymotrypsin first.
"""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from tools.training.sequences.data import ALPHABET, LENGTH, PROTEASES


@dataclass(frozen=True, slots=True)
class StudentShape:
    """Channels of a residue's embedding, channels, kernel over 50 and over 25 positions, blocks, last hidden width."""

    embedding: int = 8
    width: int = 64
    stem: int = 9
    kernel: int = 5
    blocks: int = 1
    dense: int = 64


@dataclass(frozen=True, slots=True)
class TeacherShape:
    """Channels, kernel and number of the residual blocks, rate of dropout."""

    width: int = 64
    kernel: int = 9
    blocks: int = 3
    dropout: float = 0.15


@keras.saving.register_keras_serializable("assay")
class Residues(layers.Layer):
    """A vector per residue by a plain gather: keras.layers.Embedding also converts tests for negative indices."""

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.channels = channels

    def build(self, _: Any) -> None:
        """Make the table [residues, channels]."""
        self.table = self.add_weight(shape=(len(ALPHABET), self.channels), initializer="normal", name="table")

    def call(self, codes: Any) -> Any:
        """Return the vectors [N, 50, channels] of codes [N, 50]."""
        return tf.gather(self.table, tf.cast(codes, tf.int32))

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "channels": self.channels}


@keras.saving.register_keras_serializable("assay")
class PositionBias(layers.Layer):
    """Adds a learned vector to each position."""

    def build(self, shape: Any) -> None:
        """Make the table [positions, channels]."""
        self.table = self.add_weight(shape=tuple(shape[1:]), initializer="zeros", name="table")

    def call(self, values: Any) -> Any:
        """Return values + table."""
        return values + self.table


def student(shape: StudentShape, dropout: float = 0.05) -> keras.Model:
    """Return the small network; its convolutions are 2-D with height 1, which LiteRT runs without reshapes.

    The first convolution halves the positions before anything wide happens: most of the work of a convolution at
    full length buys little rank correlation.
    """
    codes = keras.Input((LENGTH,), dtype="uint8", name="sequence")
    x = layers.Reshape((1, LENGTH, shape.embedding))(Residues(shape.embedding)(codes))
    x = _convolution(x, shape.width, shape.stem, 2)
    for _ in range(shape.blocks):
        x = layers.add([x, _convolution(x, shape.width, shape.kernel, 1)])
    x = layers.Flatten()(_convolution(x, shape.width, 3, 2))
    x = layers.Dense(shape.dense, activation="relu")(layers.Dropout(dropout)(x))
    return keras.Model(codes, layers.Dense(len(PROTEASES), dtype="float32", name="stability")(x))


def _convolution(x: Any, channels: int, kernel: int, stride: int) -> Any:
    x = layers.Conv2D(channels, (1, kernel), strides=(1, stride), padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def teacher(shape: TeacherShape) -> keras.Model:
    """Return the large network: residual convolutions over single residues."""
    codes = keras.Input((LENGTH,), dtype="uint8", name="sequence")
    x = PositionBias()(Residues(shape.width)(codes))
    for _ in range(shape.blocks):
        branch = layers.Conv1D(shape.width, shape.kernel, padding="same", use_bias=False)(x)
        branch = layers.ReLU()(layers.BatchNormalization()(branch))
        x = layers.add([x, layers.Dropout(shape.dropout)(branch)])
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dense(2 * shape.width, activation="relu")(layers.Dropout(2 * shape.dropout)(x))
    return keras.Model(codes, layers.Dense(len(PROTEASES), dtype="float32", name="stability")(x))
