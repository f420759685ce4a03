"""Models of either task behind the serving protocols: a request's texts or sequences to one tensor of scores."""

from collections.abc import Iterable, Sequence

import numpy as np

from assay.abstracts.classification import Classifier, Prediction, classify, shortest_decimal
from assay.errors import StrictReject, TooLarge
from assay.http.inference_protocols import SEQUENCES, TENSORS, Scores
from assay.models.loading import SequenceScorer
from assay.models.manifest import Manifest
from assay.models.text_classifier import TextClassifier
from assay.score_cache import Caching
from assay.sequences.json_items import parse_items
from classify.request import MOST_ABSTRACTS
from classify.services import ClassifyServices

MOST_SEQUENCES = 100_000
MOST_VALUES = 400_000
"""What a reply of Lambda has room for, at 13 characters a value."""
_NAMED = 100


def scores(service: ClassifyServices, name: str, instances: Sequence[str], caching: Caching = "use") -> Scores:
    """Return the scores of all instances. Raises NotFound, TooLarge; StrictReject that names the bad ones."""
    if service.task(name) == SEQUENCES:
        return _sequences(service.scorer(name), instances)
    classifier = service.classifier(name)
    return _texts(classifier, service.with_cache(classifier, caching), instances)


def _sequences(scorer: SequenceScorer, instances: Sequence[str]) -> Scores:
    _hold_count(len(instances), MOST_SEQUENCES)
    block = parse_items(instances, scorer.contract)
    _hold_all((reject.line - 1, f"{reject.reason}: {reject.detail}") for reject in block.rejects)
    found = scorer.score(block.codes)
    _hold_all((int(row), "not_finite: the model's answer") for row in np.flatnonzero(~np.isfinite(found)))
    return _answer(scorer.model.manifest, found.shape, shortest_decimal(found))


def _texts(known: TextClassifier, classifier: Classifier, instances: Sequence[str]) -> Scores:
    labels = len(known.text.labels)
    _hold_count(len(instances), MOST_ABSTRACTS)
    _hold_count(len(instances) * labels, MOST_VALUES, "values in the reply")
    outcomes = classify(instances, classifier)
    _hold_all((row, f"{each.code}: {each.message}") for row, each in enumerate(outcomes) if isinstance(each, Exception))
    values = [value for each in outcomes if isinstance(each, Prediction) for value in shortest_decimal(each.scores)]
    return _answer(known.model.manifest, (len(instances), labels), values)


def _answer(manifest: Manifest, shape: tuple[int, ...], values: list[float]) -> Scores:
    return Scores(manifest.name, manifest.version, TENSORS[manifest.task][1], shape, values)


def _hold_count(count: int, limit: int, what: str = "instances") -> None:
    if count > limit:
        raise TooLarge(f"{count:,} {what}, at most {limit:,} a request: split them", count=count, maximum=limit)


def _hold_all(bad: Iterable[tuple[int, str]]) -> None:
    """Raise StrictReject if there are bad instances: these protocols answer all instances or none."""
    named = [{"instance": row, "detail": detail} for row, detail in bad]
    if named:
        first = named[0]
        message = f"{len(named)} of the instances cannot be scored, first {first['instance']}: {first['detail']}"
        raise StrictReject(message, count=len(named), rejected=named[:_NAMED])
