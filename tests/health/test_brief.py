"""The brief: sentences made by rule, silent without their figures."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bellwether.health.brief import analysis, brief
from bellwether.health.client_facts import Cause, ClientFacts, OpenTicket

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


def with_inputs(**inputs: object) -> ClientFacts:
    return replace(CALM, inputs=dict(CALM.inputs) | inputs)


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

    def test_gives_every_sentence_its_part_and_its_figures(self) -> None:
        sentences = brief(replace(CALM, open_tickets=(OpenTicket(subject="", priority="low", opened_on=TODAY),)))
        assert len(sentences) == 5
        assert all(sentence.part and sentence.figures for sentence in sentences)

    def test_tells_of_a_client_that_left_only_how_it_ended(self) -> None:
        text = self.text(replace(CALM, ended=True))
        assert text == "Sturdy has left; its last score was 84. The last contact was 6 days ago, call."


class TestAnalysis:
    def test_is_the_standing_alone_when_nothing_is_grave(self) -> None:
        facts = replace(CALM, coverage=0.8, contact_days=44)
        assert analysis(facts) == "Sturdy scores 84, healthy, 1 point more than 30 days ago."

    def test_adds_causes_and_what_is_grave_in_the_words_of_the_risk_factors(self) -> None:
        facts = replace(
            with_inputs(dau_change=-0.4), score=58, status="At risk", change=-14, contact_days=50,
            causes=(Cause(label="Usage", effect=-7.8),),
        )  # fmt: skip
        assert analysis(facts) == (
            "Sturdy scores 58, at risk, 14 points fewer than 30 days ago. Most of it comes from Usage (−7.8). "
            "Health down 14 points in 30 days. Usage down 40%. No contact for 50 days."
        )

    def test_says_once_that_there_is_no_score(self) -> None:
        assert analysis(ClientFacts(name="Bare", today=TODAY)) == (
            "Bare has no health score: no score has been made yet."
        )
