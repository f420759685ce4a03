"""The parts of a manifest: files, tensors, and what a task needs to know of its inputs and outputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from assay.models.fields import Fields
from assay.models.layout import MANIFEST
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
class Tensor:
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


def read_file(fields: Fields) -> File:
    """Read one of the manifest's files."""
    size = fields.integer("bytes", 0, MAX_BUNDLE_BYTES)
    part = fields.integer("chunk_bytes", 1, 1 << 30, CHUNK_BYTES)
    chunks = fields.texts("chunks", 100_000, least=0)
    digests = (fields.text("sha256"), *chunks)
    expected = -(-size // part)
    if len(chunks) != expected or not all(_DIGEST.fullmatch(digest) for digest in digests):
        fields.fail("chunks", f"and sha256 are not {expected} + 1 lower-case hexadecimal sha256")
    return File(_path(fields), size, digests[0], part, chunks)


def _path(fields: Fields) -> str:
    path = fields.text("path")
    segments = path.split("/")
    if path == MANIFEST or len(segments) > 8 or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        fields.fail("path", f"is {path[:80]!r}, not a plain relative path")
    return path


def read_tensor(fields: Fields) -> Tensor:
    """Read an input or an output; -1 is another way to write null."""
    axes = fields.items("shape", 8, least=0)
    if not all(axis is None or (type(axis) is int and (axis == -1 or 1 <= axis <= _MAX_AXIS)) for axis in axes):
        fields.fail("shape", "holds something else than sizes or null")
    shape = tuple(None if axis == -1 else axis for axis in axes)
    return Tensor(fields.text("name"), fields.choice("dtype", *_DTYPES), shape)


def read_sequence(manifest: Fields) -> SequenceSpec:
    """Read what a `sequence-score` manifest says of sequences."""
    fields = Fields(manifest.values.get("sequence"), "manifest.sequence")
    encoding = cast(Encoding, fields.choice("encoding", "index", "one_hot", "one_hot_flat"))
    contract = Contract(fields.text("alphabet"), fields.integer("length", 1, 65_536))
    return SequenceSpec(contract.alphabet, contract.length, encoding)


def read_text(manifest: Fields) -> TextSpec:
    """Read what a `text-classification` manifest says of texts."""
    fields = Fields(manifest.values.get("text"), "manifest.text")
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
