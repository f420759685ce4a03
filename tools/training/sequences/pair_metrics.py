"""How good the pair is on proteins it never saw: rank correlation, the gate's errors, the truth of the top 100."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tools.models.metrics import spearman
from tools.training.sequences.proteins_data import PROTEASES, STABLE, Proteins, Scores

DRAWS: Final = 500
TOP: Final = 100
Rows = npt.NDArray[np.intp]
Measure = Callable[[Rows], float]
Report = dict[str, Any]


def interval(measure: Measure, rows: Rows, draws: int = DRAWS) -> list[float]:
    """Return the 95% bootstrap interval of a measure over rows drawn with replacement."""
    random = np.random.default_rng(0)
    values = [measure(random.choice(rows, len(rows))) for _ in range(draws)]
    return [round(float(value), 4) for value in np.percentile(values, (2.5, 97.5))]


def correlation(proteins: Proteins, predicted: Scores, head: int) -> Measure:
    """Return the measure of one protease's Spearman correlation, 0 where a side is constant; `predicted` is [N, 2]."""
    return lambda rows: float(np.nan_to_num(spearman(proteins.scores[rows, head], predicted[rows, head])))


def precision(proteins: Proteins, predicted: Scores) -> Measure:
    """Return the measure of how many of those that pass the gate are stable against chymotrypsin."""
    truth, passed = proteins.scores[:, 0] > STABLE, predicted[:, 0] > 0
    return lambda rows: float((truth & passed)[rows].sum() / max(1, passed[rows].sum()))


def recall(proteins: Proteins, predicted: Scores) -> Measure:
    """Return the measure of how many of those that are stable against chymotrypsin pass the gate."""
    truth, passed = proteins.scores[:, 0] > STABLE, predicted[:, 0] > 0
    return lambda rows: float((truth & passed)[rows].sum() / max(1, truth[rows].sum()))


def top_truth(proteins: Proteins, predicted: Scores, count: int = TOP) -> Measure:
    """Return the measure of the share of the best `count` after the gate that are stable against both proteases.

    Fewer than `count` that pass count as what is missing being wrong.
    """
    order = np.where(predicted[:, 0] > 0, predicted[:, 1], -np.inf)
    right = proteins.stable & np.isfinite(order)
    return lambda rows: float(right[rows][np.argsort(-order[rows], kind="stable")[:count]].mean())


def report_pair(proteins: Proteins, predicted: Scores) -> dict[str, Report]:
    """Return the metrics of each model, by protease, each beside its interval `..._ci95`.

    `predicted` [N, 2] is what the pair serves: a protein passes whose gate is above zero.
    """
    everything = np.arange(len(proteins))
    groups = {"all": everything} | {kind: np.flatnonzero(proteins.kind == kind) for kind in ("design", "natural")}
    sizes: Report = {f"rows_{name}": len(rows) for name, rows in groups.items()}
    top = _measure("top100_stable_after_gate", top_truth(proteins, predicted), everything)
    found: dict[str, Report] = {}
    for head, protease in enumerate(PROTEASES):
        measure = correlation(proteins, predicted, head)
        found[protease] = {**sizes, **top}
        for name, rows in groups.items():
            found[protease] |= _measure(f"spearman_{name}", measure, rows) if len(rows) else {}
    found["chymotrypsin"] |= gate(proteins, predicted)
    return found


def gate(proteins: Proteins, predicted: Scores) -> Report:
    """Return what the gate's zero means: `gate > 0` against a measured stability above STABLE."""
    everything = np.arange(len(proteins))
    return {
        "stable": int((proteins.scores[:, 0] > STABLE).sum()),
        "passed": int((predicted[:, 0] > 0).sum()),
        **_measure("precision_at_zero", precision(proteins, predicted), everything),
        **_measure("recall_at_zero", recall(proteins, predicted), everything),
    }


def _measure(name: str, measure: Measure, rows: Rows) -> Report:
    return {name: round(measure(rows), 4), f"{name}_ci95": interval(measure, rows)}


def across(reports: Sequence[Report]) -> dict[str, list[float]]:
    """Return each measure's value in every report, in order; intervals and row counts are left out."""
    names = [name for name in reports[0] if not name.endswith("_ci95") and not name.startswith("rows_")]
    return {name: [float(report[name]) for report in reports if name in report] for name in names}
