"""Bundles from a models bucket to this machine, every chunk verified as it arrives."""

import re
from pathlib import Path

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid, ObjectMissing
from assay.models.download import fetch_bundle
from assay.models.manifest import MANIFEST, Manifest, require_model_name, require_model_version
from assay.models.published import fetch_manifest, read_published
from tools.models.publish import find_pointer
from tools.transfers import Bar, CountingBucket


def pull(bucket: Bucket, name: str, version: str | None, folder: Path) -> Manifest:
    """Download a version (None: the one that serves) to FOLDER/NAME/VERSION; BundleInvalid, ObjectMissing."""
    manifest = find_version(bucket, name, version)
    target = folder / manifest.name / manifest.version
    if target.exists():
        raise BundleInvalid(f"{target} is there already: move it away, or pull to another folder with --to")
    with Bar(f"pull {manifest.name} {manifest.version}", manifest.size, logged=True) as shown:
        fetch_bundle(CountingBucket(bucket, shown.add), manifest, target)
    (target / MANIFEST).write_bytes(fetch_manifest(bucket, manifest.name, manifest.version))
    return manifest


def find_version(bucket: Bucket, name: str, version: str | None) -> Manifest:
    """Return the manifest of a published version, by default the one that serves.

    Raises ObjectMissing; BundleInvalid where the manifest is not the one that `current.json` was made for.
    """
    pointer = find_pointer(bucket, require_model_name(name))
    version = version or (pointer.version if pointer else None)
    if version is None:
        raise ObjectMissing(f"no version of {name} serves in {bucket.name}: name one (`assay models list` shows them)")
    try:
        return read_published(
            bucket, name, require_model_version(version), pointer.digest(version) if pointer else None
        )
    except ObjectMissing:
        raise ObjectMissing(f"{name} {version} is not published in {bucket.name}") from None


def split_name(text: str) -> tuple[str, str | None]:
    """Read NAME, NAME/VERSION or NAME@VERSION."""
    name, *version = re.split("[/@]", text, maxsplit=1)
    return name, version[0] if version else None
