"""What the usage tab is computed from, on numbers worked by hand."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bellwether.usage.daily import baselines, daily, figures
from bellwether.usage.event_counts import DailyEvents, modules_used
from bellwether.usage.facts import CLIENT_DAYS, CLIENT_HOURS, EVENT_DAYS, USER_DAYS
from bellwether.usage.hours import hours
from bellwether.usage.periods import Period, custom_period, period_of
from bellwether.usage.public_holidays import holiday_names
from bellwether.usage.role_sessions import role_sessions

TODAY = date(2026, 6, 30)  # a Tuesday
WORKING = frozenset({1, 2, 3, 4, 5})


def days_before(n: int) -> date:
    return TODAY - timedelta(days=n)


def client_days(rows: list[dict]) -> pl.DataFrame:
    blank = dict.fromkeys(CLIENT_DAYS, 0) | {"organization_id": "a", "actions_by_hour": [0] * 24}
    return pl.DataFrame([blank | row for row in rows], schema=CLIENT_DAYS)


def user_days(rows: list[tuple[str, int, str | None, int]], *, service: bool = False) -> pl.DataFrame:
    made = [
        dict.fromkeys(USER_DAYS)
        | {
            "organization_id": "a",
            "user_key": key,
            "date": days_before(ago),
            "role": role,
            "sessions": sessions,
            "actions": 1,
            "is_service": service,
        }
        for key, ago, role, sessions in rows
    ]
    return pl.DataFrame(made, schema=USER_DAYS)


def event_days(rows: list[tuple[str, int, str | None, int, bool]]) -> pl.DataFrame:
    made = [
        dict.fromkeys(EVENT_DAYS)
        | {
            "organization_id": "a",
            "event": event,
            "date": days_before(ago),
            "module": module,
            "events": events,
            "is_service": service,
        }
        for event, ago, module, events, service in rows
    ]
    return pl.DataFrame(made, schema=EVENT_DAYS)


class TestFigures:
    def facts(self, rows: list[dict], first_day: date):  # type: ignore[no-untyped-def]
        return daily(client_days(rows), days_before(149), TODAY, first_days={"a": first_day}, clients=["a"])

    def test_are_those_of_the_measures(self) -> None:
        """Tue 30 June and the working days before it: 10 people a day, 2 at weekends, 30 in the month."""
        rows = [
            {
                "date": day,
                "dau": 10 if day.isoweekday() <= 5 else 2,
                "wau": 20,
                "mau": 31,
                "sessions": 12,
                "session_seconds": 7200,
                "actions": 60,
            }
            for day in (days_before(n) for n in range(150))
        ]
        found = figures(self.facts(rows, days_before(149)), days_before(29), TODAY, working_days=WORKING)
        assert found["dau"][0] == 10
        assert (found["wau"][0], found["mau"][0]) == (20, 31)
        assert found["stickiness"][0] == pytest.approx(10 / 31)
        assert found["session_minutes"][0] == 10  # 7200 s over 12 sessions
        assert found["session_depth"][0] == 5
        assert found["power_users"][0] == 7  # a fifth of 31 is 6.2
        usual = baselines(self.facts(rows, days_before(149)), days_before(119), days_before(30), working_days=WORKING)
        assert {name: values[0] for name, values in usual.items()} == pytest.approx(
            {name: values[0] for name, values in found.items()}
        )

    def test_leave_out_the_days_before_the_first_event(self) -> None:
        """The first event is of Thu 25 June: of the last seven days 4 are working days, with 8, 6, 4 and 2 people."""
        people = {25: 8, 26: 6, 29: 4, 30: 2}
        rows = [{"date": date(2026, 6, on), "dau": n, "mau": 9} for on, n in people.items()]
        found = figures(self.facts(rows, date(2026, 6, 25)), days_before(6), TODAY, working_days=WORKING)
        assert found["dau"][0] == 5
        assert found["stickiness"][0] == pytest.approx(5 / 9)

    def test_say_nothing_without_usage_or_sessions(self) -> None:
        found = figures(
            daily(client_days([]), days_before(149), TODAY, first_days={}, clients=["a"]),
            days_before(29),
            TODAY,
            working_days=WORKING,
        )
        assert all(np.isnan(values[0]) for values in found.values())

    @pytest.mark.parametrize(("days", "known"), [(13, False), (14, True)])
    def test_a_baseline_needs_fourteen_days_of_usage(self, days: int, known: bool) -> None:
        first = days_before(30 + days - 1)
        rows = [{"date": first + timedelta(days=n), "dau": 4, "wau": 4, "mau": 4} for n in range(days)]
        usual = baselines(self.facts(rows, first), days_before(119), days_before(30), working_days=WORKING)
        assert usual["wau"].tolist() == ([4] if known else pytest.approx([np.nan], nan_ok=True))


def client_hours(rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(
        [dict.fromkeys(CLIENT_HOURS, 0) | {"organization_id": "a"} | row for row in rows], schema=CLIENT_HOURS
    )


class TestHours:
    def test_add_up_by_weekday_and_hour(self) -> None:
        rows = [
            {"date": TODAY, "h09": 5},
            {"date": days_before(7), "h09": 5},
            {"date": days_before(1), "h10": 30},
            {"date": days_before(40), "h10": 30},
        ]
        found = hours(client_hours(rows), days_before(29), TODAY)
        assert found.actions[1][9] == 10  # Tuesdays
        assert found.peak == (0, 10)
        assert (found.total, found.most) == (40, 30)
        assert [found.level(0, 10), found.level(1, 9), found.level(2, 9)] == [5, 2, 0]

    def test_have_no_peak_without_actions(self) -> None:
        found = hours(client_hours([{"date": TODAY}]), days_before(6), TODAY)
        assert (found.peak, found.total) == (None, 0)


class TestRoleSessions:
    def test_are_per_active_user_and_compared_with_windows_as_long(self) -> None:
        """Analysts: (4 + 2) / 2 = 3 now; 6 in the 30 days before, 2 in those before that, nobody in the third: 4."""
        rows = [
            ("u1", 0, "Analyst", 4),
            ("u2", 3, "Analyst", 2),
            ("u1", 35, None, 6),
            ("u2", 65, None, 2),
            ("u3", 5, None, 1),
            ("u4", 6, None, 2),
        ]
        found = role_sessions(user_days(rows), days_before(29), TODAY, known_roles={"u3": "Buyer"})
        assert [(r.role, r.users, r.sessions, r.per_user, r.baseline) for r in found] == [
            ("Analyst", 2, 6, 3.0, 4.0),
            ("Buyer", 1, 1, 1.0, None),
            ("", 1, 2, 2.0, None),
        ]

    def test_leave_service_users_out(self) -> None:
        rows = user_days([("bot", 0, "API", 9)], service=True)
        assert role_sessions(rows, days_before(29), TODAY, known_roles={}) == []

    def test_a_long_range_counts_with_its_last_ninety_days(self) -> None:
        rows = user_days([("u1", 10, "Analyst", 3), ("u1", 200, "Analyst", 50), ("u1", 120, "Analyst", 7)])
        (found,) = role_sessions(rows, days_before(364), TODAY, known_roles={})
        assert (found.sessions, found.baseline) == (3, 7.0)


class TestEventCounts:
    def test_count_days_labels_and_people(self) -> None:
        frame = event_days([("Case Closed", 0, None, 3, False), ("Case Closed", 2, None, 4, True)])
        frame = frame.with_columns(label=pl.Series(["on_track", "breached"]))
        happened = DailyEvents(frame, days_before(2), TODAY)
        assert happened.count(["Case Closed"]) == [4, 0, 3]
        assert happened.count(["Case Closed"], labels=["on_track"]) == [0, 0, 3]
        assert happened.count(["Case Closed"], people_only=True) == [0, 0, 3]
        assert happened.count([]) == [0, 0, 0]

    def test_modules_count_for_thirty_days_if_people_used_them(self) -> None:
        rows = [
            ("Opened", 31, "Cases", 1, False),
            ("Opened", 2, "cases", 1, False),
            ("Exported", 1, None, 1, False),
            ("Called", 1, "API", 9, True),
            ("Seen", 1, "Unlicensed", 1, False),
        ]
        used = modules_used(
            event_days(rows),
            days_before(4),
            TODAY,
            licensed=["Cases", "Analytics", "API"],
            module_of_event={"Exported": "Analytics"},
        )
        assert used.tolist() == [1, 1, 1, 2, 2]  # until 2 days ago the use of 31 days ago counts

    def test_every_module_counts_where_none_is_licensed(self) -> None:
        rows = [("Seen", 0, "A", 1, False), ("Seen", 0, "B", 1, False)]
        assert modules_used(event_days(rows), TODAY, TODAY, licensed=[], module_of_event={}).tolist() == [2]


class TestPeriods:
    def test_end_today_and_have_ninety_days_before_them(self) -> None:
        period = period_of("30", last=TODAY)
        assert (period.first, period.days) == (date(2026, 6, 1), 30)
        assert period.baseline == (date(2026, 3, 3), date(2026, 5, 31))

    @pytest.mark.parametrize(("days", "weekly"), [(120, False), (121, True)])
    def test_are_drawn_in_weeks_when_long(self, days: int, weekly: bool) -> None:
        assert Period("custom", days_before(days - 1), TODAY).weekly is weekly

    @pytest.mark.parametrize(
        ("first", "last", "field", "words"),
        [
            ("2026-13-01", "", "from", "is not a date"),
            ("", "tomorrow", "to", "is not a date"),
            ("", "2026-07-01", "to", "is after today"),
            ("2026-06-10", "2026-06-09", "from", "is after the end"),
            ("1999-01-01", "", "from", "The year 1999"),
            ("2022-12-31", "2026-01-01", "from", "over three years"),
        ],
        ids=["no date", "no end", "future", "backwards", "too early", "too long"],
    )
    def test_dates_that_cannot_be_used_are_told(self, first: str, last: str, field: str, words: str) -> None:
        period, problems = custom_period(first, last, today=TODAY)
        assert period is None
        assert list(problems) == [field]
        assert words in problems[field]

    def test_ends_that_are_not_given_are_today_and_thirty_days_before(self) -> None:
        assert custom_period("", "2026-06-10", today=TODAY) == (
            Period("custom", date(2026, 5, 12), date(2026, 6, 10)),
            {},
        )
        assert custom_period("2026-06-10", "", today=TODAY)[0] == Period("custom", date(2026, 6, 10), TODAY)


class TestHolidays:
    def test_are_named_in_english_where_the_calendar_has_it(self) -> None:
        assert holiday_names("DE", date(2026, 5, 1), date(2026, 5, 31)) == {
            date(2026, 5, 1): "Labor Day",
            date(2026, 5, 14): "Ascension Day",
            date(2026, 5, 25): "Pentecost Monday",
        }

    def test_reach_over_the_turn_of_a_year(self) -> None:
        found = holiday_names("de", date(2025, 12, 25), date(2026, 1, 1))
        assert list(found) == [date(2025, 12, 25), date(2025, 12, 26), date(2026, 1, 1)]

    @pytest.mark.parametrize("country", ["", "ZZ", "??"])
    def test_an_unknown_country_has_none(self, country: str) -> None:
        assert holiday_names(country, date(2026, 1, 1), date(2026, 12, 31)) == {}
