"""Bundles between this machine and a models bucket.

Published are the files, then the manifest, then `current.json`, so that no reader sees half of a bundle. Of one that is
pulled, every chunk is verified as it arrives.
"""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid, ObjectMissing, RuntimeMissing
from assay.models import probes
from assay.models.loading import load_model
from assay.models.manifest import MANIFEST, Manifest, Pointer, read_manifest, require_model_name, require_model_version
from assay.models.published import (
    CARD,
    bundle_key,
    current_key,
    fetch_bundle,
    fetch_manifest,
    read_pointer,
    read_published,
    verify_files,
)
from tools.transfers import Bar, CountingBucket

_JSON = "application/json"
_BINARY = "application/octet-stream"
_THREADS = 4
_CARD_TYPES = {".md": "text/markdown; charset=utf-8", ".png": "image/png"}
_SHOWN = re.compile(r"!\[[^\]]*\]\(([\w-]+\.png)\)")


@dataclass(frozen=True, slots=True)
class Listed:
    """One published version; `current` when it is the one that serves."""

    name: str
    version: str
    task: str
    format: str
    size: int
    current: bool


def require_publishable(folder: Path, *, run: bool = True) -> Manifest:
    """Verify a bundle's folder and, where its runtime is installed, run it and its probes; raises BundleInvalid."""
    manifest = read_manifest(folder)
    verify_files(folder, manifest, _THREADS)
    if run:
        try:
            model = load_model(folder, manifest, _THREADS)
            probes.check_probes(model)
            probes.check_scan(model)
        except RuntimeMissing as error:
            print(f"not run: {error}")
    return manifest


def publish(
    bucket: Bucket, folder: Path, *, serve: bool = True, run: bool = True, dry: bool = False, shown: bool = False
) -> Manifest:
    """Publish a folder with its manifest.json and, with `serve`, make it current; `dry` checks all and writes nothing.

    A version is immutable: publishing the same bundle again changes nothing, other content under the same version
    raises BundleInvalid. `shown` draws the transfer on standard error.
    """
    manifest = require_publishable(folder, run=run)
    present = find_published(bucket, manifest.name, manifest.version)
    if present not in (None, manifest):
        raise BundleInvalid(f"{manifest.name} {manifest.version} is published with other content: raise the version")
    if present is None and not dry:
        _upload(bucket, folder, manifest, shown=shown)
    if serve and not dry:
        move_pointer(bucket, manifest.name, manifest.version)
    return manifest


def move_pointer(bucket: Bucket, name: str, version: str, *, dry: bool = False) -> Pointer:
    """Make a published version current (`dry`: say what would be).

    Raises ObjectMissing if there is no such version, BundleInvalid where its manifest is not what it was when the
    version served before.
    """
    try:
        content = fetch_manifest(bucket, require_model_name(name), require_model_version(version))
    except ObjectMissing:
        message = f"{name} {version} is not published in {bucket.name}"
        raise ObjectMissing(message, name=name, version=version) from None
    before = find_pointer(bucket, name)
    Manifest.of_version(content, name, version, before.digest(version) if before else None)
    if before and before.version == version and before.sha256:
        return before
    after = _after(before, version, sha256(content).hexdigest())
    if not dry:
        bucket.put(current_key(name), after.dumps(), _JSON)
    return after


def _after(before: Pointer | None, version: str, digest: str) -> Pointer:
    """Return the pointer that makes a version serve, in place of what served."""
    if before is None:
        return Pointer(version, None, digest)
    if before.version == version:  # written before there was a sha256
        return replace(before, sha256=digest)
    return Pointer(version, before.version, digest, before.sha256)


def rollback(bucket: Bucket, name: str, *, dry: bool = False) -> Pointer:
    """Make the version before the current one current again; ObjectMissing if there is none.

    What served until then becomes the previous one, so that a second rollback undoes the first.
    """
    found = find_pointer(bucket, require_model_name(name))
    if found is None or found.previous is None:
        raise ObjectMissing(f"{name} has no version before the one that serves in {bucket.name}", name=name)
    return move_pointer(bucket, name, found.previous, dry=dry)


def find_published(bucket: Bucket, name: str, version: str) -> Manifest | None:
    """Return the manifest of a published version, None if there is none. Raises BundleInvalid."""
    try:
        return read_published(bucket, name, version)
    except ObjectMissing:
        return None


def find_pointer(bucket: Bucket, name: str) -> Pointer | None:
    """Return what `current.json` says, None if there is none, or one that says nothing."""
    try:
        return read_pointer(bucket, name)
    except (ObjectMissing, BundleInvalid):
        return None


def list_models(bucket: Bucket) -> Iterator[Listed]:
    """Yield every published version."""
    for name in bucket.folders("models/"):
        current = find_pointer(bucket, name)
        for version in bucket.folders(f"models/{name}/"):
            manifest = find_published(bucket, name, version)
            if manifest is not None:
                serves = current is not None and current.version == version
                yield Listed(name, version, manifest.task, manifest.format, manifest.size, serves)


def _upload(bucket: Bucket, folder: Path, manifest: Manifest, *, shown: bool) -> None:
    with (
        Bar(f"publish {manifest.name} {manifest.version}", manifest.size, logged=True)
        if shown
        else nullcontext() as line
    ):
        for file in manifest.files:
            key = bundle_key(manifest.name, manifest.version, file.path)
            with (folder / file.path).open("rb") as source:
                bucket.client.upload_fileobj(
                    source, bucket.name, key, ExtraArgs={"ContentType": _BINARY}, Callback=line.add if line else None
                )
    for path in list_card(folder, manifest.name):
        bucket.put(bundle_key(manifest.name, manifest.version, path.name), path.read_bytes(), _CARD_TYPES[path.suffix])
    bucket.put(bundle_key(manifest.name, manifest.version), (folder / MANIFEST).read_bytes(), _JSON)


def list_card(folder: Path, name: str) -> Iterator[Path]:
    """Yield a bundle's card, with the PNG pictures beside it that it shows.

    It lies in the bundle's folder, or in the one above: there it begins with the model's name as its title.
    """
    for path in (folder / CARD, folder.parent / CARD):
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if text and (path.parent == folder or text.startswith(f"# {name}\n")):
            yield path
            shown = dict.fromkeys(_SHOWN.findall(text))
            yield from (path.parent / each for each in shown if (path.parent / each).is_file())
            return


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
