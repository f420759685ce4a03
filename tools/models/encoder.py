"""A BERT encoder in plain TensorFlow, written so that its TensorFlow Lite conversion is small and fast.

One text a run, so hidden states are matrices [tokens, hidden] and every linear map is a plain matrix product that
the LiteRT kernels take over; only attention has a third axis, the heads. The scale of attention is folded into the
query and the one token type that is used into the positions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Weights = Mapping[str, npt.NDArray[np.float32]]
_ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "gelu_new": lambda x: tf.nn.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "relu": tf.nn.relu,
    "tanh": tf.nn.tanh,
}
_MASKED = -1e4


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the weights do not say: sizes, activations, pooling; `position_offset` is 2 for RoBERTa, else 0."""

    layers: int
    heads: int
    epsilon: float = 1e-12
    activation: str = "gelu"
    position_offset: int = 0
    pooling: Literal["mean", "cls"] = "mean"
    pooler_activation: str = "tanh"


class Encoder:
    """The network over canonical weights (see `tools.models.names`): ids and mask [1, T] to logits [1, labels]."""

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self.variables = {name: tf.Variable(value, trainable=False) for name, value in _fold(architecture, weights)}

    def logits(self, input_ids: tf.Tensor, attention_mask: tf.Tensor) -> tf.Tensor:
        """Return logits [1, labels] of one text, token ids and mask int32 [1, T]."""
        weight = tf.cast(attention_mask, tf.float32)
        bias = tf.reshape((1.0 - weight) * _MASKED, [1, 1, -1])
        hidden = self._embed(tf.reshape(input_ids, [-1]))
        for layer in range(self.architecture.layers):
            final = layer == self.architecture.layers - 1 and self.architecture.pooling == "cls"
            hidden = self._layer(f"layer.{layer}", hidden, bias, hidden[:1] if final else hidden)
        pooled = hidden if self.architecture.pooling == "cls" else weight @ hidden / tf.reduce_sum(weight)
        return self._head(pooled)

    def _embed(self, ids: tf.Tensor) -> tf.Tensor:
        words = tf.gather(self.variables["embeddings.word.weight"], ids)
        return self._norm("embeddings.norm", words + self.variables["embeddings.position.weight"][: tf.shape(ids)[0]])

    def _layer(self, name: str, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        """Return the layer's output for the rows `asking`, which attend to all of `hidden`."""
        context = self._attend(name, hidden, bias, asking)
        middle = self._norm(f"{name}.attention_norm", asking + self._linear(f"{name}.attention_output", context))
        wide = _ACTIVATIONS[self.architecture.activation](self._linear(f"{name}.intermediate", middle))
        return self._norm(f"{name}.norm", middle + self._linear(f"{name}.output", wide))

    def _attend(self, name: str, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        query, key, value = (
            self._heads(self._linear(f"{name}.{part}", rows))
            for part, rows in (("query", asking), ("key", hidden), ("value", hidden))
        )
        shares = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)
        return tf.reshape(tf.transpose(tf.matmul(shares, value), [1, 0, 2]), [-1, hidden.shape[1]])

    def _heads(self, rows: tf.Tensor) -> tf.Tensor:
        """Return rows [T, hidden] as [heads, T, hidden / heads]."""
        heads = self.architecture.heads
        return tf.transpose(tf.reshape(rows, [-1, heads, rows.shape[1] // heads]), [1, 0, 2])

    def _head(self, pooled: tf.Tensor) -> tf.Tensor:
        if "pooler.weight" in self.variables:
            pooled = _ACTIVATIONS[self.architecture.pooler_activation](self._linear("pooler", pooled))
        return self._linear("head", pooled)

    def _linear(self, name: str, rows: tf.Tensor) -> tf.Tensor:
        return tf.matmul(rows, self.variables[f"{name}.weight"]) + self.variables[f"{name}.bias"]

    def _norm(self, name: str, rows: tf.Tensor) -> tf.Tensor:
        centred = rows - tf.reduce_mean(rows, axis=-1, keepdims=True)
        variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
        scaled = centred * tf.math.rsqrt(variance + self.architecture.epsilon)
        return scaled * self.variables[f"{name}.weight"] + self.variables[f"{name}.bias"]


def _fold(architecture: Architecture, weights: Weights) -> list[tuple[str, npt.NDArray[np.float32]]]:
    """Return the weights as the graph holds them: linear maps transposed to [in, out], constants folded."""
    folded = dict(weights)
    kind = folded.pop("embeddings.kind.weight", None)
    positions = folded["embeddings.position.weight"][architecture.position_offset :]
    folded["embeddings.position.weight"] = positions if kind is None else positions + kind[0]
    scale = (folded["embeddings.word.weight"].shape[1] / architecture.heads) ** -0.5
    for name, value in folded.items():
        if ".query." in name:
            folded[name] = value * np.float32(scale)
        if name.endswith(".weight") and value.ndim == 2 and not name.startswith("embeddings."):
            folded[name] = np.ascontiguousarray(folded[name].T)
    return list(folded.items())


def module(encoder: Encoder) -> Any:
    """Return a `tf.Module` whose signature `serving_default` takes input_ids, attention_mask int32 [1, T]."""
    names = ("input_ids", "attention_mask")
    shapes = [tf.TensorSpec([1, None], tf.int32, name) for name in names]
    holder = tf.Module()
    holder.variables_ = list(encoder.variables.values())
    holder.serve = tf.function(lambda input_ids, attention_mask: {"logits": encoder.logits(input_ids, attention_mask)})
    holder.signature = holder.serve.get_concrete_function(*shapes)
    return holder
