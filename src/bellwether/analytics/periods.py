"""The period that a page or an answer is about, and the one it is compared with. Pure; days are workspace days."""

from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.common.errors import InvalidInputError
from bellwether.web.formatting import MONTHS, day, full_day, plural

KINDS = {
    "quarter": "This quarter to date",
    "last_quarter": "Last quarter",
    "month": "This month to date",
    "year": "This year to date",
    "custom": "Days of your choice",
}
DEFAULT = "quarter"
LONGEST_DAYS = 1_096


@dataclass(frozen=True)
class Period:
    """The days `first` to `last`, both included. Figures that are a state are those of `last`; they are compared with
    the state of `before`, the day before `first`. Figures that add up over time are compared with the days
    `earlier_first` to `before`, as many."""

    kind: str
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> date:
        """The day before the first."""
        return self.first - timedelta(days=1)

    @property
    def earlier_first(self) -> date:
        """The first of as many days that end on `before`."""
        return self.first - timedelta(days=self.days)

    @property
    def label(self) -> str:
        """What the period is called: "Q4 2026 to date", "Nov 2026 to date", "2 Jan to 4 Mar 2026"."""
        quarter = f"Q{(self.first.month + 2) // 3} {self.first.year}"
        return {
            "quarter": f"{quarter} to date",
            "last_quarter": quarter,
            "month": f"{MONTHS[self.first.month - 1]} {self.first.year} to date",
            "year": f"{self.first.year} to date",
        }.get(self.kind, f"{day(self.first, self.last)} to {full_day(self.last)}")

    @property
    def in_words(self) -> str:
        """Which days these are and which they are compared with."""
        span = plural(self.days, "day")
        return (
            f"{day(self.first, self.last)} to {full_day(self.last)} ({span}), compared with the {span} before, "
            f"{day(self.earlier_first, self.before)} to {full_day(self.before)}"
        )


def period_of(kind: str, *, today: date, first: date | None = None, last: date | None = None) -> Period:
    """Return the period `kind` as of `today`; `first` and `last` are for "custom" alone.

    Raises InvalidInputError naming `period`, `from` or `to`.
    """
    if kind not in KINDS:
        raise _wrong("period", f"{kind!r} is not known. Use one of {', '.join(KINDS)}.")
    quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    if kind == "quarter":
        return Period(kind, quarter, today)
    if kind == "last_quarter":
        end = quarter - timedelta(days=1)
        return Period(kind, date(end.year, end.month - 2, 1), end)
    if kind == "month":
        return Period(kind, today.replace(day=1), today)
    if kind == "year":
        return Period(kind, date(today.year, 1, 1), today)
    return _custom(first, last, today)


def _custom(first: date | None, last: date | None, today: date) -> Period:
    if first is None:
        raise _wrong("from", "Give the first day as YYYY-MM-DD.")
    last = last or today
    if last > today:
        raise _wrong("to", f"The last day can be {today} at the latest.")
    if first > last:
        raise _wrong("from", "The first day comes after the last one.")
    if (last - first).days >= LONGEST_DAYS:
        raise _wrong("from", "A period has three years at the most.")
    if first.year < 1971:
        raise _wrong("from", "Give a day after 1970.")
    return Period("custom", first, last)


def _wrong(field: str, sentence: str) -> InvalidInputError:
    return InvalidInputError(f"The period cannot be used. {sentence}", {field: sentence})


def year_before(on: date) -> date:
    """Return the same day a year earlier; 28 February for the 29th."""
    return months_before(on, 12)


def months_before(on: date, months: int) -> date:
    """Return the same day `months` calendar months earlier, the month's last day where it has no such day."""
    total = on.year * 12 + on.month - 1 - months
    year, month = divmod(total, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(on.day, (following - timedelta(days=1)).day))
