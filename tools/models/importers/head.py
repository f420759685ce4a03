"""A classifier in two parts: an encoder's folder, and a Keras file that holds only the head on top of it.

Such a file has dropout, one Dense layer, and a custom layer around an encoder whose weights are not in it. The custom
layer is code of its author: the file is never given to Keras. Its configuration is read as JSON, the Dense layer's
weights as arrays.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from assay.errors import InvalidOption, UnreadableInput
from tools.models.architecture import Architecture, Weights
from tools.models.importers.checkpoint import longest, network, read_config, read_state
from tools.models.importers.classifiers import Classifier, bundle
from tools.models.importers.keras_config import LAYERS, MODELS, checked_config, objects
from tools.models.importers.made import Made, Wish, provenance
from tools.models.importers.reference import Head, Reference
from tools.models.importers.texts import TextSource, labels_of

_PASSED: Final = LAYERS & {"InputLayer", "Dropout", "Dense"} | MODELS | {"GetItem", "DTypePolicy", "Policy"}
_INITIALIZERS: Final = frozenset({"GlorotUniform", "Zeros"})  # which files of Keras 2 name without their module
_ACTIVATIONS: Final = {"sigmoid": "sigmoid", "softmax": "softmax", "linear": "sigmoid"}

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Dense:
    """The head: logits = pooled @ kernel + bias; `custom` names the layer around the encoder, `""` where unknown."""

    kernel: Matrix
    bias: Matrix
    activation: str
    custom: str


def convert(wish: Wish, folder: Path) -> Made:
    """Import an encoder (`wish.encoder`) with a head; UnreadableInput where the file holds more than a head."""
    if wish.encoder is None:
        raise InvalidOption("a head needs its encoder: --encoder FOLDER with config.json, weights and tokenizer")
    head, pooling = read_head(wish.path), wish.pooling or "cls"
    config, state = read_config(wish.encoder), read_state(wish.encoder)
    shape, weights = _joined(head, *network(config, state), pooling)
    tokenizer = wish.tokenizer or wish.encoder
    source = TextSource.of(wish, tokenizer, folder, None, longest=longest(weights, shape))
    labels, activation = labels_of(wish, len(head.bias)), wish.activation or head.activation
    reference = Reference(config, state, tokenizer, classifier=False)
    origin = provenance(wish, "encoder and Keras head", encoder=wish.encoder.name, pooling=pooling)
    around = f"; the custom layer {head.custom} is taken for the encoder and was not run" if head.custom else ""
    described = [f"a head of {len(labels)} labels by {activation} over {pooling}{around}"]
    on_top = _on_top(head, pooling, reference)
    parts = Classifier(shape, weights, labels, activation, reference, origin, described, on_top)
    return bundle(wish, source, parts, folder)


def read_head(path: Path) -> Dense:
    """Return the head of a Keras file; UnreadableInput where there is not one Dense layer and nothing else."""
    named = list(objects(checked_config(path)))
    layers = [each for each in named if each["class_name"] == "Dense" and isinstance(each.get("config"), dict)]
    others = sorted({str(each["class_name"]).rpartition(">")[2] for each in named if _computes(each)})
    if len(layers) > 1 or len(others) > 1:
        names = ", ".join([*others, *("Dense" for _ in layers)])
        raise UnreadableInput(f"the file holds more than one layer around an encoder and one Dense layer: {names}")
    kernel, bias = _dense_weights(path)
    settings = layers[0]["config"] if layers else {}
    activation = _ACTIVATIONS.get(str(settings.get("activation", "sigmoid")))
    if activation is None or settings.get("units", len(bias)) != len(bias):
        raise UnreadableInput(f"the Dense layer has activation {settings.get('activation')!r} and {len(bias)} outputs")
    return Dense(kernel, bias, activation, others[0] if others else "")


def _computes(layer: dict[str, Any]) -> bool:
    """Say whether an object of the configuration is a layer that is neither Dense nor without effect."""
    name = str(layer["class_name"])
    plain = name in _PASSED | _INITIALIZERS or name.startswith("__") or ".initializers" in str(layer.get("module"))
    return not plain


def _dense_weights(path: Path) -> tuple[Matrix, Matrix]:
    """Return kernel [hidden, labels] and bias [labels]; optimizer and random states in the file are passed over."""
    with _weights(path) as file:
        found = [array for name, array in _arrays(file) if not name.startswith("optimizer")]
    kernels, biases = ([array for array in found if array.ndim == axes] for axes in (2, 1))
    if len(kernels) != 1 or len(biases) > 1 or len(found) != len(kernels) + len(biases):
        raise UnreadableInput(
            f"the file holds {len(found)} arrays of weights, and a head has a kernel and a bias: "
            "export the whole model as a SavedModel instead"
        )
    bias = biases[0] if biases else np.zeros(kernels[0].shape[1], np.float32)
    if bias.shape != kernels[0].shape[1:]:
        raise UnreadableInput(f"kernel {kernels[0].shape} and bias {bias.shape} do not belong together")
    return kernels[0], bias


def _weights(path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        return h5py.File(path, "r")
    with zipfile.ZipFile(path) as archive:
        return h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")


def _arrays(group: Any, prefix: str = "") -> Iterator[tuple[str, Matrix]]:
    for name in group:
        member = group[name]
        if isinstance(member, h5py.Group):
            yield from _arrays(member, f"{prefix}{name}/")
        elif member.dtype.kind == "f" and member.ndim:
            yield prefix + name, np.asarray(member[()], np.float32)


def _joined(head: Dense, shape: Architecture, weights: Weights, pooling: str) -> tuple[Architecture, Weights]:
    """Return the encoder with the head on top; InvalidOption where they do not fit."""
    hidden = weights["embeddings.word.weight"].shape[1]
    if head.kernel.shape[0] != hidden:
        raise InvalidOption(f"the head reads {head.kernel.shape[0]} numbers, the encoder gives {hidden}")
    if pooling == "pooler" and "pooler.weight" not in weights:
        raise InvalidOption("the encoder has no pooler: --pooling cls or mean")
    unused = ("head.",) if pooling == "pooler" else ("head.", "pooler.")
    kept = {name: value for name, value in weights.items() if not name.startswith(unused)}
    joined = replace(shape, pooling="mean" if pooling == "mean" else "cls")
    return joined, {**kept, "head.weight": head.kernel.T, "head.bias": head.bias}


def _on_top(head: Dense, pooling: str, reference: Reference) -> Head:
    """Return the head over last hidden states [T, hidden], in NumPy."""

    def logits(hidden: Matrix) -> Matrix:
        pooled = hidden.mean(0) if pooling == "mean" else hidden[0]
        if pooling == "pooler":
            pooled = reference.pooled(hidden)
        return np.asarray(pooled @ head.kernel + head.bias, np.float32)

    return logits
