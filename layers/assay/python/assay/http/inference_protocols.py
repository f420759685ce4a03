"""The serving protocols that other systems' clients speak: TensorFlow Serving's REST API, the Open Inference Protocol.

Both answer all instances of a request or none: their replies are tensors, which have no place for what is wrong with
one row. Sources: tensorflow.org/tfx/serving/api_rest; kserve/open-inference-protocol, specification/protocol.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from assay.errors import InvalidOption, MalformedBody, NotFound
from assay.http.messages import json_object
from assay.options import read_integer, require_known

SEQUENCES: Final = "sequence-score"
TEXTS: Final = "text-classification"
TENSORS: Final[Mapping[str, tuple[str, str]]] = {SEQUENCES: ("sequence", "score"), TEXTS: ("text", "scores")}
"""The names of the one input and the one output of each task's models."""
PREDICT: Final = ":predict"
SIGNATURE: Final = "serving_default"
_DEEPEST: Final = 2
_JSON_LENGTH: Final = "inference-header-content-length"
_DAMAGED: Final = "send binary tensors as application/octet-stream, or the gateway takes them for text"


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model answers: float32 values, row-major, of `shape`; [rows] of sequences, [rows, labels] of texts."""

    model: str
    version: str
    output: str
    shape: tuple[int, ...]
    values: Sequence[float]

    def rows(self) -> list[Any]:
        """Return the values as nested lists of the shape."""
        if len(self.shape) == 1:
            return list(self.values)
        width = self.shape[1]
        return [list(self.values[at * width : (at + 1) * width]) for at in range(self.shape[0])]


@dataclass(frozen=True, slots=True)
class Predict:
    """A request to TensorFlow Serving: its instances, and whether they came by row (`instances`) or as one tensor."""

    instances: list[str]
    by_row: bool

    def reply(self, scores: Scores) -> dict[str, object]:
        """Return the reply in the layout of the request."""
        return {"predictions" if self.by_row else "outputs": scores.rows()}


def parse_predict_target(target: str) -> str:
    """Return the model that `name:predict` names. Raises NotFound for another verb, or none."""
    name, colon, verb = unquote(target).partition(":")
    if colon + verb != PREDICT:
        raise NotFound(f"there is no {target[:80]!r} to post to; post to /v1/models/NAME{PREDICT}")
    return name


def join_version(name: str, version: str | None) -> str:
    """Return a model as callers name one version of it, where they name one: `name@version`."""
    return f"{name}@{version}" if version else name


def predict(body: Mapping[str, Any]) -> Predict:
    """Read a request to TensorFlow Serving. Raises MalformedBody, InvalidOption."""
    require_known(body, ("instances", "inputs", "signature_name"), "field")
    if body.get("signature_name", SIGNATURE) != SIGNATURE:
        raise InvalidOption(f"signature_name must be {SIGNATURE!r}: there is no other", option="signature_name")
    if ("instances" in body) == ("inputs" in body):
        raise MalformedBody('send {"instances": ["...", ...]}, or "inputs" instead of "instances"', field="instances")
    by_row = "instances" in body
    rows = body["instances"] if by_row else body["inputs"]
    if not by_row and isinstance(rows, Mapping) and len(rows) == 1:
        rows = next(iter(rows.values()))
    if not isinstance(rows, list) or not rows:
        raise MalformedBody("the instances must be a list of at least one text", field="instances")
    return Predict([_text(row, f"instances[{index}]") for index, row in enumerate(rows)], by_row)


def _text(row: Any, where: str, depth: int = 0) -> str:
    """Return an instance's text: a string, {"b64": ...}, or either in a list or under any one name."""
    match row:
        case str():
            return row
        case {"b64": str(encoded)} if len(row) == 1:
            return _decode(encoded, where)
        case [inner] if depth < _DEEPEST:
            return _text(inner, where, depth + 1)
        case dict() if len(row) == 1 and depth < _DEEPEST:
            return _text(next(iter(row.values())), where, depth + 1)
    raise MalformedBody(f'{where} must be a string, an object with one, or {{"b64": "..."}}', instance=where)


