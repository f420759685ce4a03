"""The network of `benchmarks.scibert` as transformers' own models, from one file of its weights."""

import re
from pathlib import Path
from typing import Any, Final

import numpy as np

import tools.models  # noqa: F401  what must be imported before TensorFlow

WEIGHTS: Final = "weights.npz"
_PARTS: Final = {
    "embeddings.word": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.kind": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "norm": "output.LayerNorm",
    "pooler": "pooler.dense",
}
_LAYER: Final = re.compile(r"layer\.(\d+)\.(\w+)$")


def weights(folder: Path) -> dict[str, Any]:
    """Return the canonical weights; FileNotFoundError where `benchmarks.peers.forms` has not been run."""
    with np.load(folder / WEIGHTS) as found:
        return dict(found)


def their_name(canonical: str) -> str:
    """Return the name that transformers' BERT for classification has for a canonical weight."""
    stem, _, kind = canonical.rpartition(".")
    if stem == "head":
        return f"classifier.{kind}"
    if layer := _LAYER.match(stem):
        return f"bert.encoder.layer.{layer[1]}.{_PARTS[layer[2]]}.{kind}"
    return f"bert.{_PARTS[stem]}.{kind}"


def config(known: dict[str, Any]) -> Any:
    """Return the configuration that the weights' shapes say; heads of 64 channels."""
    from transformers import BertConfig

    pieces, hidden = known["embeddings.word.weight"].shape
    layers = len({name.split(".")[1] for name in known if name.startswith("layer.")})
    return BertConfig(
        vocab_size=pieces,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 64),
        intermediate_size=known["layer.0.intermediate.weight"].shape[0],
        max_position_embeddings=known["embeddings.position.weight"].shape[0],
        num_labels=known["head.weight"].shape[0],
    )


def torch_model(folder: Path) -> Any:
    """Return the network as PyTorch's module, for inference."""
    import torch
    from transformers import BertForSequenceClassification

    known = weights(folder)
    model = BertForSequenceClassification(config(known))
    state = {their_name(name): torch.from_numpy(value) for name, value in known.items()}
    absent = model.load_state_dict(state, strict=False)
    assert not absent.unexpected_keys
    assert all("position_ids" in each or "token_type_ids" in each for each in absent.missing_keys)
    return model.eval()


def keras_model(folder: Path, threads: int) -> Any:
    """Return the network as transformers' Keras model."""
    import tensorflow as tf
    from transformers import TFBertForSequenceClassification

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    known = weights(folder)
    model = TFBertForSequenceClassification(config(known))
    one = tf.ones([1, 8], tf.int32)
    model({"input_ids": one, "attention_mask": one})
    named = {_torch_like(variable.name): variable for variable in model.variables}
    for name, value in known.items():
        variable = named[their_name(name)]
        flip = value.ndim == 2 and not name.startswith("embeddings.")
        variable.assign(value.T if flip else value)
    return model


def _torch_like(name: str) -> str:
    """Return PyTorch's name of a variable of transformers' TensorFlow models."""
    parts = name.removesuffix(":0").split("/")[1:]
    parts = [re.sub(r"^layer_\._(\d+)$", r"layer.\1", part) for part in parts]
    last = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight"}.get(parts[-1], parts[-1])
    return ".".join([*parts[:-1], last])
