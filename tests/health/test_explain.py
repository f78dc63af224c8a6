"""Scores made again from what is stored, and changes split into causes that add up."""

import random
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


def random_inputs(rng: random.Random) -> dict[str, Any]:
    """Return inputs of which any may be missing."""
    every = {
        "dau_avg_7d": rng.uniform(0, 20), "tier": "ENTERPRISE", "licensed_user_count": rng.randint(1, 80),
        "total_users": rng.randint(1, 80), "features_used": rng.randint(0, 8), "features_licensed": 8,
        "ticket_points_30d": rng.randint(0, 30), "active_users_30d": rng.randint(0, 40),
        "csat_90d": rng.uniform(0, 100), "days_since_contact": rng.randint(0, 120),
        "stakeholder_coverage_90d": rng.random(), "nps_latest": rng.uniform(0, 10), "payment_status": "late",
        "renewal_signal": rng.uniform(0, 100), "cases_on_time": rng.randint(0, 5), "cases_closed": 5,
        "ticket_points_30d.held": rng.randint(0, 60),
    }  # fmt: skip
    return {slug: value for slug, value in every.items() if rng.random() > 0.2}


def random_card(rng: random.Random) -> Any:
    definition = shipped_definition("prd-015")
    weights = [rng.randint(1, 30) for _ in definition["components"]]
    whole = sum(weights)
    shares = [100 * weight / whole for weight in weights[:-1]]
    shares.append(100 - sum(shares))
    parts = [c | {"weight": share} for c, share in zip(definition["components"], shares, strict=True)]
    rates = {"enterprise": rng.choice([0.2, 0.3])}
    return parse_scorecard(definition | {"components": parts, "expected_daily_rate": rates})


class TestSplit:
    @pytest.mark.parametrize("seed", range(60))
    def test_sums_exactly_to_the_change_from_what_was_seen(self, seed: int) -> None:
        rng = random.Random(seed)
        cards = [random_card(rng) for _ in range(3)]
        seen, before, after = (stored(random_inputs(rng), card=card) for card in cards)
        found = change(before, cards[1], after, cards[2], seen=(seen, cards[0]) if seed % 2 else None)
        if found is None:
            assert None in (seen.overall_score, before.overall_score, after.overall_score)
            return
        shown = seen if seed % 2 else before
        assert found.score == after.overall_score - shown.overall_score
        assert total(found) + found.late == found.score  # to the last bit
        assert abs(found.rounding) <= 1 + 1e-6
        for key, moves in found.measures.items():
            assert sum(move.points for move in moves) == (found.data[key] if moves else 0)

    def test_keeps_late_data_apart(self) -> None:
        """Seen without the tickets: 58.33; with them 55.88, and nothing moved since."""
        seen = stored(BEFORE | {"ticket_points_30d": 0})
        found = change(stored(BEFORE), CARD, stored(BEFORE), CARD, seen=(seen, CARD))
        assert found is not None
        assert (found.before, found.stored) == (65, 56)
        assert found.late == pytest.approx(-15 * 50 / 85)
        assert all(points == 0 for points in found.data.values())

    def test_names_the_measures_that_moved(self) -> None:
        found = change(stored(BEFORE), CARD, stored(BEFORE | {"dau_avg_7d": 12.0}), CARD)
        assert found is not None
        assert [(one.measure, one.before, one.after) for one in found.measures["usage"]] == [("dau_avg_7d", 6.0, 12.0)]
        assert found.measures["usage"][0].points == found.data["usage"]
        assert found.measures["adoption"] == []


class TestThinData:
    @pytest.mark.parametrize("seed", range(40))
    def test_the_interval_holds_the_score_and_never_narrows_with_less_data(self, seed: int) -> None:
        rng = random.Random(seed)
        card = random_card(rng)
        inputs = random_inputs(rng)
        inputs.pop("ticket_points_30d.held", None)
        made = explain(stored(inputs, card=card), card)
        if made.score is None:
            assert made.interval is None
            return
        low, high = made.interval or (made.score, made.score)
        assert low <= made.score <= high
        fewer = dict(inputs)
        fewer.pop(rng.choice(sorted(fewer)))
        less = explain(stored(fewer, card=card), card)
        if less.score is not None:
            between = less.interval or (less.score, less.score)
            assert between[1] - between[0] >= high - low - 2  # each end is rounded outwards


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
