"""The manifest of a model bundle: what the files are, what goes in and comes out, and what the numbers mean.

A bundle is a folder `models/{name}/{version}/` with `manifest.json` and the files it lists. `current.json`, one
level up, points at the version that serves.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, Self, cast

from assay.errors import BundleInvalid
from assay.models.bucket_layout import MANIFEST, checked_name, checked_version
from assay.models.json_fields import JsonFields, read_document
from assay.sequences.contract import Contract

CHUNK_BYTES: Final = 8 << 20
MAX_BUNDLE_BYTES: Final = 5 * 10**9
_MAX_LABELS: Final = 4096
_MAX_AXIS: Final = 1 << 24
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
class TextSpec:
    """What a classifier's outputs mean and how its texts become tokens; a label without a threshold has 0.5.

    A text longer than `max_tokens` is cut, or with an `overlap` scored in windows that share so many tokens.
    """

    labels: tuple[str, ...]
    activation: Activation
    thresholds: Mapping[str, float]
    max_tokens: int
    tokenizer: str
    pad_id: int
    overlap: int = 0


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
        fields.fail("shape", "holds something else than sizes or null")
    shape = tuple(None if axis == -1 else axis for axis in axes)
    return TensorSpec(fields.text("name"), fields.choice("dtype", *_DTYPES), shape)


def read_sequence(manifest: JsonFields) -> SequenceSpec:
    """Read what a `sequence-score` manifest says of sequences."""
    fields = JsonFields(manifest.values.get("sequence"), "manifest.sequence")
    encoding = cast(Encoding, fields.choice("encoding", "index", "one_hot", "one_hot_flat"))
    contract = Contract(fields.text("alphabet"), fields.integer("length", 1, 65_536))
    return SequenceSpec(contract.alphabet, contract.length, encoding)


def read_text(manifest: JsonFields) -> TextSpec:
    """Read what a `text-classification` manifest says of texts."""
    fields = JsonFields(manifest.values.get("text"), "manifest.text")
    labels, thresholds = fields.texts("labels", _MAX_LABELS), fields.numbers("thresholds")
    if len(set(labels)) != len(labels) or not thresholds.keys() <= set(labels):
        fields.fail("labels", "are not distinct, or lack one that has a threshold")
    max_tokens = fields.integer("max_tokens", 8, 65_536)
    return TextSpec(
        labels,
        cast(Activation, fields.choice("activation", "sigmoid", "softmax", "none")),
        thresholds,
        max_tokens,
        fields.text("tokenizer"),
        fields.integer("pad_id", 0, 1 << 31, 0),
        fields.integer("overlap", 0, max_tokens // 2, 0),
    )


MAX_MANIFEST_BYTES: Final = 1 << 20
MAX_FILES: Final = 64

Task = Literal["sequence-score", "text-classification"]


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

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.bytes for file in self.files)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the manifest, which by its chunk hashes stands for the whole bundle."""
        return sha256(self.dumps()).hexdigest()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read `manifest.json`."""
        return cls.read(read_document(content, "manifest", MAX_MANIFEST_BYTES))

    @classmethod
    def read(cls, fields: JsonFields) -> Self:
        """Read the manifest's object."""
        fields.integer("schema", 1, 1)
        task = fields.choice("task", "sequence-score", "text-classification")
        manifest = cls(
            name=checked_name(fields.text("name")),
            version=checked_version(fields.text("version")),
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
        )
        _check_files(manifest)
        _check_shapes(manifest)
        return manifest

    def dumps(self) -> bytes:
        """Return the manifest as `manifest.json` holds it."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        return (json.dumps({"schema": 1, **values}, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


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
    model_path(manifest)


def model_path(manifest: Manifest) -> str:
    """Return the path of the one .tflite file, or of the one saved_model.pb; BundleInvalid where there is not one."""
    ending = ".tflite" if manifest.format == "tflite" else "saved_model.pb"
    found = [file.path for file in manifest.files if file.path.endswith(ending)]
    if len(found) != 1:
        raise BundleInvalid(f"a bundle of format {manifest.format} has one file {ending}, this one {len(found)}")
    return found[0]


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
