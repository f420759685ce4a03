"""Thresholds of a classifier, each the one of greatest F1 on the user's labelled rows, by the model that is served."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.abstracts.classification import DEFAULT_THRESHOLD
from assay.abstracts.cleaning import prepare
from assay.errors import InvalidAbstract, InvalidOption
from assay.models import probes
from assay.models.loading import LoadedModel
from tools.models.labelled_texts import Labelled
from tools.models.metrics import best_thresholds, macro_f1, micro_f1

_DIGITS = 4


@dataclass(frozen=True)
class Fitted:
    """Thresholds by label, metrics on the rows that they were fitted on, and lines for the user."""

    thresholds: dict[str, float]
    metrics: dict[str, float]
    report: list[str]


def fit_thresholds(model: LoadedModel, rows: Sequence[Labelled]) -> Fitted:
    """Fit thresholds; InvalidOption for a model without labels, rows without any, or labels that it lacks."""
    labels = model.manifest.text.labels if model.manifest.text else ()
    kept = [row for row in rows if row.labels and _readable(row.text)]
    unknown = sorted({label for row in kept for label in row.labels} - set(labels))
    if not labels or not kept or unknown:
        shown = f"labels that the model lacks: {', '.join(unknown[:5])}" if unknown else "no labelled abstract"
        raise InvalidOption(f"thresholds can't be fitted: the rows have {shown}")
    target = np.array([[label in row.labels for label in labels] for row in kept], np.float64)
    scores = probes.score_probes(model, [prepare(row.text) for row in kept]).astype(np.float64)
    plain = np.full(len(labels), DEFAULT_THRESHOLD)
    chosen = np.where(target.any(0), best_thresholds(target, scores).clip(0, 1), plain).round(_DIGITS)
    metrics = {"rows": float(len(kept)), **_quality(target, scores >= chosen)}
    before, after = (_quality(target, scores >= least)["micro_f1"] for least in (plain, chosen))
    report = [f"thresholds fitted on {len(kept):,} rows: micro-F1 {before} at 0.5, {after} with them"]
    if len(kept) < len(rows):
        report.append(f"{len(rows) - len(kept):,} rows had no label, or too short or long a text")
    return Fitted(dict(zip(labels, chosen.tolist(), strict=True)), metrics, report)


def _quality(target: npt.NDArray[np.float64], predicted: npt.NDArray[np.bool_]) -> dict[str, float]:
    listed = predicted.astype(np.float64)
    return {"micro_f1": round(micro_f1(target, listed), _DIGITS), "macro_f1": round(macro_f1(target, listed), _DIGITS)}


def _readable(text: str) -> bool:
    try:
        prepare(text)
    except InvalidAbstract:
        return False
    return True
