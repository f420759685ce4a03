"""The manifest of a model bundle: what the files are, what goes in and comes out, and what the numbers mean.

A bundle is a folder `models/{name}/{version}/` with `manifest.json` and the files it lists. `current.json`, one
level up, points at the version that serves.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, Self, cast

from assay.errors import BundleInvalid
from assay.models.fields import Fields, document
from assay.models.hashing import describe
from assay.models.layout import MANIFEST, checked_name, checked_version
from assay.models.specs import (
    CHUNK_BYTES,
    MAX_BUNDLE_BYTES,
    File,
    SequenceSpec,
    Tensor,
    TextSpec,
    read_file,
    read_sequence,
    read_tensor,
    read_text,
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
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
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
        return cls.read(document(content, "manifest", MAX_MANIFEST_BYTES))

    @classmethod
    def read(cls, fields: Fields) -> Self:
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


def build(folder: Path, header: Mapping[str, Any], *, chunk_bytes: int = CHUNK_BYTES) -> Manifest:
    """Return the manifest of the files in a folder; `header` gives all of it but `files`. Raises BundleInvalid."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    files = [{"path": path.relative_to(folder).as_posix(), **describe(path, chunk_bytes)} for path in paths]
    return Manifest.read(Fields({**header, "files": files}, "manifest"))


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
