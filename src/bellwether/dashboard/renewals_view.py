"""Renewals as a month, as a list and by month of the year ahead. Pure but for what it is given."""

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bellwether.web.formatting import MONTHS, Status, short_money

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_IN_DAY = 4
MONTHS_AHEAD = 12


@dataclass(frozen=True)
class Renewal:
    """A client whose contract renews on `on`."""

    id: str
    href: str
    name: str
    on: date
    score: int | None
    status: Status
    arr: Decimal | None
    csm: str
    auto: bool

    @property
    def money(self) -> str:
        """The ARR for lists."""
        return short_money(self.arr)


@dataclass(frozen=True)
class Day:
    """A day of the month's grid: its first renewals and how many more there are."""

    on: date
    in_month: bool
    is_today: bool
    renewals: tuple[Renewal, ...]
    more: int


@dataclass(frozen=True)
class Month:
    """A month of the year ahead: its ARR, and that as a share of the largest month, 0-100."""

    word: str
    label: str
    count: int
    arr: str
    share: int
    current: bool


def month_word(day: date) -> str:
    """Return the month as addresses write it, "2026-12"."""
    return f"{day.year:04}-{day.month:02}"


def month_title(first: date) -> str:
    """Return "December 2026" shortly: "Dec 2026"."""
    return f"{MONTHS[first.month - 1]} {first.year}"


def shifted(first: date, months: int) -> date:
    """Return the first day of the month `months` after that of `first`, negative for before."""
    place = first.year * 12 + first.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)


def grid(first: date, renewals: Iterable[Renewal], today: date) -> list[list[Day]]:
    """Return the weeks (Monday first) of the month that begins on `first`, days of neighbouring months included."""
    by_day: dict[date, list[Renewal]] = {}
    for renewal in renewals:
        by_day.setdefault(renewal.on, []).append(renewal)
    weeks = Calendar(firstweekday=0).monthdatescalendar(first.year, first.month)
    return [[_day(on, first, by_day.get(on, []), today) for on in week] for week in weeks]


def _day(on: date, first: date, renewals: Sequence[Renewal], today: date) -> Day:
    return Day(
        on, on.month == first.month, on == today, tuple(renewals[:MOST_IN_DAY]), max(0, len(renewals) - MOST_IN_DAY)
    )


def grid_bounds(first: date) -> tuple[date, date]:
    """Return the first and the last day of the month's grid."""
    weeks = Calendar(firstweekday=0).monthdatescalendar(first.year, first.month)
    return weeks[0][0], weeks[-1][-1]


def agenda(renewals: Iterable[Renewal]) -> list[tuple[date, list[Renewal]]]:
    """Return the renewals by day, each day with its own, the largest ARR first."""
    days: dict[date, list[Renewal]] = {}
    for renewal in renewals:
        days.setdefault(renewal.on, []).append(renewal)
    return [(on, sorted(found, key=lambda one: -(one.arr or 0))) for on, found in sorted(days.items())]


def months_ahead(start: date, sums: dict[str, tuple[int, Decimal]], current: date) -> list[Month]:
    """Return MONTHS_AHEAD months from that of `start`. `sums` are count and ARR by month word."""
    firsts = [shifted(start, place) for place in range(MONTHS_AHEAD)]
    top = max([sums.get(month_word(first), (0, Decimal(0)))[1] for first in firsts] + [Decimal(1)])
    months = []
    for first in firsts:
        count, arr = sums.get(month_word(first), (0, Decimal(0)))
        label = f"{MONTHS[first.month - 1]}{'' if first.year == start.year else f' {first.year % 100:02}'}"
        money = short_money(arr)
        is_current = month_word(first) == month_word(current)
        months.append(Month(month_word(first), label, count, money, round(100 * arr / top), is_current))
    return months


def year_after(first: date) -> date:
    """Return the last day of the MONTHS_AHEAD months that begin on `first`."""
    return shifted(first, MONTHS_AHEAD) - timedelta(days=1)
