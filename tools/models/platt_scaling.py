"""From scores to probabilities (Platt, Advances in Large Margin Classifiers, 1999)."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


def sigmoid(logits: Array) -> Array:
    """Return probabilities; the two halves of tanh never overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits))


def platt(logits: Array, target: Array, steps: int = 50) -> tuple[Array, Array]:
    """Return scale and shift per label of the maximum-likelihood sigmoid(scale * logit + shift), scale >= 0.1."""
    scale, shift = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for _ in range(steps):
        error = sigmoid(scale * logits + shift) - target
        weight = (error + target) * (1 - error - target) + 1e-9
        a, b, c = (weight * logits**2).sum(0), (weight * logits).sum(0), weight.sum(0)
        by_scale, by_shift = (error * logits).sum(0), error.sum(0)
        determinant = a * c - b * b + 1e-9
        scale = np.maximum(scale - np.clip((c * by_scale - b * by_shift) / determinant, -0.5, 0.5), 0.1)
        shift = shift - np.clip((a * by_shift - b * by_scale) / determinant, -0.5, 0.5)
    return scale, shift
