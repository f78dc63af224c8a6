"""Waits over weekends, holidays and changes of the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bellwether.playbooks.business_time import business_moment, due_after, holidays_of

pytestmark = pytest.mark.one_database
BERLIN = ZoneInfo("Europe/Berlin")


def _at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-06-05T10:00", 1, "2026-06-08T10:00"),  # Friday to Monday
        ("2026-06-05T10:00", 3, "2026-06-10T10:00"),
        ("2026-06-06T10:00", 0, "2026-06-08T08:00"),  # Saturday waits for Monday morning
        ("2026-06-05T19:30", 1, "2026-06-09T08:00"),  # after hours counts as the next morning
        ("2026-06-05T06:00", 0, "2026-06-05T08:00"),
        ("2026-04-02T10:00", 1, "2026-04-07T10:00"),  # Good Friday and Easter Monday
        ("2026-03-27T10:00", 1, "2026-03-30T10:00"),  # summer time begins on the Sunday
    ],
)  # fmt: skip
def test_business_days_leave_weekends_and_holidays_out(start: str, days: int, expected: str) -> None:
    holidays = holidays_of("DE", date(2026, 1, 1))
    assert due_after(_at(start), days, business=True, zone=BERLIN, holidays=holidays) == _at(expected)


def test_plain_days_keep_the_clock_on_the_wall() -> None:
    assert due_after(_at("2026-03-28T10:00"), 1, business=False, zone=BERLIN) == _at("2026-03-29T10:00")
    assert due_after(_at("2026-06-06T23:00"), 2, business=False, zone=BERLIN) == _at("2026-06-08T23:00")


def test_without_a_country_only_weekends_count() -> None:
    assert holidays_of("", date(2026, 1, 1)) == frozenset()
    assert business_moment(_at("2026-04-03T10:00"), BERLIN, ()) == _at("2026-04-03T10:00")