def _decode(encoded: str, where: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise MalformedBody(f"{where} is not base64 of UTF-8 text", instance=where) from None


@dataclass(frozen=True, slots=True)
class Infer:
    """A request of the Open Inference Protocol: its rows, the outputs that it wants, and the id to send back."""

    instances: list[str]
    outputs: list[str]
    id: str | None

    def reply(self, scores: Scores) -> dict[str, object]:
        """Return the reply. Raises InvalidOption where an unknown output is wanted."""
        unknown = [name for name in self.outputs if name != scores.output]
        if unknown:
            raise InvalidOption(f"there is no output {unknown[0][:80]!r}; there is {scores.output!r}", option="outputs")
        tensor = {"name": scores.output, "datatype": "FP32", "shape": [*scores.shape], "data": [*scores.values]}
        named = {"id": self.id} if self.id is not None else {}
        return {"model_name": scores.model, "model_version": scores.version, **named, "outputs": [tensor]}


def unpack_binary(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return a request of the Open Inference Protocol as JSON, its tensor too where that follows in binary form.

    Triton's extension: a header says how long the JSON is; then comes each text after its length, four bytes, the
    lowest first. Raises MalformedBody.
    """
    length = headers.get(_JSON_LENGTH)
    if length is None:
        return json_object(body)
    end = read_integer(length, _JSON_LENGTH)
    found = json_object(body[:end])
    match found.get("inputs"):
        case [{"parameters": {"binary_data_size": int(size)}} as tensor] if end >= 0 and size == len(body) - end:
            return {**found, "inputs": [{**tensor, "data": list(_elements(body[end:]))}]}
    raise MalformedBody(f"the input's binary_data_size must cover all bytes after the JSON; {_DAMAGED}")


def _elements(packed: bytes) -> Iterator[str]:
    at = 0
    while at < len(packed):
        start = at + 4
        at = start + int.from_bytes(packed[at:start], "little")
        if at > len(packed):
            raise MalformedBody(f"the binary tensor ends within a text; {_DAMAGED}")
        try:
            yield packed[start:at].decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedBody(f"the binary tensor holds a text that is not UTF-8; {_DAMAGED}") from None


def infer(body: Mapping[str, Any]) -> Infer:
    """Read a request of the Open Inference Protocol. Raises MalformedBody."""
    require_known(body, ("id", "parameters", "inputs", "outputs"), "field")
    inputs, outputs, name = body.get("inputs"), body.get("outputs", []), body.get("id")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], Mapping):
        raise MalformedBody('"inputs" must be a list of one tensor: {"name", "datatype": "BYTES", "shape", "data"}')
    if not isinstance(outputs, list) or not all(isinstance(each, Mapping) for each in outputs):
        raise MalformedBody('"outputs" must be a list of objects with a name', field="outputs")
    if name is not None and not isinstance(name, str):
        raise MalformedBody('"id" must be a string', field="id")
    return Infer(_rows(inputs[0]), [str(each.get("name")) for each in outputs], name)


def _rows(tensor: Mapping[str, Any]) -> list[str]:
    """Return the rows of a tensor of texts."""
    if tensor.get("datatype") != "BYTES":
        raise MalformedBody('the input\'s "datatype" must be "BYTES": texts or sequences', field="inputs[0].datatype")
    data, shape = tensor.get("data"), tensor.get("shape")
    if not isinstance(data, list) or not data:
        raise MalformedBody('the input needs a list "data" of at least one text', field="inputs[0].data")
    rows = [_text(row, f"inputs[0].data[{index}]") for index, row in enumerate(data)]
    if not _fits(shape, len(rows)):
        raise MalformedBody(f'the input\'s "shape" must be [{len(rows)}], to match its data', field="inputs[0].shape")
    return rows


def _fits(shape: object, rows: int) -> bool:
    return shape in ([rows], [rows, 1]) and not any(isinstance(axis, bool) for axis in shape)


def error(body: Mapping[str, Any]) -> dict[str, object]:
    """Return an error of the one shape as both protocols have it: text under `error`; code and details stand beside."""
    found = body["error"]
    return {"error": found["message"], "code": found["code"], "details": found["details"]}


def status(version: str) -> dict[str, object]:
    """Return TensorFlow Serving's status of a model."""
    state = {"version": version, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    return {"model_version_status": [state]}
