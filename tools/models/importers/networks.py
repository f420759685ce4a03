"""Any TensorFlow network, from Keras or a SavedModel, to a bundle: the task by its inputs, probes by the source."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from assay.errors import InvalidOption, UnreadableInput
from tools.models.importers.result import (
    CLASSIFIER_OPTIONS,
    FLOAT_TOLERANCE,
    INT8_TOLERANCE,
    SEQUENCE_OPTIONS,
    ImportRequest,
    ImportResult,
    name_quantization,
    probe_rows,
    provenance,
    refuse_static,
    refuse_unused,
    sequence_header,
    sequence_probes,
    text_probes,
)
from tools.models.importers.texts import TextSource, labels_of, text_header
from tools.models.sequence_rows import draw_codes, read_codes, thin_codes

Form = Literal["tflite", "saved_model"]
_REASON: Final = 300
_MOST_ROWS: Final = 8192
_DRAWN_ROWS: Final = 2048


@dataclass(frozen=True)
class Network:
    """A source: `call` maps tensors by input name to the output [N, ...]; `holder` keeps its variables."""

    call: Callable[[Mapping[str, Any]], Any]
    inputs: Mapping[str, Any]
    holder: Any


def encoding_of(wish: ImportRequest, network: Network) -> str:
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


def encode_input(codes: Any, wish: ImportRequest, encoding: str, dtype: Any) -> Any:
    """Return codes [N, length] as the source reads them, an array; `sequence_function` does so in the graph."""
    if encoding == "index":
        return np.asarray(codes).astype(dtype) + dtype(wish.first_index)
    one_hot = np.eye(len(wish.contract.alphabet), dtype=dtype)[codes]
    return one_hot if encoding == "one_hot" else one_hot.reshape(len(codes), -1)


def words(error: Exception) -> str:
    """Return what went wrong as one line."""
    return " ".join(str(error).split())[:_REASON]


def sequence_function(network: Network, wish: ImportRequest, encoding: str) -> Any:
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


def write_network(function: Any, network: Network, folder: Path, *, int8: bool) -> tuple[Form, list[str]]:
    """Write model.tflite, or where it cannot be converted the SavedModel, and return which, with the reason."""
    try:
        (folder / "model.tflite").write_bytes(convert_network(function, int8=int8))
    except Exception as error:  # the converter raises whatever its passes met
        save_network(function, network, folder / "saved")
        return "saved_model", [f"served by TensorFlow, for it has no TensorFlow Lite form: {explain_failure(error)}"]
    return "tflite", ["weights as int8, computed in float32" if int8 else "weights as float32"]


def make_integer(path: Path, wish: ImportRequest) -> str:
    """Give a file of float32 an integer body, and return what for the report; AssayError where it can have none.

    The ranges of its activations hold the representative rows and the probes, which the bundle is checked with.
    """
    from tools.models.static_quantization import quantize_static

    given = None if wish.representative is None else read_codes(wish.representative, wish.contract)
    rows = draw_codes(wish.contract, _DRAWN_ROWS) if given is None else thin_codes(given, _MOST_ROWS)
    try:
        path.write_bytes(quantize_static(path.read_bytes(), np.concatenate([rows, probe_rows(wish.contract)])))
    except (ValueError, RuntimeError, KeyError) as error:
        raise UnreadableInput(f"the network can't be quantized: {words(error)}. Leave --quantize static out") from error
    drawn = "random ones (--representative FILE names yours)" if given is None else "representative ones of yours"
    return f"int8 up to the last layer, ranges from {len(rows):,} rows, {drawn}, and from the probes"


def share_windows(folder: Path, wish: ImportRequest, report: list[str]) -> dict[str, Any]:
    """Write the file that scores the windows of a long sequence at once, where the network has no padding.

    Returns the manifest's field that says so, and adds to the report what came of it.
    """
    from tools.models.scan_graph import write_scan

    try:
        scan = write_scan(folder, wish.contract)
    except InvalidOption as error:
        report.append(f"windows of long sequences are scored one by one: {error}")
        return {}
    report.append("windows of long sequences are scored together, with the same bits")
    return scan


def convert_network(function: Any, *, int8: bool) -> bytes:
    """Return the TensorFlow Lite file of a concrete function; ValueError where LiteRT could not run it."""
    frozen = convert_variables_to_constants_v2(function)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def explain_failure(error: Exception) -> str:
    """Return which operations the converter lacks, else what it said."""
    found = re.findall(r"ops: (\w[\w, ]*)$", str(error), re.MULTILINE)
    return f"LiteRT has no operation {', '.join(found)}" if found else words(error)


def save_network(function: Any, network: Network, folder: Path) -> None:
    """Write a SavedModel with the function as its signature `serving_default`."""
    module = tf.Module()
    module.source = network.holder
    module.serve = function
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function})
    (folder / "fingerprint.pb").unlink(missing_ok=True)


def tolerance(wish: ImportRequest, form: Form, outputs: Any, *, int8: bool) -> float:
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


TEXT_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})


def bundle_network(
    network: Network, wish: ImportRequest, folder: Path, kind: str, activation: str | None = None
) -> ImportResult:
    """Write the model's files and return the rest of its bundle; UnreadableInput where its inputs are neither task's.

    `activation` is what the source applies to its last layer itself, where that is known.
    """
    if "input_ids" in network.inputs:
        return _texts(network, wish, folder, kind, activation)
    if len(network.inputs) != 1:
        raise UnreadableInput(
            f"the model's inputs are {names(list(network.inputs))}: neither one of sequences nor input_ids"
        )
    return _sequences(network, wish, folder, kind)


def _sequences(network: Network, wish: ImportRequest, folder: Path, kind: str) -> ImportResult:
    refuse_unused(wish, SEQUENCE_OPTIONS, "a model of sequences")
    encoding = encoding_of(wish, network)
    if wish.representative is not None and wish.quantize != "static":
        raise InvalidOption("--representative has the rows for --quantize static: say both, or neither")
    if "first_index" in wish.said and encoding != "index":
        raise InvalidOption(f"the model reads {encoding}, and --first-index is for indices: leave it out")
    ((name, spec),) = network.inputs.items()
    rows = axes(spec)[0]
    wish = replace(wish, batch=rows or wish.batch)

    def score(codes: Any) -> Any:
        whole = np.resize(codes, (-(-len(codes) // (rows or 1)) * (rows or 1), codes.shape[1]))
        given = encode_input(whole, wish, encoding, spec.dtype.as_numpy_dtype)
        parts = np.split(given, len(whole) // rows) if rows else [given]
        outputs = np.concatenate([_answer(network, {name: part}, encoding) for part in parts])
        one_number(outputs, len(whole))
        return outputs.reshape(-1)[: len(codes)]

    probes = sequence_probes(wish.contract, score, 0.0)
    form, report = _write_sequences(sequence_function(network, wish, encoding), network, wish, folder)
    scan = share_windows(folder, wish, report) if wish.quantize == "static" else {}
    allowed = tolerance(wish, form, probes.outputs, int8=wish.quantize in ("int8", "static"))
    more = {"provenance": provenance(wish, kind), **name_quantization(wish.quantize, form), **scan}
    header = sequence_header(wish.contract, "index", wish.batch, form, **more)
    return ImportResult(header, probes.within(allowed), [f"the source reads {encoding}, the bundle indices", *report])


def _write_sequences(function: Any, network: Network, wish: ImportRequest, folder: Path) -> tuple[Form, list[str]]:
    """Write the file of a network of sequences in the form that the user wants; returns what `write_network` does."""
    form, report = write_network(function, network, folder, int8=wish.quantize == "int8")
    if wish.quantize != "static":
        return form, report
    if form != "tflite":
        raise UnreadableInput(f"--quantize static needs LiteRT, and the network would be {report[0]}")
    return form, [make_integer(folder / "model.tflite", wish)]


def _answer(network: Network, given: Mapping[str, Any], encoding: str) -> Any:
    """Return what the source gives; UnreadableInput where it can't run on what it is given."""
    try:
        return np.asarray(network.call(given))
    except Exception as error:  # TensorFlow raises whatever an operation met
        shapes = ", ".join(str(list(value.shape)) for value in given.values())
        raise UnreadableInput(
            f"the model can't run on {encoding} of the shape {shapes}: {words(error)}. Say what it reads with "
            "--encoding, --length and --alphabet"
        ) from error


