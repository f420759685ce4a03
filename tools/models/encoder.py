"""Text encoders in plain TensorFlow, written so that their TensorFlow Lite conversion is small and fast.

One text a run, so hidden states are matrices [tokens, hidden] and every linear map is a plain matrix product that
the LiteRT kernels take over; only attention has a third axis, the heads. The scale of attention is folded into the
query and the one token type that is used into the positions. `Encoder` is BERT and its kin; other attentions are in
`tools.models.encoder_variants`.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tools.models.architecture import Architecture, HeadStep, Weights

_MASKED = -1e4
_FAR = 30.0
"""From here on mish is its argument in float32."""


def _mish(x: tf.Tensor) -> tf.Tensor:
    power = tf.exp(tf.minimum(x, _FAR))
    share = power * (power + 2.0)
    return x * share / (share + 2.0)


ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "linear": tf.identity,
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "quick_gelu": lambda x: x * tf.sigmoid(1.702 * x),
    "silu": lambda x: x * tf.sigmoid(x),
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "mish": _mish,
    "tanh": tf.nn.tanh,
    "sigmoid": tf.sigmoid,
    "elu": tf.nn.elu,
    "selu": lambda x: 1.0507009873554805 * tf.where(x > 0, x, 1.6732632423543772 * tf.nn.elu(x)),
    "softplus": lambda x: tf.nn.relu(x) + tf.math.log(1.0 + tf.exp(-tf.abs(x))),
    "softsign": lambda x: x / (1.0 + tf.abs(x)),
}
"""Each name of `tools.models.architecture`, of operations that LiteRT has."""


class Encoder:
    """The network over canonical weights (`tools.models.canonical_weights`): ids, mask [1, T] to logits [1, labels]."""

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        folded = self._fold(dict(weights))
        self.variables = {name: tf.Variable(value, trainable=False) for name, value in folded.items()}

    def logits(self, input_ids: tf.Tensor, attention_mask: tf.Tensor) -> tf.Tensor:
        """Return logits [1, labels] of one text, token ids and mask int32 [1, T]."""
        weight = tf.cast(attention_mask, tf.float32)
        hidden = self._encode(self._embed(tf.reshape(input_ids, [-1])), weight)
        return self._head(self._pool(hidden, weight))

    def _encode(self, hidden: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        """Return the last hidden states [T, hidden] of embedded tokens, only the first where no other is asked for."""
        bias = self._bias(weight)
        for layer in range(self.architecture.layers):
            final = layer == self.architecture.layers - 1 and self.architecture.pooling == "cls"
            hidden = self._layer(layer, hidden, bias, hidden[:1] if final else hidden)
        return hidden

    def _bias(self, weight: tf.Tensor) -> tf.Tensor:
        """Return what is added to the attention of all heads, [1, 1, T]."""
        return tf.reshape((1.0 - weight) * _MASKED, [1, 1, -1])

    def _pool(self, hidden: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        if self.architecture.pooling == "cls":
            return hidden
        if self.architecture.pooling == "mean":
            return weight @ hidden / tf.reduce_sum(weight)
        return tf.reduce_max(hidden + tf.transpose((weight - 1.0) * -_MASKED), axis=0, keepdims=True)

    def _embed(self, ids: tf.Tensor) -> tf.Tensor:
        words = tf.gather(self.variables["embeddings.word.weight"], ids)
        if "embeddings.position.weight" in self.variables:
            words += self.variables["embeddings.position.weight"][: tf.shape(ids)[0]]
        rows = self._norm("embeddings.norm", words)
        return self._linear("embeddings.projection", rows) if self._has("embeddings.projection") else rows

    def _layer(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        """Return the layer's output for the rows `asking`, which attend to all of `hidden`."""
        name = self.architecture.layer_name(layer)
        context = self._attend(layer, hidden, bias, asking)
        middle = self._norm(f"{name}.attention_norm", asking + self._linear(f"{name}.attention_output", context))
        wide = ACTIVATIONS[self.architecture.activation](self._linear(f"{name}.intermediate", middle))
        return self._norm(f"{name}.norm", middle + self._linear(f"{name}.output", wide))

    def _attend(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        query, key, value = self._query_key_value(layer, hidden, asking)
        return self._mix(tf.matmul(query, key, transpose_b=True) + bias, value)

    def _query_key_value(
        self, layer: int, hidden: tf.Tensor, asking: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return query, key and value, each [heads, rows, hidden / heads]."""
        name = self.architecture.layer_name(layer)
        query, key, value = (
            self._heads(self._linear(f"{name}.{part}", rows))
            for part, rows in (("query", asking), ("key", hidden), ("value", hidden))
        )
        return query, key, value

    def _mix(self, scores: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        """Return what attention of scores [heads, rows, T] takes from the values, [rows, hidden]."""
        found = tf.transpose(tf.matmul(tf.nn.softmax(scores), value), [1, 0, 2])
        return tf.reshape(found, [-1, value.shape[0] * value.shape[2]])

    def _heads(self, rows: tf.Tensor) -> tf.Tensor:
        """Return rows [T, hidden] as [heads, T, hidden / heads]."""
        heads = self.architecture.heads
        return tf.transpose(tf.reshape(rows, [-1, heads, rows.shape[1] // heads]), [1, 0, 2])

    def _head(self, pooled: tf.Tensor) -> tf.Tensor:
        for step in self.architecture.steps(self.variables):
            pooled = ACTIVATIONS[step.activation](self._take_step(step, pooled))
        return pooled

    def _take_step(self, step: HeadStep, rows: tf.Tensor) -> tf.Tensor:
        if step.kind == "linear":
            return self._linear(step.name, rows)
        if step.kind == "norm":
            return self._norm(step.name, rows, step.epsilon)
        if step.kind == "scale":
            return rows * self.variables[f"{step.name}.weight"] + self.variables[f"{step.name}.bias"]
        return rows

    def _has(self, name: str) -> bool:
        return f"{name}.weight" in self.variables

    def _linear(self, name: str, rows: tf.Tensor) -> tf.Tensor:
        found, bias = tf.matmul(rows, self.variables[f"{name}.weight"]), self.variables.get(f"{name}.bias")
        return found if bias is None else found + bias

    def _norm(self, name: str, rows: tf.Tensor, epsilon: float | None = None) -> tf.Tensor:
        epsilon = self.architecture.epsilon if epsilon is None else epsilon
        centred = rows - tf.reduce_mean(rows, axis=-1, keepdims=True)
        variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
        scaled = centred * tf.math.rsqrt(variance + epsilon) * self.variables[f"{name}.weight"]
        bias = self.variables.get(f"{name}.bias")
        return scaled if bias is None else scaled + bias

    def _fold(self, weights: dict[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights as the graph holds them: linear maps transposed to [in, out], constants folded."""
        self._fold_embeddings(weights)
        for name, value in weights.items():
            if ".query." in name:
                value = value * np.float32((value.shape[0] / self.architecture.heads) ** -0.5)
            linear = name.endswith(".weight") and value.ndim == 2 and name.partition(".")[0] != "tables"
            table = name.startswith("embeddings.") and name != "embeddings.projection.weight"
            weights[name] = np.ascontiguousarray(value.T) if linear and not table else value
        return weights

    def _fold_embeddings(self, weights: dict[str, npt.NDArray[np.float32]]) -> None:
        kind = weights.pop("embeddings.kind.weight", None)
        place = "embeddings.position.weight"
        if place in weights:
            positions = weights[place][self.architecture.position_offset :][: self.architecture.longest]
            weights[place] = positions if kind is None else positions + kind[0]
        elif kind is not None:
            weights["embeddings.word.weight"] = weights["embeddings.word.weight"] + kind[0]


def module(encoder: Encoder) -> Any:
    """Return a `tf.Module` whose signature `serving_default` takes input_ids, attention_mask int32 [1, T]."""
    names = ("input_ids", "attention_mask")
    shapes = [tf.TensorSpec([1, None], tf.int32, name) for name in names]
    holder = tf.Module()
    holder.variables_ = list(encoder.variables.values())
    holder.serve = tf.function(lambda input_ids, attention_mask: {"logits": encoder.logits(input_ids, attention_mask)})
    holder.signature = holder.serve.get_concrete_function(*shapes)
    return holder


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write a SavedModel with signature `serving_default`: input_ids, attention_mask int32 [1, T] to logits."""
    holder = module(encoder)
    tf.saved_model.save(holder, str(folder), signatures={"serving_default": holder.signature})


def encoder_to_tflite(folder: Path, *, int8: bool) -> bytes:
    """Return the TensorFlow Lite file of a SavedModel; `int8` stores weight matrices as int8, computed in float."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converted: bytes = converter.convert()
    return converted


def convert_encoder(encoder: Encoder, *, int8: bool) -> bytes:
    """Return the TensorFlow Lite file of an encoder."""
    with tempfile.TemporaryDirectory() as folder:
        save_encoder(encoder, Path(folder))
        return encoder_to_tflite(Path(folder), int8=int8)
