"""What classification stands on, built once from the environment."""

import os
from collections.abc import Mapping
from functools import cache

from assay.aws.clients import client, hasty_dynamodb
from assay.aws.s3 import Bucket
from assay.files.abstracts import ClassifyKind
from assay.files.desk import Desk
from assay.models.model_choice import Choice
from assay.models.text_classifier import TextClassifier
from assay.score_cache import ScoreCache
from assay.settings import Settings
from classify.service import ClassifyService


@cache
def settings() -> Settings:
    """Return what the environment says; SettingsError names what is missing."""
    return Settings.from_environ(os.environ, "models_bucket")


def results() -> Bucket:
    """Return the bucket that replies too large for Lambda are written to."""
    return Bucket(client("s3"), settings().results_bucket)


@cache
def service() -> ClassifyService:
    """Return the service; models are pulled when they are first asked for."""
    found = settings()
    choice = Choice.of(Bucket(client("s3"), found.models_bucket), found)
    cache = ScoreCache(hasty_dynamodb(), found.state_table, found.cache_days) if found.cache_days else None
    return ClassifyService(choice, found.classifier, cache)


def desk() -> Desk:
    """Return what the steps of a file job stand on."""
    return Desk.of(settings())


def kind() -> ClassifyKind:
    """Return classification as a kind of file job, the classifier that serves now to be pinned."""
    return ClassifyKind(_serving)


def pinned(models: Mapping[str, Mapping[str, str]]) -> TextClassifier:
    """Return the version that a job's plan pinned. Raises NotFound, ModelUnavailable, BundleInvalid."""
    return service().classifier("{name}@{version}".format(**models["classifier"]))


def _serving() -> dict[str, dict[str, str]]:
    manifest = service().classifier().model.manifest
    return {"classifier": {"name": manifest.name, "version": manifest.version}}
