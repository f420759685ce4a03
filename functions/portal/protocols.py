"""What the serving protocols ask of models before they are used: are they there, and what do they take and answer."""

from collections.abc import Mapping
from typing import Any

from assay import serving
from assay.errors import NotFound
from assay.settings import Settings
from assay.storage import Bucket
from portal import catalogue


def manifest(models: Bucket, name: str, version: str | None = None) -> Mapping[str, Any]:
    """Return the manifest of a model's current version. Raises NotFound, also where another `version` is wanted."""
    found = catalogue.manifest(models, name)
    if found is None or found.get("task") not in serving.TENSORS:
        raise NotFound(f"there is no model {name[:80]!r}; GET /models lists those there are")
    serving.hold_version(name, found["version"], version)
    return found


def ready(models: Bucket, settings: Settings) -> bool:
    """Say whether every model that the functions need is published."""
    return bool(catalogue.health(models, settings)["status"] == "ok")
