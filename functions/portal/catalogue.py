"""Which models are published, as the loader reads their manifests. Stands on no NumPy, which the portal lacks."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from assay.aws.s3 import Bucket
from assay.errors import AssayError, BundleInvalid, InvalidOption, ObjectMissing
from assay.models.bucket_layout import MAX_POINTER_BYTES, Pointer, bundle_key, check_manifest, checked_name, current_key
from assay.models.manifest import MAX_MANIFEST_BYTES, Manifest
from assay.options import hold_known, integer
from assay.settings import Settings
from assay.telemetry import logger
from portal.memos import Memo

MOST_MODELS: Final = 100
MOST_VERSIONS: Final = 50
ROLES: Final = ("gate", "score", "classifier")
OPTIONS: Final = ("limit", "after")
SHOWN: Final = ("name", "version", "task", "format", "metrics", "provenance", "licence")
_REMEMBERED: Final = 1000


class Catalogue:
    """The models of one bucket. What it lists is looked at again after the settings' `model_refresh_seconds`.

    So a page of models costs S3 a call for each model once in that time, however often and by whomever it is asked.
    """

    def __init__(self, bucket: Bucket, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = bucket
        self._roles = roles(settings)
        seconds = settings.model_refresh_seconds
        self._names: Memo[str, list[str]] = Memo(seconds, 1, clock)
        self._summaries: Memo[str, dict[str, Any] | None] = Memo(seconds, _REMEMBERED, clock)

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the models after a name, and where the next ones are if there are more. Raises InvalidOption.

        A model whose current version the loader would refuse is left out.
        """
        hold_known(query, OPTIONS)
        limit = integer(query.get("limit", MOST_MODELS), "limit")
        if not 1 <= limit <= MOST_MODELS:
            raise InvalidOption(f"limit must be an integer in 1..{MOST_MODELS}", option="limit")
        names = [name for name in self._names.get("", self._listed) if name > query.get("after", "")]
        more = {"next": f"models?limit={limit}&after={quote(names[limit - 1])}"} if len(names) > limit else {}
        found = (self._summaries.get(name, partial(self._summary, name)) for name in names[:limit])
        return {"models": [summary for summary in found if summary], **more}

    def listed(self) -> list[dict[str, Any]]:
        """Return what is listed of the first models, a page of them."""
        found: list[dict[str, Any]] = self.page({})["models"]
        return found

    def health(self) -> dict[str, Any]:
        """Return the current version of each model that the functions need, None where there is none."""
        versions = {role: {"name": name, "version": self._version(name)} for role, name in self._roles.items()}
        complete = all(each["version"] for each in versions.values())
        return {"status": "ok" if complete else "models missing", "models": versions}

    def manifest(self, name: str, version: str | None = None) -> Manifest | None:
        """Return the manifest of a model's version, the current one by default; None where the loader has none."""
        try:
            pointer = None if version else self._pointer(name)
            chosen = version or (pointer.version if pointer else None)
            return self._read(name, chosen, pointer) if chosen else None
        except AssayError as error:
            if not (version and isinstance(error, ObjectMissing)):  # a version that somebody made up is no fault
                logger.warning("a manifest cannot be read", model=name, reason=error.message)
            return None

    def _read(self, name: str, version: str, pointer: Pointer | None) -> Manifest:
        """Return a version's manifest as the loader takes it. Raises BundleInvalid, ObjectMissing, TooLarge."""
        found = self._bucket.get(bundle_key(name, version), limit=MAX_MANIFEST_BYTES)
        content = found[0] if found else b""
        check_manifest(content, pointer.digest(version) if pointer else None)
        manifest = Manifest.parse(content)
        if (manifest.name, manifest.version) != (name, version):
            raise BundleInvalid(f"the manifest is of {manifest.name} {manifest.version}, not of {name} {version}")
        return manifest

    def _listed(self) -> list[str]:
        return [name for name in self._bucket.folders("models/") if _possible(name)]

    def _summary(self, name: str) -> dict[str, Any] | None:
        manifest = self.manifest(name)
        if manifest is None:
            return None
        default_for = [role for role, serves in self._roles.items() if serves == name]
        versions = list(islice(self._bucket.folders(f"models/{name}/"), MOST_VERSIONS))
        return _shown(manifest) | {"default_for": default_for, "versions": versions}

    def _version(self, name: str) -> str | None:
        try:
            pointer = self._pointer(name)
        except AssayError:
            return None
        return pointer.version if pointer else None

    def _pointer(self, name: str) -> Pointer | None:
        found = self._bucket.get(current_key(name), limit=MAX_POINTER_BYTES)
        return Pointer.parse(found[0]) if found else None


def roles(settings: Settings) -> dict[str, str]:
    """Return the name of the deployment's model in each role."""
    names = (settings.gate_model, settings.score_model, settings.classifier)
    return dict(zip(ROLES, names, strict=True))


def _possible(name: str) -> bool:
    """Say whether a folder's name can be a model's."""
    try:
        return bool(checked_name(name))
    except BundleInvalid:
        return False


def _shown(manifest: Manifest) -> dict[str, Any]:
    shown = {name: getattr(manifest, name) for name in SHOWN}
    if manifest.sequence is not None:
        return shown | {"alphabet": manifest.sequence.alphabet, "length": manifest.sequence.length}
    if manifest.text is not None:
        text = manifest.text
        parts = {"labels": list(text.labels), "thresholds": dict(text.thresholds), "max_tokens": text.max_tokens}
        return shown | {name: value for name, value in parts.items() if value}
    return shown
