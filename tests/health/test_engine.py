"""The engine against vectors worked by hand from formulas.md, section 2, and the properties of section 8."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bellwether.health.engine import combine, previous_scores, score_measures
from bellwether.health.scorecard import SCORECARDS, Scorecard, load_scorecard, parse_scorecard, shipped_definition

DAY = date(2026, 6, 30)
PRD, OPERATIONS, SUPPLIERS = (load_scorecard(name) for name in ("prd-015", "operations", "suppliers"))


def score(scorecard: Scorecard, **measures: Any) -> dict[str, Any]:
    """Score one client on one day."""
    frame = pl.DataFrame({"client_id": ["c"], "date": [DAY]} | {name: [value] for name, value in measures.items()})
    return score_measures(frame, scorecard).row(0, named=True)


WHOLE_PRD: dict[str, Any] = {
    "dau_avg_7d": 9.0, "tier": "enterprise", "licensed_user_count": 50,  # 9 / 15 = 60
    "features_used": 5, "features_licensed": 8,  # 62.5
    "ticket_points_30d": 6, "active_users_30d": 40, "csat_90d": 90.0,  # 0.7 * 70 + 0.3 * 90 = 76
    "days_since_contact": 33, "stakeholder_coverage_90d": 0.5,  # 0.6 * 75 + 0.4 * 50 = 65
    "nps_latest": 7.0, "payment_status": "late", "renewal_signal": 60.0,  # 35 + 15 + 12 = 62
    "cases_on_time": 18, "cases_closed": 20, "assignments_completed": 34, "assignments_total": 50,  # 50 + 40 = 90
}  # fmt: skip


class TestPrd015:
    def test_gives_the_sample_response_59_not_58(self) -> None:
        components = {"usage": 45, "adoption": 72, "support": 55, "relationship": 40, "contract": 75, "outcome": 80}
        frame = pl.DataFrame({key: [float(value)] for key, value in components.items()})
        row = combine(frame, PRD).row(0, named=True)
        assert row["exact"] == pytest.approx(59.15)
        assert row["score"] == 59

    def test_scores_every_component_as_worked_by_hand(self) -> None:
        row = score(PRD, **WHOLE_PRD)
        by_hand = {"usage": 60, "adoption": 62.5, "support": 76, "relationship": 65, "contract": 62, "outcome": 90}
        assert {key: row[key] for key in by_hand} == pytest.approx(by_hand)
        # 15 + 12.5 + 11.4 + 9.75 + 9.3 + 9 = 66.95
        assert row["score"] == 67
        assert (row["status"], row["health_status"], row["coverage"]) == ("MONITOR", "MONITOR", 1.0)

    @pytest.mark.parametrize(
        ("tier", "seats", "users", "expected"),
        [
            ("starter", 100, None, 45.0),  # 9 / 20
            ("PROFESSIONAL", 100, None, 36.0),  # 9 / 25
            ("enterprise", 100, None, 30.0),  # 9 / 30
            ("enterprise", None, 60, 50.0),  # 9 / 18
            ("enterprise", 0, 60, 50.0),
            ("enterprise", None, None, None),
            ("enterprise", None, 0, None),
            (None, 100, None, None),
            ("enterprise", 20, None, 100.0),  # capped
        ],
    )
    def test_expects_daily_users_by_tier_and_seats(
        self, tier: str | None, seats: int | None, users: int | None, expected: float | None
    ) -> None:
        row = score(PRD, dau_avg_7d=9.0, tier=tier, licensed_user_count=seats, total_users=users)
        assert row["usage"] == (None if expected is None else pytest.approx(expected))

    def test_takes_a_given_expected_dau(self) -> None:
        assert score(PRD, dau_avg_7d=9.0, expected_dau=12.0)["usage"] == pytest.approx(75.0)

    @pytest.mark.parametrize(("days", "expected"), [(0, 100), (14, 100), (33, 75), (52, 50), (90, 0), (400, 0)])
    def test_lets_recency_fall_from_14_to_90_days(self, days: int, expected: float) -> None:
        assert score(PRD, days_since_contact=days)["relationship"] == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("points", "active", "csat", "expected"),
        [
            (0, 0, None, 100.0),
            (2, 0, None, 50.0),  # 2 of 4
            (4, 0, None, 0.0),
            (99, 10, None, 0.0),
            (0, 0, 0.0, 70.0),
            (None, 10, 90.0, None),  # satisfaction alone does not make support health
            (3, None, None, None),
        ],
    )
    def test_weighs_tickets_by_people(
        self, points: int | None, active: int | None, csat: float | None, expected: float | None
    ) -> None:
        row = score(PRD, ticket_points_30d=points, active_users_30d=active, csat_90d=csat)
        assert row["support"] == (None if expected is None else pytest.approx(expected))

    @pytest.mark.parametrize(
        ("nps", "payment", "renewal", "expected"),
        [
            (8.0, None, None, 80.0),
            (None, "overdue", None, 0.0),
            (None, "Current", 50.0, 80.0),  # (30 * 100 + 20 * 50) / 50
            (None, "barter", None, None),
            (None, None, None, None),
        ],
    )
    def test_scales_missing_contract_parts_out(
        self, nps: float | None, payment: str | None, renewal: float | None, expected: float | None
    ) -> None:
        row = score(PRD, nps_latest=nps, payment_status=payment, renewal_signal=renewal)
        assert row["contract"] == (None if expected is None else pytest.approx(expected))

    @pytest.mark.parametrize(
        ("closed", "on_time", "total", "completed", "expected"),
        [
            (0, 0, 0, 0, None),
            (0, 0, 100, 85, 100.0),
            (10, 9, 0, 0, 100.0),
            (10, 0, 100, 85, 50.0),
        ],
    )
    def test_leaves_out_outcomes_of_nothing(
        self, closed: int, on_time: int, total: int, completed: int, expected: float | None
    ) -> None:
        row = score(
            PRD, cases_closed=closed, cases_on_time=on_time, assignments_total=total, assignments_completed=completed
        )
        assert row["outcome"] == (None if expected is None else pytest.approx(expected))

    def test_has_no_adoption_where_nothing_is_licensed(self) -> None:
        assert score(PRD, features_used=0, features_licensed=0)["adoption"] is None

    def test_scales_missing_components_out_and_says_so(self) -> None:
        row = score(PRD, dau_avg_7d=6.0, expected_dau=10.0, features_used=4, features_licensed=5, nps_latest=5.0)
        # (25 * 60 + 20 * 80 + 15 * 50) / 60 = 64.17
        assert (row["score"], row["coverage"]) == (64, pytest.approx(0.6))
        assert row["missing"] == ["support", "relationship", "outcome"]

    def test_gives_no_score_under_half_coverage(self) -> None:
        row = score(PRD, dau_avg_7d=6.0, expected_dau=10.0, features_used=4, features_licensed=5)
        assert row["coverage"] == pytest.approx(0.45)
        assert (row["score"], row["exact"], row["health_status"]) == (None, None, None)
        assert (row["status"], row["trend"], row["risk"]) == ("", "", "")
        assert row["no_score_reason"] == (
            "45% of the weight has data, 50% is needed; missing: Support, Relationship, Contract, Outcomes"
        )

    @pytest.mark.parametrize(
        ("value", "status"),
        [(100, "HEALTHY"), (80, "HEALTHY"), (79.5, "HEALTHY"), (79.4, "MONITOR"), (60, "MONITOR"), (59.4, "AT_RISK"),
         (40, "AT_RISK"), (39.4, "CRITICAL"), (0, "CRITICAL")],
    )  # fmt: skip
    def test_names_the_band_of_the_rounded_score(self, value: float, status: str) -> None:
        row = score(PRD, dau_avg_7d=value, expected_dau=100.0, nps_latest=value / 10, csat_90d=value,
                    features_used=value, features_licensed=100.0)  # fmt: skip
        assert row["status"] == status

    @pytest.mark.parametrize(
        ("previous", "trend", "change"), [(61, "UP", 6), (62, "FLAT", 5), (72, "FLAT", -5), (73, "DOWN", -6)]
    )
    def test_calls_a_trend_beyond_five_points(self, previous: int, trend: str, change: int) -> None:
        row = score(PRD, **WHOLE_PRD, previous_score=previous)
        assert (row["trend"], row["trend_change"]) == (trend, change)

    def test_is_flat_without_an_earlier_score(self) -> None:
        row = score(PRD, **WHOLE_PRD)
        assert (row["trend"], row["trend_change"]) == ("FLAT", None)

    def test_rounds_halves_up_in_spite_of_binary_noise(self) -> None:
        # 0.1 + 0.2 style noise: 58.49999999999999 is 58.5
        frame = pl.DataFrame({c.key: [58.49999999999999] for c in PRD.components})
        assert combine(frame, PRD)["score"].to_list() == [59]


class TestOperations:
    def test_scores_every_component_as_worked_by_hand(self) -> None:
        row = score(
            OPERATIONS, active_users_30d=30, total_users=60,  # 0.5 / 0.7 = 71.43
            cases_on_time=8, cases_closed=11,  # 0.7273 / 0.9 = 80.81
            assignments_completed=50, assignments_total=100,  # 0.5 / 0.85 = 58.82
            features_adopted=6, features_tracked=14,  # 0.4286 / 0.6 = 71.43
            tickets_30d=3, previous_score=80,
        )  # fmt: skip
        by_hand = {"login": 71, "caseResolution": 81, "campaignCompletion": 59, "featureAdoption": 71,
                   "supportTickets": 70}  # fmt: skip
        assert {key: row[key] for key in by_hand} == by_hand
        # 14.2 + 20.25 + 14.75 + 10.65 + 10.5 = 70.35
        assert (row["score"], row["trend"], row["risk"], row["status"]) == (70, "DECLINING", "MEDIUM", "amber")

    def test_follows_the_zero_denominator_rules_of_the_seed(self) -> None:
        row = score(
            OPERATIONS, active_users_30d=0, total_users=0, cases_on_time=0, cases_closed=0,
            assignments_completed=0, assignments_total=0, features_adopted=0, features_tracked=14, tickets_30d=0,
        )  # fmt: skip
        assert (row["login"], row["caseResolution"], row["campaignCompletion"]) == (0, 100, 100)
        assert (row["featureAdoption"], row["supportTickets"]) == (0, 100)
        assert row["score"] == 65  # 25 + 25 + 15
        assert row["coverage"] == pytest.approx(0.5)
        assert row["missing"] == ["caseResolution", "campaignCompletion"]

    def test_shows_nothing_better_than_monitor_under_half_coverage(self) -> None:
        row = score(
            OPERATIONS, active_users_30d=70, total_users=100, cases_on_time=0, cases_closed=0,
            assignments_completed=0, assignments_total=0, features_adopted=14, features_tracked=14,
        )  # fmt: skip
        assert row["coverage"] == pytest.approx(0.35)
        assert (row["score"], row["status"], row["health_status"]) == (100, "green", "MONITOR")

    def test_gives_no_score_when_nothing_is_known(self) -> None:
        assert score(OPERATIONS)["score"] is None

    @pytest.mark.parametrize(("tickets", "expected"), [(0, 100), (1, 90), (10, 0), (25, 0)])
    def test_takes_ten_points_a_ticket(self, tickets: int, expected: int) -> None:
        assert score(OPERATIONS, tickets_30d=tickets)["supportTickets"] == expected

    @pytest.mark.parametrize(
        ("value", "previous", "risk"),
        [
            (39, None, "HIGH"), (40, None, "MEDIUM"), (40, 46, "HIGH"), (59, 65, "HIGH"), (60, 66, "MEDIUM"),
            (69, None, "MEDIUM"), (70, None, "LOW"), (70, 75, "LOW"), (70, 76, "MEDIUM"), (90, 96, "MEDIUM"),
        ],
    )  # fmt: skip
    def test_derives_risk_from_score_and_trend(self, value: int, previous: int | None, risk: str) -> None:
        # only the login component has data: 0.7 users active is 100
        row = score(OPERATIONS, active_users_30d=value * 7, total_users=1000, previous_score=previous)
        assert (row["score"], row["risk"]) == (value, risk)


class TestSuppliers:
    @pytest.mark.parametrize(
        ("days", "points"), [(0, 30), (2, 30), (3, 20), (6, 20), (7, 10), (13, 10), (14, 0), (None, 0)]
    )
    def test_gives_points_by_days_since_login(self, days: int | None, points: int) -> None:
        assert score(SUPPLIERS, days_since_login=days, feature_share=0.0)["loginFrequency"] == points

    def test_adds_points_as_worked_by_hand(self) -> None:
        row = score(SUPPLIERS, days_since_login=5, feature_share=0.5, client_activity=0.25,
                    form_completion_rate=0.8, journey_performance=0.3)  # fmt: skip
        # 20 + 12.5 + 6.25 + 8 + 3 = 49.75
        assert row["exact"] == pytest.approx(49.75)
        assert (row["score"], row["risk"], row["status"]) == (50, "at_risk", "")

    def test_caps_shares_over_one(self) -> None:
        row = score(SUPPLIERS, days_since_login=0, feature_share=1.4, client_activity=2.0, form_completion_rate=3.0,
                    journey_performance=1.0)  # fmt: skip
        assert (row["score"], row["risk"], row["health_status"]) == (100, "healthy", "HEALTHY")

    @pytest.mark.parametrize(
        ("journey", "score_", "risk"),
        [(0.99, 40, "critical"), (1.0, 40, "at_risk")],  # 39.9 is critical though it is stored as 40
    )
    def test_takes_the_risk_from_the_unrounded_sum(self, journey: float, score_: int, risk: str) -> None:
        row = score(SUPPLIERS, days_since_login=1, feature_share=0.0, client_activity=0.0, form_completion_rate=0.0,
                    journey_performance=journey)  # fmt: skip
        assert (row["score"], row["risk"]) == (score_, risk)

    def test_gives_no_points_without_data(self) -> None:
        row = score(SUPPLIERS, feature_share=1.0)
        assert (row["score"], row["coverage"], row["risk"]) == (25, 0.25, "critical")
        assert row["missing"] == ["loginFrequency", "clientActivity", "formCompletionRate", "journeyPerformance"]


class TestPreviousScores:
    def history(self, *offsets_and_scores: tuple[int, int | None]) -> pl.DataFrame:
        rows = [("c", DAY - timedelta(days=back), value) for back, value in offsets_and_scores]
        return pl.DataFrame(rows, schema={"client_id": pl.String, "date": pl.Date, "score": pl.Int32}, orient="row")

    def previous(self, scorecard: Scorecard, *rows: tuple[int, int | None]) -> int | None:
        return previous_scores(self.history((0, 50)), scorecard, history=self.history(*rows)).item()

    def test_compares_with_the_score_30_days_earlier(self) -> None:
        assert self.previous(PRD, (31, 10), (30, 20), (29, 30), (1, 40)) == 20

    def test_takes_the_oldest_of_a_shorter_history(self) -> None:
        assert self.previous(PRD, (12, 20), (8, 30)) == 20

    def test_needs_seven_days(self) -> None:
        assert self.previous(PRD, (6, 20), (1, 30)) is None
        assert self.previous(PRD, (7, 20)) == 20

    def test_skips_days_without_a_score(self) -> None:
        assert self.previous(PRD, (30, None), (20, 33)) == 33

    def test_compares_operations_with_the_previous_stored_score(self) -> None:
        assert self.previous(OPERATIONS, (9, 10), (3, 20)) == 20
        assert self.previous(OPERATIONS) is None

    def test_ignores_other_clients(self) -> None:
        other = self.history((10, 5)).with_columns(client_id=pl.lit("other"))
        assert previous_scores(self.history((0, 50)), PRD, history=other).item() is None


def frames(scorecard: Scorecard) -> st.SearchStrategy[pl.DataFrame]:
    """Random measures, with holes, for a handful of clients on two days a month apart."""

    def column(name: str) -> st.SearchStrategy[Any]:
        if name == "payment_status":
            return st.none() | st.sampled_from(["current", "late", "overdue"])
        return st.none() | st.integers(0, 120).map(float)

    names = sorted(scorecard.measures)
    row = st.fixed_dictionaries({name: column(name) for name in names})

    def build(rows: list[dict[str, Any]]) -> pl.DataFrame:
        keys = {
            "client_id": [f"c{index // 2}" for index in range(len(rows))],
            "date": [DAY - timedelta(days=30 * (index % 2)) for index in range(len(rows))],
        }
        values = {
            name: pl.Series([r[name] for r in rows], dtype=pl.String if name == "payment_status" else pl.Float64)
            for name in names
        }
        return pl.DataFrame(keys | values)

    return st.lists(row, min_size=1, max_size=12).map(build)


@pytest.mark.parametrize("name", SCORECARDS)
class TestProperties:
    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_no_score_changes_when_clients_are_permuted_or_split(self, name: str, data: st.DataObject) -> None:
        scorecard = load_scorecard(name)
        frame = data.draw(frames(scorecard))
        whole = score_measures(frame, scorecard).sort("client_id", "date")
        permuted = score_measures(frame.reverse(), scorecard).sort("client_id", "date")
        assert_frame_equal(permuted, whole, check_exact=True)
        parts = [score_measures(part, scorecard) for part in frame.partition_by("client_id")]
        assert_frame_equal(pl.concat(parts).sort("client_id", "date"), whole, check_exact=True)

    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_scores_and_coverage_stay_in_range(self, name: str, data: st.DataObject) -> None:
        scorecard = load_scorecard(name)
        result = score_measures(data.draw(frames(scorecard)), scorecard)
        assert result["score"].drop_nulls().is_between(0, 100).all()
        assert result["coverage"].is_between(0, 1 + 1e-9).all()
        assert (result["score"].is_null() == (result["no_score_reason"] != "")).all()

    def test_scaling_all_weights_changes_no_score(self, name: str) -> None:
        scorecard = load_scorecard(name)
        frame = pl.DataFrame({c.key: [37.0, None, 80.0][:3] for c in scorecard.components}).cast(pl.Float64)
        tripled = [c.__class__(c.key, c.label, 3 * c.weight, c.formula, c.whole) for c in scorecard.components]
        scaled = scorecard.__class__(**{**vars(scorecard), "components": tuple(tripled)})
        assert combine(frame, scorecard)["score"].equals(combine(frame, scaled)["score"])

    def test_full_components_give_100(self, name: str) -> None:
        scorecard = load_scorecard(name)
        top = {c.key: [c.weight if scorecard.points else 100.0] for c in scorecard.components}
        assert combine(pl.DataFrame(top), scorecard)["score"].item() == 100


class TestParseScorecard:
    def definition(self, **changes: Any) -> dict[str, Any]:
        return {**shipped_definition("prd-015"), **changes}

    def test_refuses_weights_that_do_not_sum_to_100(self) -> None:
        components = [dict(c) for c in shipped_definition("prd-015")["components"]]
        components[0]["weight"] = 30
        with pytest.raises(Exception, match="cannot be used") as caught:
            parse_scorecard(self.definition(components=components))
        assert caught.value.errors == {"weights": "sum to 105; they must sum to 100."}

    def test_refuses_unknown_measures_and_kinds(self) -> None:
        components = [dict(c) for c in shipped_definition("prd-015")["components"]]
        components[0]["formula"] = {"kind": "scale", "measure": "moon_phase", "factor": 1}
        components[1]["formula"] = {"kind": "guess"}
        with pytest.raises(Exception, match="cannot be used") as caught:
            parse_scorecard(self.definition(components=components), known_measures=PRD.measures)
        assert set(caught.value.errors) == {"components.usage.formula", "components.adoption", "weights"}

    @pytest.mark.parametrize("name", SCORECARDS)
    def test_shipped_weights_sum_to_100(self, name: str) -> None:
        assert sum(load_scorecard(name).weights.values()) == 100
