"""Figures about support tickets: how many a week against normal, how long answers and solutions take. Pure.

A day is a workspace day; the windows are those of the formulas tickets_30d and tickets_norm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

WEEKS, RECENT, MEDIAN_DAYS = 26, 30, 90
NORM_DAYS = 90


@dataclass(frozen=True)
class Ticket:
    """What figures need of a ticket: its days, hours until it was solved, minutes until the first response."""

    opened: date
    solved: date | None = None
    hours: float | None = None
    response_minutes: int | None = None


@dataclass(frozen=True)
class Week:
    """Seven days, `last` included, and the tickets opened in them."""

    first: date
    last: date
    opened: int


@dataclass(frozen=True)
class Median:
    """A median and how many tickets it rests on; None without any."""

    value: float | None
    count: int


@dataclass(frozen=True)
class TicketFigures:
    """`normal_week` is None while the source of tickets is younger than 30 days. Medians are over 90 days: of tickets
    solved in them, and of the first responses to tickets opened in them."""

    opened_30d: int
    normal_30d: float | None
    weeks: list[Week]
    hours_to_solve: Median
    response_minutes: Median

    @property
    def normal_week(self) -> float | None:
        """The tickets of a usual week, 7/30 of those of a usual 30 days."""
        return None if self.normal_30d is None else self.normal_30d * 7 / 30


def ticket_figures(tickets: Iterable[Ticket], *, today: date, source_since: date | None) -> TicketFigures:
    """Return the figures of a client's tickets. `source_since` is the day of the workspace's first ticket."""
    known = list(tickets)
    normal = None
    if source_since is not None and source_since <= today - timedelta(days=RECENT):
        first, last = today - timedelta(days=RECENT + NORM_DAYS - 1), today - timedelta(days=RECENT)
        normal = sum(first <= one.opened <= last for one in known) / 3
    since = today - timedelta(days=MEDIAN_DAYS - 1)
    return TicketFigures(
        opened_30d=sum(today - timedelta(days=RECENT - 1) <= one.opened <= today for one in known),
        normal_30d=normal,
        weeks=weeks(known, today=today),
        hours_to_solve=_median([one.hours for one in known if one.solved and since <= one.solved <= today]),
        response_minutes=_median([one.response_minutes for one in known if since <= one.opened <= today]),
    )


def weeks(tickets: Sequence[Ticket], *, today: date, count: int = WEEKS) -> list[Week]:
    """Return the last `count` weeks of seven days, the newest ending on `today`, oldest first."""
    opened = [0] * count
    for one in tickets:
        ago = (today - one.opened).days
        if 0 <= ago < 7 * count:
            opened[count - 1 - ago // 7] += 1
    found = []
    for place, number in enumerate(opened):
        last = today - timedelta(days=7 * (count - 1 - place))
        found.append(Week(last - timedelta(days=6), last, number))
    return found


def _median(values: Iterable[float | int | None]) -> Median:
    known = [float(value) for value in values if value is not None]
    return Median(median(known) if known else None, len(known))


def duration(hours: float | None) -> str:
    """Return a stretch of time in words: "35 min", "6.5 h", "3.2 d"; empty for None."""
    if hours is None:
        return ""
    if hours < 1:
        return f"{round(hours * 60)} min"
    if hours < 48:
        return f"{hours:.1f}".removesuffix(".0") + " h"
    return f"{hours / 24:.1f}".removesuffix(".0") + " d"
