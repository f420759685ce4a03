"""What classification stands on, built once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

from assay.abstracts.classification import (
    Classifier,
    classify,
    describe_labels,
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
from assay.jobs.stores import Stores
from assay.models.loading import SequenceScorer
from assay.models.model_choice import Choice
from assay.models.text_classifier import TextClassifier
from assay.score_cache import CachedClassifier, Caching, ScoreCache
from assay.settings import Settings
from assay.telemetry import phase
from assay.text.records import gather
from classify.request import ClassifyRequest

if TYPE_CHECKING:
    from assay.jobs.classify_files import ClassifyJobType


@dataclass(frozen=True)
class ClassifyServices(Stores):
    """Settings, models, buckets and the cache of scores of this environment; answers with whichever model is named."""

    settings: Settings

    @cached_property
    def models(self) -> Choice:
        """Return the models that callers choose among, pulled when they are first asked for."""
        return Choice.of(Bucket(client("s3"), self.settings.models_bucket), self.settings)

    @cached_property
    def cache(self) -> ScoreCache | None:
        """Return the scores of texts seen before, None where the deployment keeps none."""
        settings = self.settings
        return ScoreCache(hasty_dynamodb(), settings.state_table, settings.cache_days) if settings.cache_days else None

    @property
    def kind(self) -> "ClassifyJobType":
        """Return classification as a kind of file job, the classifier that serves now to be pinned."""
        from assay.jobs.classify_files import ClassifyJobType  # a request that keeps no job does without

        return ClassifyJobType(self._describe_models, self._pin)

    def _describe_models(self) -> dict[str, dict[str, str]]:
        manifest = self.classifier().model.manifest
        return {"classifier": {"name": manifest.name, "version": manifest.version}}

    def _pin(self, models: Mapping[str, Mapping[str, str]]) -> TextClassifier:
        """Return the version that a job's plan pinned. Raises NotFound, ModelUnavailable, BundleInvalid."""
        return self.classifier("{name}@{version}".format(**models["classifier"]))

    def task(self, name: str) -> str:
        """Return what a model is for. Raises NotFound."""
        return TEXTS if name == self.settings.classifier else self.models.task(name)

    def scorer(self, name: str) -> SequenceScorer:
        """Return the scorer of a sequence model. Raises NotFound, ModelUnavailable."""
        return self.models.model(name, SEQUENCES, "").scorer

    def classifier(self, name: str | None = None) -> TextClassifier:
        """Return the classifier of a model, the default model's where `name` is None.

        Raises NotFound for a name that a caller made up, ModelUnavailable if the model can't be loaded.
        """
        return TextClassifier(self.models.model(name, TEXTS, self.settings.classifier))

    def classify(self, request: ClassifyRequest, name: str | None = None) -> dict[str, Any]:
        """Return the reply; InvalidAbstract when the only abstract of a `single` request is bad."""
        if request.options.explain:
            from assay.models import text_explainer as explanations

            explanations.require_few(len(request.abstracts))
        classifier = self.classifier(name)
        with phase("classify", model=classifier.model.manifest.name):
            outcomes = classify(request.abstracts, self.with_cache(classifier, request.caching))
        if request.single and isinstance(outcomes[0], InvalidAbstract):
            raise outcomes[0]
        source = {"source": request.source} if request.source else {}
        text, manifest = classifier.text, classifier.model.manifest
        results = [
            describe_reject(outcome) | dict(about)
            if isinstance(outcome, InvalidAbstract)
            else shape_result(outcome, text, request.options) | source | dict(about)
            for outcome, about in zip(outcomes, request.about or repeat({}), strict=False)
        ]
        if request.options.explain:
            explanations.explain_results(classifier, request.abstracts, results)
        return {
            "model": {"name": manifest.name, "version": manifest.version},
            **describe_labels(text, classifier.checks),
            "results": results,
            "notices": [each.to_body() for each in gather([*request.notices, *remarks(enumerate(results, 1))])],
        }

    def predict(self, abstract: object, caching: Caching = "use") -> list[list[float]]:
        """Return the scores of one abstract as the old contract has them; InvalidAbstract."""
        text = prepare(abstract)
        return [
            shortest_decimal(prediction.scores)
            for prediction in self.with_cache(self.classifier(), caching).classify([text])
        ]

    def with_cache(self, classifier: TextClassifier, caching: Caching) -> Classifier:
        """Return a classifier that remembers, if there is a cache."""
        return CachedClassifier(classifier, self.cache, caching) if self.cache else classifier


@cache
def services() -> ClassifyServices:
    """Return this environment's services. Raises SettingsError that names what is missing."""
    return ClassifyServices(Settings.from_environ(os.environ, "models_bucket"))
