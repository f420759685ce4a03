import numpy as np
import pytest

from tools.models.metrics import _ranks, spearman
from tools.training.sequences import pair_metrics
from tools.training.sequences.pair_cards import folds, metrics_table
from tools.training.sequences.proteins_data import Proteins


@pytest.fixture
def proteins() -> Proteins:
    scores = np.array([[2, 2], [2, 0], [0, 2], [0, 0], [1.5, 1.2], [0.5, 0.4]], np.float32)
    kind = np.array(["design", "design", "scramble", "scramble", "design", "design"])
    return Proteins(np.zeros((6, 50), np.uint8), scores, kind, np.zeros(6, np.int64), scores)


EVERYTHING = np.arange(6)


def test_equal_values_share_their_mean_rank() -> None:
    np.testing.assert_allclose(_ranks(np.array([3.0, 1.0, 3.0, 0.0])), [3.5, 2.0, 3.5, 1.0])


def test_spearman_sees_order_only() -> None:
    values = np.array([0.1, 0.5, 0.2, 0.9])
    assert spearman(values, np.exp(values)) == pytest.approx(1)
    assert spearman(values, -values) == pytest.approx(-1)


def test_a_constant_side_correlates_with_nothing(proteins: Proteins) -> None:
    assert pair_metrics.correlation(proteins, np.ones((6, 2), np.float32), 0)(EVERYTHING) == 0


def test_the_gate_is_measured_at_zero(proteins: Proteins) -> None:
    predicted = np.array([[0.1, 0], [-0.1, 0], [0.2, 0], [-1, 0], [0.3, 0], [0.0, 0]], np.float32)
    assert pair_metrics.precision(proteins, predicted)(EVERYTHING) == pytest.approx(2 / 3)
    assert pair_metrics.recall(proteins, predicted)(EVERYTHING) == pytest.approx(2 / 3)


def test_the_top_is_ranked_by_trypsin_after_the_gate(proteins: Proteins) -> None:
    predicted = np.array([[1, 1], [1, 3], [0, 9], [-1, 9], [1, 2], [-1, 9]], np.float32)
    assert pair_metrics.top_truth(proteins, predicted, 2)(EVERYTHING) == 0.5
    assert pair_metrics.top_truth(proteins, predicted, 4)(EVERYTHING) == 0.5, (
        "a place that nothing passes to is not right"
    )


def test_a_perfect_prediction_is_reported_as_such(proteins: Proteins) -> None:
    found = pair_metrics.report_pair(proteins, proteins.scores - np.array([1, 0], np.float32))
    assert found["trypsin"]["spearman_all"] == found["chymotrypsin"]["spearman_design"] == 1
    assert found["chymotrypsin"]["recall_at_zero_ci95"] == [1, 1]
    assert "| precision at gate > 0 | 1.000 | 1.000 to 1.000 |" in metrics_table(found["chymotrypsin"])
    assert "precision_at_zero" not in found["trypsin"]


def test_an_interval_holds_its_measure() -> None:
    values = np.random.default_rng(1).normal(size=200)
    low, high = pair_metrics.interval(lambda rows: float(values[rows].mean()), np.arange(200))
    assert low < values.mean() < high


def test_the_folds_stand_in_order_behind_their_mean(proteins: Proteins) -> None:
    reports = [
        pair_metrics.report_pair(proteins, predicted)["chymotrypsin"]
        for predicted in (proteins.scores, -proteins.scores)
    ]
    section = folds({"cross_validation": pair_metrics.across(reports)}, 1)
    assert "| | mean | fold 1 | fold 0 |" in section
    assert "| Spearman, all kinds | 0.000 | 1.000 | -1.000 |" in section
    assert folds(reports[0], 0) == ""
