"""The health of an industry month by month beside that of all clients, as a drawing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bellwether.web.formatting import MONTHS

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 30, 620, 12, 170


class Monthly(Protocol):
    """The figures of a month's last night."""

    @property
    def day(self) -> date:
        """The night."""

    @property
    def clients(self) -> int:
        """How many clients they rest on."""

    @property
    def median(self) -> float | None:
        """The median score."""


@dataclass(frozen=True)
class Month:
    """A month as a row of the table: medians as text."""

    name: str
    median: str
    clients: int
    whole: str


@dataclass(frozen=True)
class IndustryTrend:
    """Paths in a view box of WIDTH by HEIGHT; `end` is the last point of the industry."""

    line: str
    whole: str
    end: tuple[float, float]
    limits: list[tuple[int, float]]
    ticks: list[tuple[str, float]]
    months: list[Month]
    sentence: str


def trend_of(name: str, points: Sequence[Monthly], whole: Sequence[Monthly]) -> IndustryTrend | None:
    """Return the drawing; None under two months."""
    known = [(one.day, one.clients, one.median) for one in points if one.median is not None]
    if len(known) < 2:
        return None
    everybody = {(one.day.year, one.day.month): one.median for one in whole if one.median is not None}
    values = [value for _, _, value in known] + list(everybody.values())
    low = max(0, min(80, 10 * int(min(values) // 10)))
    high = min(100, max(low + 20, 10 * int(-(-max(values) // 10))))
    step = (RIGHT - LEFT) / (len(known) - 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)

    at = [round(LEFT + place * step, 1) for place in range(len(known))]
    places = [(x, y(value)) for x, (_, _, value) in zip(at, known, strict=True)]
    beside = [
        (x, y(value))
        for x, (day, _, _) in zip(at, known, strict=True)
        if (value := everybody.get((day.year, day.month))) is not None
    ]
    every = -(-len(known) // 8)
    first, last = known[0], known[-1]
    return IndustryTrend(
        line=_path(places),
        whole=_path(beside) if len(beside) > 1 else "",
        end=places[-1],
        limits=[(value, y(value)) for value in range(low, high + 1, 10)],
        ticks=[(_month(day), at[place]) for place, (day, _, _) in enumerate(known) if place % every == 0],
        months=[
            Month(
                _month(day), str(round(value)), clients,
                str(round(both)) if (both := everybody.get((day.year, day.month))) is not None else "–",
            )
            for day, clients, value in reversed(known)
        ],
        sentence=(
            f"Median health of {name}: {round(first[2])} in {_month(first[0])}, {round(last[2])} in {_month(last[0])}."
        ),
    )  # fmt: skip


def _month(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.year}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x},{y}" for x, y in points)
