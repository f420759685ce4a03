"""The documents of a model, `manifest.json` and `current.json`: every mistake is a BundleInvalid that names its place.

A bundle is a folder `models/{name}/{version}/` with a manifest and the files that it lists: what goes in and comes out,
and what the numbers mean. `current.json`, one level up, points at the version that serves.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, NoReturn, Self, TypeVar, cast

from assay.errors import BundleInvalid
from assay.sequences.contract import Contract

T = TypeVar("T")
_LARGEST: Final = 1e30


class JsonFields:
    """One JSON object, read field by field; `where` is its place in the document, as messages give it."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise BundleInvalid(f"{where} is not an object")
        self.values: Mapping[str, Any] = value
        self.where = where

    def fail(self, name: str, complaint: str) -> NoReturn:
        """Raise BundleInvalid about one field."""
        raise BundleInvalid(f"{self.where}.{name} {complaint}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else self.fail(name, "is not a string")

    def choice(self, name: str, *allowed: str) -> str:
        """Return a string that is one of `allowed`."""
        value = self.text(name)
        return value if value in allowed else self.fail(name, f"is {value[:40]!r}, not one of {', '.join(allowed)}")

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return an integer within [least, most]."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fail(name, f"is not an integer within {least}..{most}")
        return value

    def number(self, name: str, least: float = -_LARGEST, most: float = _LARGEST) -> float:
        """Return a number within [least, most]; without them any that float32 holds too."""
        value = self.values.get(name)
        if not _are_numbers([value]):
            self.fail(name, "is not a number")
        return float(value) if least <= value <= most else self.fail(name, f"is not within {least:g}..{most:g}")  # type: ignore[operator, arg-type]

    def sentence(self, name: str, longest: int) -> str:
        """Return a string that is not empty, of at most so many characters."""
        text = self.text(name)
        return text if 0 < len(text) <= longest else self.fail(name, f"is not a text of 1..{longest} characters")

    def series(self, name: str, least: int, most: int) -> tuple[float, ...]:
        """Return `least` to `most` numbers that float32 holds too."""
        values = self.items(name, most, least=least)
        return tuple(map(float, values)) if _are_numbers(values) else self.fail(name, "has what is no number")

    def optional(self, name: str, read: Callable[..., T], *bounds: Any) -> T | None:
        """Return what a method of this class reads, None if there is no such field."""
        return read(self, name, *bounds) if name in self.values else None

    def record(self, name: str, kinds: "Mapping[str, Kind]", make: Callable[..., T]) -> T | None:
        """Return what is made of the fields of an object in turn, None where it is null or missing."""
        value = self.values.get(name)
        return None if value is None else make(*JsonFields(value, f"{self.where}.{name}").read(kinds))

    def records(self, name: str, most: int, kinds: "Mapping[str, Kind]", make: Callable[..., T]) -> tuple[T, ...]:
        """Return what is made of the fields of each object in a list of 1 to `most`; none where it is missing."""
        return self.objects(name, most, lambda each: make(*each.read(kinds))) if name in self.values else ()

    def read(self, kinds: "Mapping[str, Kind]") -> list[Any]:
        """Return the fields of a table that says how each is read, in its order."""
        return [read(self, name, *bounds) for name, (read, *bounds) in kinds.items()]

    def items(self, name: str, most: int, *, least: int = 1) -> list[Any]:
        """Return a list of `least` to `most` items."""
        value = self.values.get(name)
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.fail(name, f"is not a list of {least}..{most} items")
        return value

    def texts(self, name: str, most: int, *, least: int = 1) -> tuple[str, ...]:
        """Return strings."""
        values = self.items(name, most, least=least)
        return tuple(values) if all(isinstance(value, str) for value in values) else self.fail(name, "holds no strings")

    def objects(self, name: str, most: int, read: Callable[["JsonFields"], T]) -> tuple[T, ...]:
        """Return what `read` makes of each object in a list of 1 to `most`."""
        values = enumerate(self.items(name, most))
        return tuple(read(JsonFields(value, f"{self.where}.{name}[{at}]")) for at, value in values)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object as it is, empty if there is none."""
        return dict(JsonFields(self.values.get(name, {}), f"{self.where}.{name}").values)

    def numbers(self, name: str) -> dict[str, float]:
        """Return an object of finite numbers, empty if there is none."""
        values = self.mapping(name)
        if not all(type(value) in {int, float} and math.isfinite(value) for value in values.values()):
            self.fail(name, "has values that are not finite numbers")
        return {key: float(value) for key, value in values.items()}


Kind = tuple[Any, ...]
"""How a field is read: a method of `JsonFields`, and what it is given beside the name."""


def _are_numbers(values: list[Any]) -> bool:
    """Say whether these are numbers that float32 holds too; not NaN, nor true."""
    kinds = set(map(type, values)) <= {int, float}
    return kinds and all(abs(value) <= _LARGEST for value in values)


def read_document(content: bytes, where: str, limit: int) -> JsonFields:
    """Return the object that a JSON document of at most `limit` bytes is, if it could be written again."""
    if len(content) > limit:
        raise BundleInvalid(f"the {where} has {len(content)} bytes, more than {limit}")
    try:
        value = json.loads(content, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # 1e999, half a surrogate pair
        return JsonFields(value, where)
    except (ValueError, RecursionError) as error:
        raise BundleInvalid(f"the {where} is not JSON: {error}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


MANIFEST: Final = "manifest.json"
MAX_POINTER_BYTES: Final = 1 << 16
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """`current.json`: the version that serves, and the one before, for when it does not load.

    With each the sha256 of its manifest.json, None in a pointer that was written before there was one.
    """

    version: str
    previous: str | None = None
    sha256: str | None = None
    previous_sha256: str | None = None

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read `current.json`; raises BundleInvalid."""
        fields = read_document(content, "current.json", MAX_POINTER_BYTES)
        previous = fields.values.get("previous")
        version = require_model_version(fields.text("version"))
        digests = (_read_digest(fields.values.get(name)) for name in ("sha256", "previous_sha256"))
        return cls(version, require_model_version(str(previous)) if previous else None, *digests)

    def dumps(self) -> bytes:
        """Return the pointer as `current.json` holds it."""
        return (json.dumps({"schema": 1, **asdict(self)}) + "\n").encode()

    def digest(self, version: str) -> str | None:
        """Return the sha256 that a version's manifest.json must have, None where the pointer does not say."""
        return {self.previous: self.previous_sha256, self.version: self.sha256}.get(version)


@dataclass(frozen=True, slots=True)
class Target:
    """A model as people name it: `name`, or `name@version` where it is to be one version whatever serves."""

    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name` or `name@version`; raises BundleInvalid."""
        name, at, version = text.partition("@")
        return cls(require_model_name(name), require_model_version(version) if at else None)


def check_manifest(content: bytes, expected: str | None) -> None:
    """Raise BundleInvalid unless a manifest.json is the one that the pointer means; `expected` None holds any."""
    if expected is not None and sha256(content).hexdigest() != expected:
        raise BundleInvalid("manifest.json is not the one that current.json was made for: its sha256 differs")


def _read_digest(value: object) -> str | None:
    if value is None or (isinstance(value, str) and _DIGEST.fullmatch(value)):
        return value
    raise BundleInvalid("current.json has an invalid sha256")


def require_model_name(name: str) -> str:
    """Return a model's name; BundleInvalid unless it is lower-case letters, digits and hyphens, at most 63."""
    if not _NAME.fullmatch(name):
        raise BundleInvalid(f"a model's name has lower-case letters, digits and hyphens only, not {name[:80]!r}")
    return name


def require_model_version(version: str) -> str:
    """Return a version; BundleInvalid unless it is letters, digits, dots, hyphens and underscores, at most 64."""
    if not _VERSION.fullmatch(version):
        raise BundleInvalid(f"a version has letters, digits, '.', '-' and '_' only, not {version[:80]!r}")
    return version


CHUNK_BYTES: Final = 8 << 20
MAX_BUNDLE_BYTES: Final = 5 * 10**9
_MAX_LABELS: Final = 4096
_LONGEST_TITLE: Final = 200
_MAX_AXIS: Final = 1 << 24
MAX_SCAN: Final = 1 << 17
"""Residues that a scan reads at once."""
_DTYPES: Final = ("uint8", "int8", "int32", "int64", "float32", "float64")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

Encoding = Literal["index", "one_hot", "one_hot_flat"]
Activation = Literal["sigmoid", "softmax", "none"]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the bundle: `sha256` of the whole and `chunks`, those of its parts of `chunk_bytes` each."""

    path: str
    bytes: int
    sha256: str
    chunk_bytes: int
    chunks: tuple[str, ...]

    def spans(self) -> list[tuple[int, int, str]]:
        """Return (start, stop, sha256) of each chunk."""
        starts = range(0, self.bytes, self.chunk_bytes)
        stops = (min(start + self.chunk_bytes, self.bytes) for start in starts)
        return list(zip(starts, stops, self.chunks, strict=True))


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or an output; an axis whose size may vary is None."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """What a sequence model reads."""

    alphabet: str
    length: int
    encoding: Encoding

    @property
    def contract(self) -> Contract:
        """The alphabet and length that the parser holds sequences to."""
        return Contract(self.alphabet, self.length)


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """A second file of a sequence model: it scores all windows of `length` residues at once, with the same bits."""

    path: str
    length: int


@dataclass(frozen=True, slots=True)
class TextSpec:
    """What a classifier's outputs mean and how its texts become tokens; a label without a threshold has 0.5.

    `titles` are what people call the labels, where the bundle says it.

    A text longer than `max_tokens` is cut, or with an `overlap` scored in windows that share so many tokens.
    """

    labels: tuple[str, ...]
    activation: Activation
    thresholds: Mapping[str, float]
    max_tokens: int
    tokenizer: str
    pad_id: int
    overlap: int = 0
    titles: Mapping[str, str] = field(default_factory=dict)


def read_file(fields: JsonFields) -> File:
    """Read one of the manifest's files."""
    size = fields.integer("bytes", 0, MAX_BUNDLE_BYTES)
    part = fields.integer("chunk_bytes", 1, 1 << 30, CHUNK_BYTES)
    chunks = fields.texts("chunks", 100_000, least=0)
    digests = (fields.text("sha256"), *chunks)
    expected = -(-size // part)
    if len(chunks) != expected or not all(_DIGEST.fullmatch(digest) for digest in digests):
        fields.fail("chunks", f"and sha256 are not {expected} + 1 lower-case hexadecimal sha256")
    return File(_path(fields), size, digests[0], part, chunks)


def _path(fields: JsonFields) -> str:
    path = fields.text("path")
    segments = path.split("/")
    if path == MANIFEST or len(segments) > 8 or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        fields.fail("path", f"is {path[:80]!r}, not a plain relative path")
    return path


def read_tensor(fields: JsonFields) -> TensorSpec:
    """Read an input or an output; -1 is another way to write null."""
    axes = fields.items("shape", 8, least=0)
    if not all(axis is None or (type(axis) is int and (axis == -1 or 1 <= axis <= _MAX_AXIS)) for axis in axes):
        fields.fail("shape", "has values other than sizes and null")
    shape = tuple(None if axis == -1 else axis for axis in axes)
    return TensorSpec(fields.text("name"), fields.choice("dtype", *_DTYPES), shape)


def read_sequence(manifest: JsonFields) -> SequenceSpec:
    """Read what a `sequence-score` manifest says of sequences."""
    fields = JsonFields(manifest.values.get("sequence"), "manifest.sequence")
    encoding = cast(Encoding, fields.choice("encoding", "index", "one_hot", "one_hot_flat"))
    contract = Contract(fields.text("alphabet"), fields.integer("length", 1, 65_536))
    return SequenceSpec(contract.alphabet, contract.length, encoding)


def read_scan(manifest: JsonFields) -> ScanSpec | None:
    """Read what a `sequence-score` manifest says of a scan, None where it says nothing."""
    if "scan" not in manifest.values:
        return None
    fields = JsonFields(manifest.values["scan"], "manifest.scan")
    return ScanSpec(fields.text("path"), fields.integer("length", 1, MAX_SCAN))


def read_text(manifest: JsonFields) -> TextSpec:
    """Read what a `text-classification` manifest says of texts."""
    fields = JsonFields(manifest.values.get("text"), "manifest.text")
    labels, thresholds = fields.texts("labels", _MAX_LABELS), fields.numbers("thresholds")
    if len(set(labels)) != len(labels) or not thresholds.keys() <= set(labels):
        fields.fail("labels", "are not distinct, or lack a label that has a threshold")
    max_tokens = fields.integer("max_tokens", 8, 65_536)
    return TextSpec(
        labels,
        cast(Activation, fields.choice("activation", "sigmoid", "softmax", "none")),
        thresholds,
        max_tokens,
        fields.text("tokenizer"),
        fields.integer("pad_id", 0, 1 << 31, 0),
        fields.integer("overlap", 0, max_tokens // 2, 0),
        read_titles(fields, labels),
    )


def read_titles(fields: JsonFields, labels: Sequence[str]) -> dict[str, str]:
    """Read what people call the labels: printable, at most 200 characters; none where the manifest has none."""
    titles = fields.mapping("titles")
    fit = all(
        isinstance(each, str) and 0 < len(each) <= _LONGEST_TITLE and each.isprintable() for each in titles.values()
    )
    if not fit or not titles.keys() <= set(labels):
        fields.fail("titles", f"are not printable texts of 1 to {_LONGEST_TITLE} characters, each of a label")
    return titles


MAX_MANIFEST_BYTES: Final = 1 << 20
MAX_FILES: Final = 64

Task = Literal["sequence-score", "text-classification"]
Quantization = Literal["none", "dynamic", "static"]
"""`none`: float32; `dynamic`: int8 weights, activations in float32 between layers; `static`: an integer body."""


@dataclass(frozen=True)
class Manifest:
    """A bundle's manifest; `parse` raises BundleInvalid on anything that is not right."""

    name: str
    version: str
    task: Task
    format: Literal["tflite", "saved_model"]
    files: tuple[File, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sequence: SequenceSpec | None
    text: TextSpec | None
    metrics: Mapping[str, Any]
    provenance: Mapping[str, Any]
    licence: str
    quantization: Quantization | None = None
    """None where the manifest does not say, as those before this field do not."""
    scan: ScanSpec | None = None

    @cached_property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.bytes for file in self.files)

    @cached_property
    def model_path(self) -> str:
        """The path of the one .tflite file but the scan's, or of the one saved_model.pb; BundleInvalid without one."""
        ending = ".tflite" if self.format == "tflite" else "saved_model.pb"
        scan = self.scan.path if self.scan else None
        found = [file.path for file in self.files if file.path.endswith(ending) and file.path != scan]
        if len(found) != 1:
            raise BundleInvalid(f"a bundle of format {self.format} has one file {ending}, this one {len(found)}")
        return found[0]

    @cached_property
    def digest(self) -> str:
        """The sha256 of the manifest, which by its chunk hashes stands for the whole bundle."""
        return sha256(self.dumps()).hexdigest()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read `manifest.json`."""
        return cls.read(read_document(content, "manifest", MAX_MANIFEST_BYTES))

    @classmethod
    def of_version(cls, content: bytes, name: str, version: str, sha256: str | None) -> Self:
        """Read a version's `manifest.json`; BundleInvalid where it is another's or not the one meant."""
        check_manifest(content, sha256)
        manifest = cls.parse(content)
        if (manifest.name, manifest.version) != (name, version):
            raise BundleInvalid(f"the manifest is for {manifest.name} {manifest.version}, not for {name} {version}")
        return manifest

    @classmethod
    def read(cls, fields: JsonFields) -> Self:
        """Read the manifest's object."""
        fields.integer("schema", 1, 1)
        task = fields.choice("task", "sequence-score", "text-classification")
        manifest = cls(
            name=require_model_name(fields.text("name")),
            version=require_model_version(fields.text("version")),
            task=cast(Task, task),
            format=cast(Literal["tflite", "saved_model"], fields.choice("format", "tflite", "saved_model")),
            files=fields.objects("files", MAX_FILES, read_file),
            inputs=fields.objects("inputs", 16, read_tensor),
            outputs=fields.objects("outputs", 16, read_tensor),
            sequence=read_sequence(fields) if task == "sequence-score" else None,
            text=read_text(fields) if task == "text-classification" else None,
            metrics=fields.mapping("metrics"),
            provenance=fields.mapping("provenance"),
            licence=fields.text("licence", ""),
            quantization=_read_quantization(fields),
            scan=read_scan(fields) if task == "sequence-score" else None,
        )
        _check_files(manifest)
        _check_shapes(manifest)
        return manifest

    def dumps(self) -> bytes:
        """Return the manifest as `manifest.json` holds it."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        if self.text and not self.text.titles:
            del values["text"]["titles"]  # so that a bundle from before there were titles keeps its digest
        return (json.dumps({"schema": 1, **values}, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read_quantization(fields: JsonFields) -> Quantization | None:
    said = "quantization" in fields.values
    return cast(Quantization, fields.choice("quantization", "none", "dynamic", "static")) if said else None


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a bundle's folder; raises BundleInvalid."""
    try:
        with (folder / MANIFEST).open("rb") as source:
            return Manifest.parse(source.read(MAX_MANIFEST_BYTES + 1))
    except OSError as error:
        raise BundleInvalid(f"{folder.name} has no readable {MANIFEST}: {error.strerror}") from error


def _check_files(manifest: Manifest) -> None:
    paths = [file.path for file in manifest.files]
    folders = {str(parent).lower() for path in paths for parent in PurePosixPath(path).parents}
    if len({path.lower() for path in paths}) != len(paths) or folders & {path.lower() for path in paths}:
        raise BundleInvalid("two files of the manifest have the same path")
    if manifest.size > MAX_BUNDLE_BYTES:
        raise BundleInvalid(f"the bundle has {manifest.size} bytes, more than {MAX_BUNDLE_BYTES}")
    if manifest.text and manifest.text.tokenizer not in paths:
        raise BundleInvalid(f"the tokenizer {manifest.text.tokenizer[:80]!r} is not among the files")
    if manifest.scan and manifest.scan.path not in paths:
        raise BundleInvalid(f"the scan {manifest.scan.path[:80]!r} is not among the files")
    manifest.model_path  # noqa: B018 - raises if there is none


def _check_shapes(manifest: Manifest) -> None:
    if len({tensor.name for tensor in manifest.inputs}) != len(manifest.inputs):
        raise BundleInvalid("two inputs of the manifest have the same name")
    if not manifest.outputs[0].dtype.startswith("float"):
        raise BundleInvalid(f"the output is {manifest.outputs[0].dtype}, not floating point")
    if manifest.sequence is None:
        return
    length, symbols = manifest.sequence.length, len(manifest.sequence.alphabet)
    expected = {"index": (length,), "one_hot": (length, symbols), "one_hot_flat": (length * symbols,)}
    shape = manifest.inputs[0].shape
    if len(manifest.inputs) != 1 or shape[1:] != expected[manifest.sequence.encoding]:
        raise BundleInvalid(f"input {shape} does not fit encoding {manifest.sequence.encoding} of {length} residues")
    _check_scan(manifest, manifest.sequence)


def _check_scan(manifest: Manifest, sequence: SequenceSpec) -> None:
    if manifest.scan is None:
        return
    if (manifest.format, manifest.quantization, sequence.encoding) != ("tflite", "static", "index"):
        raise BundleInvalid("a scan is for format tflite, quantization static and encoding index")
    if manifest.scan.length < sequence.length:
        raise BundleInvalid(f"the scan reads {manifest.scan.length} residues, fewer than a sequence has")
