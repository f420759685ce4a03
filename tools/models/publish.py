"""Bundles to a models bucket: files, then the manifest, then `current.json`, so that no reader sees half of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.errors import BundleInvalid, ObjectMissing, RuntimeMissing
from assay.models.bundle import MAX_MANIFEST_BYTES, Manifest, read_manifest
from assay.models.hashing import verify
from assay.models.layout import (
    MANIFEST,
    MAX_POINTER_BYTES,
    Pointer,
    bundle_key,
    checked_name,
    checked_version,
    current_key,
)
from assay.models.loading import load
from assay.storage import Bucket

_JSON = "application/json"
_BINARY = "application/octet-stream"
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Listed:
    """One published version; `current` when it is the one that serves."""

    name: str
    version: str
    task: str
    format: str
    size: int
    current: bool


def check(folder: Path, *, run: bool = True) -> Manifest:
    """Verify a bundle's folder and, where its runtime is installed, load and run it; raises BundleInvalid."""
    manifest = read_manifest(folder)
    verify(folder, manifest, _THREADS)
    if run:
        try:
            load(folder, manifest, _THREADS)
        except RuntimeMissing as error:
            print(f"not run: {error}")
    return manifest


def publish(bucket: Bucket, folder: Path, *, serve: bool = True, run: bool = True) -> Manifest:
    """Publish a folder with its manifest.json and, with `serve`, make it current.

    A version is immutable: publishing the same bundle again changes nothing, other content under the same version
    raises BundleInvalid.
    """
    manifest = check(folder, run=run)
    present = published(bucket, manifest.name, manifest.version)
    if present not in (None, manifest):
        raise BundleInvalid(f"{manifest.name} {manifest.version} is published with other content: raise the version")
    if present is None:
        _upload(bucket, folder, manifest)
    if serve:
        activate(bucket, manifest.name, manifest.version)
    return manifest


def activate(bucket: Bucket, name: str, version: str) -> Pointer:
    """Make a published version current; ObjectMissing where there is no such version."""
    checked_name(name)
    if published(bucket, name, checked_version(version)) is None:
        raise ObjectMissing(f"{name} {version} is not published in {bucket.name}", name=name, version=version)
    before = pointer(bucket, name)
    if before is not None and before.version == version:
        return before
    after = Pointer(version, before.version if before else None)
    bucket.put(current_key(name), after.dumps(), _JSON)
    return after


def published(bucket: Bucket, name: str, version: str) -> Manifest | None:
    """Return the manifest of a published version, None where there is none."""
    content = _read(bucket, bundle_key(name, version), MAX_MANIFEST_BYTES)
    return None if content is None else Manifest.parse(content)


def pointer(bucket: Bucket, name: str) -> Pointer | None:
    """Return what `current.json` says, None where there is none, or one that says nothing."""
    content = _read(bucket, current_key(name), MAX_POINTER_BYTES)
    try:
        return None if content is None else Pointer.parse(content)
    except BundleInvalid:
        return None


def listed(bucket: Bucket) -> Iterator[Listed]:
    """Yield every published version."""
    for name in bucket.folders("models/"):
        current = pointer(bucket, name)
        for version in bucket.folders(f"models/{name}/"):
            manifest = published(bucket, name, version)
            if manifest is not None:
                serves = current is not None and current.version == version
                yield Listed(name, version, manifest.task, manifest.format, manifest.size, serves)


def _upload(bucket: Bucket, folder: Path, manifest: Manifest) -> None:
    for file in manifest.files:
        with (folder / file.path).open("rb") as source:
            bucket.upload(bundle_key(manifest.name, manifest.version, file.path), source, _BINARY)
    bucket.put(bundle_key(manifest.name, manifest.version), (folder / MANIFEST).read_bytes(), _JSON)


def _read(bucket: Bucket, key: str, limit: int) -> bytes | None:
    try:
        found = bucket.get(key, limit=limit)
    except ObjectMissing:
        return None
    return found[0] if found else None
