"""What describes a text encoder besides its weights; nothing here needs TensorFlow."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Weights = Mapping[str, npt.NDArray[np.float32]]
"""Arrays by canonical names (see `tools.models.canonical_weights`)."""
Pooling = Literal["mean", "cls", "max"]


@dataclass(frozen=True, slots=True)
class HeadStep:
    """One step of a head over the pooled state [1, n], by the weights under `name`.

    `linear` is a linear map, `scale` a factor and a shift a column, `norm` a layer norm; `plain` has no such step. Then
    comes the activation.
    """

    kind: Literal["linear", "scale", "norm", "plain"]
    name: str = ""
    activation: str = "linear"
    epsilon: float = 1e-12


@dataclass(frozen=True, slots=True)
class Disentangled:
    """DeBERTa's positions: distances in `span` classes to each side, attended to by content and the other way.

    `kinds` are c2p and p2c; `shared` says that places use the layers' own keys and queries, `normed` that their
    embeddings are normed, `absolute` that words have positions too; `convolution` is that layer's activation.
    """

    span: int
    buckets: int
    furthest: int
    kinds: tuple[str, ...]
    shared: bool = False
    normed: bool = False
    absolute: bool = True
    convolution: str = ""


@dataclass(frozen=True, slots=True)
class Rotary:
    """ModernBERT's positions: turned by an angle; all layers but each `every`-th look `window` tokens to each side."""

    every: int
    window: int
    theta: float
    local_theta: float


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the weights do not say: sizes, activations, pooling; `position_offset` is 2 for RoBERTa, else 0.

    `shared` names for each layer the one whose weights it uses, where layers share them. An empty `head` is the
    pooler, where the weights have one, and the linear map `head`. `longest` is how many tokens are ever read, and
    `needed` names what a family must have beyond the usual weights.
    """

    layers: int
    heads: int
    epsilon: float = 1e-12
    activation: str = "gelu"
    position_offset: int = 0
    pooling: Pooling = "mean"
    pooler_activation: str = "tanh"
    head: tuple[HeadStep, ...] = ()
    shared: tuple[int, ...] = ()
    positions: Disentangled | Rotary | None = None
    longest: int = 512
    needed: tuple[str, ...] = ()

    def steps(self, weights: Mapping[str, Any]) -> tuple[HeadStep, ...]:
        """Return the steps of the head over the pooled state."""
        pooler = (HeadStep("linear", "pooler", self.pooler_activation),) if "pooler.weight" in weights else ()
        return self.head or (*pooler, HeadStep("linear", "head"))

    def layer_name(self, layer: int) -> str:
        """Return the name under which a layer's weights stand."""
        return f"layer.{self.shared[layer] if self.shared else layer}"


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
