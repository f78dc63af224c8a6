"""Risk factors and next steps: made by rule, silent without their figures."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bellwether.health.client_facts import ClientFacts, OpenTicket, Person
from bellwether.health.risk_factors import AT_MOST, findings, next_steps, risk_factors

TODAY = date(2026, 6, 30)
CALM = ClientFacts(
    name="Sturdy",
    today=TODAY,
    score=84,
    status="Healthy",
    change=1,
    coverage=1.0,
    inputs={"dau_change": 0.02, "dau_avg_7d": 12.0, "dau_avg_30d": 11.8, "mau": 40, "nps_latest": 9.0},
    contact_days=6,
    contact_label="Call",
    contact_on=date(2026, 6, 24),
    payment="current",
    renewal_on=date(2026, 12, 31),
    seats_licensed=50,
)


def titles(facts: ClientFacts) -> list[tuple[str, str]]:
    return [(finding.severity, finding.headline) for finding in findings(facts)]


def with_inputs(**inputs: object) -> ClientFacts:
    return replace(CALM, inputs=dict(CALM.inputs) | inputs)


class TestRiskFactors:
    def test_finds_none_for_a_calm_client(self) -> None:
        assert titles(CALM) == []

    def test_finds_only_that_there_is_no_score_without_any_figure(self) -> None:
        assert titles(ClientFacts(name="Bare", today=TODAY)) == [("risk", "No health score")]

    def test_says_why_there_is_no_score(self) -> None:
        [finding] = findings(replace(CALM, score=None, no_score_reason="25% of the weight has data, 50% is needed"))
        assert (finding.key, finding.detail) == ("no_score", "25% of the weight has data, 50% is needed.")

    @pytest.mark.parametrize(
        ("trend", "change", "expected"),
        [
            ("UP", 30, []),
            ("FLAT", -5, []),
            ("DOWN", -6, [("monitor", "Health down 6 points in 30 days")]),
            ("FLAT", -9, []),
            (None, -10, [("risk", "Health down 10 points in 30 days")]),
            ("DOWN", -20, [("critical", "Health down 20 points in 30 days")]),
        ],
    )
    def test_calls_a_fall_by_the_trend_rule_or_from_ten_points(
        self, trend: str | None, change: int, expected: list[tuple[str, str]]
    ) -> None:
        assert titles(replace(CALM, trend=trend, change=change)) == expected

    def test_names_the_period_of_the_fall(self) -> None:
        [finding] = findings(replace(CALM, score=70, change=-12, change_days=1))
        assert (finding.headline, finding.detail) == ("Health down 12 points in 1 day", "From 82 to 70.")

    @pytest.mark.parametrize(
        ("components", "expected"),
        [
            ((("Usage", 60), ("Support", 90)), []),
            ((("Usage", 59), ("Support", 90)), [("monitor", "Usage 59 of 100")]),
            ((("Usage", 59), ("Case resolution", 40)), [("monitor", "Case resolution 40 and usage 59 of 100")]),
            ((("Usage", 39), ("Support", 12), ("Contract", 35)), [("risk", "Support 12 and contract 35 of 100")]),
            ((("Usage", 39), ("Support", 45)), [("risk", "Usage 39 of 100")]),
        ],
    )
    def test_names_the_two_weakest_components(
        self, components: tuple[tuple[str, int], ...], expected: list[tuple[str, str]]
    ) -> None:
        assert titles(replace(CALM, components=components)) == expected

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            (13, []),
            (14, [("risk", "No usage for 14 days")]),
            (30, [("critical", "No usage for 30 days")]),
        ],
    )
    def test_calls_silence_of_the_product_instead_of_less_use(self, days: int, expected: list[tuple[str, str]]) -> None:
        assert titles(replace(CALM, quiet_days=days)) == expected
        if expected:
            assert titles(replace(with_inputs(dau_change=-0.9), quiet_days=days)) == expected

    def test_gives_the_day_of_the_last_event(self) -> None:
        [finding] = findings(replace(CALM, quiet_days=20))
        assert finding.detail == "The last event is of 10 Jun."

    def test_sees_unused_features(self) -> None:
        assert titles(with_inputs(features_used=3, features_licensed=7)) == [("monitor", "43% of the features used")]
        assert titles(with_inputs(features_used=4, features_licensed=8)) == []
        assert titles(with_inputs(features_used=0, features_licensed=0)) == []

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (-0.29, []),
            (-0.30, [("risk", "Usage down 30%")]),
            (-0.5, [("critical", "Usage down 50%")]),
        ],
    )
    def test_calls_usage_down_from_thirty_percent(self, change: float, expected: list[tuple[str, str]]) -> None:
        assert titles(with_inputs(dau_change=change)) == expected

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            (29, []),
            (30, [("monitor", "No contact for 30 days")]),
            (44, [("monitor", "No contact for 44 days")]),
            (45, [("risk", "No contact for 45 days")]),
            (90, [("critical", "No contact for 90 days")]),
        ],
    )
    def test_calls_a_client_silent_from_thirty_days(self, days: int, expected: list[tuple[str, str]]) -> None:
        assert titles(replace(CALM, contact_days=days)) == expected

    @pytest.mark.parametrize(
        ("word", "expected"),
        [
            ("current", []),
            ("", []),
            ("late", [("risk", "Payment late")]),
            ("overdue", [("critical", "Payment overdue")]),
        ],
    )
    def test_reads_the_payment(self, word: str, expected: list[tuple[str, str]]) -> None:
        assert titles(replace(CALM, payment=word)) == expected

    def test_names_a_champion_who_left_in_the_last_half_year(self) -> None:
        gone = Person(name="Petra", role="Champion", is_champion=True, left_on=TODAY - timedelta(days=180))
        assert titles(replace(CALM, people=(gone,))) == [("critical", "Champion left")]
        assert titles(replace(CALM, people=(replace(gone, left_on=TODAY - timedelta(days=181)),))) == []

    def test_names_the_champion_before_other_key_contacts(self) -> None:
        champion = Person(name="Mara", role="Champion", is_champion=True, is_key=True, login_days=14)
        admin = Person(name="Tom", role="Admin", is_key=True, login_days=40)
        active = Person(name="Ivo", role="Executive sponsor", is_key=True, login_days=1)
        [factor] = risk_factors(replace(CALM, people=(admin, champion, active)))
        assert (factor.key, factor.severity, factor.headline) == ("champion_inactive", "critical", "Champion inactive")
        assert factor.detail == "Mara has not logged in for 14 days. 1 other key contact logged in since."

    def test_ignores_contacts_without_a_known_login(self) -> None:
        assert (
            titles(replace(CALM, people=(Person(name="Mara", role="Champion", is_champion=True, is_key=True),))) == []
        )

    @pytest.mark.parametrize(
        ("tickets", "norm", "found"),
        [(9, 3.0, True), (6, 3.0, True), (5, 3.0, False), (2, 0.0, False), (9, None, False)],
    )
    def test_calls_twice_the_usual_tickets_a_spike(self, tickets: int, norm: float | None, found: bool) -> None:
        assert bool(titles(with_inputs(tickets_30d=tickets, tickets_norm=norm))) is found

    def test_names_the_oldest_urgent_ticket(self) -> None:
        open_tickets = (
            OpenTicket(subject="Login loops", priority="urgent", opened_on=date(2026, 6, 20)),
            OpenTicket(subject="Export fails", priority="urgent", opened_on=date(2026, 6, 1)),
            OpenTicket(subject="Typo", priority="low", opened_on=date(2026, 1, 1)),
        )
        [factor] = risk_factors(replace(CALM, open_tickets=open_tickets))
        assert (factor.headline, factor.detail) == ("2 urgent tickets open", "Export fails. Open since 1 Jun.")

    @pytest.mark.parametrize(("nps", "found"), [(6.0, True), (6.1, False), (0.0, True)])
    def test_calls_answers_up_to_six_detractors(self, nps: float, found: bool) -> None:
        assert bool(titles(with_inputs(nps_latest=nps))) is found

    @pytest.mark.parametrize(
        ("days", "score", "expected"),
        [
            (91, 50, []),
            (90, 50, [("risk", "Renewal in 90 days")]),
            (30, 50, [("critical", "Renewal in 30 days")]),
            (0, 59, [("critical", "Renewal today")]),
            (30, 60, [("monitor", "Renewal in 30 days")]),
            (30, 79, [("monitor", "Renewal in 30 days")]),
            (30, 80, []),
            (30, None, [("critical", "Renewal in 30 days"), ("risk", "No health score")]),
            (-1, 84, [("monitor", "Renewal 1 day overdue")]),
        ],
    )
    def test_warns_of_a_renewal_that_is_near_with_low_health_or_past(
        self, days: int, score: int | None, expected: list[tuple[str, str]]
    ) -> None:
        assert titles(replace(CALM, score=score, renewal_on=TODAY + timedelta(days=days))) == expected

    def test_sees_unused_seats(self) -> None:
        assert titles(with_inputs(mau=24)) == [("monitor", "48% of the seats used")]
        assert titles(with_inputs(mau=25)) == []
        assert titles(replace(CALM, seats_licensed=0)) == []

    def test_sees_key_contacts_that_were_not_met(self) -> None:
        assert titles(with_inputs(stakeholder_coverage_90d=0.0)) == [("monitor", "No key contact met")]
        assert titles(with_inputs(stakeholder_coverage_90d=0.5)) == []

    def test_says_when_the_score_rests_on_part_of_its_weight(self) -> None:
        thin = replace(CALM, coverage=0.75, missing=("Outcomes", "Contract"))
        [factor] = risk_factors(thin)
        assert (factor.headline, factor.detail) == (
            "Score rests on 75% of its weight",
            "No data for Outcomes, Contract.",
        )

    def test_puts_the_worst_first_and_shows_at_most_six(self) -> None:
        facts = replace(
            with_inputs(
                dau_change=-0.6, nps_latest=3, tickets_30d=9, tickets_norm=1.0, mau=1, stakeholder_coverage_90d=0
            ),
            payment="overdue",
            contact_days=100,
            coverage=0.6,
        )
        found = [factor.severity for factor in risk_factors(facts)]
        assert found == ["critical", "critical", "critical", "risk", "risk", "monitor"]
        assert len(found) == AT_MOST

    def test_seeks_none_for_a_client_that_left(self) -> None:
        assert risk_factors(replace(CALM, payment="overdue", ended=True)) == []


class TestNextSteps:
    def test_ask_for_nothing_when_all_is_well(self) -> None:
        assert next_steps(CALM) == []

    def test_follow_the_risk_factors_in_their_order(self) -> None:
        champion = Person(name="Mara", role="Champion", is_champion=True, is_key=True, login_days=21)
        facts = replace(with_inputs(dau_change=-0.3, nps_latest=6), people=(champion,), payment="late", contact_days=45)
        assert next_steps(facts) == [
            "Schedule a call with Mara to understand reduced engagement",
            "Schedule a call with the champion to understand why daily use fell by 30%",
            "Clear the late payment with the billing contact",
            "Get in touch: the last contact was 45 days ago",
            "Follow up on the NPS answer of 6",
        ]

    def test_leave_out_findings_that_call_for_no_step(self) -> None:
        assert next_steps(replace(CALM, coverage=0.8)) == []
