"""Classify abstracts, tell what is odd about them, and build the reply.

A classifier answers to anything. Checks of a text's tokens say where an answer means little: it is not English, not
prose, too short or too long, or its words are unfamiliar. They measure the length of the text and how likely its tokens
are in the training texts (a unigram model). They also count small words of English prose, and signs of code and markup.
The limits are in the bundle's reference.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from assay.abstracts.cleaning import prepare
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


TOO_SHORT: Final = "too_short"
TOO_LONG: Final = "too_long"
NOT_ENGLISH: Final = "not_english"
NOT_PROSE: Final = "not_prose"
UNFAMILIAR: Final = "unfamiliar_words"
ODDITIES: Final[Mapping[str, str]] = {
    NOT_ENGLISH: "The text reads like another language than English, which the model learned: its labels mean little.",
    NOT_PROSE: "The text does not read like English prose (code, a table, sequences, noise?): its labels mean little.",
    UNFAMILIAR: "The text's words are rare or unknown in what the model learned from: its labels may mean little.",
    TOO_SHORT: "The text is shorter than nearly all that the model learned from: send the whole abstract.",
    TOO_LONG: "The text is longer than nearly all that the model learned from: send the abstract alone.",
}
"""What a result's `notice` may say, and what that means; of several that hold the first is said."""
_FOREIGN_LETTERS: Final = 0.03
_FOREIGN_WORDS: Final = 0.08
_WORD: Final = re.compile(r"[^\W\d_]+")
# Words that are among the thirty commonest of a language and are none in English.
_COMMON: Final = (
    "le la les des une dans qui que est du au sur et pour par ne pas der die und den von zu das mit sich auf ist im "
    "dem nicht ein eine auch als werden el los las una por con para se del al lo como il di che della sono nel gli "
    "dei non un os da uma em do dos ao mais het een van dat niet voor zijn met te og det att som en av ikke på nie na "
    "jest że się si și este sau pentru cu din je že jako bir ve bu için ile olarak ja on ei että tai az és egy hogy "
    "nem"
)
_SMALL_WORDS: Final = frozenset(_COMMON.split())


@dataclass(frozen=True, eq=False, slots=True)
class UsualTexts:
    """What the texts that a model learned from are like.

    By token id: `likelihoods` float32 [V], the logarithm of a token's share among all, NaN for tokens that say nothing
    ([CLS], padding); `small_words` and `signs` bool [V]. A text is odd whose mean likelihood or whose share of small
    words is below its limit, or whose share of signs above; lengths are in characters after cleaning.
    """

    likelihoods: npt.NDArray[np.float32]
    small_words: npt.NDArray[np.bool_]
    signs: npt.NDArray[np.bool_]
    least_likelihood: float
    least_small_words: float
    most_signs: float
    shortest: int
    longest: int

    def judge(self, text: str, ids: npt.NDArray[np.int32]) -> str:
        """Return the code of what is odd about a cleaned text with these tokens, empty where nothing is."""
        likelihoods = self.likelihoods[ids]
        told = ~np.isnan(likelihoods)
        count = int(told.sum()) or 1
        rare = float(np.nansum(likelihoods)) / count < self.least_likelihood
        few = self.small_words[ids].sum() / count < self.least_small_words
        if few or self.signs[ids].sum() / count > self.most_signs:
            return NOT_ENGLISH if few and is_foreign(text) else NOT_PROSE
        if rare:
            return UNFAMILIAR
        if len(text) < self.shortest:
            return TOO_SHORT
        return TOO_LONG if len(text) > self.longest else ""


def is_foreign(text: str) -> bool:
    """Say whether a text looks like prose in another language than English: by its letters, by its small words."""
    if sum(letter > "\x7f" and letter.isalpha() for letter in text) > _FOREIGN_LETTERS * len(text):
        return True
    words = _WORD.findall(text.lower())
    return sum(word in _SMALL_WORDS for word in words) > _FOREIGN_WORDS * len(words)
