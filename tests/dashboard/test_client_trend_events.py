"""Versions and days scored again in the event lane, and what the panel compares with."""

from datetime import date, timedelta

from bellwether.dashboard.client_trend_day import chosen_of, comparisons
from bellwether.health.score_changes import ScoreDay
from bellwether.health.score_events import config_entries, rescored_entries
from bellwether.portfolio.timeline import Entry, Group

FIRST = date(2026, 6, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def point(number: int, score: int | None = 60, version: str = "prd-015 v1") -> ScoreDay:
    return ScoreDay(day(number), score, {}, {}, "", version)


def event(number: int) -> Entry:
    return Entry(key=str(number), on=day(number), group=Group.OTHER, icon="flag", title="Went live", mark="Went live")


class TestConfigEntries:
    def test_mark_the_day_on_which_a_version_came_into_force(self) -> None:
        series = [point(0), point(1), point(2, version="prd-015 v2"), point(3, version="prd-015 v2")]
        found = config_entries(series, {2: "Usage counts more."})
        assert [(one.on, one.mark) for one in found] == [(day(2), "Version 2 came into force")]
        assert found[0].detail == "In place of version 1. Usage counts more."

    def test_are_none_while_the_version_stays(self) -> None:
        assert config_entries([point(0), point(5)], {}) == []


class TestRescoredEntries:
    def test_put_days_in_a_row_together(self) -> None:
        scores: dict[date, int | None] = {day(1): 61, day(2): 62, day(9): 63}
        found = rescored_entries([(day(1), 60), (day(2), 58), (day(9), None)], scores)
        assert [(one.on, one.title, one.detail) for one in found] == [
            (day(2), "2 days scored again after late data", "The last of them: 62 instead of 58."),
            (day(9), "Scored again after late data", "The last of them: 63 instead of no score."),
        ]


class TestComparisons:
    def test_are_the_day_the_week_the_last_event_and_the_start(self) -> None:
        series = [point(number) for number in range(30)]
        found = comparisons(series, day(20), marks=[event(3), event(10), event(25)], first=day(0))
        assert [(one.key, one.on) for one in found] == [
            ("day", day(19)), ("week", day(13)), ("event", day(10)), ("start", day(0)),
        ]  # fmt: skip

    def test_leave_out_days_without_a_score(self) -> None:
        series = [point(0), point(19, None), point(13, None), point(20)]
        found = comparisons(series, day(20), marks=[event(15)], first=day(0))
        assert [(one.key, one.on) for one in found] == [("start", day(0))]

    def test_take_the_nearest_scored_day_before_an_event(self) -> None:
        found = comparisons([point(8), point(20)], day(20), marks=[event(10)], first=day(0))
        assert [(one.key, one.on) for one in found] == [("event", day(8))]

    def test_fall_back_to_the_first_that_there_is(self) -> None:
        found = comparisons([point(number) for number in range(9)], day(8), marks=[], first=day(0))
        assert chosen_of(found, "week") == found[1]
        assert chosen_of(found, "event") == found[0]
        assert chosen_of([], "day") is None
