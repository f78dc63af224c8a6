"""What a draft does to a portfolio, worked by hand for four clients and checked against the engine for many."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.health.scorecard import load_scorecard, parse_scorecard, shipped_definition
from bellwether.health.simulation import Move, changed_only, simulate
from bellwether.health.simulation_drafts import draft_definition

pytestmark = pytest.mark.one_database
DAY = date(2026, 6, 30)
TWO = {
    "name": "two",
    "title": "Two",
    "minimum_coverage": 0.5,
    "thresholds": {"healthy": 80, "monitor": 60, "at_risk": 40},
    "bands": [{"minimum": 80, "word": "HEALTHY"}, {"minimum": 60, "word": "MONITOR"}, {"minimum": 0, "word": "LOW"}],
    "trend": {"against": "window", "days": 30, "at_least": 7, "threshold": 5, "up": "U", "down": "D", "flat": "F"},
    "components": [
        {"key": "a", "label": "A", "weight": 50, "formula": {"kind": "scale", "measure": "csat_90d", "factor": 1}},
        {
            "key": "b",
            "label": "B",
            "weight": 50,
            "formula": {"kind": "scale", "measure": "renewal_signal", "factor": 1},
        },
    ],
}
# With equal weights: 85, 70, 50, none (half the weight is enough for a score, so the last one has no data at all).
MEASURES = pl.DataFrame(
    {
        "client_id": ["1", "2", "3", "4"],
        "date": [DAY] * 4,
        "csat_90d": [90.0, 40.0, 50.0, None],
        "renewal_signal": [80.0, 100.0, None, None],
        "previous_score": pl.Series([80, None, 50, None], dtype=pl.Int32),
    }
)
STANDING = pl.DataFrame(
    {
        "client_id": ["1", "2", "3", "4"],
        "name": ["One", "Two", "Three", "Four"],
        "arr": [100.0, 200.0, None, 400.0],
        "score": pl.Series([85, 70, 50, None], dtype=pl.Int32),
        "health_status": ["HEALTHY", "MONITOR", "AT_RISK", None],
    }
)
ALL = [True] * 4


def card(**changes: Any) -> Any:
    return parse_scorecard(draft_definition(TWO, **changes))


class TestEffect:
    def test_the_same_scorecard_changes_nobody(self) -> None:
        effect = simulate(MEASURES, STANDING, card(), ALL)
        assert (effect.worse, effect.better, effect.changed, effect.moves) == (0, 0, 0, ())
        assert effect.now == effect.draft == {"HEALTHY": 1, "MONITOR": 1, "AT_RISK": 1, "CRITICAL": 0, "NA": 1}
        assert effect.average_now == effect.average_draft == pytest.approx(205 / 3)
        assert effect.arr_at_risk_draft == 0  # Three has no known ARR

    def test_other_weights(self) -> None:
        """90 and 10: One 89, Two 46, Three is still 50 (what is missing is scaled out)."""
        effect = simulate(MEASURES, STANDING, card(weights={"a": 90, "b": 10}), ALL)
        rows = {row["name"]: row for row in effect.changes.iter_rows(named=True)}
        assert [rows[name]["score_draft"] for name in ("One", "Two", "Three", "Four")] == [89, 46, 50, None]
        assert rows["Two"]["change"] == -24
        assert (effect.worse, effect.better, effect.lost, effect.gained) == (1, 0, 0, 0)
        assert effect.average_draft == pytest.approx(185 / 3)
        assert (effect.arr_at_risk_now, effect.arr_at_risk_draft) == (0, 200)
        assert effect.moves == (Move("MONITOR", "AT_RISK", 1, 200.0),)
        assert effect.changes["name"].to_list() == ["Two", "One", "Three", "Four"]  # who moves, then how far
        assert changed_only(effect.changes)["name"].to_list() == ["Two", "One"]

    def test_a_component_without_data_can_lose_and_give_scores(self) -> None:
        """10 and 90: Three has a tenth of the weight, under the half that a score needs."""
        effect = simulate(MEASURES, STANDING, card(weights={"a": 10, "b": 90}), ALL)
        assert effect.lost == 1
        assert effect.draft["NA"] == 2
        assert effect.moves[-1].after == "NA" or effect.moves[0].after == "NA"
        alone = STANDING.with_columns(score=pl.lit(None, pl.Int32), health_status=pl.lit(None, pl.String))
        assert simulate(MEASURES, alone, card(), ALL).gained == 3

    def test_thresholds_move_bands_and_no_score(self) -> None:
        effect = simulate(MEASURES, STANDING, card(thresholds={"healthy": 86, "monitor": 50}), ALL)
        assert effect.draft == {"HEALTHY": 0, "MONITOR": 3, "AT_RISK": 0, "CRITICAL": 0, "NA": 1}
        assert (effect.worse, effect.better) == (1, 1)
        assert effect.average_now == effect.average_draft

    def test_only_those_it_would_score_are_touched(self) -> None:
        effect = simulate(MEASURES, STANDING, card(weights={"a": 90, "b": 10}), [True, False, False, False])
        rows = {row["name"]: row for row in effect.changes.iter_rows(named=True)}
        assert (rows["One"]["score_draft"], rows["Two"]["score_draft"]) == (89, 70)
        assert (effect.touched, effect.clients, effect.worse) == (1, 4, 0)

    def test_nobody(self) -> None:
        effect = simulate(MEASURES.clear(), STANDING.clear(), card(), [])
        assert (effect.clients, effect.average_now, effect.average_draft, effect.day) == (0, None, None, None)


class TestDrafts:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"weights": {"a": 51}}, "weights"),
            ({"weights": {"c": 10}}, "weights.c"),
            ({"weights": {"a": -1, "b": 101}}, "weights.a"),
            ({"thresholds": {"healthy": 50}}, "thresholds.healthy"),
            ({"thresholds": {"monitor": 60.5}}, "thresholds.monitor"),
            ({"thresholds": {"best": 90}}, "thresholds.best"),
        ],
        ids=["sum", "unknown", "negative", "order", "fraction", "unknown_limit"],
    )
    def test_what_cannot_be_used_is_named(self, changes: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            draft_definition(TWO, **changes)
        assert field in caught.value.errors

    def test_leaves_the_base_alone_and_keeps_words_with_their_limits(self) -> None:
        before = shipped_definition("prd-015")
        made = draft_definition(before, thresholds={"healthy": 85}, weights={"usage": 30, "adoption": 15})
        assert before["thresholds"]["healthy"] == 80
        assert made["thresholds"] == {"healthy": 85, "monitor": 60, "at_risk": 40}
        assert [band["minimum"] for band in made["bands"]] == [85, 60, 40, 0]
        assert parse_scorecard(made).weights["usage"] == 30
        assert draft_definition(before) == before

    def test_points_follow_the_weight(self) -> None:
        """Suppliers: login gives 30 points under 3 days; at weight 15 it gives 15, and the rest goes to features."""
        made = draft_definition(shipped_definition("suppliers"), weights={"loginFrequency": 15, "featureAdoption": 40})
        measures = pl.DataFrame(
            {
                "client_id": ["1"],
                "date": [DAY],
                "days_since_login": [1],
                "feature_share": [0.5],
                "client_activity": [1.0],
                "form_completion_rate": [1.0],
                "journey_performance": [1.0],
                "previous_score": pl.Series([None], dtype=pl.Int32),
            }
        )
        standing = STANDING.head(1)
        effect = simulate(measures, standing, parse_scorecard(made), [True])
        assert effect.changes["score_draft"].to_list() == [80]  # 15 + 20 + 25 + 10 + 10
        assert simulate(measures, standing, load_scorecard("suppliers"), [True]).average_draft == 88  # 30 + 12.5 + 45
