"""When steps are due: waits in business days, weekends and public holidays of the client's country left out. Pure."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bellwether.usage.public_holidays import holiday_names

OPENS, CLOSES = time(8, 0), time(18, 0)
"""Steps of playbooks that keep business days run within these hours of the workspace."""
LONGEST = 3 * 366


def holidays_of(country: str, first: date) -> frozenset[date]:
    """Return the public holidays of `country` (two letters; empty: none are known) in the two years from `first`."""
    return frozenset(holiday_names(country, first, first + timedelta(days=730))) if country else frozenset()


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    """Return whether `day` is Monday to Friday and no holiday."""
    return day.isoweekday() < 6 and day not in holidays


def business_moment(at: datetime, zone: ZoneInfo, holidays: Collection[date]) -> datetime:
    """Return the first instant from `at` on within a business day's hours, in UTC; `at` itself where it is one."""
    local = at.astimezone(zone)
    if is_business_day(local.date(), holidays) and OPENS <= local.time() < CLOSES:
        return at.astimezone(UTC)
    day = local.date()
    if local.time() >= OPENS:
        day += timedelta(days=1)
    for _ in range(LONGEST):
        if is_business_day(day, holidays):
            break
        day += timedelta(days=1)
    return datetime.combine(day, OPENS, tzinfo=zone).astimezone(UTC)


def due_after(at: datetime, days: int, *, business: bool, zone: ZoneInfo, holidays: Collection[date] = ()) -> datetime:
    """Return when something is due `days` after `at`, in UTC.

    Business days: none of a weekend or of `holidays` counts, and the result is within a business day's hours; Friday
    and one day is Monday at the same time. Otherwise plain days at the same time of the workspace's clock.
    """
    local = at.astimezone(zone)
    if not business:
        day = local.date() + timedelta(days=days)
        return datetime.combine(day, local.timetz().replace(tzinfo=None), tzinfo=zone).astimezone(UTC)
    start = business_moment(at, zone, holidays).astimezone(zone)
    day, left = start.date(), days
    while left:
        day += timedelta(days=1)
        left -= is_business_day(day, holidays)
    return datetime.combine(day, start.time(), tzinfo=zone).astimezone(UTC)
