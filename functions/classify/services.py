"""What classification stands on, built once from the environment."""

import os
from collections.abc import Mapping
from functools import cache
from itertools import repeat
from typing import Any, Protocol

from assay.abstracts.classification import (
    Classifier,
    classify,
    describe_reject,
    remarks,
    shape_result,
    shortest_decimal,
)
from assay.abstracts.cleaning import prepare
from assay.aws.clients import client, hasty_dynamodb
from assay.aws.s3 import Bucket
from assay.errors import InvalidAbstract
from assay.http.inference_protocols import SEQUENCES, TEXTS
from assay.jobs.classify_files import ClassifyJobType
from assay.jobs.environment import JobEnvironment
from assay.models.loading import LoadedModel, SequenceScorer
from assay.models.model_choice import Choice
from assay.models.text_classifier import TextClassifier
from assay.score_cache import CachedClassifier, Caching, ScoreCache
from assay.settings import Settings
from assay.telemetry import phase
from assay.text.records import gather
from classify.request import ClassifyRequest


class Models(Protocol):
    """The models that callers choose among."""

    def model(self, text: str | None, task: str, default: str) -> LoadedModel:
        """Return the model named by `name` or `name@version`, else the default. Raises NotFound, ModelUnavailable."""

    def task(self, text: str) -> str:
        """Return what a model is for. Raises NotFound."""


class ClassifyService:
    """Answers requests with whichever model each names."""

    def __init__(self, models: Models, default: str, cache: ScoreCache | None = None) -> None:
        self._models = models
        self._default = default
        self._cache = cache

    def task(self, name: str) -> str:
        """Return what a model is for. Raises NotFound."""
        return TEXTS if name == self._default else self._models.task(name)

    def scorer(self, name: str) -> SequenceScorer:
        """Return the scorer of a sequence model. Raises NotFound, ModelUnavailable."""
        return SequenceScorer(self._models.model(name, SEQUENCES, ""))

    def classifier(self, name: str | None = None) -> TextClassifier:
        """Return the classifier of a model, the default model's where `name` is None.

        Raises NotFound for a name that a caller made up, ModelUnavailable where the model can't be had.
        """
        return TextClassifier(self._models.model(name, TEXTS, self._default))

    def classify(self, request: ClassifyRequest, name: str | None = None) -> dict[str, Any]:
        """Return the reply; InvalidAbstract when the only abstract of a `single` request is bad."""
        classifier = self.classifier(name)
        with phase("classify", model=classifier.model.manifest.name):
            outcomes = classify(request.abstracts, self.cached(classifier, request.caching))
        if request.single and isinstance(outcomes[0], InvalidAbstract):
            raise outcomes[0]
        source = {"source": request.source} if request.source else {}
        text, manifest = classifier.text, classifier.model.manifest
        results = [
            describe_reject(outcome) | dict(about)
            if isinstance(outcome, InvalidAbstract)
            else shape_result(outcome, text.labels, text.thresholds, request.options) | source | dict(about)
            for outcome, about in zip(outcomes, request.about or repeat({}), strict=False)
        ]
        return {
            "model": {"name": manifest.name, "version": manifest.version},
            "labels": list(text.labels),
            "results": results,
            "notices": [each.to_body() for each in gather([*request.notices, *remarks(enumerate(results, 1))])],
        }

    def predict(self, abstract: object, caching: Caching = "use") -> list[list[float]]:
        """Return the scores of one abstract as the old contract has them; InvalidAbstract."""
        text = prepare(abstract)
        return [
            shortest_decimal(prediction.scores)
            for prediction in self.cached(self.classifier(), caching).classify([text])
        ]

    def cached(self, classifier: TextClassifier, caching: Caching) -> Classifier:
        """Return a classifier that remembers, where there is a cache."""
        return CachedClassifier(classifier, self._cache, caching) if self._cache else classifier


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


def desk() -> JobEnvironment:
    """Return what the steps of a file job stand on."""
    return JobEnvironment.of(settings())


def kind() -> ClassifyJobType:
    """Return classification as a kind of file job, the classifier that serves now to be pinned."""
    return ClassifyJobType(_serving, _pinned_classifier)


def _pinned_classifier(models: Mapping[str, Mapping[str, str]]) -> TextClassifier:
    """Return the version that a job's plan pinned. Raises NotFound, ModelUnavailable, BundleInvalid."""
    return service().classifier("{name}@{version}".format(**models["classifier"]))


def _serving() -> dict[str, dict[str, str]]:
    manifest = service().classifier().model.manifest
    return {"classifier": {"name": manifest.name, "version": manifest.version}}
