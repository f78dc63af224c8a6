"""Drivers in words; every sentence and figure is worked by hand."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bellwether.health.drivers import Driver, drivers, measure_moves
from bellwether.health.explain import Change, StoredScore, change
from bellwether.health.measures import MEASURES_BY_SLUG, Better, Measure, Source, Unit
from bellwether.health.scorecard import load_scorecard, parse_scorecard, shipped_definition

CARD = load_scorecard("prd-015")
CUSTOM = {
    slug: Measure(slug, label, unit, Better.HIGHER, Source.CUSTOM, "")
    for slug, label, unit in (
        ("reports_each", "Reports per user", Unit.COUNT),
        ("idle", "Idle time", Unit.DAYS),
        ("crm_share", "CRM synced", Unit.RATIO),
    )
}


def scored(inputs: dict[str, Any], score: int = 50, **fields: Any) -> StoredScore:
    blank = StoredScore(date(2026, 6, 30), score, "", "", None, 1, "", {}, inputs, "prd-015 v1")
    return replace(blank, **fields)


def moved(points: float, **fields: Any) -> Change:
    values: dict[str, Any] = {
        "since": date(2026, 5, 31), "before": 50, "score": round(points), "data": {}, "lost": [], "lost_points": 0.0,
        "gained": [], "gained_points": 0.0, "configuration": 0.0, "rounding": 0.0,
    }  # fmt: skip
    return Change(**(values | fields))


def reason(formula: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return what is said of a component with `formula` between the two days."""
    known = {*MEASURES_BY_SLUG, *CUSTOM}
    data = shipped_definition("prd-015") | {
        "components": [{"key": "one", "label": "One", "weight": 100, "formula": formula}]
    }
    card = parse_scorecard(data, known_measures=known)
    found = drivers(moved(-5, data={"one": -5.0}), scored(before), scored(after), card, customs=CUSTOM)
    return found[0].reason


SCALES = [
    ("dau_avg_7d", 12.4, 8.1, "daily users fell from 12.4 to 8.1"),
    ("dau_avg_7d", 12.41, 12.44, "daily users rose from 12.41 to 12.44"),
    ("wau", 1200, 900, "weekly users fell from 1,200 to 900"),
    ("stickiness", 0.4, 0.32, "stickiness fell from 40% to 32%"),
    ("stickiness", 0.401, 0.404, "stickiness rose from 40.1% to 40.4%"),
    ("days_since_contact", 12, 45, "last contact 45 days ago instead of 12"),
    ("days_since_contact", 45, 1, "last contact 1 day ago instead of 45"),
    ("days_since_login", 3, 0, "last login today instead of 3"),
    ("days_to_renewal", 120, 90, "90 days to renewal instead of 120"),
    ("tickets_30d", 6, 2, "2 tickets in 30 days instead of 6"),
    ("tickets_30d", 0, 1, "1 ticket in 30 days instead of 0"),
    ("cases_overdue", 1, 4, "4 overdue cases instead of 1"),
    ("session_minutes", 12.0, 8.5, "session length fell from 12 to 8.5 min"),
    ("ticket_points_30d", 3, 9, "ticket points in 30 days rose from 3 to 9"),
    ("csat_90d", 81.0, 70.0, "CSAT fell from 81 to 70"),
    ("nps_latest", 9.0, 5.5, "NPS fell from 9 to 5.5"),
    ("renewal_signal", 70.0, 40.0, "renewal probability fell from 70% to 40%"),
    ("nps_latest", None, 9.0, "NPS is known now: 9"),
    ("csat_90d", 81.0, None, "CSAT is not known any more, it was 81"),
    ("days_since_contact", None, 45, "last contact is known now: 45 days"),
    ("reports_each", 2.0, 3.14, "reports per user rose from 2 to 3.1"),
    ("idle", 1.0, 12.0, "idle time rose from 1 to 12 days"),
    ("crm_share", 0.5, 0.25, "CRM synced fell from 50% to 25%"),
]


