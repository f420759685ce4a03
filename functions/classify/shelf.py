"""Which models a caller may name: those that are published, and for this task."""

from assay.errors import BundleInvalid, NotFound, ObjectMissing
from assay.models.bundle import MAX_MANIFEST_BYTES, Manifest
from assay.models.layout import MAX_POINTER_BYTES, Pointer, bundle_key, checked_name, current_key
from assay.storage import Bucket


class Shelf:
    """The models bucket, seen by its names."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def demand(self, name: str, task: str) -> None:
        """Raise NotFound unless a model of that name is published for the task."""
        found = self.task(name)
        if found != task:
            raise NotFound(f"{name} is a model for {found}, not for {task}", model=name, task=found)

    def task(self, name: str) -> str:
        """Return what the current version of a model is for. Raises NotFound."""
        try:
            pointer = Pointer.parse(self._read(current_key(checked_name(name)), MAX_POINTER_BYTES))
            return Manifest.parse(self._read(bundle_key(name, pointer.version), MAX_MANIFEST_BYTES)).task
        except (BundleInvalid, ObjectMissing):
            raise NotFound(f"there is no model {name[:80]!r}; GET /models lists those there are") from None

    def _read(self, key: str, limit: int) -> bytes:
        found = self._bucket.get(key, limit=limit)
        return found[0] if found else b""
