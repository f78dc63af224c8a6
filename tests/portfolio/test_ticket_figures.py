"""Figures of tickets and surveys, worked by hand."""

from datetime import date, timedelta

import pytest

from bellwether.portfolio.survey_figures import (
    Answer,
    Split,
    as_asked,
    by_month,
    by_quarter,
    csat_mean,
    last_answers,
    split,
    to_percent,
)
from bellwether.portfolio.ticket_figures import Ticket, duration, ticket_figures, weeks

pytestmark = pytest.mark.one_database
TODAY = date(2026, 6, 30)


def ago(*days: int) -> list[Ticket]:
    return [Ticket(TODAY - timedelta(days=day)) for day in days]


class TestTickets:
    def test_windows_are_those_of_the_formulas(self) -> None:
        found = ticket_figures(ago(0, 29, 30, 60, 119, 120), today=TODAY, source_since=date(2025, 1, 1))
        assert (found.opened_30d, found.normal_30d) == (2, 1.0)  # 30, 60 and 119 days ago: three in 90 days
        assert found.normal_week == pytest.approx(7 / 30)

    @pytest.mark.parametrize(("days", "known"), [(29, False), (30, True)], ids=["29", "30"])
    def test_normal_is_known_when_the_source_is_old_enough(self, days: int, known: bool) -> None:
        found = ticket_figures([], today=TODAY, source_since=TODAY - timedelta(days=days))
        assert (found.normal_30d is not None) is known
        assert ticket_figures([], today=TODAY, source_since=None).normal_week is None

    def test_weeks_end_today(self) -> None:
        found = weeks(ago(0, 6, 7, 13, 14, 200), today=TODAY, count=3)
        assert [week.opened for week in found] == [1, 2, 2]
        assert (found[-1].first, found[-1].last) == (date(2026, 6, 24), TODAY)

    def test_medians_are_of_90_days(self) -> None:
        tickets = [
            Ticket(TODAY - timedelta(days=200), solved=TODAY - timedelta(days=89), hours=100.0),
            Ticket(TODAY - timedelta(days=10), solved=TODAY, hours=4.0, response_minutes=30),
            Ticket(TODAY - timedelta(days=10), response_minutes=90),
            Ticket(TODAY - timedelta(days=200), solved=TODAY - timedelta(days=90), hours=1.0, response_minutes=1),
        ]
        found = ticket_figures(tickets, today=TODAY, source_since=None)
        assert (found.hours_to_solve.value, found.hours_to_solve.count) == (52.0, 2)
        assert (found.response_minutes.value, found.response_minutes.count) == (60.0, 2)

    @pytest.mark.parametrize(
        ("hours", "text"), [(None, ""), (0.5, "30 min"), (6.5, "6.5 h"), (47.0, "47 h"), (60.0, "2.5 d")],
        ids=["none", "minutes", "hours", "long", "days"],
    )  # fmt: skip
    def test_durations_are_said_in_their_own_unit(self, hours: float | None, text: str) -> None:
        assert duration(hours) == text


class TestSurveys:
    def test_nps_is_the_difference_of_two_shares(self) -> None:
        found = split([10, 9, 8, 7, 6, 0])
        assert found == Split(promoters=2, passives=2, detractors=2)
        assert found.nps == 0
        assert split([9, 9, 3]).nps == 33
        assert split([9, 3, 3]).nps == -33
        assert split([]).nps is None

    def test_each_respondent_counts_once_and_strangers_each_time(self) -> None:
        answers = [
            Answer("NPS", 2, TODAY - timedelta(days=300), "mara"),
            Answer("NPS", 9, TODAY - timedelta(days=10), "mara"),
            Answer("NPS", 5, TODAY - timedelta(days=20)),
            Answer("NPS", 6, TODAY - timedelta(days=20)),
            Answer("NPS", 0, TODAY - timedelta(days=365), "tom"),
            Answer("CSAT", 50, TODAY, "mara"),
        ]
        assert sorted(one.score for one in last_answers(answers, today=TODAY)) == [5, 6, 9]

    def test_csat_is_the_mean_of_90_days(self) -> None:
        answers = [Answer("CSAT", score, TODAY - timedelta(days=days)) for score, days in ((80, 0), (60, 89), (0, 90))]
        assert csat_mean(answers, today=TODAY) == (70.0, 2)
        assert csat_mean([], today=TODAY) == (None, 0)

    def test_months_and_quarters_reach_over_the_year(self) -> None:
        answers = [Answer("CSAT", 80, date(2026, 1, 31)), Answer("NPS", 9, date(2025, 12, 31))]
        months = by_month(answers, "CSAT", today=date(2026, 1, 31), months=2)
        assert [(one.label, one.mean) for one in months] == [("Jan 2026", 80.0), ("Dec 2025", None)]
        quarters = by_quarter(answers, "NPS", today=date(2026, 1, 31), quarters=2)
        assert [(one.label, one.split.nps) for one in quarters] == [("Q1 2026", None), ("Q4 2025", 100)]

    def test_scales_go_there_and_back(self) -> None:
        assert to_percent(4, "1-5") == 75.0
        assert as_asked(75.0, "1-5") == 4.0
        assert as_asked(66.6667, "1-7") == 5.0
        assert as_asked(81.0, "") == 81.0
        for score, scale in ((6, "1-5"), (0, "1-5"), (1, "five"), (1, "5-1")):
            with pytest.raises(ValueError):
                to_percent(score, scale)