class TestReasonOfAMeasure:
    @pytest.mark.parametrize(("slug", "before", "after", "text"), SCALES, ids=[text for *_, text in SCALES])
    def test_has_the_clients_own_numbers(self, slug: str, before: Any, after: Any, text: str) -> None:
        assert reason({"kind": "scale", "measure": slug, "factor": 1}, {slug: before}, {slug: after}) == text

    def test_of_words_says_both(self) -> None:
        formula = {"kind": "values", "measure": "payment_status", "values": {"current": 100, "late": 50}}
        found = reason(formula, {"payment_status": "current"}, {"payment_status": "LATE"})
        assert found == "payment went from current to late"

    @pytest.mark.parametrize(
        "formula",
        [
            {"kind": "per_unit", "measure": "tickets_30d", "per_unit": 10},
            {"kind": "linear", "measure": "tickets_30d", "start": [0, 100], "end": [10, 0]},
            {"kind": "steps", "measure": "tickets_30d", "steps": [[3, 100], [6, 50]]},
            {"kind": "scale", "measure": "tickets_30d", "factor": 10},
        ],
        ids=["per_unit", "linear", "steps", "scale"],
    )
    def test_is_the_same_for_every_kind_of_one_measure(self, formula: dict[str, Any]) -> None:
        assert reason(formula, {"tickets_30d": 6}, {"tickets_30d": 2}) == "2 tickets in 30 days instead of 6"


USAGE = {"kind": "ratio", "measure": "dau_avg_7d", "of": "expected_dau"}
MODULES = {"kind": "ratio", "measure": "features_used", "of": "features_licensed"}
WEEKLY = {"kind": "ratio", "measure": "wau", "of": "mau"}
CASES = {"kind": "ratio", "measure": "cases_on_time", "of": "cases_closed", "when_zero": 100}
TICKETS = {"kind": "relief", "measure": "ticket_points_30d", "of": "active_users_30d", "base": 4, "per": 0.4}
RATIOS = [
    (USAGE, {"dau_avg_7d": 12.4, "expected_dau": 15}, {"dau_avg_7d": 8.1, "expected_dau": 15},
     "daily users fell from 12.4 to 8.1 against 15 expected"),
    (USAGE, {"dau_avg_7d": 12.4, "expected_dau": 15}, {"dau_avg_7d": 12.4, "expected_dau": 20},
     "daily users stayed at 12.4 against 20 expected (was 15)"),
    (MODULES, {"features_used": 5, "features_licensed": 7}, {"features_used": 4, "features_licensed": 7},
     "licensed features in use fell from 5 of 7 to 4 of 7"),
    (MODULES, {"features_used": 5, "features_licensed": 5}, {"features_used": 6, "features_licensed": 8},
     "licensed features in use went from 5 of 5 to 6 of 8"),
    (WEEKLY, {"wau": 9, "mau": 16}, {"wau": 14, "mau": 16}, "weekly users rose from 9 of 16 to 14 of 16 monthly users"),
    (CASES, {"cases_on_time": 3, "cases_closed": 4}, {"cases_on_time": 0, "cases_closed": 0},
     "cases closed on time went from 3 of 4 to 0 of 0"),
    (USAGE, {"expected_dau": 15}, {"dau_avg_7d": 8.1, "expected_dau": 15}, "daily users is known now: 8.1"),
    (TICKETS, {"ticket_points_30d": 3, "active_users_30d": 42}, {"ticket_points_30d": 9, "active_users_30d": 42},
     "ticket points in 30 days rose from 3 to 9 with 42 active users"),
    (TICKETS, {"ticket_points_30d": 9, "active_users_30d": 60}, {"ticket_points_30d": 9, "active_users_30d": 42},
     "ticket points in 30 days stayed at 9 with 42 active users (was 60)"),
]  # fmt: skip


class TestReasonOfTwoMeasures:
    @pytest.mark.parametrize(("formula", "before", "after", "text"), RATIOS, ids=[text for *_, text in RATIOS])
    def test_says_what_it_is_compared_with(
        self, formula: dict[str, Any], before: dict[str, Any], after: dict[str, Any], text: str
    ) -> None:
        assert reason(formula, before, after) == text


