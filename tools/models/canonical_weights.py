"""Hugging Face names to canonical ones, for every family that `tools.models.families` knows.

Canonical names are `embeddings.{word,position,kind,norm,projection}`, `layer.N.{query,key,value,attention_output,
attention_norm,intermediate,output,norm}`, `pooler` (optional) and `head`, each with `.weight` or `.bias`. `relative`
are distances (MPNet, DeBERTa), `layer.N.gate` and `final_norm` ModernBERT's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput
from tools.models.architecture import Architecture, Disentangled, HeadStep, Rotary, Weights
from tools.models.families import MOST_INNER

_PREFIX: Final = re.compile(
    r"^(?:module\.)?(?:encoder\.(?=embeddings|encoder)|(?:bert|roberta|distilbert|electra|albert|mpnet|deberta|model)\.)?"
)
_OUTSIDE: Final = {
    "embeddings.word_embeddings": "embeddings.word",
    "embeddings.tok_embeddings": "embeddings.word",
    "embeddings.position_embeddings": "embeddings.position",
    "embeddings.token_type_embeddings": "embeddings.kind",
    "embeddings.LayerNorm": "embeddings.norm",
    "embeddings.norm": "embeddings.norm",
    "embeddings.embed_proj": "embeddings.projection",
    "embeddings_project": "embeddings.projection",
    "encoder.embedding_hidden_mapping_in": "embeddings.projection",
    "encoder.relative_attention_bias": "relative",
    "encoder.rel_embeddings": "relative",
    "encoder.LayerNorm": "relative.norm",
    "encoder.conv.conv": "convolution",
    "encoder.conv.LayerNorm": "convolution.norm",
    "final_norm": "final_norm",
    "pooler.dense": "pooler",
    "pooler": "pooler",
    "pre_classifier": "pooler",
    "classifier.dense": "pooler",
    "head.dense": "pooler",
    "head.norm": "head_norm",
    "classifier.out_proj": "head",
    "classifier": "head",
    "head": "head",
}
_BERT: Final = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "intermediate",
    "output.dense": "output",
    "output.LayerNorm": "norm",
}
_DISTILBERT: Final = {
    "attention.q_lin": "query",
    "attention.k_lin": "key",
    "attention.v_lin": "value",
    "attention.out_lin": "attention_output",
    "sa_layer_norm": "attention_norm",
    "ffn.lin1": "intermediate",
    "ffn.lin2": "output",
    "output_layer_norm": "norm",
}
_ALBERT: Final = {
    "attention.query": "query",
    "attention.key": "key",
    "attention.value": "value",
    "attention.dense": "attention_output",
    "attention.LayerNorm": "attention_norm",
    "ffn": "intermediate",
    "ffn_output": "output",
    "full_layer_layer_norm": "norm",
}
_MPNET: Final = {f"attention.attn.{short}": name for short, name in zip("qkv", ("query", "key", "value"), strict=True)}
_DEBERTA: Final = {
    **{f"attention.self.{name}_proj": name for name in ("query", "key", "value")},
    **{f"attention.self.pos_{name}_proj": f"place_{name}" for name in ("key", "query")},
}
_MODERNBERT: Final = {
    "attn.Wqkv": "query+key+value",
    "attn.Wo": "attention_output",
    "attn_norm": "attention_norm",
    "mlp.Wi": "intermediate+gate",
    "mlp.Wo": "output",
    "mlp_norm": "norm",
}
_INSIDE: Final = {
    **_BERT,
    **_DISTILBERT,
    **_ALBERT,
    **_MPNET,
    "attention.attn.o": "attention_output",
    **_DEBERTA,
    **_MODERNBERT,
}
_LAYER: Final = re.compile(r"^(?:encoder\.|transformer\.)?layers?\.(\d+)\.(.+)$")
_GROUP: Final = re.compile(r"^encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)\.(.+)$")


def canonical(state: Mapping[str, npt.NDArray[np.floating]]) -> Weights:
    """Return the weights under canonical names as float32; buffers and pre-training heads are left out."""
    found: dict[str, npt.NDArray[np.float32]] = {}
    for key, name in _rename(state):
        stem, _, kind = name.rpartition(".")
        *before, parts = stem.split(".")
        named = parts.split("+")
        pieces = np.array_split(np.asarray(state[key], np.float32), len(named)) if len(named) > 1 else [state[key]]
        for part, piece in zip(named, pieces, strict=True):
            found[".".join([*before, part, kind])] = np.asarray(piece, np.float32)
    return found


def _rename(state: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key in state:
        stem, _, kind = _PREFIX.sub("", key).rpartition(".")
        kind = {"gamma": "weight", "beta": "bias"}.get(kind, kind)
        layer, group = _LAYER.match(stem), _GROUP.match(stem)
        if group is not None and group[3] in _INSIDE:
            yield key, f"layer.{int(group[1]) * MOST_INNER + int(group[2])}.{_INSIDE[group[3]]}.{kind}"
        elif layer is not None and layer[2] in _INSIDE:
            yield key, f"layer.{int(layer[1])}.{_INSIDE[layer[2]]}.{kind}"
        elif stem in _OUTSIDE:
            yield key, f"{_OUTSIDE[stem]}.{kind}"


_LINEAR: Final = {
    "query": "AH",
    "key": "AH",
    "value": "AH",
    "attention_output": "HA",
    "intermediate": "IH",
    "output": "HI",
}
_BUCKETS: Final = 32
"""MPNet's classes of distances."""
_NAMED: Final = {
    "V": "the vocabulary",
    "E": "an embedding",
    "H": "a hidden state",
    "N": "the embeddings' norm",
    "A": "all heads",
    "I": "a layer's width",
    "L": "the labels",
}


