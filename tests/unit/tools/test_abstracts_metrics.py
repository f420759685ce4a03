import numpy as np
import pytest

from tools.models import metrics, platt_scaling
from tools.training.abstracts.labelled_abstracts import DEMO_IDS, fraction

TARGET = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], float)
SCORES = np.array([[0.9, 0.2], [0.4, 0.8], [0.6, 0.1], [0.1, 0.7]])


def test_f1_counts_all_decisions_or_each_label() -> None:
    predicted = (SCORES >= 0.5).astype(float)
    assert metrics.f1(TARGET, predicted).tolist() == [0.5, 1.0]
    assert metrics.macro_f1(TARGET, predicted) == 0.75
    assert metrics.micro_f1(TARGET, predicted) == pytest.approx(6 / 8)


def test_average_precision_is_the_mean_precision_at_the_positives() -> None:
    # Label 0 by score: hit, miss, hit, miss -> (1 + 2/3) / 2.
    assert metrics.average_precision(TARGET, SCORES).tolist() == pytest.approx([5 / 6, 1.0])
    assert metrics.mean_average_precision(TARGET, SCORES) == pytest.approx(11 / 12)


def test_top_label_asks_whether_the_best_score_is_right() -> None:
    assert metrics.top_label(TARGET, SCORES) == 0.75


def test_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    target = np.array([[1.0], [0.0], [1.0], [1.0]])
    assert metrics.calibration_error(target, np.full((4, 1), 0.75)).tolist() == [0.0]
    assert metrics.calibration_error(target, np.full((4, 1), 0.25)).tolist() == [0.5]


def test_platt_recovers_the_scale_and_shift_of_miscalibrated_logits() -> None:
    random = np.random.default_rng(1)
    true = random.normal(-1, 2, (40_000, 2))
    target = (random.random(true.shape) < platt_scaling.sigmoid(true)).astype(float)
    scale, shift = platt_scaling.platt((true - [0.5, -1.0]) / [2.0, 0.5], target)
    assert scale == pytest.approx([2.0, 0.5], rel=0.08)
    assert shift == pytest.approx([0.5, -1.0], abs=0.1)


def test_thresholds_maximise_f1_and_lie_between_scores() -> None:
    found = metrics.best_thresholds(TARGET, SCORES)
    assert found.tolist() == pytest.approx([0.25, 0.45])
    best = metrics.f1(TARGET, (found <= SCORES).astype(float))
    for candidate in np.linspace(0, 1, 101):
        assert (metrics.f1(TARGET, (candidate <= SCORES).astype(float)) <= best + 1e-12).all()


def test_intervals_hold_the_estimate_and_repeat() -> None:
    random = np.random.default_rng(2)
    scores = random.random((300, 3))
    target = (random.random(scores.shape) < scores).astype(float)
    thresholds = np.full(3, 0.5)
    found = metrics.intervals(target, scores, thresholds, draws=100)
    estimate = metrics.report_labels(target, scores, thresholds)
    assert found == metrics.intervals(target, scores, thresholds, draws=100)
    assert all(low < estimate[name] < high for name, (low, high) in found.items())


def test_sigmoid_does_not_overflow() -> None:
    with np.errstate(all="raise"):
        assert platt_scaling.sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_the_split_never_moves() -> None:
    assert fraction("0704.0001") == pytest.approx(0.2176, abs=5e-5)
    assert {"0704.0001", "0704.0002", "0704.0046"} <= DEMO_IDS
