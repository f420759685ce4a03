"""Hugging Face folders of BERT, SciBERT, MiniLM, DistilBERT and RoBERTa classifiers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from assay.errors import UnreadableInput
from tools.models.encoder import Architecture, Weights
from tools.models.importers.checkpoint import State, read_config, read_state
from tools.models.importers.classifiers import Classifier, bundle
from tools.models.importers.made import Made, Wish, provenance
from tools.models.importers.reference import Reference
from tools.models.importers.texts import TextSource, labels_of
from tools.models.names import architecture, canonical

_ACTIVATIONS: Final = {"multi_label_classification": "sigmoid", "single_label_classification": "softmax"}
_MOST_TOKENS: Final = 512


def convert(wish: Wish, folder: Path) -> Made:
    """Import a folder with config.json, weights and tokenizer files; UnreadableInput says what it lacks."""
    config, state = read_config(wish.path), read_state(wish.path)
    shape, weights = network(config, state)
    if "head.weight" not in weights:
        raise UnreadableInput(f"{wish.path.name} is an encoder without a classifier: its head is missing")
    tokenizer = wish.tokenizer or wish.path
    source = TextSource.of(wish, tokenizer, folder, None, longest=longest(weights, shape.position_offset))
    labels = labels_of(wish, len(weights["head.weight"]), _labels(config))
    activation = wish.activation or activation_of(config, len(labels))
    reference = Reference({**config, "num_labels": len(labels)}, state, tokenizer)
    origin = provenance(wish, "Hugging Face", model_type=str(config["model_type"]))
    described = list(_describe(shape, weights, labels, activation))
    return bundle(wish, source, Classifier(shape, weights, labels, activation, reference, origin, described), folder)


def network(config: Mapping[str, Any], state: State) -> tuple[Architecture, Weights]:
    """Return the architecture and the canonical weights of a checkpoint; UnreadableInput for another family."""
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise UnreadableInput(f"positions are {config['position_embedding_type']!r}; only absolute ones are served")
    try:
        shape = architecture(config, "cls")
    except (ValueError, StopIteration) as error:
        raise UnreadableInput(f"config.json describes no encoder that is served: {error}") from error
    headed = "classifier.dense.weight" in state  # RoBERTa's head has a layer of its own, its pooler goes unused
    weights = canonical({key: value for key, value in state.items() if not (headed and "pooler.dense" in key)})
    missing = sorted(_needed(shape) - weights.keys())
    if missing:
        raise UnreadableInput(f"the checkpoint lacks {', '.join(missing[:3])} of {len(missing)} weights that it needs")
    return shape, weights


def _needed(shape: Architecture) -> set[str]:
    """Return the weights without which no encoder runs."""
    parts = "query key value attention_output attention_norm intermediate output norm"
    layers = {f"layer.{at}.{part}" for at in range(shape.layers) for part in parts.split()}
    pairs = {f"{name}.{kind}" for name in {*layers, "embeddings.norm"} for kind in ("weight", "bias")}
    return pairs | {"embeddings.word.weight", "embeddings.position.weight"}


def longest(weights: Weights, offset: int = 0) -> int:
    """Return how many tokens the positions allow, at most 512."""
    return min(_MOST_TOKENS, len(weights["embeddings.position.weight"]) - offset)


def activation_of(config: Mapping[str, Any], labels: int) -> str:
    """Return what config.json says of the outputs: one label of several, or any number of them."""
    kind = config.get("problem_type")
    if kind == "regression":
        raise UnreadableInput("config.json says regression; a classifier is served")
    return _ACTIVATIONS.get(str(kind), "sigmoid" if labels == 1 else "softmax")


def _labels(config: Mapping[str, Any]) -> list[str] | None:
    named = config.get("id2label")
    if not isinstance(named, dict):
        return None
    return [str(named[key]) for key in sorted(named, key=int)]


def _describe(shape: Architecture, weights: Weights, labels: list[str], activation: str) -> Iterator[str]:
    count = sum(value.size for value in weights.values())
    hidden = weights["embeddings.word.weight"].shape[1]
    yield f"{shape.layers} layers of {hidden}, {count / 1e6:.1f} million weights, {len(labels)} labels by {activation}"
    if activation == "softmax":
        yield "one label a text, as config.json does not say otherwise; several: --activation sigmoid"