def check_weights(shape: Architecture, weights: Weights) -> None:
    """Raise UnreadableInput unless every weight of the encoder is there, finite and of the size that others need."""
    forms = dict(_forms(shape, weights))
    missing = sorted(forms.keys() - weights.keys())
    if missing:
        raise UnreadableInput(
            f"the checkpoint lacks {', '.join(missing[:3])} of {len(missing)} weights that it needs: "
            "save the whole model again, or correct config.json"
        )
    _refuse_more(shape, weights)
    sizes: dict[str, tuple[int, str]] = {}
    for name, form in forms.items():
        _check_one(name, form, weights[name].shape, sizes)
    _check_sizes(shape, weights, {letter: size for letter, (size, _) in sizes.items()})
    broken = next((name for name in weights if not np.isfinite(weights[name]).all()), None)
    if broken is not None:
        raise UnreadableInput(f"the checkpoint's {broken} holds numbers that are not finite: was its training broken?")


def _refuse_more(shape: Architecture, weights: Weights) -> None:
    known = {shape.layer_name(at) for at in range(shape.layers)}
    found = {".".join(name.split(".")[:2]) for name in weights if name.startswith("layer.")}
    if found - known:
        more = min(found - known)
        raise UnreadableInput(f"config.json says {shape.layers} layers, and the checkpoint has {more} too: correct it")


def check_head(shape: Architecture, weights: Weights) -> None:
    """Raise UnreadableInput unless the head's steps are there and each reads what the one before gives.

    In these families a classifier's head always has a layer (`pooler`).
    """
    size = len(weights[f"{shape.layer_name(shape.layers - 1)}.norm.weight"])
    steps = shape.head or (HeadStep("linear", "pooler"), HeadStep("linear", "head"))
    for step in steps:
        wanted = f"{step.name}.weight"
        if wanted not in weights or (
            step.kind == "linear" and f"{step.name}.bias" not in weights and step.name == "head"
        ):
            raise UnreadableInput(f"the checkpoint lacks {wanted} of its head, and would answer by chance without it")
        found = weights[wanted].shape
        if found[-1] != size or len(found) != (2 if step.kind == "linear" else 1):
            raise UnreadableInput(f"the checkpoint's {wanted} has the shape {list(found)} and reads {size} numbers")
        size = found[0]


