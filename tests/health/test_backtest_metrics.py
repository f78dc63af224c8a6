"""Figures of a back-test worked by hand: eight rows of eight clients, the worst first.

score   10   20   20   40   50   60   70   90
churned yes  yes  no   no   yes  no   no   no      3 churned, 5 kept
"""

import numpy as np
import pytest

from bellwether.health import backtest_metrics as metrics

SCORES = np.array([10.0, 20, 20, 40, 50, 60, 70, 90])
CHURNED = np.array([1, 1, 0, 0, 1, 0, 0, 0], bool)
EIGHT = metrics.tally(SCORES, CHURNED, np.arange(8), 8)


def one(figure, table=EIGHT, **given):
    return float(figure(*table.drawn(), **given)[0])


class TestAuc:
    def test_counts_pairs_in_the_right_order_and_ties_half(self) -> None:
        # 10 beats all 5 kept rows; 20 beats 4 and ties with 1; 50 beats 3: (5 + 4.5 + 3) / 15
        assert one(metrics.auc) == pytest.approx(12.5 / 15)

    def test_is_a_half_where_all_scores_are_alike(self) -> None:
        assert one(metrics.auc, metrics.tally(np.full(8, 7.0), CHURNED, np.arange(8), 8)) == 0.5

    def test_turned_round_is_what_is_missing_to_one(self) -> None:
        turned = metrics.tally(-SCORES, CHURNED, np.arange(8), 8)
        assert one(metrics.auc, turned) == pytest.approx(1 - 12.5 / 15)

    def test_cannot_be_formed_without_churn(self) -> None:
        assert np.isnan(one(metrics.auc, metrics.tally(SCORES, np.zeros(8, bool), np.arange(8), 8)))

    def test_agrees_with_counting_every_pair(self) -> None:
        random = np.random.default_rng(3)
        scores, churned = random.integers(0, 20, 300).astype(float), random.random(300) < 0.2
        low, high = scores[churned][:, None], scores[~churned][None, :]
        wins = np.where(low < high, 1.0, np.where(low == high, 0.5, 0.0)).mean()
        assert one(metrics.auc, metrics.tally(scores, churned, np.arange(300), 300)) == pytest.approx(wins)


class TestLift:
    def test_of_the_worst_quarter(self) -> None:
        # Two of eight rows: 10, and one of the two at 20, half of whose rows churned: 1.5 of 2, against 3 of 8.
        assert one(metrics.lift, share=0.25) == pytest.approx(0.75 / 0.375)

    def test_of_a_part_of_a_row(self) -> None:
        # A tenth of eight rows is 0.8 of the row at 10, which churned: a rate of 1 against 3/8.
        assert one(metrics.lift) == pytest.approx(8 / 3)

    def test_is_one_where_all_scores_are_alike(self) -> None:
        assert one(metrics.lift, metrics.tally(np.full(8, 7.0), CHURNED, np.arange(8), 8)) == pytest.approx(1)


class TestTenths:
    def test_part_the_rows_evenly_and_keep_every_churn(self) -> None:
        found = metrics.tenths(EIGHT)
        assert [tenth.rows for tenth in found] == pytest.approx([0.8] * 10)
        # Row n covers [n - 1, n): the first tenth is all churned, the second holds 0.2 of that row and 0.6 of the two
        # at 20, of which half churned.
        assert found[0].churned == pytest.approx(0.8)
        assert found[1].churned == pytest.approx(0.2 + 0.6 / 2)
        assert sum(tenth.churned for tenth in found) == pytest.approx(3)
        assert (found[0].lowest, found[0].highest, found[1].highest) == (10, 10, 20)
        assert (found[-1].lowest, found[-1].highest) == (90, 90)

    def test_of_no_rows_are_none(self) -> None:
        assert metrics.tenths(metrics.tally(np.empty(0), np.empty(0, bool), np.empty(0, np.int64), 3)) == []


class TestCurves:
    def test_roc(self) -> None:
        third = 1 / 3
        assert metrics.roc_curve(EIGHT) == [
            (0, 0), (0, round(third, 4)), (0.2, round(2 * third, 4)), (0.4, round(2 * third, 4)), (0.4, 1), (0.6, 1),
            (0.8, 1), (1, 1),
        ]  # fmt: skip

    def test_gains(self) -> None:
        assert metrics.gains_curve(EIGHT)[:3] == [(0, 0), (0.125, 0.3333), (0.375, 0.6667)]

    def test_have_at_most_fifty_points(self) -> None:
        table = metrics.tally(np.arange(200.0), np.arange(200) % 7 == 0, np.arange(200), 200)
        assert len(metrics.roc_curve(table)) == 50
        assert metrics.roc_curve(table)[-1] == (1, 1)


class TestBootstrap:
    def test_draws_whole_clients(self) -> None:
        # Two clients: drawing both gives rows 1 1 2 2, drawing one twice gives its rows twice.
        table = metrics.tally(np.array([1.0, 3, 2, 4]), np.array([True, False, True, False]), np.array([0, 0, 1, 1]), 2)
        churned, kept = table.drawn(np.array([[1.0, 1], [2, 0]]))
        assert churned.tolist() == [[1, 1, 0, 0], [2, 0, 0, 0]]
        assert kept.tolist() == [[0, 0, 1, 1], [0, 0, 2, 0]]

    def test_weights_are_samples_with_replacement(self) -> None:
        weights = metrics.cluster_weights(np.random.default_rng(1), 20, 50)
        assert weights.shape == (50, 20)
        assert (weights.sum(axis=1) == 20).all()

    def test_interval_is_made_of_percentiles(self) -> None:
        found = metrics.estimate(0.5, np.append(np.arange(101) / 100, np.nan))
        assert (found.low95, found.low80, found.high80, found.high95) == pytest.approx((0.025, 0.1, 0.9, 0.975))

    def test_interval_holds_the_true_value_about_as_often_as_it_says(self) -> None:
        # Normal scores one standard deviation apart: the true AUC is Phi(1 / sqrt 2) = 0.760.
        random, hits = np.random.default_rng(8), 0
        for _ in range(60):
            scores = np.concatenate([random.normal(0, 1, 30), random.normal(1, 1, 60)])
            table = metrics.tally(scores, np.arange(90) < 30, np.arange(90), 90)
            draws = metrics.auc(*table.drawn(metrics.cluster_weights(random, 90, 200)))
            found = metrics.estimate(one(metrics.auc, table), draws)
            hits += found.low80 <= 0.760 <= found.high80
        assert 40 <= hits <= 56  # 48 expected, with a standard deviation of 3
