"""ModernBERT: positions as angles, gates, norms before each part, and most layers looking near by only."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tools.models.architecture import Rotary
from tools.models.encoder import ACTIVATIONS, Encoder

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
        query, key, value = self._projected(layer, hidden, asking)
        query, key = self._turned(layer, query), self._turned(layer, key)
        scores = tf.matmul(query, key, transpose_b=True) + bias
        rotary = self._rotary()
        if layer % rotary.every:
            scores += self._beyond(asking, hidden, rotary.window)
        return self._mixed(scores, value)

    def _rotary(self) -> Rotary:
        assert isinstance(self.architecture.positions, Rotary)
        return self.architecture.positions

    def _turned(self, layer: int, rows: tf.Tensor) -> tf.Tensor:
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