class TestReasonOfAMean:
    PARTS = {
        "kind": "mean",
        "parts": [
            {"weight": 60, "kind": "linear", "measure": "days_since_contact", "start": [14, 100], "end": [90, 0]},
            {"weight": 40, "kind": "scale", "measure": "stakeholder_coverage_90d", "factor": 100},
        ],
    }

    def test_begins_with_the_part_that_moved_it_most(self) -> None:
        """Contact: 0.6 of 100 * 5 / 76; people met: 0.4 of 50."""
        before = {"days_since_contact": 14, "stakeholder_coverage_90d": 1.0}
        after = {"days_since_contact": 19, "stakeholder_coverage_90d": 0.5}
        expected = "key contacts met in 90 days fell from 100% to 50%; last contact 19 days ago instead of 14"
        assert reason(self.PARTS, before, after) == expected

    def test_leaves_out_what_did_not_move_it(self) -> None:
        """Up to 14 days a contact counts in full: 3 or 10 days are the same."""
        before = {"days_since_contact": 3, "stakeholder_coverage_90d": 1.0}
        after = {"days_since_contact": 10, "stakeholder_coverage_90d": 0.5}
        assert reason(self.PARTS, before, after) == "key contacts met in 90 days fell from 100% to 50%"


class TestDrivers:
    def test_are_sorted_by_size_and_add_up_with_the_small_ones_as_one(self) -> None:
        given = moved(
            -11,
            data={"support": 4.0, "usage": -9.0, "adoption": -0.4, "outcome": 0.7},
            lost=["contract"], lost_points=-5.5, configuration=-1.2, rounding=0.4,
        )  # fmt: skip
        before = scored({"dau_avg_7d": 12.4, "expected_dau": 15, "ticket_points_30d": 6, "active_users_30d": 30})
        after = scored(
            {"dau_avg_7d": 8.1, "expected_dau": 15, "ticket_points_30d": 2, "active_users_30d": 30},
            weights_version="prd-015 v2",
        )
        found = drivers(given, before, after, CARD)
        assert [one.sentence for one in found] == [
            "Usage −9: daily users fell from 12.4 to 8.1 against 15 expected",
            "Missing data −5.5: Contract has no data any more, the other weights stand for it",
            "Support +4: ticket points in 30 days fell from 6 to 2 with 30 active users",
            "Configuration −1.2: prd-015 v2 came into force in place of prd-015 v1",
            "Other +0.7: 2 smaller changes (adoption, outcomes) and rounding",
        ]
        assert sum(one.points for one in found) == pytest.approx(-11)

    def test_of_data_that_came_back_names_the_components(self) -> None:
        found = drivers(moved(6, gained=["usage", "support"], gained_points=6.0), scored({}), scored({}), CARD)
        assert [one.sentence for one in found] == ["New data +6: Usage and Support have data now"]

    def test_say_nothing_where_nothing_moved(self) -> None:
        assert drivers(moved(0), scored({}), scored({}), CARD) == []

    def test_rounding_alone_is_said(self) -> None:
        assert drivers(moved(1, rounding=1.0), scored({}), scored({}), CARD) == [
            Driver("other", "", "Other", 1.0, "rounding to whole points")
        ]

    def test_follow_the_split_of_two_stored_scores(self) -> None:
        """Usage 100 to 54 of 100 alone has data: 8.1 of 15 expected."""
        before = scored({"dau_avg_7d": 15.0, "expected_dau": 15.0}, 100)
        after = scored({"dau_avg_7d": 8.1, "expected_dau": 15.0}, 54)
        split = change(before, CARD, after, CARD)
        assert split is not None
        found = drivers(split, before, after, CARD)
        assert [one.sentence for one in found] == ["Usage −46: daily users fell from 15 to 8.1 against 15 expected"]


class TestMeasureMoves:
    def test_list_each_measure_once_with_its_values(self) -> None:
        before = scored({"dau_avg_7d": 12.4, "expected_dau": 15, "payment_status": "current", "tickets_30d": 1})
        after = scored({"dau_avg_7d": 8.1, "expected_dau": 15, "payment_status": "late", "nps_latest": 9.0})
        found = measure_moves(before, after, CARD)
        assert [(one.component, one.label, one.before, one.after) for one in found] == [
            ("Usage", "Average daily users, 7 days", "12.4", "8.1"),
            ("Contract", "Latest NPS answers", "unknown", "9"),
            ("Contract", "Payment status", "current", "late"),
        ]
