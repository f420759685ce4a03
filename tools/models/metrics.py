"""Metrics, calibration and thresholds, in NumPy: rank correlation of scores, quality of a multi-label classifier.

Of a classifier, `target` is multi-hot [N, labels] and `scores` (or `logits`) [N, labels].
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


def spearman(first: Array, second: Array) -> float:
    """Return Spearman's rank correlation of numbers [N], ties given their mean rank; nan where one side is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def f1(target: Array, predicted: Array) -> Array:
    """Return F1 per column; 0 where a column has neither positives nor predictions."""
    hits = (target * predicted).sum(0)
    return np.asarray(2 * hits / np.maximum(target.sum(0) + predicted.sum(0), 1))


def micro_f1(target: Array, predicted: Array) -> float:
    """Return F1 over all decisions."""
    return float(f1(target.reshape(-1, 1), predicted.reshape(-1, 1))[0])


def macro_f1(target: Array, predicted: Array) -> float:
    """Return the mean of the labels' F1."""
    return float(f1(target, predicted).mean())


def average_precision(target: Array, scores: Array) -> Array:
    """Return per label the mean precision at each of its positives, best score first."""
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(target, order, axis=0)
    precision = np.cumsum(ranked, axis=0) / np.arange(1, len(ranked) + 1)[:, None]
    return np.asarray((precision * ranked).sum(0) / np.maximum(ranked.sum(0), 1))


def mean_average_precision(target: Array, scores: Array) -> float:
    """Return the mean of the labels' average precision."""
    return float(average_precision(target, scores).mean())


def top_label(target: Array, scores: Array) -> float:
    """Return the share of rows whose best-scored label is one of theirs."""
    return float(target[np.arange(len(target)), scores.argmax(1)].mean())


def calibration_error(target: Array, scores: Array, bins: int = 15) -> Array:
    """Return per label the expected calibration error over `bins` equal-width bins."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.zeros(target.shape[1])
    for index in range(bins):
        gaps += np.abs(((target - scores) * (place == index)).sum(0))
    return gaps / len(target)


def best_thresholds(target: Array, scores: Array) -> Array:
    """Return per label the threshold of greatest F1, midway between two neighbouring scores."""
    return np.array([_best_threshold(target[:, label], scores[:, label]) for label in range(target.shape[1])])


def _best_threshold(target: Array, scores: Array) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(target[order])
    quality = 2 * hits / (np.arange(1, len(ranked) + 1) + target.sum())
    quality[:-1][ranked[:-1] == ranked[1:]] = 0.0  # a threshold cannot part equal scores
    best = int(quality.argmax())
    return float((ranked[best] + ranked[min(best + 1, len(ranked) - 1)]) / 2)


def report_labels(target: Array, scores: Array, thresholds: Array) -> dict[str, float]:
    """Return the metrics of one model: F1 at the thresholds, ranking quality, calibration."""
    predicted = (scores >= thresholds).astype(float)
    return {
        "micro_f1": micro_f1(target, predicted),
        "macro_f1": macro_f1(target, predicted),
        "map": mean_average_precision(target, scores),
        "top1": top_label(target, scores),
        "ece": float(calibration_error(target, scores).mean()),
    }


def intervals(
    target: Array, scores: Array, thresholds: Array, draws: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return bootstrap 95% intervals (over rows) of the metrics of `report`, but `ece`, which resampling biases."""
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(draws):
        rows = random.integers(0, len(target), len(target))
        samples.append(report_labels(target[rows], scores[rows], thresholds))
    return {name: _interval([sample[name] for sample in samples]) for name in samples[0] if name != "ece"}


def _interval(values: list[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
