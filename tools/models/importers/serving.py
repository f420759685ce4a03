"""From a network of any encoding to what is served: indices or token ids in, TensorFlow Lite, else a SavedModel."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from assay.errors import UnreadableInput
from tools.models.importers.made import FLOAT_TOLERANCE, INT8_TOLERANCE, Wish

Form = Literal["tflite", "saved_model"]
_REASON: Final = 300


@dataclass(frozen=True)
class Network:
    """A source: `call` maps tensors by input name to the output [N, ...]; `holder` keeps its variables."""

    call: Callable[[Mapping[str, Any]], Any]
    inputs: Mapping[str, Any]
    holder: Any


def encoding_of(wish: Wish, network: Network) -> str:
    """Return what a sequence model reads, by its input's shape; UnreadableInput where that does not tell."""
    shape = axes(next(iter(network.inputs.values())))[1:]
    length, letters = wish.contract.length, len(wish.contract.alphabet)
    known = {(length,): "index", (length, letters): "one_hot", (length * letters,): "one_hot_flat"}
    found = wish.encoding or known.get(tuple(shape))
    if found is None and len(shape) == 2 and shape[1] == letters and shape[0] is None:
        found = "one_hot"
    if found is None:
        raise UnreadableInput(
            f"the model's input is {shape} a sequence, which is neither {length} indices nor {length} x {letters} "
            "one-hot: say --length, --alphabet, or --encoding"
        )
    return found


def axes(spec: Any) -> list[Any]:
    """Return an input's axes, None for a free one; only a free batch where even their number is free."""
    shape = tf.TensorShape(spec.shape)
    return [None] if shape.rank is None else list(shape)


def encoded(codes: Any, wish: Wish, encoding: str, dtype: Any) -> Any:
    """Return codes [N, length] as the source reads them, an array; `sequence_function` does so in the graph."""
    if encoding == "index":
        return np.asarray(codes).astype(dtype) + dtype(wish.first_index)
    one_hot = np.eye(len(wish.contract.alphabet), dtype=dtype)[codes]
    return one_hot if encoding == "one_hot" else one_hot.reshape(len(codes), -1)


def words(error: Exception) -> str:
    """Return what went wrong as one line."""
    return " ".join(str(error).split())[:_REASON]


def sequence_function(network: Network, wish: Wish, encoding: str) -> Any:
    """Return the concrete function of uint8 indices `sequence` [batch, length] to `score` [batch]."""
    ((name, spec),) = network.inputs.items()
    contract = wish.contract

    def serve(sequence: Any) -> dict[str, Any]:
        rows = tf.cast(sequence, spec.dtype if encoding == "index" else tf.int32)
        if encoding == "index":
            rows += tf.cast(wish.first_index, spec.dtype)
        else:
            rows = tf.gather(tf.eye(len(contract.alphabet), dtype=spec.dtype), rows)
        if encoding == "one_hot_flat":
            rows = tf.reshape(rows, [wish.batch, -1])
        return {"score": tf.reshape(tf.cast(network.call({name: rows}), tf.float32), [wish.batch])}

    return tf.function(serve).get_concrete_function(tf.TensorSpec([wish.batch, contract.length], tf.uint8, "sequence"))


def text_function(network: Network, width: int | None) -> Any:
    """Return the concrete function of the source's integer inputs [1, width] to `logits` [1, labels]."""
    names = list(network.inputs)

    def serve(*tensors: Any) -> dict[str, Any]:
        given = {name: tf.cast(each, network.inputs[name].dtype) for name, each in zip(names, tensors, strict=True)}
        return {"logits": tf.cast(network.call(given), tf.float32)}

    return tf.function(serve).get_concrete_function(*[tf.TensorSpec([1, width], tf.int32, name) for name in names])


def write(function: Any, network: Network, folder: Path, *, int8: bool) -> tuple[Form, list[str]]:
    """Write model.tflite, or where it cannot be converted the SavedModel, and return which, with the reason."""
    try:
        (folder / "model.tflite").write_bytes(converted(function, int8=int8))
    except Exception as error:  # the converter raises whatever its passes met
        save(function, network, folder / "saved")
        return "saved_model", [f"served by TensorFlow, for it has no TensorFlow Lite form: {missing(error)}"]
    return "tflite", ["weights as int8, computed in float32" if int8 else "weights as float32"]


def converted(function: Any, *, int8: bool) -> bytes:
    """Return the TensorFlow Lite file of a concrete function; ValueError where LiteRT could not run it."""
    frozen = convert_variables_to_constants_v2(function)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def missing(error: Exception) -> str:
    """Return which operations the converter lacks, else what it said."""
    found = re.findall(r"ops: (\w[\w, ]*)$", str(error), re.MULTILINE)
    return f"LiteRT has no operation {', '.join(found)}" if found else words(error)


def save(function: Any, network: Network, folder: Path) -> None:
    """Write a SavedModel with the function as its signature `serving_default`."""
    module = tf.Module()
    module.source = network.holder
    module.serve = function
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function})
    (folder / "fingerprint.pb").unlink(missing_ok=True)


def tolerance(wish: Wish, form: Form, outputs: Any, *, int8: bool) -> float:
    """Return by how much the served model may differ: as the user said, else by the weights' form and the size."""
    if wish.tolerance is not None:
        return wish.tolerance
    size = max(1.0, float(np.abs(np.asarray(outputs)).max(initial=0)))
    return size * (INT8_TOLERANCE if int8 and form == "tflite" else FLOAT_TOLERANCE)


def one_number(outputs: Any, rows: int) -> None:
    """Raise UnreadableInput unless a model gave one number a sequence."""
    if np.asarray(outputs).size != rows:
        shape = list(np.asarray(outputs).shape)
        raise UnreadableInput(f"the model gives {shape} for {rows} sequences; a score model gives one number each")


def names(specs: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(sorted(specs)) or "none"
