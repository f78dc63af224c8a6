"""The range of days that usage is shown for, as a reader or program asks for it. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

RANGES = {"7": "7 d", "30": "30 d", "90": "90 d", "365": "1 year"}
DEFAULT_RANGE = "30"
CUSTOM = "custom"
LONGEST_DAYS = 1096
WEEKLY_OVER_DAYS = 120
BASELINE_DAYS = 90


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included. `name` is a key of RANGES or CUSTOM."""

    name: str
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    @property
    def weekly(self) -> bool:
        """Whether the range is long enough to be drawn in weeks."""
        return self.days > WEEKLY_OVER_DAYS

    @property
    def baseline(self) -> tuple[date, date]:
        """First and last day of the BASELINE_DAYS before the range."""
        return self.first - timedelta(days=BASELINE_DAYS), self.first - timedelta(days=1)


def period_of(name: str, *, last: date) -> Period:
    """Return the range `name` of RANGES that ends on `last`."""
    return Period(name, last - timedelta(days=int(name) - 1), last)


def custom_period(
    first: str, last: str, *, today: date, fields: tuple[str, str] = ("from", "to")
) -> tuple[Period | None, dict[str, str]]:
    """Return the range between two dates (ISO 8601), or None and a sentence for each of `fields` that cannot be used.

    A missing end is today, a missing beginning is 30 days before the end.
    """
    problems: dict[str, str] = {}
    end = _date(last, fields[1], problems) if last.strip() else today
    begin = _date(first, fields[0], problems) if first.strip() else None
    if end is not None and end > today:
        problems[fields[1]] = f"{end} is after today, {today}. Choose an earlier day."
    if problems or end is None:
        return None, problems
    begin = begin or end - timedelta(days=int(DEFAULT_RANGE) - 1)
    if begin > end:
        problems[fields[0]] = f"{begin} is after the end, {end}. Choose an earlier day."
    elif (end - begin).days >= LONGEST_DAYS:
        problems[fields[0]] = f"{begin} is over three years before {end}. Choose a later day."
    return (None, problems) if problems else (Period(CUSTOM, begin, end), {})


def _date(text: str, field: str, problems: dict[str, str]) -> date | None:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        problems[field] = f'"{text.strip()[:20]}" is not a date. Write it as 2026-02-12.'
        return None
    if not 2000 <= found.year <= 2200:
        problems[field] = f"The year {found.year} cannot be used. Choose one from 2000 on."
        return None
    return found
