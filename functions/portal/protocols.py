"""What the serving protocols ask of models before they are used: are they there, and what do they take and answer."""

from assay import serving
from assay.errors import BundleInvalid, NotFound
from assay.models.bundle import Manifest
from assay.models.layout import Target
from portal.catalogue import Catalogue


def manifest(models: Catalogue, name: str, version: str | None = None) -> Manifest:
    """Return the manifest of a model's current version, or of the `version` wanted. Raises NotFound."""
    text = serving.named(name, version)
    try:
        wanted = Target.parse(text)
    except BundleInvalid:
        wanted = None
    found = models.manifest(wanted.name, wanted.version) if wanted else None
    if found is None:
        raise NotFound(f"there is no model {text[:80]!r}; GET /models lists those there are")
    return found


def ready(models: Catalogue) -> bool:
    """Say whether every model that the functions need is published."""
    return bool(models.health()["status"] == "ok")
