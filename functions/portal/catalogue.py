"""Which models are published, as their manifests say. Reads JSON only: the portal has no need of NumPy."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

from assay.errors import AssayError, InvalidOption, ObjectMissing
from assay.models.layout import MAX_POINTER_BYTES, Pointer, bundle_key, current_key
from assay.options import hold_known, integer
from assay.settings import Settings
from assay.storage import Bucket
from assay.telemetry import logger

_MAX_MANIFEST = 1 << 20
MOST_MODELS = 100
MOST_VERSIONS = 50
ROLES = ("gate", "score", "classifier")
OPTIONS = ("limit", "after")
SHOWN = ("name", "version", "task", "format", "metrics", "provenance", "licence")


def page(bucket: Bucket, query: Mapping[str, str], settings: Settings) -> dict[str, Any]:
    """Return the models after a name, and where the next ones are if there are more. Raises InvalidOption."""
    hold_known(query, OPTIONS)
    limit = integer(query.get("limit", MOST_MODELS), "limit")
    if not 1 <= limit <= MOST_MODELS:
        raise InvalidOption(f"limit must be an integer in 1..{MOST_MODELS}", option="limit")
    names = [name for name in bucket.folders("models/") if name > query.get("after", "")]
    more = {"next": f"models?limit={limit}&after={quote(names[limit - 1])}"} if len(names) > limit else {}
    return {"models": models(bucket, names[:limit], roles(settings)), **more}


def models(bucket: Bucket, names: Iterable[str], serving: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a summary of each model's current version; one that cannot be read is left out.

    `serving` says which model is asked in which role where none is named.
    """
    found = (_summary(bucket, name, serving) for name in names)
    return [summary for summary in found if summary]


def roles(settings: Settings) -> dict[str, str]:
    """Return the name of the deployment's model in each role."""
    names = (settings.gate_model, settings.score_model, settings.classifier)
    return dict(zip(ROLES, names, strict=True))


def health(bucket: Bucket, settings: Settings) -> dict[str, Any]:
    """Return the current version of each model that the functions need, None where there is none."""
    versions = {role: {"name": name, "version": _version(bucket, name)} for role, name in roles(settings).items()}
    complete = all(each["version"] for each in versions.values())
    return {"status": "ok" if complete else "models missing", "models": versions}


def manifest(bucket: Bucket, name: str, version: str | None = None) -> dict[str, Any] | None:
    """Return the manifest of a model's version, the current one by default, as JSON; None where it cannot be had."""
    chosen = version or _version(bucket, name)
    try:
        found = chosen and bucket.get(bundle_key(name, chosen), limit=_MAX_MANIFEST)
        return dict(json.loads(found[0])) if found else None
    except (AssayError, ValueError, TypeError) as error:
        if not (version and isinstance(error, ObjectMissing)):  # a version that somebody made up is no fault
            logger.exception("a manifest cannot be read", model=name)
        return None


def _summary(bucket: Bucket, name: str, serving: Mapping[str, str]) -> dict[str, Any] | None:
    found = manifest(bucket, name)
    if not found:
        return None
    default_for = [role for role, serves in serving.items() if serves == name]
    versions = list(islice(bucket.folders(f"models/{name}/"), MOST_VERSIONS))
    return _shown(found) | {"default_for": default_for, "versions": versions}


def _shown(manifest: dict[str, Any]) -> dict[str, Any]:
    text, sequence = manifest.get("text") or {}, manifest.get("sequence") or {}
    parts = {"labels": text.get("labels"), "thresholds": text.get("thresholds"), "max_tokens": text.get("max_tokens")}
    parts |= {"alphabet": sequence.get("alphabet"), "length": sequence.get("length")}
    return {name: manifest.get(name) for name in SHOWN} | {name: value for name, value in parts.items() if value}


def _version(bucket: Bucket, name: str) -> str | None:
    try:
        found = bucket.get(current_key(name), limit=MAX_POINTER_BYTES)
        return Pointer.parse(found[0]).version if found else None
    except AssayError:
        return None
