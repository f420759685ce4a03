"""What the serving protocols ask of models before they are used: are they there, and what do they take and answer."""

from collections.abc import Mapping
from typing import Any

from assay import serving
from assay.errors import BundleInvalid, NotFound
from assay.models.layout import Target
from assay.settings import Settings
from assay.storage import Bucket
from portal import catalogue


def manifest(models: Bucket, name: str, version: str | None = None) -> Mapping[str, Any]:
    """Return the manifest of a model's current version, or of the `version` wanted. Raises NotFound."""
    text = serving.named(name, version)
    try:
        wanted = Target.parse(text)
    except BundleInvalid:
        wanted = None
    found = wanted and catalogue.manifest(models, wanted.name, wanted.version)
    if not found or found.get("task") not in serving.TENSORS:
        raise NotFound(f"there is no model {text[:80]!r}; GET /models lists those there are")
    return found


def ready(models: Bucket, settings: Settings) -> bool:
    """Say whether every model that the functions need is published."""
    return bool(catalogue.health(models, settings)["status"] == "ok")
