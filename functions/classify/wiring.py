"""What classification stands on, built once from the environment."""

import os
from functools import cache

from assay.cache import ScoreCache
from assay.clients import client, hasty_dynamodb
from assay.models.choice import Choice
from assay.settings import Settings
from assay.storage import Bucket
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
