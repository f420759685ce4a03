"""PNG plots for the model cards: predicted against measured, and what other thresholds than zero would give."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from tools.training.sequences import convert
from tools.training.sequences.proteins_data import PROTEASES, STABLE, Proteins, Scores

matplotlib.use("Agg")
from matplotlib import pyplot

_INK, _MARK, _SECOND = "#33415c", "#c2410c", "#0f766e"


def draw_quality(unseen: Proteins, content: bytes, protease: str, zero: float, path: Path) -> None:
    """Write how good a served model is on proteins that it never saw; a line where a gate's zero is."""
    measured = unseen.scores[:, PROTEASES.index(protease)]
    predicted = convert.score(content, unseen.codes) + zero
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 4), dpi=110)
    _agreement(left, predicted, measured)
    _thresholds(right, predicted, measured > STABLE)
    for axes in (left, right) if zero else ():
        axes.axvline(zero, color=_MARK, linewidth=0.8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)


def _agreement(axes: Any, predicted: Scores, measured: Scores) -> None:
    axes.hexbin(predicted, measured, gridsize=45, bins="log", cmap="Blues", mincnt=1, linewidths=0.1)
    axes.axhline(STABLE, color=_MARK, linewidth=0.8)
    axes.set(xlabel="predicted stability", ylabel="measured stability", title="Proteins never seen; line: stable")


def _thresholds(axes: Any, predicted: Scores, stable: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Draw precision and recall of `predicted > threshold` against the threshold."""
    at = np.linspace(0, 1.6, 81)
    passed = predicted[None] > at[:, None]
    hits = (passed & stable).sum(1)
    axes.plot(at, hits / np.maximum(passed.sum(1), 1), color=_INK, label="precision")
    axes.plot(at, hits / stable.sum(), color=_SECOND, label="recall")
    axes.set(xlabel="threshold on predicted stability", ylim=(0, 1.02), title="Truly stable among those above")
    axes.legend(frameon=False)
