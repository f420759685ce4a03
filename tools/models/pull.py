"""Bundles from a models bucket to this machine, every chunk verified as it arrives."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid, ObjectMissing
from assay.models.bucket_layout import MANIFEST, bundle_key, checked_name, checked_version
from assay.models.download import fetch
from assay.models.manifest import MAX_MANIFEST_BYTES, Manifest
from tools.models import publish
from tools.terminal import progress


class Counting(Bucket):
    """A bucket that tells how many bytes arrive."""

    def __init__(self, bucket: Bucket, told: Callable[[int], None]) -> None:
        super().__init__(bucket.client, bucket.name)
        self._told = told

    def pieces(self, key: str, start: int, stop: int, **pins: str | None) -> Iterator[bytes]:
        """Yield bytes [start, stop) of an object and count them."""
        for piece in super().pieces(key, start, stop, **pins):
            self._told(len(piece))
            yield piece


def pull(bucket: Bucket, name: str, version: str | None, folder: Path) -> Manifest:
    """Download a version (None: the one that serves) to FOLDER/NAME/VERSION; BundleInvalid, ObjectMissing."""
    manifest = find_version(bucket, name, version)
    target = folder / manifest.name / manifest.version
    if target.exists():
        raise BundleInvalid(f"{target} is there already: move it away, or pull to another folder with --to")
    with progress(f"pull {manifest.name} {manifest.version}", manifest.size) as shown:
        fetch(Counting(bucket, shown.add), manifest, target)
    found = bucket.get(bundle_key(manifest.name, manifest.version), limit=MAX_MANIFEST_BYTES)
    (target / MANIFEST).write_bytes(found[0] if found else manifest.dumps())
    return manifest


def find_version(bucket: Bucket, name: str, version: str | None) -> Manifest:
    """Return the manifest of a published version, by default the one that serves.

    Raises ObjectMissing; BundleInvalid where the manifest is not the one that `current.json` was made for.
    """
    pointer = publish.pointer(bucket, checked_name(name))
    version = version or (pointer.version if pointer else None)
    if version is None:
        raise ObjectMissing(f"no version of {name} serves in {bucket.name}: name one (`assay models list` shows them)")
    found = publish.read_published(bucket, name, checked_version(version), pointer.digest(version) if pointer else None)
    if found is None:
        raise ObjectMissing(f"{name} {version} is not published in {bucket.name}")
    return found


def split_name(text: str) -> tuple[str, str | None]:
    """Read NAME, NAME/VERSION or NAME@VERSION."""
    name, *version = re.split("[/@]", text, maxsplit=1)
    return name, version[0] if version else None
