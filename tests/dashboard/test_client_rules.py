"""Brief and risk factors: made by rule, silent without their figures."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bellwether.dashboard.brief import brief
from bellwether.dashboard.client_facts import Cause, ClientFacts, OpenTicket, Person
from bellwether.dashboard.risk_factors import AT_MOST, risk_factors

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
    return [(factor.status, factor.title) for factor in risk_factors(facts)]


def with_inputs(**inputs: object) -> ClientFacts:
    return replace(CALM, inputs=dict(CALM.inputs) | inputs)


class TestRiskFactors:
    def test_finds_none_for_a_calm_client(self) -> None:
        assert titles(CALM) == []

    def test_finds_none_without_any_figure(self) -> None:
        assert titles(ClientFacts(name="Bare", today=TODAY)) == []

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
            (44, []),
            (45, [("risk", "No contact for 45 days")]),
            (90, [("critical", "No contact for 90 days")]),
        ],
    )
    def test_calls_a_client_silent_from_forty_five_days(self, days: int, expected: list[tuple[str, str]]) -> None:
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
        assert (factor.status, factor.title) == ("critical", "Champion inactive")
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
        assert (factor.title, factor.detail) == ("2 urgent tickets open", "Export fails. Open since 1 Jun.")

    @pytest.mark.parametrize(("nps", "found"), [(6.0, True), (6.1, False), (0.0, True)])
    def test_calls_answers_up_to_six_detractors(self, nps: float, found: bool) -> None:
        assert bool(titles(with_inputs(nps_latest=nps))) is found

    @pytest.mark.parametrize(
        ("days", "score", "expected"),
        [
            (91, 50, []),
            (90, 50, [("risk", "Renewal in 90 days")]),
            (30, 50, [("critical", "Renewal in 30 days")]),
            (30, 60, []),
            (30, None, [("critical", "Renewal in 30 days")]),
            (-1, 50, []),
        ],
    )
    def test_warns_of_a_near_renewal_with_low_health(
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
        assert (factor.title, factor.detail) == ("Score rests on 75% of its weight", "No data for Outcomes, Contract.")

    def test_puts_the_worst_first_and_shows_at_most_six(self) -> None:
        facts = replace(
            with_inputs(
                dau_change=-0.6, nps_latest=3, tickets_30d=9, tickets_norm=1.0, mau=1, stakeholder_coverage_90d=0
            ),
            payment="overdue",
            contact_days=100,
            coverage=0.6,
        )
        found = [factor.status for factor in risk_factors(facts)]
        assert found == ["critical", "critical", "critical", "risk", "risk", "monitor"]
        assert len(found) == AT_MOST

    def test_seeks_none_for_a_client_that_left(self) -> None:
        assert risk_factors(replace(CALM, payment="overdue", ended=True)) == []


class TestBrief:
    def text(self, facts: ClientFacts) -> str:
        return " ".join(sentence.text for sentence in brief(facts))

    def test_tells_of_a_calm_client(self) -> None:
        assert self.text(CALM) == (
            "Sturdy scores 84, healthy, 1 point more than 30 days ago. Usage is steady at 12 people on an average "
            "working day. The last contact was 6 days ago, call. Renewal is in 184 days."
        )

    def test_tells_what_a_fall_comes_from(self) -> None:
        causes = (
            Cause(label="Usage", effect=-7.8),
            Cause(label="Support", effect=-2.5),
            Cause(label="Contract", effect=1.0),
            Cause(label="Outcomes", effect=-0.4),
        )
        text = self.text(replace(CALM, score=58, status="At risk", change=-14, causes=causes))
        assert "Sturdy scores 58, at risk, 14 points fewer than 30 days ago." in text
        assert "Most of it comes from Usage (−7.8) and Support (−2.5)." in text

    def test_says_why_there_is_no_score(self) -> None:
        facts = replace(CALM, score=None, change=None, no_score_reason="25% of the weight has data, 50% is needed")
        assert self.text(facts).startswith("Sturdy has no health score: 25% of the weight has data, 50% is needed.")

    def test_says_what_is_not_recorded(self) -> None:
        text = self.text(ClientFacts(name="Bare", today=TODAY, has_usage=False))
        assert text == (
            "Bare has no health score: no score has been made yet. No usage has been recorded yet. "
            "No contact with the client is recorded."
        )

    def test_tells_a_fall_of_use_with_both_figures(self) -> None:
        text = self.text(with_inputs(dau_change=-0.4, dau_avg_7d=12.0, dau_avg_30d=20.0))
        assert "Daily use fell to 12 people on an average working day, from 20 over 30 days." in text

    @pytest.mark.parametrize(
        ("days", "auto", "expected"),
        [
            (0, None, "Renewal is today."),
            (1, True, "Renewal is in 1 day, with auto-renew."),
            (88, False, "Renewal is in 88 days, without auto-renew."),
            (-3, None, "The renewal date passed 3 days ago."),
        ],
    )
    def test_tells_of_the_renewal(self, days: int, auto: bool | None, expected: str) -> None:
        assert self.text(replace(CALM, renewal_on=TODAY + timedelta(days=days), auto_renew=auto)).endswith(expected)

    def test_gives_every_sentence_a_part_of_the_page(self) -> None:
        sentences = brief(replace(CALM, open_tickets=(OpenTicket(subject="", priority="low", opened_on=TODAY),)))
        parts = {"health", "components", "usage", "timeline", "contract", "contacts"}
        assert {sentence.anchor for sentence in sentences} <= parts
        assert all(sentence.source for sentence in sentences)

    def test_tells_of_a_client_that_left_only_how_it_ended(self) -> None:
        text = self.text(replace(CALM, ended=True))
        assert text == "Sturdy has left; its last score was 84. The last contact was 6 days ago, call."
