"""Keras files, `.keras` and `.h5`, of networks that consist of Keras's own layers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from assay.errors import UnreadableInput
from tools.models.importers import networks
from tools.models.importers.keras_config import checked_config, refuse_code
from tools.models.importers.made import Made, Wish
from tools.models.importers.serving import Network, words


def convert(wish: Wish, folder: Path) -> Made:
    """Import a Keras file; UnreadableInput where it holds code, or inputs that are neither task's."""
    refuse_code(checked_config(wish.path))
    try:
        model = keras.saving.load_model(wish.path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever a layer's making met
        raise UnreadableInput(f"Keras can't read {wish.path.name}: {words(error)}") from error
    made = networks.convert(network(model), wish, folder, "Keras", _activation(model))
    made.report.insert(0, f"{model.name}: {model.count_params():,} parameters in {len(model.layers)} layers")
    return made


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
