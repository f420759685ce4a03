"""Keras files, `.keras` and `.h5`, of networks that consist of Keras's own layers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import keras

from assay.errors import UnreadableInput
from tools.models.importers import networks
from tools.models.importers.keras_config import checked_config, refuse_code, written_by
from tools.models.importers.made import Made, Wish
from tools.models.importers.serving import Network, words

_ADVICE: Final = "install tf-keras beside TensorFlow, or export the model as a SavedModel where it was made"


def convert(wish: Wish, folder: Path) -> Made:
    """Import a Keras file; UnreadableInput where it holds code, or inputs that are neither task's."""
    refuse_code(checked_config(wish.path))
    model = _loaded(wish.path)
    made = networks.convert(network(model), wish, folder, "Keras", _activation(model))
    made.report.insert(0, f"{model.name}: {model.count_params():,} parameters in {len(model.layers)} layers")
    return made


def _loaded(path: Path) -> Any:
    """Return the model of a file that has been looked through; Keras 2's files by tf-keras where that is installed."""
    version = written_by(path)
    reader, advice = keras, ""
    if version.startswith("2."):
        reader = _keras_2() or keras
        advice = "" if reader is not keras else f". It was saved by Keras {version}: {_ADVICE}"
    try:
        return reader.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever a layer's making met
        raise UnreadableInput(f"{reader.__name__} can't read {path.name}: {words(error)}{advice}") from error


def _keras_2() -> Any:
    try:
        import tf_keras
    except ImportError:
        return None
    return tf_keras


def network(model: Any) -> Network:
    """Return a Keras model with one output as a network; UnreadableInput for several outputs."""
    if len(model.outputs) != 1:
        raise UnreadableInput(f"the model has {len(model.outputs)} outputs; one is served")
    names = [each.name.partition(":")[0] for each in model.inputs]

    def call(given: Mapping[str, Any]) -> Any:
        ordered = [given[name] for name in names]
        return model(ordered[0] if len(ordered) == 1 else _arranged(model, names, ordered), training=False)

    specs = {name: _Spec(each) for name, each in zip(names, model.inputs, strict=True)}
    return Network(call, specs, model)


class _Spec:
    """Shape and dtype of an input as TensorFlow's signatures have them."""

    def __init__(self, tensor: Any) -> None:
        import tensorflow as tf

        self.shape, self.dtype = tuple(tensor.shape), tf.dtypes.as_dtype(tensor.dtype)


def _arranged(model: Any, names: list[str], ordered: list[Any]) -> Any:
    """Return several inputs in the structure that the model was made with."""
    return keras.tree.pack_sequence_as(model._inputs_struct, ordered) if hasattr(model, "_inputs_struct") else ordered


def _activation(model: Any) -> str | None:
    return getattr(getattr(model.layers[-1], "activation", None), "__name__", None)
