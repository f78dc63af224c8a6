"""Instants and days. Instants are aware UTC datetimes; a day is a day of the workspace's time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the workspace day on which the aware `instant` falls."""
    return instant.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of the workspace `day`, as aware UTC datetime."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant after the workspace `day`, as aware UTC datetime."""
    return start_of(day + timedelta(days=1), zone)


def days_between(first: date, last: date) -> list[date]:
    """Return every date from `first` to `last`, both included; empty when `last` is before `first`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
