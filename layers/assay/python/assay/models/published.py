"""The models bucket: where the documents of a model lie in it, and the one way to read them."""

from hashlib import sha256
from itertools import islice
from typing import Final
from urllib.parse import unquote

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid, NotFound, ObjectMissing, TooLarge
from assay.models.early import take
from assay.models.manifest import MANIFEST, MAX_MANIFEST_BYTES, MAX_POINTER_BYTES, Manifest, Pointer, Target
from assay.models.reference import MAX_REFERENCE_BYTES, REFERENCE, Reference, find_reference

CARD: Final = "README.md"
"""A model's card, published beside its bundle with the pictures that it shows; what serves does not read it."""
_NAMED: Final = 20
_MORE: Final = "GET /models lists the published models"


def current_key(name: str) -> str:
    """Return the key of a model's pointer in the models bucket."""
    return f"models/{name}/current.json"


def bundle_key(name: str, version: str, path: str = MANIFEST) -> str:
    """Return the key of a bundle's file in the models bucket."""
    return f"models/{name}/{version}/{path}"


def fetch_pointer(bucket: Bucket, name: str, etag: str | None = None) -> tuple[bytes, str] | None:
    """Return `current.json` and its ETag, None while that is `etag`. Raises ObjectMissing, BundleInvalid."""
    return _fetch(bucket, current_key(name), MAX_POINTER_BYTES, etag)


def read_pointer(bucket: Bucket, name: str) -> Pointer:
    """Return what `current.json` says. Raises ObjectMissing, BundleInvalid."""
    content, _ = fetch_pointer(bucket, name) or (b"", "")
    return Pointer.parse(content)


def fetch_manifest(bucket: Bucket, name: str, version: str) -> bytes:
    """Return a version's manifest.json. Raises ObjectMissing, BundleInvalid."""
    content, _ = _fetch(bucket, bundle_key(name, version), MAX_MANIFEST_BYTES) or (b"", "")
    return content


def read_published(bucket: Bucket, name: str, version: str, sha256: str | None = None) -> Manifest:
    """Return a version's manifest. Raises ObjectMissing; BundleInvalid where it is another's or has not that sha256."""
    return Manifest.of_version(fetch_manifest(bucket, name, version), name, version, sha256)


def read_published_reference(bucket: Bucket, manifest: Manifest) -> Reference | None:
    """Return what a published model's scores mean, None where it does not say. Raises ObjectMissing, BundleInvalid."""
    found = find_reference(manifest)
    if found is None:
        return None
    key = bundle_key(manifest.name, manifest.version, REFERENCE)
    content, _ = _fetch(bucket, key, MAX_REFERENCE_BYTES) or (b"", "")
    if sha256(content).hexdigest() != found.sha256:
        raise BundleInvalid(f"{key} is not the file that the manifest means: its sha256 differs")
    return Reference.of(content, manifest)


def _fetch(bucket: Bucket, key: str, limit: int, etag: str | None = None) -> tuple[bytes, str] | None:
    if etag is not None:
        return fetch_document(bucket, key, limit, etag)
    return take((bucket.name, key), lambda: fetch_document(bucket, key, limit))


def fetch_document(bucket: Bucket, key: str, limit: int, etag: str | None = None) -> tuple[bytes, str] | None:
    """Return a document and its ETag, None while that is `etag`. Raises ObjectMissing; BundleInvalid over the limit."""
    try:
        return bucket.get(key, limit=limit, if_none_match=etag)
    except TooLarge as error:
        raise BundleInvalid(error.message) from error


class Shelf:
    """Which models are published: asked before a model that a caller named is loaded."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def require(self, target: Target, task: str) -> None:
        """Raise NotFound unless a model of that name, and version where it says one, is published for the task."""
        found = self.task(target)
        if found != task:
            raise NotFound(f"{target.name} is a model for {found}, not for {task}", model=target.name, task=found)

    def task(self, target: Target) -> str:
        """Return what a model is for. Raises NotFound that names the models, or the versions, that there are."""
        version = target.version or self.current(target.name)
        try:
            return read_published(self._bucket, target.name, version).task
        except (BundleInvalid, ObjectMissing):
            raise self._unknown(f"{target.name} has no version {version!r}", f"models/{target.name}/") from None

    def current(self, name: str) -> str:
        """Return the version that a model's pointer names. Raises NotFound."""
        try:
            return read_pointer(self._bucket, name).version
        except (BundleInvalid, ObjectMissing):
            raise self._unknown(f"there is no model {name!r}", "models/") from None

    def _unknown(self, what: str, prefix: str) -> NotFound:
        known = list(islice(self._bucket.folders(prefix), _NAMED + 1))
        names = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        return NotFound(f"{what}; there are: {names or 'none'} ({_MORE})", known=known[:_NAMED])


def parse_target(text: str) -> Target:
    """Return the model that a caller means by `name` or `name@version`. Raises NotFound where no model is named so."""
    try:
        return Target.parse(unquote(text))
    except BundleInvalid as error:
        raise NotFound(f"there is no model {text[:80]!r}: {error.message}; {_MORE}") from None
