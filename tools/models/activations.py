"""The activations that are served, and what transformers and Keras call them."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

TRANSFORMERS: Final[Mapping[str, str]] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    **{name: name for name in ("silu", "relu", "mish", "tanh", "sigmoid", "linear")},
    "swish": "silu",
}
KERAS: Final[Mapping[str, str]] = {
    **{name: name for name in ("linear", "relu", "relu6", "tanh", "sigmoid", "gelu", "silu", "mish", "elu", "selu")},
    **{name: name for name in ("softplus", "softsign")},
    "swish": "silu",
}
_SELU: Final = (1.0507009873554805, 1.6732632423543772)


def _erf(values: Array) -> Array:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(values))


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values))


def _softplus(values: Array) -> Array:
    return np.asarray(np.logaddexp(0, values))


def _elu(values: Array) -> Array:
    return np.asarray(np.where(values > 0, values, np.expm1(np.minimum(values, 0))))


NUMPY: Final[Mapping[str, Callable[[Array], Array]]] = {
    "linear": lambda x: x,
    "gelu": lambda x: x * (1 + _erf(x / np.sqrt(2.0))) / 2,
    "gelu_tanh": lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
    "quick_gelu": lambda x: x * _sigmoid(1.702 * x),
    "silu": lambda x: x * _sigmoid(x),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "elu": _elu,
    "selu": lambda x: _SELU[0] * np.where(x > 0, x, _SELU[1] * _elu(x)),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
}
"""Each activation of an array of any shape; exact in float64, which is what checks compare with."""
