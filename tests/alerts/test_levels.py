"""Silence and deadlines, worked by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bellwether.alerts.levels import is_silent, respond_by

pytestmark = pytest.mark.one_database
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = {1, 2, 3, 4, 5}
FRIDAY_NOON = datetime(2026, 6, 26, 10, 0, tzinfo=UTC)  # 12:00 in Berlin


def due(start: datetime, hours: float, severity: str = "HIGH", days: set[int] = WEEK) -> datetime:
    return respond_by(start, hours, severity=severity, working_days=days, zone=BERLIN)


class TestRespondBy:
    def test_a_weekend_does_not_count(self) -> None:
        assert due(FRIDAY_NOON, 24) == datetime(2026, 6, 29, 10, 0, tzinfo=UTC)

    def test_for_critical_ones_it_does(self) -> None:
        assert due(FRIDAY_NOON, 24, "CRITICAL") == FRIDAY_NOON + timedelta(hours=24)

    def test_what_begins_on_a_saturday_counts_from_monday(self) -> None:
        saturday = datetime(2026, 6, 27, 15, 0, tzinfo=UTC)
        assert due(saturday, 8) == datetime(2026, 6, 29, 6, 0, tzinfo=UTC)

    def test_a_working_day_that_ends_within_the_hours(self) -> None:
        assert due(FRIDAY_NOON, 12) == datetime(2026, 6, 26, 22, 0, tzinfo=UTC)

    def test_a_day_of_the_clock_change_has_as_many_hours_as_it_has(self) -> None:
        # Sunday 29 March 2026 has 23 hours in Berlin: Saturday 12:00 and 24 hours is Sunday 13:00.
        saturday = datetime(2026, 3, 28, 11, 0, tzinfo=UTC)
        assert due(saturday, 24, days={6, 7}) == saturday + timedelta(hours=24)

    def test_without_working_days_all_hours_count(self) -> None:
        assert due(FRIDAY_NOON, 30, days=set()) == FRIDAY_NOON + timedelta(hours=30)


class TestIsSilent:
    @pytest.mark.parametrize(
        ("level", "enabled", "muted_for", "silent"),
        [
            ("PROACTIVE", True, None, False),
            ("DASHBOARD_ONLY", True, None, False),
            ("NONE", True, None, True),
            ("PROACTIVE", False, None, True),
            ("PROACTIVE", True, 1, True),
            ("PROACTIVE", True, 0, False),
        ],
        ids=["told", "in app", "none", "off", "muted", "mute over"],
    )
    def test_of(self, level: str, enabled: bool, muted_for: int | None, silent: bool) -> None:
        until = None if muted_for is None else FRIDAY_NOON + timedelta(minutes=muted_for)
        assert is_silent(level, enabled=enabled, muted_until=until, now=FRIDAY_NOON) is silent
