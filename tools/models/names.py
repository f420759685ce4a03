"""Hugging Face names to canonical ones, for every family that `tools.models.families` knows.

Canonical names are `embeddings.{word,position,kind,norm,projection}`, `layer.N.{query,key,value,attention_output,
attention_norm,intermediate,output,norm}`, `pooler` (where there is one) and `head`, each with `.weight` or `.bias`;
`relative` are distances (MPNet, DeBERTa), `layer.N.gate` and `final_norm` ModernBERT's.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.models.architecture import Architecture, Pooling, Weights
from tools.models.families import MOST_INNER, read_architecture

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
    for key, name in _renamed(state):
        stem, _, kind = name.rpartition(".")
        *before, parts = stem.split(".")
        named = parts.split("+")
        pieces = np.array_split(np.asarray(state[key], np.float32), len(named)) if len(named) > 1 else [state[key]]
        for part, piece in zip(named, pieces, strict=True):
            found[".".join([*before, part, kind])] = np.asarray(piece, np.float32)
    return found


def _renamed(state: Mapping[str, object]) -> Iterator[tuple[str, str]]:
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


def read_folder(folder: Path, pooling: Pooling) -> tuple[Architecture, Weights]:
    """Return architecture and canonical weights of a Hugging Face folder (config.json, model.safetensors)."""
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text("utf-8"))
    return read_architecture(config, pooling), canonical(load_file(folder / "model.safetensors"))
