"""SUPPORT_SPIKE, NPS_DETRACTOR, PAYMENT_ISSUE and RENEWAL_APPROACHING, worked by hand from formulas.md, section 6."""

from datetime import date

import polars as pl
import pytest

from bellwether.alerts.frames import ANSWERS, PAYMENTS, TERMS, TICKETS, Facts
from tests.alerts.facts import A, clients, day, found, told

pytestmark = pytest.mark.one_database


def spikes(tickets: list[int], weekly: float | None) -> list[tuple[int, int | None]]:
    rows = [(A, day(on), count, weekly) for on, count in enumerate(tickets)]
    facts = Facts(clients=clients(), tickets=pl.DataFrame(rows, schema=TICKETS, orient="row"))
    return told(found(facts, "SUPPORT_SPIKE", last=len(tickets) - 1))


def test_a_spike_is_three_times_the_normal_week_and_three_tickets() -> None:
    assert spikes([5, 6], 2.0) == [(1, None)]
    assert spikes([5, 5], 2.0) == []
    assert spikes([2, 2], 0.1) == []  # twenty times the normal week, but two tickets
    assert spikes([3], 0.0) == [(0, None)]


def test_a_spike_clears_under_half_as_many_or_without_tickets() -> None:
    assert spikes([6, 3, 2], 2.0) == [(0, 2)]  # 3 is exactly 1.5 times the normal week
    assert spikes([3, 1, 0], 0.0) == [(0, 2)]


def test_without_a_known_normal_week_there_is_no_spike() -> None:
    assert spikes([30, 30], None) == []


def answers(*rows: tuple[str, str, int, float]) -> pl.DataFrame:
    """Return answers from respondent, id, day and score."""
    found = [(A, who, one, who, day(on), score) for who, one, on, score in rows]
    return pl.DataFrame(found, schema=ANSWERS, orient="row")


def unhappy(*rows: tuple[str, str, int, float]) -> list[tuple[str, int, int | None]]:
    episodes = found(Facts(clients=clients(), answers=answers(*rows)), "NPS_DETRACTOR", last=90)
    return [(subject, *when) for subject, when in zip(episodes["subject"], told(episodes), strict=True)]


def test_an_answer_of_six_is_a_detractors_and_seven_is_not() -> None:
    assert unhappy(("p", "1", 5, 6)) == [("1", 5, None)]
    assert unhappy(("p", "1", 5, 7)) == []


def test_a_later_answer_of_seven_by_the_same_person_clears() -> None:
    assert unhappy(("p", "1", 5, 3), ("q", "2", 20, 9), ("p", "3", 40, 7)) == [("1", 5, 40)]


def test_a_later_low_answer_by_the_same_person_takes_the_place_of_the_first() -> None:
    assert unhappy(("p", "1", 5, 3), ("p", "2", 40, 6), ("p", "3", 60, 8)) == [("1", 5, 40), ("2", 40, 60)]


def test_answers_of_nobody_are_subjects_of_their_own() -> None:
    rows = [("", "1", 5, 3), ("", "2", 20, 2), ("", "3", 40, 10), ("", "4", 50, 1)]
    assert unhappy(*rows) == [("1", 5, 40), ("2", 20, 40), ("4", 50, None)]


def payments(states: list[str | None]) -> pl.DataFrame:
    rows = [(A, day(on), status) for on, status in enumerate(states)]
    facts = Facts(clients=clients(), payments=pl.DataFrame(rows, schema=PAYMENTS, orient="row"))
    return found(facts, "PAYMENT_ISSUE", last=len(states) - 1)


def test_late_payment_is_high_and_overdue_critical() -> None:
    rows = payments(["current", "late", "overdue", None, "overdue", "current"])
    assert told(rows) == [(1, 5)]
    row = rows.row(0, named=True)
    assert (row["severity"], row["escalated_on"], row["value"]) == ("CRITICAL", day(2), "overdue")
    assert payments(["late"])["severity"].to_list() == ["HIGH"]
    at_once = payments(["overdue", "late"]).row(0, named=True)
    assert (at_once["severity"], at_once["escalated_on"]) == ("CRITICAL", None)


def renewals(
    starts: date | None, renews: int, settled: int | None, last: int = 120
) -> dict[str, tuple[int, int | None]]:
    row = (A, starts, day(renews), None if settled is None else day(settled))
    facts = Facts(clients=clients(), terms=pl.DataFrame([row], schema=TERMS, orient="row"))
    episodes = found(facts, "RENEWAL_APPROACHING", last=last)
    assert episodes["severity"].unique().to_list() in ([], ["MEDIUM"])
    return {subject.split("/")[1]: when for subject, when in zip(episodes["subject"], told(episodes), strict=True)}


def test_a_renewal_tells_ninety_sixty_and_thirty_days_before_once_each() -> None:
    assert renewals(day(-265), 100, 100) == {"90": (10, 40), "60": (40, 70), "30": (70, 100)}


def test_a_renewal_that_is_settled_early_tells_no_more() -> None:
    assert renewals(day(-265), 100, 50) == {"90": (10, 40), "60": (40, 50)}


def test_a_renewal_that_nobody_settled_stays_open() -> None:
    assert renewals(None, 100, None)["30"] == (70, None)


def test_a_short_term_is_not_announced_before_it_began() -> None:
    assert renewals(day(60), 121, None) == {"60": (61, 91), "30": (91, None)}
