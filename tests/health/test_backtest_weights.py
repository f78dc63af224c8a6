from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from bellwether.health import backtest_suggestion as suggestion
from bellwether.health.backtest_result import Suggestion
from bellwether.health.backtest_weights import fit_weights, on_simplex, whole_weights
from bellwether.health.engine import score_measures
from bellwether.health.scorecard import load_scorecard, parse_scorecard, shipped_definition

D = date(2024, 1, 1)


class TestSimplex:
    @pytest.mark.parametrize(
        ("given", "nearest"),
        [
            ([0.2, 0.8], [0.2, 0.8]),
            ([1.0, 1.0], [0.5, 0.5]),
            ([3.0, 0.0], [1.0, 0.0]),
            ([0.6, 0.6, -1.0], [0.5, 0.5, 0.0]),
        ],
        ids=["on it", "too much", "corner", "negative"],
    )  # fmt: skip
    def test_nearest_point(self, given: list[float], nearest: list[float]) -> None:
        assert on_simplex(np.array(given)) == pytest.approx(nearest)

    def test_whole_weights_sum_to_100_by_largest_remainder(self) -> None:
        assert whole_weights(np.array([1 / 3, 1 / 3, 1 / 3])) == [34, 33, 33]
        assert whole_weights(np.array([0.125, 0.875])) == [13, 87]
        assert whole_weights(np.array([0.291, 0.304, 0.405])) == [29, 30, 41]


class TestFit:
    @staticmethod
    def rows(seed: int, clients: int) -> tuple[np.ndarray, np.ndarray]:
        """Three components: the first falls before churn, the second is noise, the third rises before it."""
        random = np.random.default_rng(seed)
        churned = np.arange(clients) < clients // 5
        sign = np.where(churned, -1.0, 1.0)
        parts = [60 + 12 * sign, np.full(clients, 60.0), 60 - 12 * sign]
        return np.clip(np.stack(parts, 1) + random.normal(0, 15, (clients, 3)), 0, 100), churned

    def fit(self, seed: int, clients: int, **given: Any) -> np.ndarray:
        components, churned = self.rows(seed, clients)
        current = given.get("current", np.array([30.0, 40.0, 30.0]))
        return fit_weights(components, churned, np.arange(clients), current, np.random.default_rng(0))

    def test_weight_goes_to_what_foretells_churn(self) -> None:
        weights = self.fit(1, 1000)
        assert weights.sum() == pytest.approx(1)
        assert (weights >= 0).all()
        assert weights[0] > 0.7
        assert weights[2] == 0

    def test_a_handful_of_clients_hardly_moves_the_weights(self) -> None:
        assert np.abs(self.fit(1, 10) - [0.3, 0.4, 0.3]).max() < 0.15

    def test_the_slope_is_that_of_the_sum(self) -> None:
        from bellwether.health.backtest_weights import _loss

        components, churned = self.rows(2, 60)
        components[::7, 1] = np.nan
        loss = _loss(components[churned], components[~churned], np.ones(churned.sum()), np.array([0.3, 0.4, 0.3]))
        at = np.array([0.5, 0.3, 0.2])
        _, slope = loss(at)
        for n in range(3):
            nudge = np.eye(3)[n] * 1e-6
            assert slope[n] == pytest.approx((loss(at + nudge)[0] - loss(at - nudge)[0]) / 2e-6, rel=1e-4)

    def test_without_churn_the_weights_stay(self) -> None:
        components, churned = self.rows(1, 20)
        found = fit_weights(
            components, churned & False, np.arange(20), np.array([50.0, 25, 25]), np.random.default_rng()
        )
        assert found.tolist() == [0.5, 0.25, 0.25]


def definition() -> dict[str, Any]:
    """Two components of 50: the share of seats in use, and satisfaction, which here says nothing."""
    given = deepcopy(shipped_definition("prd-015"))
    given["components"] = [
        {"key": key, "label": key, "weight": 50, "formula": {"kind": "scale", "measure": measure, "factor": 1}}
        for key, measure in (("seats", "csat_90d"), ("noise", "renewal_signal"))
    ]
    return given


class TestSuggest:
    @staticmethod
    def suggested(*, clients: int = 300, foretells: bool = True, points: bool = False) -> Suggestion:
        """A tenth leaves, evenly over 20 as-of days; `seats` is 25 points lower in the 60 days before."""
        random = np.random.default_rng(4)
        leaving = {c: 30 + 17 * c for c in range(clients // 10)} if clients >= 300 else {}
        rows = []
        for c in range(clients):
            for n in range(20):
                at = 28 * n
                left = leaving.get(c)
                if left is not None and left <= at:
                    break
                soon = left is not None and left - at <= 60
                seats = 60 - 25 * (soon and foretells) + random.normal(0, 15)
                label = -1 if at + 60 > 28 * 20 else int(soon)
                rows.append((f"{c:03}", D + timedelta(days=at), seats, 60 + random.normal(0, 15), label))
        frame = pl.DataFrame(
            rows, schema=["client_id", "date", "csat_90d", "renewal_signal", "label"], orient="row"
        ).with_columns(pl.col("csat_90d", "renewal_signal").clip(0, 100))
        given = definition()
        card = parse_scorecard(given)
        labels = frame.select("client_id", pl.col("date").alias("as_of"), pl.col("label").cast(pl.Int8))
        if points:
            card = load_scorecard("suppliers")
        return suggestion.suggest(
            frame, score_measures(frame, card), labels, given, card, horizon=60, random=np.random.default_rng(1),
            draws=300,
        )  # fmt: skip

    def test_finds_weights_that_hold_on_later_days(self) -> None:
        found = self.suggested()
        assert found.state == "found", found.message
        assert found.weights is not None
        assert sum(found.weights.values()) == 100
        assert found.weights["seats"] > 60
        assert found.gain.low95 is not None
        assert found.gain.low95 > 0
        assert found.definition is not None
        assert parse_scorecard(found.definition).weights == found.weights
        assert found.split is not None
        # The fit's last row has its horizon over by the split, and the check begins at it.
        assert date.fromisoformat(found.train["last"]) + timedelta(days=60) <= date.fromisoformat(found.split)
        assert found.test["first"] == found.split

    def test_finds_none_where_no_component_foretells(self) -> None:
        found = self.suggested(foretells=False)
        assert (found.state, found.weights, found.definition) == ("none", None, None)
        assert found.message.startswith("No better weights found")

    def test_says_not_enough_history_with_counts(self) -> None:
        found = self.suggested(clients=40)
        assert found.state == "not enough history"
        assert "0 churned clients to learn from and 0 later ones" in found.message

    def test_offers_none_for_points(self) -> None:
        assert self.suggested(points=True).state == "none"

    def test_clients_that_churned_in_the_fit_are_not_in_the_check(self) -> None:
        rows = pl.DataFrame(
            [("a", D, 1), ("a", D + timedelta(days=90), 0), ("b", D, 0), ("b", D + timedelta(days=90), 1)],
            schema={"client_id": pl.String, "as_of": pl.Date, "label": pl.Int8}, orient="row",
        )  # fmt: skip
        train, test = suggestion.part_at(rows, D + timedelta(days=60), 60)
        assert train["client_id"].to_list() == ["a", "b"]
        assert test["client_id"].to_list() == ["b"]
