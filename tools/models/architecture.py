"""What describes a text encoder besides its weights; nothing here needs TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Weights = Mapping[str, npt.NDArray[np.float32]]
"""Arrays by canonical names (see `tools.models.names`)."""
Pooling = Literal["mean", "cls", "max"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a head over the pooled state [1, n], by the weights under `name`.

    `linear` is a linear map, `scale` a factor and a shift a column, `norm` a layer norm, `plain` none of them; then
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
    head: tuple[Step, ...] = ()
    shared: tuple[int, ...] = ()
    positions: Disentangled | Rotary | None = None
    longest: int = 512
    needed: tuple[str, ...] = ()

    def steps(self, weights: Mapping[str, Any]) -> tuple[Step, ...]:
        """Return the steps of the head over the pooled state."""
        pooler = (Step("linear", "pooler", self.pooler_activation),) if "pooler.weight" in weights else ()
        return self.head or (*pooler, Step("linear", "head"))

    def layer_name(self, layer: int) -> str:
        """Return the name under which a layer's weights stand."""
        return f"layer.{self.shared[layer] if self.shared else layer}"
