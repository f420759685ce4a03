"""A manifest made from a folder of files: sizes, hashes of each file and of its chunks."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from assay.models.manifest import CHUNK_BYTES, MANIFEST, JsonFields, Manifest


def build_manifest(folder: Path, header: Mapping[str, Any], *, chunk_bytes: int = CHUNK_BYTES) -> Manifest:
    """Return the manifest of the files in a folder; `header` gives all of it but `files`. Raises BundleInvalid."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    files = [{"path": path.relative_to(folder).as_posix(), **describe_file(path, chunk_bytes)} for path in paths]
    return Manifest.read(JsonFields({**header, "files": files}, "manifest"))


def rebuild_manifest(folder: Path, metrics: Mapping[str, Any] | None = None) -> Manifest:
    """Write the manifest of a bundle whose files have changed, with more `metrics`. Raises BundleInvalid."""
    header = json.loads((folder / MANIFEST).read_text("utf-8"))
    del header["files"]
    header["metrics"] = header.get("metrics", {}) | (metrics or {})
    made = build_manifest(folder, header)
    (folder / MANIFEST).write_bytes(made.dumps())
    return made


def describe_file(path: Path, chunk_bytes: int) -> dict[str, Any]:
    """Return bytes, sha256, chunk_bytes and chunks of a file, as a manifest lists them."""
    whole, chunks = sha256(), []
    with path.open("rb") as source:
        while chunk := source.read(chunk_bytes):
            whole.update(chunk)
            chunks.append(sha256(chunk).hexdigest())
    size = path.stat().st_size
    return {"bytes": size, "sha256": whole.hexdigest(), "chunk_bytes": chunk_bytes, "chunks": chunks}
