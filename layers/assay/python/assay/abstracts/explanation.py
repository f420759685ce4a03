"""Why an abstract has a label: the words that drove it, and what each sentence adds. Pure: shapes and places."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.abstracts.offsets import CleanedText, Span
from assay.abstracts.tokens import LocatedToken

MOST_EXPLAINED: Final = 4
"""Abstracts of a request that asks why."""
MOST_LABELS: Final = 5
"""Labels that are explained of an abstract, the most probable."""
MOST_SENTENCES: Final = 12
"""Parts of a text that are left out one by one: so many more runs of the model. A longer text has longer parts."""
MOST_WORDS: Final = 20
"""Words that are listed for a label, those that count most."""
_DECIMALS: Final = 6
_END: Final = re.compile(r"[.!?][\"')\]]*\s+(?=[\"'(\[$]?[A-Z0-9\\$])")
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:al|eq|eqs|fig|figs|sec|ref|refs|resp|vs|cf|no|dr|prof|st|[a-z])|e\.g|i\.e)\.\s*$", re.IGNORECASE
)


@dataclass(frozen=True, eq=False, slots=True)
class LabelledChange:
    """What is known of one label: `weights` [words] in logits, None where a model has none; `changes` a sentence."""

    label: str
    weights: npt.NDArray[np.float32] | None
    changes: npt.NDArray[np.float64]


def split_sentences(text: str, most: int = MOST_SENTENCES) -> list[Span]:
    """Return the places of a text's sentences, blanks after each included; neighbours are joined to at most `most`."""
    ends = [found.end() for found in _END.finditer(text) if not _ABBREVIATION.search(text[: found.end()][-12:])]
    edges = [0, *ends, len(text)]
    sentences = [(start, end) for start, end in pairwise(edges) if end > start]
    cuts = [round(len(sentences) * part / most) for part in range(most + 1)]
    if len(sentences) <= most:
        return sentences
    return [(sentences[first][0], sentences[last - 1][1]) for first, last in pairwise(cuts)]


def without_each(text: str, sentences: Sequence[Span]) -> list[str]:
    """Return a text once for each sentence, without it; none if there is one sentence alone."""
    return [(text[:start] + text[end:]).strip() for start, end in sentences] if len(sentences) > 1 else []


def find_words(tokens: Sequence[LocatedToken]) -> tuple[list[Span], npt.NDArray[np.intp]]:
    """Return the places of words, and for each token its word's position, -1 for a special token."""
    spans: dict[int, Span] = {}
    for each in tokens:
        if each.word is not None:
            start, _ = spans.get(each.word, each.span)
            spans[each.word] = start, each.span[1]
    at = {word: position for position, word in enumerate(spans)}
    return [*spans.values()], np.array([-1 if each.word is None else at[each.word] for each in tokens], np.intp)


def sum_words(weights: npt.NDArray[np.float32], words: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.float32]:
    """Return the weights of words [count, labels] from those of tokens [tokens, labels]."""
    found = np.zeros((count, weights.shape[1]), np.float32)
    np.add.at(found, words[words >= 0], weights[words >= 0])
    return found


def describe_label(
    known: LabelledChange, cleaned: CleanedText, words: Sequence[Span], sentences: Sequence[Span]
) -> dict[str, Any]:
    """Return why one label: words that count most, then sentences in order; places are those of the given text."""
    return {
        "label": known.label,
        "tokens": list(_describe_words(known.weights, cleaned, words)),
        "sentences": [
            _quote(cleaned, span) | {"change": round(float(change), _DECIMALS)}
            for span, change in zip(sentences, known.changes, strict=False)
        ],
    }


def _describe_words(
    weights: npt.NDArray[np.float32] | None, cleaned: CleanedText, words: Sequence[Span]
) -> Iterator[Mapping[str, Any]]:
    order = () if weights is None else np.argsort(-np.abs(weights), kind="stable")[:MOST_WORDS]
    for at in order:
        assert weights is not None
        if weights[at]:
            yield _quote(cleaned, words[at]) | {"weight": round(float(weights[at]), _DECIMALS)}


def _quote(cleaned: CleanedText, span: Span) -> dict[str, Any]:
    """Return a piece of the given text without the blanks around it."""
    piece = cleaned.text[span[0] : span[1]]
    start, end = cleaned.place(span[0] + len(piece) - len(piece.lstrip()), span[0] + len(piece.rstrip()))
    return {"text": cleaned.given[start:end], "start": start, "end": end}
