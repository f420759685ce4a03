"""Which models are published, by name and version: asked before a model that a caller named is loaded."""

from itertools import islice
from typing import Final
from urllib.parse import unquote

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid, NotFound, ObjectMissing
from assay.models.bucket_layout import MAX_POINTER_BYTES, Pointer, Target, bundle_key, current_key
from assay.models.manifest import MAX_MANIFEST_BYTES, Manifest

_NAMED: Final = 20
_MORE: Final = "GET /models lists those there are"


class Shelf:
    """The models bucket, seen by its names."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def demand(self, target: Target, task: str) -> None:
        """Raise NotFound unless a model of that name, and version where it says one, is published for the task."""
        found = self.task(target)
        if found != task:
            raise NotFound(f"{target.name} is a model for {found}, not for {task}", model=target.name, task=found)

    def task(self, target: Target) -> str:
        """Return what a model is for. Raises NotFound that names the models, or the versions, that there are."""
        version = target.version or self.current(target.name)
        try:
            return Manifest.parse(self._read(bundle_key(target.name, version), MAX_MANIFEST_BYTES)).task
        except (BundleInvalid, ObjectMissing):
            raise self._unknown(f"{target.name} has no version {version!r}", f"models/{target.name}/") from None

    def current(self, name: str) -> str:
        """Return the version that a model's pointer names. Raises NotFound."""
        try:
            return Pointer.parse(self._read(current_key(name), MAX_POINTER_BYTES)).version
        except (BundleInvalid, ObjectMissing):
            raise self._unknown(f"there is no model {name!r}", "models/") from None

    def _unknown(self, what: str, prefix: str) -> NotFound:
        known = list(islice(self._bucket.folders(prefix), _NAMED + 1))
        names = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        return NotFound(f"{what}; there are: {names or 'none'} ({_MORE})", known=known[:_NAMED])

    def _read(self, key: str, limit: int) -> bytes:
        found = self._bucket.get(key, limit=limit)
        return found[0] if found else b""


def target(text: str) -> Target:
    """Return the model that a caller means by `name` or `name@version`. Raises NotFound where no model is named so."""
    try:
        return Target.parse(unquote(text))
    except BundleInvalid as error:
        raise NotFound(f"there is no model {text[:80]!r}: {error.message}; {_MORE}") from None
