"""Dates and times as files write them. What can be read two ways is refused, never guessed."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Literal

DateOrder = Literal["dmy", "mdy"] | None

_MONTH_NAMES = (
    ("jan", "january"),
    ("feb", "february"),
    ("mar", "march"),
    ("apr", "april"),
    ("may",),
    ("jun", "june"),
    ("jul", "july"),
    ("aug", "august"),
    ("sep", "sept", "september"),
    ("oct", "october"),
    ("nov", "november"),
    ("dec", "december"),
)
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names}
_ZONE = r"(?P<zone>\s*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?" + _ZONE
)
_DAYS = (
    r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second_part>\d{1,2})(?P=mark)(?P<year>\d{4})",
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[-\s.]+(?P<word>[a-z]{3,9})\.?[-\s,]+(?P<year>\d{4})",
    r"(?P<word>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
)
_FORMS = [re.compile(rf"{day}(?:(?:T|,?\s+){_TIME})?", re.IGNORECASE | re.ASCII) for day in _DAYS]
_EPOCH = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}", re.ASCII)


def read_date(value: Any, *, order: DateOrder) -> date:
    """Return the calendar date that `value` names, as written: a time or zone behind it is dropped.

    Raises ValueError for anything else, for days that do not exist, and for 03/04/2026 without an `order`.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = _match(value, "is not a date")
    return _calendar_date(match, order, "is not a date")


def read_instant(value: Any, *, zone: tzinfo, order: DateOrder) -> datetime:
    """Return the aware UTC instant that `value` names; a bare date is its midnight, both in `zone` if none is given.

    Numbers are seconds or milliseconds since 1970. Raises ValueError as `read_date` does.
    """
    if isinstance(value, datetime):
        return _utc(value if value.tzinfo else value.replace(tzinfo=zone))
    if isinstance(value, date):
        return _utc(datetime(value.year, value.month, value.day, tzinfo=zone))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _from_epoch(str(value))
    if _EPOCH.fullmatch(str(value).strip()):
        return _from_epoch(str(value).strip())
    match = _match(value, "is not a time")
    day = _calendar_date(match, order, "is not a time")
    parts = match.groupdict()
    try:
        return _utc(_with_time(day, parts, zone))
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None


def _utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None


def _from_epoch(number: str) -> datetime:
    try:
        amount = Decimal(number)
        milliseconds = amount if amount >= 10**11 else amount * 1000
        if not 10**11 <= milliseconds < Decimal(10) ** 14:
            raise ValueError
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=float(milliseconds))
    except (ArithmeticError, ValueError):
        raise ValueError("is not a time (numbers are read as seconds or milliseconds since 1970)") from None


def _match(value: Any, complaint: str) -> re.Match[str]:
    cell = str(value).strip()
    for form in _FORMS:
        if match := form.fullmatch(cell):
            return match
    raise ValueError(complaint)


def _calendar_date(match: re.Match[str], order: DateOrder, complaint: str) -> date:
    parts = match.groupdict()
    if "first" in parts:
        day, month = _ordered(int(parts["first"]), int(parts["second_part"]), parts["mark"], order)
    else:
        day = int(parts["day"])
        month = MONTHS.get(parts["word"].lower(), 0) if "word" in parts else int(parts["month"])
    try:
        return date(int(parts["year"]), month, day)
    except ValueError:
        raise ValueError(complaint) from None


def _ordered(first: int, second: int, mark: str, order: DateOrder) -> tuple[int, int]:
    """Return (day, month). With dots the day always comes first; otherwise a part over 12 or `order` decides."""
    if mark == ".":
        return first, second
    if order is None and first <= 12 and second <= 12 and first != second:
        raise ValueError("is ambiguous (say --date-order dmy or mdy)")
    month_first = order == "mdy" if order else second > 12
    return (second, first) if month_first else (first, second)


def _with_time(day: date, parts: dict[str, str | None], zone: tzinfo) -> datetime:
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if parts["half"].lower() == "p" else 0)
    fraction = int((parts["fraction"] or "0")[:6].ljust(6, "0"))
    written = (parts["zone"] or "").strip().upper()
    if written in {"Z", "UTC", "GMT"}:
        zone = UTC
    elif written:
        sign = -1 if written[0] == "-" else 1
        digits = written[1:].replace(":", "").ljust(4, "0")
        zone = timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    return datetime(day.year, day.month, day.day, hour, minute, second, fraction, tzinfo=zone)
