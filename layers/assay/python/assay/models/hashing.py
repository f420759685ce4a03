"""Hashes of a bundle's files on disk: to build a manifest from a folder, and to verify a folder by its manifest."""

import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import BundleInvalid

if TYPE_CHECKING:
    from assay.models.bundle import Manifest

_READ = 1 << 20


def verify(folder: Path, manifest: "Manifest", threads: int) -> None:
    """Raise BundleInvalid unless every file of the manifest is in the folder, byte for byte; hashes in threads."""
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise BundleInvalid(f"{file.path} is missing or has not {file.bytes} bytes")
    spans = [(folder / file.path, file.path, *span) for file in manifest.files for span in file.spans()]
    with ThreadPoolExecutor(threads, "verify") as pool:
        for _ in pool.map(lambda span: _verify(*span), spans):
            pass


def check(path: str, start: int, digest: str, expected: str) -> None:
    """Raise BundleInvalid unless a chunk's digest is the manifest's."""
    if digest != expected:
        raise BundleInvalid(f"{path} is not what its manifest says in the chunk from byte {start}", path=path)


def _verify(file: Path, path: str, start: int, stop: int, expected: str) -> None:
    digest = sha256()
    with file.open("rb", buffering=0) as source:
        for at in range(start, stop, _READ):
            digest.update(os.pread(source.fileno(), min(_READ, stop - at), at))
    check(path, start, digest.hexdigest(), expected)


def describe(path: Path, chunk_bytes: int) -> dict[str, Any]:
    """Return bytes, sha256, chunk_bytes and chunks of a file, as a manifest lists them."""
    whole, chunks = sha256(), []
    with path.open("rb") as source:
        while chunk := source.read(chunk_bytes):
            whole.update(chunk)
            chunks.append(sha256(chunk).hexdigest())
    size = path.stat().st_size
    return {"bytes": size, "sha256": whole.hexdigest(), "chunk_bytes": chunk_bytes, "chunks": chunks}
