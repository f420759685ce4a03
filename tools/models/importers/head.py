"""A classifier in two parts: an encoder's folder, and a Keras file that holds the head on top of it.

The file has a layer around an encoder, and Dense, activation, dropout and norm layers behind it. The layer around the
encoder is code of its author: the file is never given to Keras. Its configuration is read as JSON, its weights as
arrays.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.errors import InvalidOption, UnreadableInput
from tools.models.architecture import Architecture, Pooling, Weights
from tools.models.importers.checkpoint import State, longest, read_config, read_network, read_state, rename_tensorflow
from tools.models.importers.checkpoint_reference import CheckpointReference, Head
from tools.models.importers.classifiers import ImportedClassifier, bundle_classifier
from tools.models.importers.head_graph import GraphLayer, HeadPath, head_path, strings
from tools.models.importers.head_weights import HeadSteps, layer_arrays, open_weights, read_steps
from tools.models.importers.keras import read_keras_config
from tools.models.importers.result import CLASSIFIER_OPTIONS, ImportRequest, ImportResult, provenance, refuse_unused
from tools.models.importers.texts import TextSource, labels_of

_POOLED: Final[Mapping[str, Pooling]] = {"cls": "cls", "mean": "mean", "max": "max", "pooler": "cls"}
_SERVED: Final = {"sigmoid": "sigmoid", "softmax": "softmax", "linear": "sigmoid"}
_OTHER_POOLING: Final = re.compile(r"mean|average|avg|max|sum|pool", re.IGNORECASE)
_SHORT_TEXT: Final = re.compile(rb"[zZ\xfa\xda](.)", re.DOTALL)
_NETWORK: Final = re.compile(
    r"^(?:.*?\.)?(?=(?:bert|roberta|distilbert|electra|albert|mpnet|deberta)\.|embeddings\.|encoder\.|transformer\.)"
)
_TABLES: Final = ("embeddings.word_embeddings.weight",)

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeadFile:
    """What a Keras file says: its head, how it pools, and the code around the encoder, which is not run."""

    head: HeadSteps
    path: HeadPath
    own: State


def convert_head(wish: ImportRequest, folder: Path) -> ImportResult:
    """Import an encoder (`wish.encoder`) with a head; UnreadableInput where the file holds more than a head."""
    if wish.encoder is None:
        raise InvalidOption("a head needs its encoder: --encoder FOLDER with config.json, weights and tokenizer")
    refuse_unused(wish, (*CLASSIFIER_OPTIONS, "encoder", "pooling"), "an encoder with a head")
    file = read_head(wish.path)
    head, pooling = file.head, pooling_of(wish, file.path)
    config = read_config(wish.encoder)
    state = {**file.own} or read_state(wish.encoder)
    shape, weights = _join_head(head, *read_network(config, state), pooling)
    tokenizer = wish.tokenizer or wish.encoder
    source = TextSource.of(wish, tokenizer, folder, None, longest=longest(weights, shape))
    labels, activation = labels_of(wish, head.outputs), wish.activation or _SERVED[head.activation]
    reference = CheckpointReference(config, state, tokenizer)
    origin = provenance(wish, "encoder and Keras head", encoder=wish.encoder.name, pooling=pooling)
    described = _describe_head(file, labels, activation, pooling)
    on_top = _on_top(head, pooling, reference)
    parts = ImportedClassifier(shape, weights, labels, activation, reference, origin, described, on_top)
    return bundle_classifier(wish, source, parts, folder)


def read_head(path: Path) -> HeadFile:
    """Return what a Keras file says of a head; UnreadableInput names the first layer that no head may have."""
    found = head_path(read_keras_config(path))
    return HeadFile(read_steps(path, found.steps), found, _own_weights(path, found.encoder))


def pooling_of(wish: ImportRequest, path: HeadPath) -> str:
    """Return how the states of all tokens become one: as the user says, else as the graph, else the first token's.

    InvalidOption where code that is not run may well pool otherwise.
    """
    if wish.pooling or path.pooling:
        return str(wish.pooling or path.pooling)
    for layer in (path.unread, path.encoder):
        hint = _OTHER_POOLING.search(_words(layer)) if layer else None
        if layer and hint:
            raise InvalidOption(
                f"the layer {layer.kind[:60]} ({layer.name[:60]}) is code, which is not run, and speaks of "
                f"{hint[0]!r}: say what it gives to the head, --pooling cls, mean or pooler"
            )
    return "cls"


def _words(layer: GraphLayer) -> str:
    """Return what may tell how a layer pools: its kind, or the names that a Lambda's code uses."""
    if layer.kind != "Lambda":
        return layer.kind
    return " ".join(name for text in strings(layer.config.get("function")) for name in _code_names(text))