def _check_one(name: str, form: str, found: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    if len(found) != len(form) or 0 in found:
        raise UnreadableInput(f"the checkpoint's {name} has the shape {list(found)}, which no encoder has")
    for letter, size in zip(form, found, strict=True):
        known, first = sizes.setdefault(letter, (size, name))
        if letter in _NAMED and known != size:
            raise UnreadableInput(
                f"the checkpoint's {name} has {size} numbers for {_NAMED[letter]}, and {first} has {known}: "
                "its parts are not of one model"
            )


def _check_sizes(shape: Architecture, weights: Weights, sizes: Mapping[str, int]) -> None:
    if sizes["A"] % shape.heads:
        raise UnreadableInput(f"config.json: {shape.heads} heads can't share {sizes['A']} numbers evenly")
    if isinstance(shape.positions, Rotary) and sizes["A"] // shape.heads % 2:
        raise UnreadableInput(f"config.json: {shape.heads} heads of {sizes['A']} numbers can't be turned by angles")
    if "C" in sizes and "relative" in shape.needed and (sizes["B"], sizes["C"]) != (_BUCKETS, shape.heads):
        raise UnreadableInput(
            f"the checkpoint's relative.weight is not of {_BUCKETS} distances for {shape.heads} heads"
        )
    if "P" in sizes and sizes["P"] <= shape.position_offset + 2:
        raise UnreadableInput(f"the checkpoint has {sizes['P']} positions, of which {shape.position_offset} are unused")
    if "E" in sizes and sizes["E"] != sizes["H"] and "embeddings.projection.weight" not in weights:
        raise UnreadableInput(f"the checkpoint's embeddings have {sizes['E']} numbers, its layers {sizes['H']}")
    if sizes["N"] != sizes["H" if isinstance(shape.positions, Disentangled) else "E"]:
        raise UnreadableInput(
            f"the checkpoint's embeddings.norm has {sizes['N']} numbers, which is no embedding's size"
        )
    if isinstance(shape.positions, Disentangled) and sizes.get("D", 1 << 30) < 2 * shape.positions.span:
        raise UnreadableInput(f"config.json: the checkpoint has {sizes['D']} distances, not {2 * shape.positions.span}")


def _forms(shape: Architecture, weights: Weights) -> Iterator[tuple[str, str]]:
    """Yield the weights that an encoder needs with their axes, a letter each."""
    modern = isinstance(shape.positions, Rotary)
    yield "embeddings.word.weight", "VE"
    if shape.positions is None or (isinstance(shape.positions, Disentangled) and shape.positions.absolute):
        yield "embeddings.position.weight", "PE"
    if "embeddings.kind.weight" in weights or "embeddings.kind" in shape.needed:
        yield "embeddings.kind.weight", "KE"
    if "embeddings.projection.weight" in weights:
        yield "embeddings.projection.weight", "HE"
        if not isinstance(shape.positions, Disentangled):
            yield "embeddings.projection.bias", "H"
    yield from _norm("embeddings.norm", "N", weights, modern=modern)
    for at in range(shape.layers):
        yield from _layer(shape, at, weights)
    if modern:
        yield from _norm("final_norm", "H", weights, modern=True)
    if isinstance(shape.positions, Disentangled):
        yield from _distances(shape.positions)
    elif "relative" in shape.needed:
        yield "relative.weight", "BC"


def _layer(shape: Architecture, at: int, weights: Weights) -> Iterator[tuple[str, str]]:
    name, modern = shape.layer_name(at), isinstance(shape.positions, Rotary)
    for part, form in {**_LINEAR, **({"gate": "IH"} if modern else {})}.items():
        yield f"{name}.{part}.weight", form
        if not modern or f"{name}.{part}.bias" in weights:
            yield f"{name}.{part}.bias", form[0]
    if not modern or at:  # ModernBERT's first layer has no norm before its attention
        yield from _norm(f"{name}.attention_norm", "H", weights, modern=modern)
    yield from _norm(f"{name}.norm", "H", weights, modern=modern)
    if isinstance(shape.positions, Disentangled) and not shape.positions.shared:
        parts = {"c2p": "place_key", "p2c": "place_query"}
        for part in (parts[kind] for kind in shape.positions.kinds):
            yield from ((f"{name}.{part}.weight", "AH"), (f"{name}.{part}.bias", "A"))


def _norm(name: str, letter: str, weights: Weights, *, modern: bool) -> Iterator[tuple[str, str]]:
    yield f"{name}.weight", letter
    if not modern or f"{name}.bias" in weights:
        yield f"{name}.bias", letter


def _distances(places: Disentangled) -> Iterator[tuple[str, str]]:
    if places.kinds:
        yield "relative.weight", "DH"
    if places.kinds and places.normed:
        yield from (("relative.norm.weight", "H"), ("relative.norm.bias", "H"))
    if places.convolution:
        yield "convolution.weight", "HHC"
        yield from ((f"convolution.{part}", "H") for part in ("bias", "norm.weight", "norm.bias"))
