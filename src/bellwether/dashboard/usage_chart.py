"""The lines and bars of the usage tab as drawings: where each thing goes. The templates write the SVG. Pure.

Coordinates are those of the viewBox, rounded to a tenth. The axis starts at zero. A value None is a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from bellwether.dashboard.trend_chart import day_label
from bellwether.web.formatting import full_day

WIDTH, HEIGHT, TOP, BOTTOM, LABEL_Y = 360, 84, 6, 66, 80
RIGHT = WIDTH - 6
BARS_WIDTH, BARS_HEIGHT, BARS_LEFT, BARS_TOP, BARS_BOTTOM = 792, 150, 34, 10, 126
MOST_BARS_LABELLED = 11


@dataclass(frozen=True)
class Dot:
    """A marked place; `number` names it, 0 for none."""

    x: float
    y: float
    number: int = 0
    status: str = ""


@dataclass(frozen=True)
class Line:
    """A line over time: paths without gaps, the areas under them, lone points, the dashed reference, marks, the end."""

    paths: list[str]
    areas: list[str]
    lone: list[Dot]
    reference: float | None
    marks: list[Dot]
    end: Dot | None
    unfinished: Dot | None
    first: str
    last: str


@dataclass(frozen=True)
class Bar:
    """A bar and what its tooltip says."""

    x: float
    y: float
    width: float
    height: float
    text: str
    peak: bool


@dataclass(frozen=True)
class Tick:
    """A label at a place of an axis."""

    text: str
    at: float


@dataclass(frozen=True)
class Bars:
    """Bars over time with ticks on both axes."""

    bars: list[Bar]
    days: list[Tick]
    amounts: list[Tick]
    reference: float | None = None


def draw_line(
    points: Sequence[tuple[date, float | None]],
    *,
    reference: float | None,
    marks: Sequence[tuple[date, str]] = (),
    unfinished: date | None = None,
) -> Line | None:
    """Return the drawing of `points`, oldest first; None without a value.

    `marks` are (day, status word) in the order of their numbers. A value on the day `unfinished` stands alone at the
    end: the day is not over, so it is no step of the line.
    """
    known = [value for _, value in points if value is not None]
    if not known:
        return None
    top = max([*known, reference or 0, 1]) * 1.06
    step = RIGHT / max(1, len(points) - 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)

    placed = {day: Dot(round(at * step, 1), y(value)) for at, (day, value) in enumerate(points) if value is not None}
    runs: list[list[Dot]] = [[]]
    for day, value in points:
        if value is None or day == unfinished:
            runs.append([])
        else:
            runs[-1].append(placed[day])
    lines = [run for run in runs if len(run) > 1]
    lone = [run[0] for run in runs if len(run) == 1]
    solid = [dot for run in runs for dot in run]
    numbered = [
        Dot(placed[day].x, placed[day].y, number, status)
        for number, (day, status) in enumerate(marks, start=1)
        if day in placed
    ]
    return Line(
        paths=[_path(run) for run in lines],
        areas=[f"{_path(run)} L{run[-1].x:g},{BOTTOM} L{run[0].x:g},{BOTTOM}Z" for run in lines],
        lone=lone,
        reference=y(reference) if reference is not None else None,
        marks=numbered,
        end=solid[-1] if solid else None,
        unfinished=placed.get(unfinished) if unfinished else None,
        first=_label(points[0][0], points[-1][0]),
        last=_label(points[-1][0], points[0][0]) if len(points) > 1 else "",
    )


def _label(on: date, other: date) -> str:
    """Return the day at an end of the axis, with the year where that at the other end is another."""
    return day_label(on) if on.year == other.year else full_day(on)


def draw_bars(bars: Sequence[tuple[date, int, str]], *, reference: float | None = None) -> Bars:
    """Return the drawing of `bars`: (day, amount, text of the tooltip), oldest first. `reference` is a line across."""
    top = max([amount for _, amount, _ in bars] + [1])
    peak = top
    top = max(top, ceil(reference or 0))
    unit = _unit(top)
    ceiling = -(-top // unit) * unit
    slot = (BARS_WIDTH - BARS_LEFT) / max(1, len(bars))
    width = round(max(1.0, slot * 0.72), 1)

    def y(value: float) -> float:
        return round(BARS_BOTTOM - (BARS_BOTTOM - BARS_TOP) * value / ceiling, 1)

    drawn = [
        Bar(
            round(BARS_LEFT + slot * (at + 0.14), 1),
            y(amount),
            width,
            round(BARS_BOTTOM - y(amount), 1),
            text,
            amount == peak and amount > 0,
        )
        for at, (_, amount, text) in enumerate(bars)
    ]
    every = max(1, -(-len(bars) // MOST_BARS_LABELLED))
    return Bars(
        bars=drawn,
        days=[
            Tick(day_label(day), round(BARS_LEFT + slot * (at + 0.5), 1))
            for at, (day, _, _) in enumerate(bars)
            if at % every == 0
        ],
        amounts=[Tick(f"{amount:,}", y(amount)) for amount in range(0, ceiling + 1, unit)],
        reference=None if reference is None else y(reference),
    )


def _unit(top: int) -> int:
    """Return the distance of gridlines: 1, 2 or 5 times a power of ten, so that there are two to five."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if top <= 4 * factor * size:
                return factor * size
        size *= 10


def _path(run: Sequence[Dot]) -> str:
    return "M" + " ".join(f"{dot.x:g},{dot.y:g}" for dot in run)
