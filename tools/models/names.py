"""Hugging Face names to canonical ones: BERT (SciBERT, MiniLM), RoBERTa and DistilBERT checkpoints.

Canonical names are `embeddings.{word,position,kind,norm}`, `layer.N.{query,key,value,attention_output,
attention_norm,intermediate,output,norm}`, `pooler` (where there is one) and `head`, each with `.weight` or `.bias`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from tools.models.encoder import Architecture, Weights

_PREFIX = re.compile(r"^(?:module\.)?(?:encoder\.(?=embeddings|encoder)|bert\.|roberta\.|distilbert\.)?")
_BERT = {
    "embeddings.word_embeddings": "embeddings.word",
    "embeddings.position_embeddings": "embeddings.position",
    "embeddings.token_type_embeddings": "embeddings.kind",
    "embeddings.LayerNorm": "embeddings.norm",
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "intermediate",
    "output.dense": "output",
    "output.LayerNorm": "norm",
    "pooler.dense": "pooler",
    "classifier.dense": "pooler",
    "classifier.out_proj": "head",
    "classifier": "head",
    "head": "head",
}
_DISTILBERT = {
    "attention.q_lin": "query",
    "attention.k_lin": "key",
    "attention.v_lin": "value",
    "attention.out_lin": "attention_output",
    "sa_layer_norm": "attention_norm",
    "ffn.lin1": "intermediate",
    "ffn.lin2": "output",
    "output_layer_norm": "norm",
    "pre_classifier": "pooler",
}
_NAMES = _BERT | _DISTILBERT
_LAYER = re.compile(r"^(?:encoder|transformer)\.layer\.(\d+)\.(.+)$")


def canonical(state: Mapping[str, npt.NDArray[np.floating]]) -> Weights:
    """Return the weights under canonical names as float32; buffers and pre-training heads are left out."""
    return {name: np.asarray(state[key], np.float32) for key, name in _renamed(state)}


def _renamed(state: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key in state:
        stem, _, kind = _PREFIX.sub("", key).rpartition(".")
        kind = {"gamma": "weight", "beta": "bias"}.get(kind, kind)
        layer = _LAYER.match(stem)
        known = _NAMES.get(layer[2] if layer else stem)
        if known is not None:
            yield key, f"layer.{layer[1]}.{known}.{kind}" if layer else f"{known}.{kind}"


def architecture(config: Mapping[str, object], pooling: Literal["mean", "cls"]) -> Architecture:
    """Return the architecture that a Hugging Face `config.json` describes; ValueError for an unknown family."""
    family = str(config["model_type"])
    if family not in {"bert", "roberta", "distilbert"}:
        raise ValueError(f"model_type {family!r} is none of bert, roberta, distilbert")
    return Architecture(
        layers=_integer(config, "num_hidden_layers", "n_layers"),
        heads=_integer(config, "num_attention_heads", "n_heads"),
        epsilon=float(str(config.get("layer_norm_eps", 1e-12))),
        activation=str(config.get("hidden_act", config.get("activation", "gelu"))),
        position_offset=2 if family == "roberta" else 0,
        pooling=pooling,
        pooler_activation="relu" if family == "distilbert" else "tanh",
    )


def _integer(config: Mapping[str, object], *names: str) -> int:
    return next(int(str(config[name])) for name in names if name in config)


def read_folder(folder: Path, pooling: Literal["mean", "cls"]) -> tuple[Architecture, Weights]:
    """Return architecture and canonical weights of a Hugging Face folder (config.json, model.safetensors)."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return architecture(config, pooling), canonical(load_file(folder / "model.safetensors"))
