"""Hours of the workspace's time zone as plain numbers, so that an engine needs no time zone tables of its own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bellwether.common.time import end_of, start_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)
MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class OffsetSpan:
    """From `start_us` on (microseconds since 1970 UTC) local clocks are `seconds` ahead of UTC."""

    start_us: int
    seconds: int


def utc_offsets(first: date, last: date, zone: ZoneInfo) -> list[OffsetSpan]:
    """Return the spans of constant UTC offset that cover the workspace days `first` to `last`, ascending.

    A change of clocks is found to the second, in whatever hour of the day the zone makes it.
    """
    start, end = _second(start_of(first, zone)), _second(end_of(last, zone))
    spans = [OffsetSpan(start * MICROSECONDS, _offset(start, zone))]
    at = start
    while at < end:
        following = min(at + 86_400, end)
        if _offset(following, zone) != _offset(at, zone):
            change = _change_between(at, following, zone)
            spans.append(OffsetSpan(change * MICROSECONDS, _offset(change, zone)))
        at = following
    return spans


def microseconds(instant: datetime) -> int:
    """Return the aware `instant` as microseconds since 1970 UTC."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def day_number(day: date) -> int:
    """Return `day` as days since 1970-01-01."""
    return (day - EPOCH_DAY).days


def month_of(day: date) -> str:
    """Return the month of `day` as YYYY-MM."""
    return f"{day.year:04d}-{day.month:02d}"


def first_of(month: str) -> date:
    """Return the first day of `month` (YYYY-MM)."""
    return date.fromisoformat(f"{month}-01")


def last_of(month: str) -> date:
    """Return the last day of `month` (YYYY-MM)."""
    return first_of(following_month(month)) - timedelta(days=1)


def following_month(month: str) -> str:
    """Return the month after `month` (YYYY-MM)."""
    return month_of(first_of(month) + timedelta(days=31))


def previous_month(month: str) -> str:
    """Return the month before `month` (YYYY-MM)."""
    return month_of(first_of(month) - timedelta(days=1))


def months_between(first: date, last: date) -> list[str]:
    """Return the months (YYYY-MM) that `first` to `last` touch, ascending."""
    months, month = [], month_of(first)
    while month <= month_of(last):
        months.append(month)
        month = following_month(month)
    return months


def _second(instant: datetime) -> int:
    return microseconds(instant) // MICROSECONDS


def _offset(second: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds())


def _change_between(before: int, after: int, zone: ZoneInfo) -> int:
    """Return the first second after `before` with the offset of `after`."""
    wanted = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset(middle, zone) == wanted else (middle, after)
    return after
