"""Hugging Face folders of classifiers, of every family in `tools.models.families`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from assay.errors import UnreadableInput
from tools.models.architecture import Architecture, Weights
from tools.models.canonical_weights import check_head
from tools.models.importers.checkpoint import longest, read_config, read_network, read_state
from tools.models.importers.checkpoint_reference import CheckpointReference
from tools.models.importers.classifiers import ImportedClassifier, bundle_classifier
from tools.models.importers.result import CLASSIFIER_OPTIONS, ImportRequest, ImportResult, provenance, refuse_unused
from tools.models.importers.texts import TextSource, labels_of

_ACTIVATIONS: Final = {"multi_label_classification": "sigmoid", "single_label_classification": "softmax"}
_CLASSIFIER: Final = "ForSequenceClassification"
_BARE: Final = ("Model", "ForMaskedLM", "ForPreTraining")


def convert_huggingface(wish: ImportRequest, folder: Path) -> ImportResult:
    """Import a folder with config.json, weights and tokenizer files; UnreadableInput says what it lacks."""
    refuse_unused(wish, CLASSIFIER_OPTIONS, "a classifier's folder")
    config = read_config(wish.path)
    require_classifier(config)
    state = read_state(wish.path)
    shape, weights = read_network(config, state)
    if "head.weight" not in weights:
        raise UnreadableInput(f"{wish.path.name} is an encoder without a classifier: its head is missing")
    check_head(shape, weights)
    tokenizer = wish.tokenizer or wish.path
    source = TextSource.of(wish, tokenizer, folder, None, longest=longest(weights, shape))
    labels = labels_of(wish, len(weights["head.weight"]), _labels(config))
    activation = wish.activation or activation_of(config, len(labels))
    reference = CheckpointReference({**config, "num_labels": len(labels)}, state, tokenizer)
    origin = provenance(wish, "Hugging Face", model_type=str(config["model_type"]))
    described = list(_describe(shape, weights, labels, activation))
    return bundle_classifier(
        wish, source, ImportedClassifier(shape, weights, labels, activation, reference, origin, described), folder
    )


def require_classifier(config: Mapping[str, Any]) -> None:
    """Raise UnreadableInput unless `architectures` is a classifier of whole texts, or does not say."""
    named = config.get("architectures")
    if named is None:
        return
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise UnreadableInput(f"config.json: architectures is {str(named)[:60]!r}, and must be a list of names")
    if named and not any(each.endswith(_CLASSIFIER) for each in named):
        bare = any(each.endswith(_BARE) for each in named)
        advice = "it is an encoder without a classifier" if bare else "it does not classify whole texts"
        raise UnreadableInput(
            f"config.json: architectures says {', '.join(named)[:200]}, not ...{_CLASSIFIER}: {advice}. Fine-tune a "
            "classifier on it, or name it as --encoder of a Keras head"
        )


def activation_of(config: Mapping[str, Any], labels: int) -> str:
    """Return what config.json says of the outputs: one label of several, or any number of them."""
    kind = config.get("problem_type")
    if kind is not None and kind not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        raise UnreadableInput(f"config.json: problem_type is {str(kind)[:60]!r}; a classifier is served, by {known}")
    return _ACTIVATIONS.get(str(kind), "sigmoid" if labels == 1 else "softmax")


def _labels(config: Mapping[str, Any]) -> list[str] | None:
    """Return the names in id2label by their numbers; UnreadableInput where these do not count from 0."""
    named = config.get("id2label")
    if named is None:
        return None
    pairs = named.items() if isinstance(named, dict) else enumerate(named) if isinstance(named, list) else ()
    found = {str(number): label for number, label in pairs}
    if not found or any(str(at) not in found for at in range(len(found))):
        raise UnreadableInput("config.json: id2label does not number its labels from 0: correct it, or say --labels")
    if not all(isinstance(label, str) and label for label in found.values()):
        raise UnreadableInput("config.json: id2label has a label that is no text: correct it, or say --labels")
    return [found[str(at)] for at in range(len(found))]


def _describe(shape: Architecture, weights: Weights, labels: list[str], activation: str) -> Iterator[str]:
    count = sum(value.size for value in weights.values())
    hidden = len(weights[f"{shape.layer_name(0)}.norm.weight"])
    yield f"{shape.layers} layers of {hidden}, {count / 1e6:.1f} million weights, {len(labels)} labels by {activation}"
    if activation == "softmax":
        yield "one label a text, as config.json does not say otherwise; several: --activation sigmoid"
