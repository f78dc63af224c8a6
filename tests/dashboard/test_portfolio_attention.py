"""Risk factors as pages place them."""

import pytest

from bellwether.dashboard.attention import ANCHORS, Reason, reasons, summary
from bellwether.health.client_facts import Part
from bellwether.health.risk_factors import Finding, Severity

USAGE = Finding("usage_stopped", Severity.RISK, "No usage for 14 days", "The last event is of 1 Jun.", Part.USAGE)
NPS = Finding("detractor", Severity.RISK, "NPS 3", "Answers of 0 to 6 are detractors.", Part.SCORE)


class TestReasons:
    def test_are_the_headlines_with_the_place_of_their_figures(self) -> None:
        assert reasons([USAGE]) == (Reason("No usage for 14 days.", "Usage", "usage"),)

    @pytest.mark.parametrize(
        ("detail", "text"),
        [
            ("Only 40% of the weights have data.", "No health score: only 40% of the weights have data."),
            ("No score has been made yet.", "No health score: no score has been made yet."),
        ],
    )
    def test_say_why_there_is_no_score(self, detail: str, text: str) -> None:
        [reason] = reasons([Finding("no_score", Severity.RISK, "No health score", detail, Part.HEALTH)])
        assert reason.text == text

    def test_know_a_place_for_every_part(self) -> None:
        assert set(ANCHORS) == set(Part)


class TestSummary:
    def test_joins_the_first_two_in_one_line(self) -> None:
        assert summary([NPS, USAGE, NPS]) == "NPS 3, no usage for 14 days"
        assert summary([USAGE, NPS], at_most=9) == "No usage for 14 days, NPS 3"

    def test_is_empty_without_findings(self) -> None:
        assert summary([]) == ""
