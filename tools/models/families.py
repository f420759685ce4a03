"""The families of encoders that are served, and what each one's `config.json` says of its network."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assay.errors import UnreadableInput
from tools.models.architecture import TRANSFORMERS, Architecture, Disentangled, HeadStep, Pooling, Rotary, Weights

if TYPE_CHECKING:
    from tools.models.encoder import Encoder


_SHOWN: Final = 60
_MOST: Final = 1 << 24


class CheckpointConfig:
    """The settings of a Hugging Face folder; every reading raises UnreadableInput for a value of a wrong kind."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def integer(self, *names: str, default: int, least: int = 1) -> int:
        """Return a whole number of at least `least`, under the first of the names that is there."""
        name, value = self._find(names, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not least <= value <= _MOST:
            raise self._wrong(name, value, f"a whole number from {least}")
        return value

    def number(self, *names: str, default: float) -> float:
        """Return a number that is greater than 0."""
        name, value = self._find(names, default)
        if type(value) not in (int, float) or not 0 < value < math.inf:
            raise self._wrong(name, value, "a number above 0")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def word(self, *names: str, default: str) -> str:
        """Return a text."""
        name, value = self._find(names, default)
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return several texts, from a list or from one text with | between them."""
        value = self.values.get(name)
        found = value.split("|") if isinstance(value, str) else [] if value is None else value
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self._wrong(name, value, "a list of texts")
        return tuple(each.strip().lower() for each in found if each.strip())

    def activation(self, *names: str, default: str) -> str:
        """Return the canonical name of an activation; one that is not served is refused by its name."""
        found = self.word(*names, default=default)
        if found not in TRANSFORMERS:
            known = ", ".join(TRANSFORMERS)
            raise UnreadableInput(f"config.json: {names[0]} is {found[:_SHOWN]!r}, which is not served: only {known}")
        return TRANSFORMERS[found]

    def refuse(self, name: str, complaint: str, *allowed: Any) -> None:
        """Raise UnreadableInput where a key is there with another value than those allowed (or null)."""
        value = self.values.get(name)
        if value is not None and not any(value == each and type(value) is type(each) for each in allowed):
            raise UnreadableInput(f"config.json: {name} is {_shorten(value)}: {complaint}")

    def _find(self, names: tuple[str, ...], default: Any) -> tuple[str, Any]:
        return next(((name, self.values[name]) for name in names if name in self.values), (names[0], default))

    def _wrong(self, name: str, value: object, kind: str) -> UnreadableInput:
        return UnreadableInput(f"config.json: {name} is {_shorten(value)}, and must be {kind}")


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


MOST_TOKENS: Final = 1024
"""More than an abstract has: networks that could read more are not made to."""
MOST_INNER: Final = 1000
"""ALBERT's layers within a group are numbered on from a thousand times the group's number."""
_MOST_LAYERS: Final = 256
_DEBERTA_EPSILON: Final = 1e-7
_MODERN_EPSILON: Final = 1e-5


def read_architecture(config: Mapping[str, Any], pooling: Pooling) -> Architecture:
    """Return the architecture that a Hugging Face `config.json` describes.

    Raises UnreadableInput for an unknown family, a value of a wrong kind, or one that would need another network.
    """
    family = config.get("model_type")
    reader = _READERS.get(family) if isinstance(family, str) else None
    if reader is None:
        raise UnreadableInput(
            f"config.json: model_type is {str(family)[:60]!r}, which is not one of {', '.join(FAMILIES)}: "
            "export the model as a SavedModel, whose network can be any"
        )
    settings = CheckpointConfig(config)
    settings.refuse("is_decoder", "a text is read as a whole here, not from left to right", False)
    settings.refuse("pruned_heads", "save the model with all of its heads", {}, [])
    settings.refuse("add_cross_attention", "there is no second text to attend to", False)
    found = reader(settings, pooling)
    if found.layers > _MOST_LAYERS:
        raise UnreadableInput(f"config.json: {found.layers} layers are more than a model has")
    return found


def weights_used(shape: Architecture, weights: Weights) -> Weights:
    """Return the weights without those that config.json switches off."""
    if not isinstance(shape.positions, Disentangled):
        return weights
    off = [] if shape.positions.absolute else ["embeddings.position."]
    off += [] if shape.positions.normed else ["relative.norm."]
    return {name: value for name, value in weights.items() if not name.startswith(tuple(off))}


def build_architecture(shape: Architecture, weights: Weights) -> "Encoder":
    """Return the network of an architecture over canonical weights; needs TensorFlow."""
    from tools.models.encoder import Encoder
    from tools.models.encoder_variants import BiasedEncoder, DisentangledEncoder, RotaryEncoder

    if isinstance(shape.positions, Disentangled):
        return DisentangledEncoder(shape, weights)
    if isinstance(shape.positions, Rotary):
        return RotaryEncoder(shape, weights)
    return (BiasedEncoder if "relative.weight" in weights else Encoder)(shape, weights)


def _bert(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    settings.refuse("position_embedding_type", "only absolute positions are served", "absolute")
    return Architecture(
        layers=settings.integer("num_hidden_layers", default=12),
        heads=settings.integer("num_attention_heads", default=12),
        epsilon=settings.number("layer_norm_eps", default=1e-12),
        activation=settings.activation("hidden_act", default="gelu"),
        pooling=pooling,
        longest=_longest(settings),
        needed=_kinds(settings, 2),
    )


def _kinds(settings: CheckpointConfig, default: int) -> tuple[str, ...]:
    return ("embeddings.kind",) if settings.integer("type_vocab_size", default=default, least=0) else ()


def _longest(settings: CheckpointConfig, default: int = 512) -> int:
    return min(MOST_TOKENS, settings.integer("max_position_embeddings", default=default))


def _roberta(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    offset = settings.integer("pad_token_id", default=1, least=0) + 1  # positions begin behind that of the pad token
    return replace(_bert(settings, pooling), position_offset=offset)


def _distilbert(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    return Architecture(
        layers=settings.integer("n_layers", "num_hidden_layers", default=6),
        heads=settings.integer("n_heads", "num_attention_heads", default=12),
        activation=settings.activation("activation", "hidden_act", default="gelu"),
        pooling=pooling,
        pooler_activation="relu",
        longest=_longest(settings),
    )


def _electra(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    return replace(_bert(settings, pooling), pooler_activation="gelu")


def _albert(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    layers = settings.integer("num_hidden_layers", default=12)
    groups, inner = settings.integer("num_hidden_groups", default=1), settings.integer("inner_group_num", default=1)
    if groups > layers or inner > MOST_INNER or layers * inner > _MOST_LAYERS:
        raise UnreadableInput(f"config.json: {layers} layers can't be {groups} groups of {inner}")
    of_layer = [int(layer / (layers / groups)) for layer in range(layers)]
    shared = tuple(group * MOST_INNER + at for group in of_layer for at in range(inner))
    values = {**settings.values, "num_attention_heads": settings.integer("num_attention_heads", default=64)}
    base = _bert(CheckpointConfig({"hidden_act": "gelu_new", **values}), pooling)
    return replace(base, layers=layers * inner, shared=shared)


def _mpnet(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    # Its pad token is 1, whatever config.json says.
    return replace(_bert(settings, pooling), position_offset=2, needed=("relative",))


def _deberta(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    settings.refuse("conv_groups", "only one group is served", 1)
    size = settings.integer("conv_kernel_size", default=0, least=0)
    if size and not size % 2:
        raise UnreadableInput(f"config.json: conv_kernel_size is {size}, and must be odd")
    base = Architecture(
        layers=settings.integer("num_hidden_layers", default=24),
        heads=settings.integer("num_attention_heads", default=24),
        epsilon=settings.number("layer_norm_eps", default=_DEBERTA_EPSILON),
        activation=settings.activation("hidden_act", default="gelu"),
        pooling=pooling,
        pooler_activation=settings.activation("pooler_hidden_act", default="gelu"),
        longest=_longest(settings),
        needed=_kinds(settings, 0),
    )
    return replace(base, positions=_places(settings, settings.activation("conv_act", default="tanh") if size else ""))


def _places(settings: CheckpointConfig, convolution: str) -> Disentangled:
    kinds = settings.words("pos_att_type")
    if set(kinds) - {"c2p", "p2c"} or (kinds and not settings.flag("relative_attention", default=False)):
        raise UnreadableInput("config.json: pos_att_type may be c2p and p2c, with relative_attention true")
    furthest = settings.integer("max_relative_positions", default=-1, least=-_MOST_LAYERS)
    if furthest < 1:
        furthest = settings.integer("max_position_embeddings", default=512)
    buckets = settings.integer("position_buckets", default=-1, least=-_MOST_LAYERS)
    if buckets > 0 and (buckets % 2 or furthest <= buckets // 2 + 1):
        raise UnreadableInput(f"config.json: position_buckets is {buckets}, for distances up to {furthest}")
    return Disentangled(
        span=buckets if buckets > 0 else furthest,
        buckets=max(buckets, 0),
        furthest=furthest,
        kinds=kinds,
        shared=settings.flag("share_att_key", default=False),
        normed="layer_norm" in settings.words("norm_rel_ebd"),
        absolute=settings.flag("position_biased_input", default=True),
        convolution=convolution,
    )


def _modernbert(settings: CheckpointConfig, pooling: Pooling) -> Architecture:
    settings.refuse("rope_scaling", "only positions without scaling are served")
    said = settings.word("classifier_pooling", default="cls")
    if said not in ("cls", "mean"):
        raise UnreadableInput(f"config.json: classifier_pooling is {said[:60]!r}, and must be cls or mean")
    epsilon = settings.number("norm_eps", default=_MODERN_EPSILON)
    theta = settings.number("global_rope_theta", default=160000.0)
    local = settings.values.get("local_rope_theta", 10000.0)
    activation = settings.activation("classifier_activation", default="gelu")
    return Architecture(
        layers=settings.integer("num_hidden_layers", default=22),
        heads=settings.integer("num_attention_heads", default=12),
        epsilon=epsilon,
        activation=settings.activation("hidden_activation", default="gelu"),
        pooling="mean" if said == "mean" else "cls",
        head=(
            HeadStep("linear", "pooler", activation),
            HeadStep("norm", "head_norm", epsilon=epsilon),
            HeadStep("linear", "head"),
        ),
        positions=Rotary(
            settings.integer("global_attn_every_n_layers", default=3),
            settings.integer("local_attention", default=128) // 2,
            theta,
            theta if local is None else settings.number("local_rope_theta", default=10000.0),
        ),
        longest=_longest(settings, 8192),
    )


_READERS: Final[Mapping[str, Callable[[CheckpointConfig, Pooling], Architecture]]] = {
    "bert": _bert,
    "distilbert": _distilbert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "camembert": _roberta,
    "electra": _electra,
    "albert": _albert,
    "mpnet": _mpnet,
    "deberta-v2": _deberta,
    "modernbert": _modernbert,
}
FAMILIES: Final = tuple(_READERS)
"""The values of `model_type` that are served."""
