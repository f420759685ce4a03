"""Classify abstracts, and build the reply."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from assay.abstracts.cleaning import prepare
from assay.abstracts.oddities import ODDITIES
from assay.errors import AssayError, InvalidAbstract
from assay.options import ClassifyOptions
from assay.text.records import Notice, notice

DEFAULT_THRESHOLD = 0.5
NO_LABEL: Final = "No label reaches its threshold; the scores say how near each came."
TRUNCATED: Final = "The text is longer than the model reads: everything after its last token was left out."


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One text: scores float32 [labels] after the activation, the tokens read, and whether more were cut off.

    `cached` says that the scores were computed before and kept; `notice` is the code of what is odd about the text,
    empty where nothing is or nothing is known.
    """

    scores: npt.NDArray[np.float32]
    tokens: int
    truncated: bool
    cached: bool = False
    notice: str = ""


class LabelSet(Protocol):
    """What is said of a classifier's labels, by code: where each begins to count, and its title where it has one."""

    @property
    def labels(self) -> Sequence[str]:
        """The codes, in the order of the scores."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """The probability from which a label counts, 0.5 where none is given."""

    @property
    def titles(self) -> Mapping[str, str]:
        """What people call a label; none in bundles that have no titles."""


class Classifier(Protocol):
    """Whatever predicts cleaned texts."""

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction for each text, in order."""


def classify(abstracts: Sequence[object], classifier: Classifier) -> list[Prediction | InvalidAbstract]:
    """Clean, check and predict; a bad abstract has its error at its position."""
    prepared = [_attempt(abstract) for abstract in abstracts]
    predictions = iter(classifier.classify([text for text in prepared if isinstance(text, str)]))
    return [next(predictions) if isinstance(text, str) else text for text in prepared]


def _attempt(abstract: object) -> str | InvalidAbstract:
    try:
        return prepare(abstract)
    except InvalidAbstract as error:
        return error


def shortest_decimal(scores: npt.NDArray[np.float32]) -> list[float]:
    """Return scores as the shortest decimals that name the model's float32 values."""
    return [float(str(score)) for score in scores]


def describe_labels(known: LabelSet, checks: Sequence[str] = ()) -> dict[str, Any]:
    """Return all labels as a reply lists them, their titles and what texts are checked for, if there are any."""
    more = {"titles": dict(known.titles), "checks": list(checks)}
    return {"labels": list(known.labels)} | {name: value for name, value in more.items() if value}


def shape_result(prediction: Prediction, known: LabelSet, options: ClassifyOptions) -> dict[str, Any]:
    """Return what one abstract is answered with."""
    scores = dict(zip(known.labels, shortest_decimal(prediction.scores), strict=True))
    chosen = _choose_labels(scores, known.thresholds, options)
    return {
        "labels": [each | _title(known.titles, each["label"]) for each in chosen],
        "scores": scores,
        "tokens": prediction.tokens,
        "truncated": prediction.truncated,
        "cached": prediction.cached,
    } | ({"notice": prediction.notice} if prediction.notice else {})


def _choose_labels(
    scores: Mapping[str, float], thresholds: Mapping[str, float], options: ClassifyOptions
) -> list[dict[str, Any]]:
    """Return the labels at or above their threshold, best first (ties in the model's order), at most `top_k`."""
    least = dict.fromkeys(scores, options.threshold) if options.threshold is not None else thresholds
    above = [(label, score) for label, score in scores.items() if score >= least.get(label, DEFAULT_THRESHOLD)]
    best = sorted(above, key=lambda pair: -pair[1])[: options.top_k]
    return [{"label": label, "score": score} for label, score in best]


def _title(titles: Mapping[str, str], label: str) -> dict[str, str]:
    return {"title": titles[label]} if label in titles else {}


def remarks(results: Iterable[tuple[int, Mapping[str, Any]]]) -> list[Notice]:
    """Return what callers should know of results, each by its line or position: no label, a cut text, an odd one."""
    found = [each for each in results if "error" not in each[1]]
    bare = [line for line, result in found if not result["labels"]]
    cut = [line for line, result in found if result["truncated"]]
    odd = ((code, said, [at for at, each in found if each.get("notice") == code]) for code, said in ODDITIES.items())
    told = (("no_label", NO_LABEL, bare), ("truncated", TRUNCATED, cut), *odd)
    return [notice(code, message, lines) for code, message, lines in told if lines]


def describe_reject(error: AssayError) -> dict[str, Any]:
    """Return the result of an abstract that could not be classified."""
    return {"error": {"code": error.code, "message": error.message, "details": dict(error.details)}}
