"""The calibration plot of the model card: how often a label is right where the model says so with probability p."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from tools.models.metrics import Array

matplotlib.use("Agg")
from matplotlib import pyplot

BINS = 10
_FEWEST = 10
"""Rows of a bin below which its frequency is chance and is not drawn."""


def measure_reliability(target: Array, scores: Array, bins: int = BINS) -> tuple[Array, Array]:
    """Return mean score and frequency of positives [bins] of all decisions; NaN in bins with too few."""
    place = np.minimum((scores * bins).astype(int), bins - 1).ravel()
    count = np.bincount(place, minlength=bins).astype(float)
    count[count < _FEWEST] = np.nan
    said = np.bincount(place, scores.ravel(), bins) / count
    return said, np.bincount(place, target.ravel(), bins) / count


def draw_reliability(target: Array, scores: Array, labels: list[str], path: Path) -> None:
    """Write the reliability of every label and of all together; `target` and `scores` are [N, labels]."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 4), dpi=110)
    for column, _ in enumerate(labels):
        left.plot(*measure_reliability(target[:, column], scores[:, column]), color="#94a3b8", linewidth=0.7)
    left.plot(*measure_reliability(target, scores), color="#c2410c", marker="o", markersize=4, label="all labels")
    left.plot([0, 1], [0, 1], color="#33415c", linewidth=0.8, linestyle=":")
    left.set(xlabel="probability given", ylabel="share that is right", title="Calibration, a grey line a label")
    left.legend(frameon=False)
    _counts(right, scores)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)


def _counts(axes: Any, scores: Array) -> None:
    axes.hist(scores.ravel(), bins=BINS, range=(0, 1), color="#33415c", log=True, rwidth=0.9)
    axes.set(xlabel="probability given", ylabel="decisions", title="How often each is given")