def _code_names(text: str) -> Iterator[str]:
    """Yield the names in code that Keras keeps as base64 of Python's marshal format; nothing of it is loaded."""
    try:
        content = base64.b64decode(text, validate=False)
    except ValueError:
        content = b""
    for found in _SHORT_TEXT.finditer(content):
        name = content[found.end() : found.end() + found[1][0]].decode("latin-1")
        if name.isidentifier():
            yield name


def _own_weights(path: Path, encoder: GraphLayer | None) -> State:
    """Return the encoder's weights where the head's file has them, as transformers names them; else {}.

    They are those that the head was trained with, and need not be those of the encoder's folder.
    """
    if encoder is None:
        return {}
    with open_weights(path) as file:
        arrays = layer_arrays(file, encoder)
    found = rename_tensorflow({f"{encoder.name}/{name}": value for name, value in arrays.items()})
    numbers = {
        _NETWORK.sub("", name): np.asarray(value, np.float32)
        for name, value in found.items()
        if value.dtype.kind == "f"
    }
    if numbers and not any(name.endswith(_TABLES) for name in numbers):
        raise UnreadableInput(
            f"the layer {encoder.kind[:60]} ({encoder.name[:60]}) has {len(numbers)} weights in the file, "
            "and --encoder would replace them: export the whole model as a SavedModel instead"
        )
    return numbers


def _join_head(head: HeadSteps, shape: Architecture, weights: Weights, pooling: str) -> tuple[Architecture, Weights]:
    """Return the encoder with the head on top; InvalidOption where they do not fit."""
    hidden = len(weights[f"{shape.layer_name(shape.layers - 1)}.norm.weight"])
    if head.inputs != hidden:
        raise InvalidOption(f"the head reads {head.inputs} numbers, the encoder gives {hidden}")
    pooler = shape.steps({"pooler.weight": None})[:1] if pooling == "pooler" else ()
    if pooler and "pooler.weight" not in weights:
        raise InvalidOption("the encoder has no pooler: --pooling cls or mean")
    unused = ("head.", "head_norm.") if pooler else ("head.", "head_norm.", "pooler.")
    kept = {name: value for name, value in weights.items() if not name.startswith(unused)}
    joined = replace(shape, pooling=_POOLED[pooling], head=(*pooler, *head.steps))
    return joined, {**kept, **head.weights}


def _describe_head(file: HeadFile, labels: list[str], activation: str, pooling: str) -> list[str]:
    """Return what to tell the user of the head and of the code that was not run."""
    count = sum(step.kind == "linear" for step in file.head.steps)
    layers = f"{count} Dense layers, " if count > 1 else ""
    encoder, unread = file.path.encoder, file.path.unread
    around = f"; the custom layer {encoder.kind[:60]} is taken for the encoder and was not run" if encoder else ""
    around += f"; the Lambda {unread.name[:60]} was not run and is taken for {pooling}" if unread else ""
    said = [f"a head of {layers}{len(labels)} labels by {activation} over {pooling}{around}"]
    if file.path.pooling not in (None, pooling):
        said.append(
            f"WARNING: --pooling says {pooling}, and the file's graph takes {file.path.pooling} of its code's output"
        )
    if file.own:
        said.append(f"the encoder's {len(file.own)} weights are those in the file, not those of its folder")
    if file.head.activation == "linear":
        said.append("its last layer has no activation: sigmoid, unless you say --activation")
    return said


def _on_top(head: HeadSteps, pooling: str, reference: CheckpointReference) -> Head:
    """Return the head over last hidden states [T, hidden], in NumPy."""
    pools: Mapping[str, Any] = {
        "mean": lambda hidden: hidden.mean(0),
        "max": lambda hidden: hidden.max(0),
        "cls": lambda hidden: hidden[0],
        "pooler": reference.pool,
    }
    return lambda hidden: head.logits(pools[pooling](hidden))
