"""Encoders whose attention knows distances: MPNet's bias of each, DeBERTa's attention between content and place.

Distances are put in classes: near ones each have their own, far ones share one with their neighbours. The classes of
all distances are a constant table, so that the graph only looks them up.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tools.models.architecture import Architecture, Disentangled, Rotary
from tools.models.encoder import ACTIVATIONS, Encoder

_BIAS_BUCKETS = 32
_BIAS_FURTHEST = 128
_FLOAT = np.float32


def bias_classes(longest: int) -> npt.NDArray[np.int32]:
    """Return MPNet's class of each distance key - query, from 1 - longest to longest - 1, int32 [2 * longest - 1].

    The classes are T5's: half of 32 for each side, eight of these one distance each and the others growing with its
    logarithm up to 128 (Raffel et al., JMLR 21:140, 2020).
    """
    distances = np.arange(1 - longest, longest)
    half, near = _BIAS_BUCKETS // 2, _BIAS_BUCKETS // 4
    size = np.abs(distances)
    growth = np.log(np.maximum(size, 1).astype(_FLOAT) / _FLOAT(near)) / _FLOAT(np.log(_BIAS_FURTHEST / near))
    far = np.minimum(near + (growth * _FLOAT(half - near)).astype(np.int32), half - 1)
    return np.asarray(np.where(size < near, size, far) + half * (distances > 0), np.int32)


def place_classes(longest: int, buckets: int, furthest: int) -> npt.NDArray[np.int32]:
    """Return DeBERTa's class of each distance query - key, from 1 - longest to longest - 1, int32 [2 * longest - 1].

    With `buckets` 0 each distance has its own; else half of them are near, the others logarithmic up to `furthest`
    (He et al., arXiv:2111.09543).
    """
    distances = np.arange(1 - longest, longest)
    if buckets <= 0 or furthest <= 0:
        return np.asarray(distances, np.int32)
    middle = buckets // 2
    size = np.where(np.abs(distances) < middle, middle - 1, np.abs(distances)).astype(_FLOAT)
    widest = np.log(_FLOAT((furthest - 1) / middle))
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.ceil(np.log(size / _FLOAT(middle)) / widest * _FLOAT(middle - 1)) + middle
    return np.asarray(np.where(size <= middle, distances, far * np.sign(distances)), np.int32)


class _Relative(Encoder):
    """An encoder with a constant table `tables.*` by distance; `_distances` are its rows."""

    def _distances(self, rows: tf.Tensor, columns: tf.Tensor, *, turned: bool = False) -> tf.Tensor:
        """Return query - key (`turned`: key - query) plus longest - 1, int32 [rows, columns]."""
        queries, keys = tf.range(tf.shape(rows)[0])[:, None], tf.range(tf.shape(columns)[0])[None, :]
        return (keys - queries if turned else queries - keys) + (self.architecture.longest - 1)


class BiasedEncoder(_Relative):
    """MPNet: every head adds a number that depends on the distance, the same in all layers (arXiv:2004.09297)."""

    def _bias(self, weight: tf.Tensor) -> tf.Tensor:
        tokens = tf.reshape(weight, [-1])
        found = tf.gather(self.variables["tables.bias"], self._distances(tokens, tokens, turned=True))
        return tf.transpose(found, [2, 0, 1]) + super()._bias(weight)

    def _attend(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        return super()._attend(layer, hidden, bias[:, : tf.shape(asking)[0]], asking)

    def _fold(self, weights: dict[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[np.float32]]:
        table = weights.pop("relative.weight")
        weights["tables.bias"] = np.ascontiguousarray(table[bias_classes(self.architecture.longest)])
        return super()._fold(weights)


class DisentangledEncoder(_Relative):
    """DeBERTa of the second and third version: content attends to place and place to content (arXiv:2006.03654).

    What the places make of queries and keys depends on weights alone, so it is computed here once a layer.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, npt.NDArray[np.float32]]) -> None:
        assert isinstance(architecture.positions, Disentangled)
        self._places = architecture.positions
        classes = place_classes(architecture.longest, self._places.buckets, self._places.furthest)
        self._classes = np.clip(classes + self._places.span, 0, 2 * self._places.span - 1)
        super().__init__(architecture, weights)

    def _encode(self, hidden: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        self._embedded = hidden * tf.transpose(weight)
        return super()._encode(hidden, weight)

    def _layer(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        if layer or not self._places.convolution:
            return super()._layer(layer, hidden, bias, asking)
        whole = super()._layer(layer, hidden, bias, hidden)
        near = tf.nn.conv1d(self._embedded[None], self.variables["convolution.weight"], 1, "SAME")[0]
        near = ACTIVATIONS[self._places.convolution](near + self.variables["convolution.bias"])
        return self._norm("convolution.norm", whole + near)[: tf.shape(asking)[0]]

    def _attend(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        query, key, value = self._query_key_value(layer, hidden, asking)
        scores = tf.matmul(query, key, transpose_b=True) + bias
        classes = tf.gather(tf.constant(self._classes), self._distances(asking, hidden))
        for kind, rows in (("c2p", query), ("p2c", key)):
            if kind in self._places.kinds:
                places = tf.matmul(rows, self.variables[f"tables.{layer}.{kind}"])
                scores += self._look_up(places, classes if kind == "c2p" else tf.transpose(classes), kind)
        return self._mix(scores, value)

    def _look_up(self, places: tf.Tensor, classes: tf.Tensor, kind: str) -> tf.Tensor:
        """Return places [heads, rows, 2 * span] at classes [rows, others], as [heads, queries, keys]."""
        found = tf.gather(tf.transpose(places, [1, 2, 0]), classes, batch_dims=1)
        return tf.transpose(found, [2, 0, 1] if kind == "c2p" else [2, 1, 0])

    def _fold(self, weights: dict[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[np.float32]]:
        self._project(weights)
        places = self._place_states(weights) if self._places.kinds else np.zeros((0, 0))
        scale = (1 + len(self._places.kinds)) ** -0.5
        tables = {}
        for layer in range(self.architecture.layers):
            name = f"layer.{layer}"
            for part in ("weight", "bias"):
                weights[f"{name}.query.{part}"] = weights[f"{name}.query.{part}"] * _FLOAT(scale)
            for kind in self._places.kinds:
                tables[f"tables.{layer}.{kind}"] = self._table(weights, name, kind, places, scale)
        kept = {key: value for key, value in weights.items() if ".place_" not in key}
        if "convolution.weight" in kept:
            kept["convolution.weight"] = np.ascontiguousarray(kept["convolution.weight"].transpose(2, 1, 0))
        return super()._fold(kept) | tables

    def _project(self, weights: dict[str, npt.NDArray[np.float32]]) -> None:
        """Fold the map of embeddings to hidden states into them, for it comes before their norm."""
        matrix = weights.pop("embeddings.projection.weight", None)
        for table in ("word", "position", "kind"):
            name = f"embeddings.{table}.weight"
            if matrix is not None and name in weights:
                weights[name] = np.asarray(weights[name] @ matrix.T, _FLOAT)

    def _table(
        self,
        weights: Mapping[str, npt.NDArray[np.float32]],
        name: str,
        kind: str,
        places: npt.NDArray[np.float64],
        scale: float,
    ) -> npt.NDArray[np.float32]:
        """Return what keys or queries the places have in a layer, [heads, size, 2 * span].

        Queries are scaled where they are made; a place that asks must be scaled here.
        """
        part, shared = ("place_key", "key") if kind == "c2p" else ("place_query", "query")
        own = f"{name}.{part}" if f"{name}.{part}.weight" in weights else f"{name}.{shared}"
        found = places @ weights[f"{own}.weight"].T.astype(np.float64) + weights[f"{own}.bias"]
        heads = self.architecture.heads
        if kind == "p2c":
            already = scale if own.endswith(".query") else 1.0
            found = found * scale / already * (found.shape[1] / heads) ** -0.5
        return np.ascontiguousarray(found.reshape(len(places), heads, -1).transpose(1, 2, 0), np.float32)

    def _place_states(self, weights: dict[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
        """Return the embedding of each class, normed where the network does so, [2 * span, hidden]."""
        places = weights.pop("relative.weight")[: 2 * self._places.span].astype(np.float64)
        scale, shift = weights.pop("relative.norm.weight", None), weights.pop("relative.norm.bias", None)
        if scale is None or shift is None:
            return places
        centred = places - places.mean(1, keepdims=True)
        return np.asarray(centred / np.sqrt(centred.var(1, keepdims=True) + self.architecture.epsilon) * scale + shift)


_BEYOND = -1e9


def angles(longest: int, size: int, theta: float) -> npt.NDArray[np.float32]:
    """Return the angle of each position and column, [longest, size] (Su et al., arXiv:2104.09864)."""
    speeds = theta ** -(np.arange(0, size, 2, dtype=np.float32) / np.float32(size))
    half = np.arange(longest, dtype=np.float32)[:, None] * speeds.astype(np.float32)
    return np.concatenate([half, half], axis=1)


class RotaryEncoder(Encoder):
    """ModernBERT's network (Warner et al., arXiv:2412.13663); ids and mask [1, T] to logits [1, labels]."""

    def _encode(self, hidden: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        return self._norm("final_norm", super()._encode(hidden, weight))

    def _layer(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        name, first = f"layer.{layer}", f"layer.{layer}.attention_norm"
        normed = self._norm(first, hidden) if self._has(first) else hidden
        context = self._attend(layer, normed, bias, normed[: tf.shape(asking)[0]])
        middle = asking + self._linear(f"{name}.attention_output", context)
        rows = self._norm(f"{name}.norm", middle)
        wide = ACTIVATIONS[self.architecture.activation](self._linear(f"{name}.intermediate", rows))
        return middle + self._linear(f"{name}.output", wide * self._linear(f"{name}.gate", rows))

    def _attend(self, layer: int, hidden: tf.Tensor, bias: tf.Tensor, asking: tf.Tensor) -> tf.Tensor:
        query, key, value = self._query_key_value(layer, hidden, asking)
        query, key = self._turn(layer, query), self._turn(layer, key)
        scores = tf.matmul(query, key, transpose_b=True) + bias
        rotary = self._rotary()
        if layer % rotary.every:
            scores += self._beyond(asking, hidden, rotary.window)
        return self._mix(scores, value)

    def _rotary(self) -> Rotary:
        assert isinstance(self.architecture.positions, Rotary)
        return self.architecture.positions

    def _turn(self, layer: int, rows: tf.Tensor) -> tf.Tensor:
        """Return rows [heads, T, size] turned by their positions' angles."""
        rotary, size = self._rotary(), int(rows.shape[2])
        theta = rotary.local_theta if layer % rotary.every else rotary.theta
        table = angles(self.architecture.longest, size, theta)
        cosines, sines = (tf.constant(each)[: tf.shape(rows)[1]] for each in (np.cos(table), np.sin(table)))
        crossed = tf.concat([-rows[:, :, size // 2 :], rows[:, :, : size // 2]], axis=2)
        return rows * cosines + crossed * sines

    def _beyond(self, asking: tf.Tensor, hidden: tf.Tensor, window: int) -> tf.Tensor:
        """Return what keeps rows from looking further than the window, [rows, T]."""
        rows, columns = tf.range(tf.shape(asking)[0])[:, None], tf.range(tf.shape(hidden)[0])[None, :]
        return tf.cast(tf.abs(rows - columns) > window, tf.float32) * _BEYOND
