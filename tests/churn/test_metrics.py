"""The measures of foretelling against scikit-learn, and by hand where it has none."""

import numpy as np
import pytest
from sklearn import metrics as independent

from bellwether.churn import metrics

pytestmark = pytest.mark.one_database


def _sample(ties: bool, rows: int = 400) -> tuple[metrics.Floats, metrics.Bools]:
    random = np.random.default_rng(7)
    p = random.beta(1, 6, rows)
    if ties:
        p = np.round(p, 1)
    return p, random.random(rows) < p


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_ranking_and_accuracy_are_those_of_an_independent_library(ties: bool) -> None:
    p, came = _sample(ties)
    assert metrics.auc(p, came) == pytest.approx(independent.roc_auc_score(came, p), abs=1e-12)
    assert metrics.pr_auc(p, came) == pytest.approx(independent.average_precision_score(came, p), abs=1e-12)
    assert metrics.brier(p, came) == pytest.approx(independent.brier_score_loss(came, p), abs=1e-12)
    inside = np.clip(p, 1e-6, 1 - 1e-6)
    assert metrics.log_loss(inside, came) == pytest.approx(independent.log_loss(came, inside), abs=1e-12)


def test_figures_without_both_outcomes_are_not_numbers() -> None:
    nothing = np.zeros(3, bool)
    assert np.isnan(metrics.auc(np.array([0.1, 0.2, 0.3]), nothing))
    assert np.isnan(metrics.pr_auc(np.array([0.1, 0.2, 0.3]), nothing))
    assert np.isnan(metrics.lift(np.array([0.1, 0.2, 0.3]), nothing))
    assert np.isnan(metrics.ece(np.zeros(0), np.zeros(0, bool)))


def test_calibration_error_by_hand() -> None:
    # Two bins of two: foretold 0.1 and 0.8 on average, came 0 of 2 and 1 of 2: (0.1 * 2 + 0.3 * 2) / 4.
    p, came = np.array([0.1, 0.1, 0.8, 0.8]), np.array([False, False, True, False])
    assert metrics.ece(p, came, bins=2) == pytest.approx(0.2)


def test_bins_have_equal_counts_and_keep_ties_together() -> None:
    assert np.bincount(metrics.equal_count_bins(np.linspace(0, 1, 100))).tolist() == [10] * 10
    assert metrics.equal_count_bins(np.array([0.2, 0.2, 0.2, 0.9]), 2).tolist() == [0, 0, 0, 1]
    assert metrics.equal_count_bins(np.full(5, 0.3)).tolist() == [0] * 5


def test_reliability_counts_rows_and_clients() -> None:
    p = np.array([0.1, 0.1, 0.1, 0.1, 0.9, 0.9])
    came = np.array([False, False, False, True, True, True])
    clients = np.array([0, 0, 1, 1, 2, 2])
    weights = metrics.cluster_weights(np.random.default_rng(1), 3, 200)
    points, ece = metrics.reliability(p, came, clients, weights, bins=2)
    assert [(round(point.foretold, 6), point.came, point.rows, point.clients) for point in points] == [
        (0.1, 0.25, 4, 2),
        (0.9, 1.0, 2, 1),
    ]
    assert ece.value == pytest.approx((0.15 * 4 + 0.1 * 2) / 6)
    # Of the lower bin either client may be drawn alone: 0 of 2 or 1 of 2.
    assert (points[0].low, points[0].high) == (0.0, 0.5)


def test_the_interval_of_the_calibration_error_holds_its_value() -> None:
    p, came = _sample(ties=False, rows=2000)
    clients = np.arange(2000) // 4
    weights = metrics.cluster_weights(np.random.default_rng(2), 500, 300)
    ece = metrics.reliability(p, came, clients, weights)[1]
    assert ece.low95 is not None
    assert ece.high95 is not None
    assert ece.value is not None
    assert ece.low95 <= ece.value <= ece.high95
    assert ece.value < 0.03  # drawn from the very probabilities


def test_lift_of_the_highest_tenth_by_hand() -> None:
    p = np.linspace(0, 1, 20)
    came = np.zeros(20, bool)
    came[[19, 18, 3, 2]] = True  # a rate of 1 among the highest two, of 0.2 among all
    assert metrics.lift(p, came) == pytest.approx(5.0)


def test_many_values_keep_the_interval_of_their_ranks() -> None:
    p, came = _sample(ties=False, rows=3000)
    clients = np.arange(3000) // 10
    weights = metrics.cluster_weights(np.random.default_rng(3), 300, 300)
    found = metrics.ranked(p, came, clients, weights)
    assert found.auc.value == pytest.approx(independent.roc_auc_score(came, p))
    assert found.auc.low95 is not None
    assert found.auc.high95 is not None
    assert found.auc.value is not None
    assert found.auc.low95 < found.auc.value < found.auc.high95
    # Hanley and McNeil put the standard error near 0.014 here; rows of a client are independent in this sample.
    assert 0.03 < found.auc.high95 - found.auc.low95 < 0.09


def test_the_most_risky_of_each_list_are_chosen() -> None:
    values = np.array([0.1, 0.9, 0.5, 0.7, np.nan, 0.2])
    lists = np.array([0, 0, 0, 1, 1, 1])
    assert metrics.top_of_each(values, lists, 2).tolist() == [False, True, True, True, False, True]
    assert metrics.top_of_each(values, lists, 1).tolist() == [False, True, False, True, False, False]
    assert metrics.top_of_each(np.full(2, np.nan), np.zeros(2, np.int64), 3).tolist() == [False, False]


def test_psi_by_hand() -> None:
    edges = np.array([0.5])
    # 3 of 4 below against 1 of 4, half a row added to each of below, above and unknown.
    before, after = np.array([0.1, 0.2, 0.3, 0.9]), np.array([0.1, 0.7, 0.8, 0.9])
    old, new = np.array([3.5, 1.5, 0.5]) / 5.5, np.array([1.5, 3.5, 0.5]) / 5.5
    assert metrics.psi(before, after, edges) == pytest.approx(float(((new - old) * np.log(new / old)).sum()))
    assert metrics.psi(before, before, edges) == 0
    assert metrics.psi(before, np.full(4, np.nan), edges) > 0.25
    assert np.isnan(metrics.psi(before, np.zeros(0), edges))
