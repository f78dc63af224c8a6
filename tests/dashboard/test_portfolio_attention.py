"""The rules that say why a client needs attention."""

from typing import Any

import pytest

from bellwether.dashboard.attention import Figures, Reason, reasons, summary


def texts(**figures: Any) -> list[str]:
    return [reason.text for reason in reasons(Figures(**{"score": 70, **figures}))]


class TestReasons:
    def test_are_none_for_a_client_that_stands_well(self) -> None:
        good = {"contact_days": 29, "renewal_days": 91, "quiet_days": 13, "payment": "current"}
        assert texts(trend="UP", trend_change=9, components={"Usage": 40}, **good) == []

    def test_names_a_fall(self) -> None:
        assert texts(trend="DOWN", trend_change=-14) == ["Health fell 14 points in 30 days."]
        assert texts(trend="FLAT", trend_change=-4) == []

    def test_names_the_two_lowest_components(self) -> None:
        low = {"Usage": 39, "Support": 12, "Contract": 35, "Adoption": None}
        assert texts(components=low) == ["Support 12 and contract 35 of 100."]

    @pytest.mark.parametrize(
        ("days", "text"),
        [
            (36, "Renewal in 36 days."),
            (1, "Renewal in 1 day."),
            (0, "The renewal is today."),
            (-1, "The renewal date passed 1 day ago."),
        ],
    )
    def test_names_the_renewal(self, days: int, text: str) -> None:
        assert texts(renewal_days=days) == [text]

    def test_names_silence_and_payment(self) -> None:
        assert texts(contact_days=30, quiet_days=14, payment="overdue") == [
            "No usage for 14 days.",
            "Payment is overdue.",
            "Last contact 30 days ago.",
        ]

    def test_says_why_there_is_no_score(self) -> None:
        assert texts(score=None, no_score_reason="Only 40% of the weights have data.") == [
            "No health score: only 40% of the weights have data."
        ]
        assert texts(score=None) == ["No health score yet."]

    def test_names_a_part_of_the_client_page(self) -> None:
        assert Reason("", "", "Usage").anchor == "components"
        assert Reason("", "", "Timeline").anchor == "timeline"


class TestSummary:
    def test_joins_the_first_two_in_one_line(self) -> None:
        found = reasons(Figures(score=40, trend="DOWN", trend_change=-14, contact_days=45, renewal_days=3))
        assert summary(found) == "Health down 14, no contact for 45 d"

    def test_is_empty_without_reasons(self) -> None:
        assert summary([]) == ""
