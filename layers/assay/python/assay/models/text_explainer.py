"""Why a classifier gave its labels: exact weights of its wide part, and the text run again without each sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.abstracts.explanation import (
    MOST_EXPLAINED,
    MOST_LABELS,
    LabelledChange,
    describe_label,
    find_words,
    split_sentences,
    sum_words,
    without_each,
)
from assay.abstracts.offsets import CleanedText
from assay.abstracts.tokens import LocatedToken
from assay.errors import TooLarge
from assay.models.text_classifier import TextClassifier
from assay.telemetry import phase


def require_few(count: int) -> None:
    """Raise TooLarge where a request asks why for more abstracts than are explained at once."""
    if count > MOST_EXPLAINED:
        message = f"explain is for at most {MOST_EXPLAINED} abstracts a request, not {count:,}: send fewer at a time"
        raise TooLarge(message, count=count, maximum=MOST_EXPLAINED)


def explain_result(classifier: TextClassifier, given: str, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return why an abstract has its labels, or its best one where it has none; the most probable first.

    A text that the model cuts is explained as far as it is read. Costs a run for each sentence.
    """
    cleaned = CleanedText(given)
    located, whole = classifier.model.tokenizer.locate(cleaned.text)
    read = cleaned.text if whole else cleaned.text[: max((each.span[1] for each in located), default=0)]
    sentences = split_sentences(read)
    changes = _leave_out(classifier, read, without_each(read, sentences))
    words, positions = find_words(located)
    weights = _weigh(classifier, located, positions, len(words))
    return [
        describe_label(LabelledChange(label, weights[:, at] if weights is not None else None, changes[:, at]), *seen)
        for label, at in _labels(classifier, result)
        for seen in [(cleaned, words, sentences)]
    ]


def explain_results(classifier: TextClassifier, given: Sequence[object], results: Sequence[dict[str, Any]]) -> None:
    """Put into each result why it has its labels; a text that was refused has none."""
    for text, result in zip(given, results, strict=True):
        if "error" not in result and isinstance(text, str):
            with phase("explain", model=classifier.model.manifest.name):
                result["explanation"] = explain_result(classifier, text, result)


def _labels(classifier: TextClassifier, result: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the labels to explain, and their places among the model's."""
    scores = result["scores"]
    chosen = [each["label"] for each in result["labels"]] or [max(scores, key=scores.__getitem__)]
    return [(label, classifier.text.labels.index(label)) for label in chosen[:MOST_LABELS]]


def _leave_out(classifier: TextClassifier, text: str, variants: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return by how much each score is greater with a sentence than without it [sentences, labels]."""
    if not variants:
        return np.empty((0, len(classifier.text.labels)))
    whole, *parts = (each.scores.astype(np.float64) for each in classifier.classify([text, *variants]))
    return whole - np.stack(parts)


def _weigh(
    classifier: TextClassifier, located: Sequence[LocatedToken], words: npt.NDArray[np.intp], count: int
) -> npt.NDArray[np.float32] | None:
    wide = classifier.model.wide_part
    if wide is None:
        return None
    return sum_words(wide.weigh(np.array([each.id for each in located], np.int32)), words, count)
