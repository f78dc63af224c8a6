"""Scores made again from what is stored, and changes split into causes that add up."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bellwether.health.explain import StoredScore, change, explain
from bellwether.health.explain_text import as_json, as_text
from bellwether.health.scorecard import load_scorecard, parse_scorecard, shipped_definition

CARD = load_scorecard("prd-015")
BEFORE: dict[str, Any] = {
    "dau_avg_7d": 6.0, "tier": "ENTERPRISE", "licensed_user_count": 50, "total_users": 60, "features_used": 2,
    "features_licensed": 8, "ticket_points_30d": 4, "active_users_30d": 10, "days_since_contact": 14,
    "cases_on_time": 9, "cases_closed": 10,
}  # fmt: skip
# usage 100 * 6 / 15 = 40; adoption 25; support 100 - 400 / 8 = 50; relationship 100; contract missing;
# outcome 100. Exact: (25*40 + 20*25 + 15*50 + 15*100 + 10*100) / 85 = 4750 / 85 = 55.88.


def stored(inputs: dict[str, Any], *, card: Any = CARD, day: date = date(2026, 6, 30)) -> StoredScore:
    blank = StoredScore(day, None, "", "", None, 0, "", {}, inputs, "prd-015 v1")
    made = explain(blank, card)
    return replace(
        blank,
        overall_score=made.score,
        status=made.status,
        trend=made.trend,
        coverage=made.coverage,
        components={part.key: part.value for part in made.components},
    )


def total(found: Any) -> float:
    parts = found.lost_points + sum(found.data.values()) + found.gained_points
    return float(parts + found.configuration + found.rounding)


class TestExplain:
    def test_makes_the_score_again_from_its_inputs(self) -> None:
        found = explain(stored(BEFORE), CARD)
        assert found.score == 56
        assert found.exact == pytest.approx(4750 / 85)
        assert found.coverage == pytest.approx(0.85)
        assert found.differences == []

    def test_takes_the_expected_daily_users_that_were_stored(self) -> None:
        assert explain(stored(BEFORE | {"expected_dau": 12.0}), CARD).components[0].value == pytest.approx(50)

    def test_says_what_each_component_brings(self) -> None:
        found = explain(stored(BEFORE), CARD)
        brings = {part.key: part.contribution for part in found.components}
        assert brings["usage"] == pytest.approx(25 * 40 / 85)
        assert brings["contract"] is None
        assert sum(points for points in brings.values() if points is not None) == pytest.approx(found.exact)
        assert found.components[2].inputs == {"active_users_30d": 10, "csat_90d": None, "ticket_points_30d": 4}

    def test_says_where_the_stored_score_is_another(self) -> None:
        tampered = replace(stored(BEFORE), overall_score=99, components={"usage": 80.0})
        differences = explain(tampered, CARD).differences
        assert differences[0] == "score is stored as 99 and comes out as 56"
        assert "usage is stored as 80.0 and comes out as 40.0" in differences

    def test_adds_up_points_where_the_scorecard_gives_points(self) -> None:
        card = load_scorecard("suppliers")
        found = explain(stored({"days_since_login": 5, "feature_share": 0.5}, card=card), card)
        assert found.exact == 32.5
        assert [part.contribution for part in found.components] == [20, 12.5, 0, 0, 0]


class TestChange:
    def test_gives_each_component_its_part(self) -> None:
        after = stored(BEFORE | {"dau_avg_7d": 12.0, "features_used": 1})
        found = change(stored(BEFORE), CARD, after, CARD)
        assert found is not None
        assert found.data["usage"] == pytest.approx(25 * 40 / 85)
        assert found.data["adoption"] == pytest.approx(20 * -12.5 / 85)
        assert (found.lost, found.gained, found.configuration) == ([], [], 0)
        assert total(found) == pytest.approx(found.score, abs=1e-12)

    def test_keeps_missing_data_apart_from_moved_values(self) -> None:
        gone = {key: value for key, value in BEFORE.items() if not key.startswith("cases")}
        after = stored(gone | {"payment_status": "overdue"})
        found = change(stored(BEFORE), CARD, after, CARD)
        assert found is not None
        assert (found.lost, found.gained) == (["outcome"], ["contract"])
        # Without outcome 3750 / 75 = 50; contract comes in with 0: 3750 / 90.
        assert found.lost_points == pytest.approx(50 - 4750 / 85)
        assert found.gained_points == pytest.approx(3750 / 90 - 50)
        assert all(points == 0 for points in found.data.values())
        assert total(found) == pytest.approx(found.score, abs=1e-12)

    def test_keeps_other_weights_apart(self) -> None:
        definition = shipped_definition("prd-015")
        weights = {"usage": 35, "adoption": 10}
        parts = [c | {"weight": weights.get(c["key"], c["weight"])} for c in definition["components"]]
        heavier = parse_scorecard(definition | {"components": parts})
        after = stored(BEFORE, card=heavier)
        found = change(stored(BEFORE), CARD, after, heavier)
        assert found is not None
        assert found.configuration == pytest.approx((10 * 40 - 10 * 25) / 85)
        assert total(found) == pytest.approx(found.score, abs=1e-12)

    def test_counts_other_expected_rates_as_configuration(self) -> None:
        """Of 50 seats 20 instead of 15 are expected: usage is 100 * 6 / 20 = 30 instead of 40."""
        definition = shipped_definition("prd-015")
        stricter = parse_scorecard(definition | {"expected_daily_rate": {"enterprise": 0.40}})
        before, after = stored(BEFORE | {"expected_dau": 15.0}), stored(BEFORE | {"expected_dau": 20.0}, card=stricter)
        found = change(before, CARD, after, stricter)
        assert found is not None
        assert found.configuration == pytest.approx(25 * -10 / 85)
        assert found.data["usage"] == 0

    def test_is_none_where_there_was_no_score(self) -> None:
        assert change(stored({}), CARD, stored(BEFORE), CARD) is None


class TestAsText:
    def test_tells_formula_inputs_sum_and_change(self) -> None:
        after = stored(BEFORE | {"dau_avg_7d": 12.0})
        text = as_text("Fading", explain(after, CARD), change(stored(BEFORE), CARD, after, CARD))
        assert "Fading, 2026-06-30: 68 MONITOR" in text
        assert "Usage (weight 25): 80.00 brings 23.53 points" in text
        assert "Average daily users, 7 days (dau_avg_7d) = 12" in text
        assert "Contract (weight 15): no data" in text
        assert "Change since 2026-06-30: 56 to 68, +12 points" in text
        assert "Reproduced from the stored inputs" in text

    def test_says_why_there_is_no_score(self) -> None:
        assert "missing:" in as_text("Newborn", explain(stored({}), CARD), None)


class TestAsJson:
    def test_is_plain_and_says_whether_it_matches(self) -> None:
        data = as_json("Fading", "fading", explain(stored(BEFORE), CARD), None)
        assert (data["score"], data["matches"], data["change"], data["date"]) == (56, True, None, "2026-06-30")
