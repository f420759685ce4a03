"""Classification against whichever version of a model is current."""

from typing import Any, Protocol

from assay.abstracts.classification import Classifier, classify, plain, rejected, result
from assay.abstracts.prepare import prepare
from assay.cache import CachedClassifier, Caching, ScoreCache
from assay.errors import InvalidAbstract
from assay.models.classifier import TextClassifier
from assay.models.loading import LoadedModel
from assay.models.scorer import SequenceScorer
from assay.serving import SEQUENCES, TEXTS
from assay.telemetry import phase
from classify.inputs import ClassifyRequest


class Models(Protocol):
    """The registry, as far as classification uses it."""

    def current(self, name: str, task: str) -> LoadedModel:
        """Return the current version of a model; ModelUnavailable."""


class Names(Protocol):
    """Which models may be named."""

    def demand(self, name: str, task: str) -> None:
        """Raise NotFound unless a model of that name is published for the task."""

    def task(self, name: str) -> str:
        """Return what a model is for. Raises NotFound."""


class ClassifyService:
    """Answers requests; keeps one classifier (tokenizer and all) for each model's current version."""

    def __init__(self, models: Models, names: Names, default: str, cache: ScoreCache | None = None) -> None:
        self._models = models
        self._names = names
        self._default = default
        self._cache = cache
        self._classifiers: dict[str, TextClassifier] = {}
        self._scorers: dict[str, SequenceScorer] = {}

    def task(self, name: str) -> str:
        """Return what a model is for. Raises NotFound."""
        if name == self._default or name in self._classifiers:
            return TEXTS
        return SEQUENCES if name in self._scorers else self._names.task(name)

    def scorer(self, name: str) -> SequenceScorer:
        """Return the scorer of a sequence model's current version. Raises ModelUnavailable."""
        model = self._models.current(name, SEQUENCES)
        known = self._scorers.get(name)
        if known is None or known.model is not model:
            known = self._scorers[name] = SequenceScorer(model)
        return known

    def classifier(self, name: str | None = None) -> TextClassifier:
        """Return the classifier of a model's current version, the default model's where `name` is None.

        Raises NotFound for a name that a caller made up, ModelUnavailable where the model can't be had.
        """
        name = name or self._default
        if name != self._default and name not in self._classifiers:
            self._names.demand(name, TEXTS)
        model = self._models.current(name, TEXTS)
        known = self._classifiers.get(name)
        if known is None or known.model is not model:
            known = self._classifiers[name] = TextClassifier(model)
        return known

    def classify(self, request: ClassifyRequest, name: str | None = None) -> dict[str, Any]:
        """Return the reply; InvalidAbstract when the only abstract of a `single` request is bad."""
        classifier = self.classifier(name)
        with phase("classify", model=classifier.model.manifest.name):
            outcomes = classify(request.abstracts, self.cached(classifier, request.caching))
        if request.single and isinstance(outcomes[0], InvalidAbstract):
            raise outcomes[0]
        source = {"source": request.source} if request.source else {}
        text, manifest = classifier.text, classifier.model.manifest
        return {
            "model": {"name": manifest.name, "version": manifest.version},
            "labels": list(text.labels),
            "results": [
                rejected(outcome)
                if isinstance(outcome, InvalidAbstract)
                else result(outcome, text.labels, text.thresholds, request.options) | source
                for outcome in outcomes
            ],
        }

    def predict(self, abstract: object, caching: Caching = "use") -> list[list[float]]:
        """Return the scores of one abstract as the old contract has them; InvalidAbstract."""
        text = prepare(abstract)
        return [plain(prediction.scores) for prediction in self.cached(self.classifier(), caching).classify([text])]

    def cached(self, classifier: TextClassifier, caching: Caching) -> Classifier:
        """Return a classifier that remembers, where there is a cache."""
        return CachedClassifier(classifier, self._cache, caching) if self._cache else classifier