def _texts(network: Network, wish: ImportRequest, folder: Path, kind: str, activation: str | None) -> ImportResult:
    if not network.inputs.keys() <= TEXT_INPUTS:
        raise UnreadableInput(
            f"the model's inputs are {names(list(network.inputs))}, not only {names(list(TEXT_INPUTS))}"
        )
    refuse_unused(wish, CLASSIFIER_OPTIONS, "a model of texts")
    refuse_static(wish, "a model of texts")
    if wish.tokenizer is None:
        raise InvalidOption("a model of texts needs its tokenizer: --tokenizer FOLDER or tokenizer.json")
    width = axes(network.inputs["input_ids"])[-1]
    source = TextSource.of(wish, wish.tokenizer, folder, width)
    int8 = (wish.quantize or "int8") == "int8"

    def logits(ids: Any, mask: Any) -> Any:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        dtypes = {each: spec.dtype.as_numpy_dtype for each, spec in network.inputs.items()}
        return np.asarray(network.call({each: given[each].astype(dtypes[each]) for each in network.inputs}))

    shown = wish.activation or ("none" if activation in ("sigmoid", "softmax") else "sigmoid")
    probes = text_probes(lambda texts: source.scores(texts, logits, shown), 0.0)
    form, report = write_network(text_function(network, width), network, folder, int8=int8)
    allowed = tolerance(wish, form, 1.0, int8=int8)
    labels = labels_of(wish, probes.outputs.shape[1])
    header = text_header(source, form, list(network.inputs), labels, shown, provenance(wish, kind))
    header |= name_quantization(wish.quantize or "int8", form)
    return ImportResult(header, probes.within(allowed), report)
