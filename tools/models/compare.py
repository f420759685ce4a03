"""What changes between two versions of a model on a file of the user's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.abstracts.classification import DEFAULT_THRESHOLD
from assay.abstracts.cleaning import LONGEST, SHORTEST, clean
from assay.errors import InvalidOption, UnreadableInput
from assay.models import probes
from assay.models.loading import LoadedModel, SequenceScorer
from assay.models.manifest import TextSpec
from tools.models.labelled_texts import read_texts
from tools.models.metrics import spearman
from tools.models.sequence_rows import read_codes
from tools.terminal import format_table

TOP = 100
Scores = npt.NDArray[np.float32]


def compare(before: LoadedModel, after: LoadedModel, path: Path, top: int = TOP) -> str:
    """Return what changes on a file of sequences or abstracts, as text; InvalidOption for models of unlike kinds."""
    if before.manifest.task != after.manifest.task:
        raise InvalidOption(f"one model is for {before.manifest.task}, the other for {after.manifest.task}")
    lines = _sequences(before, after, path, top) if before.manifest.sequence else _texts(before, after, path)
    return "\n".join(lines)


def _sequences(before: LoadedModel, after: LoadedModel, path: Path, top: int) -> Iterator[str]:
    scorers = SequenceScorer(before), SequenceScorer(after)
    if scorers[0].contract != scorers[1].contract:
        raise InvalidOption("the models read sequences of different lengths or alphabets")
    codes = read_codes(path, scorers[0].contract)
    first, second = (scorer.score(codes) for scorer in scorers)
    difference = np.abs(second - first)
    shared = len(set(_best(first, top)) & set(_best(second, top)))
    yield f"{len(codes):,} sequences"
    yield f"rank correlation (Spearman)   {spearman(first, second):.4f}"
    yield f"overlap of the top {min(top, len(codes)):<10} {shared} of {min(top, len(codes))}"
    yield f"difference of scores          mean {difference.mean():.4g}, greatest {difference.max():.4g}"
    yield f"score over 0 (passes a gate)  {(first > 0).sum():,} before, {(second > 0).sum():,} after"


def _best(scores: Scores, top: int) -> list[int]:
    return [int(row) for row in np.argsort(-scores, kind="stable")[:top]]


def _texts(before: LoadedModel, after: LoadedModel, path: Path) -> Iterator[str]:
    cleaned = [clean(row.text) for row in read_texts(path)]
    texts = [text for text in cleaned if SHORTEST <= len(text) <= LONGEST]
    if not texts:
        raise UnreadableInput(f"{path} holds no abstract of {SHORTEST} to {LONGEST} characters")
    old, new = _spec(before), _spec(after)
    first, second = probes.score_probes(before, texts), probes.score_probes(after, texts)
    shared = [label for label in old.labels if label in new.labels]
    yield f"{len(texts):,} abstracts, {len(cleaned) - len(texts):,} too short or too long"
    yield f"labels only before: {_only(old, new)}; only after: {_only(new, old)}"
    columns = ("label", "mean difference", "greatest", "listed before", "listed after", "changed")
    yield format_table(columns, [_label_row(label, (old, first), (new, second)) for label in shared])


def _label_row(label: str, before: tuple[TextSpec, Scores], after: tuple[TextSpec, Scores]) -> tuple[str, ...]:
    sides = [
        (spec.thresholds.get(label, DEFAULT_THRESHOLD), scores[:, spec.labels.index(label)])
        for spec, scores in (before, after)
    ]
    difference = np.abs(sides[1][1] - sides[0][1])
    old, new = (scores >= least for least, scores in sides)
    counts = (int(old.sum()), int(new.sum()), int((old != new).sum()))
    return label, f"{difference.mean():.4f}", f"{difference.max():.4f}", *map(str, counts)


def _only(one: TextSpec, other: TextSpec) -> str:
    return ", ".join(label for label in one.labels if label not in other.labels) or "none"


def _spec(model: LoadedModel) -> TextSpec:
    if model.manifest.text is None:
        raise InvalidOption(f"{model.manifest.name} is not a text classifier")
    return model.manifest.text
