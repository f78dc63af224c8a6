"""The drawings of the executive view: where every bar, line and name goes. Pure; the templates write the SVG.

Coordinates are those of the SVG's view box, rounded to a tenth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bellwether.analytics.book import Limits
from bellwether.analytics.figures import BIN, TrendPoint
from bellwether.analytics.renewals import Month
from bellwether.web.formatting import MONTHS, full_day, short_money

WIDTH, HEIGHT = 520, 220
LEFT, RIGHT, TOP, BOTTOM = 26, 520, 14, 186
TREND_RIGHT = 440
MONEY_LEFT = 44
NEAR = 13.0
NAMES = {"critical": "Critical", "risk": "At risk", "monitor": "Monitor", "healthy": "Healthy"}


@dataclass(frozen=True)
class Bar:
    """A bar with its place, size and status word."""

    x: float
    y: float
    width: float
    height: float
    status: str


@dataclass(frozen=True)
class Label:
    """A text at a place; `anchor` as SVG knows it."""

    text: str
    x: float
    y: float
    anchor: str = "middle"


@dataclass(frozen=True)
class Histogram:
    """Clients by five points of score, with the outline of the earlier day ("" without one)."""

    bars: list[Bar]
    outline: str
    grid: list[tuple[str, float]]
    axis: list[Label]
    names: list[Label]
    sentence: str
    rows: list[tuple[str, int, int | None]]


def histogram_of(
    bins: Sequence[int], before: Sequence[int] | None, counts: dict[str, int], limits: Limits
) -> Histogram:
    """Return the drawing of twenty counts; `counts` are the clients of each status word."""
    top = _nice(max([*bins, *(before or ()), 1]))
    step = (RIGHT - LEFT) / len(bins)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)

    bars = [
        Bar(round(LEFT + place * step + 1.5, 1), y(count), round(step - 3, 1), round(BOTTOM - y(count), 1),
            _status(place * BIN, limits))
        for place, count in enumerate(bins)
        if count
    ]  # fmt: skip
    outline = ""
    if before is not None:
        edge = [(LEFT + place * step, LEFT + (place + 1) * step, y(count)) for place, count in enumerate(before)]
        path = " ".join(f"L{left:.1f},{height} L{right:.1f},{height}" for left, right, height in edge)
        outline = f"M{LEFT},{BOTTOM} {path} L{RIGHT},{BOTTOM}"
    spans = (("critical", 0, limits.at_risk), ("risk", limits.at_risk, limits.monitor),
             ("monitor", limits.monitor, limits.healthy), ("healthy", limits.healthy, 100))  # fmt: skip
    told = ", ".join(f"{counts[status]} {NAMES[status].lower()}" for status, _, _ in spans)
    return Histogram(
        bars=bars,
        outline=outline,
        grid=[(f"{value:g}", y(value)) for value in (0, top / 4, top / 2, 3 * top / 4, top) if value == int(value)],
        axis=[
            Label(str(score), round(LEFT + (RIGHT - LEFT) * score / 100, 1), 201,
                  "start" if not score else "end" if score == 100 else "middle")
            for score in range(0, 101, 20)
        ],
        names=[
            Label(f"{NAMES[status]} {counts[status]}", round(LEFT + (RIGHT - LEFT) * (low + high) / 200, 1), 217)
            for status, low, high in spans
        ],
        sentence=f"Clients by health score: {told}.",
        rows=[
            (f"{place * BIN} to {place * BIN + BIN - 1 if place < len(bins) - 1 else 100}", count,
             None if before is None else before[place])
            for place, count in enumerate(bins)
        ],
    )  # fmt: skip


def _status(score: int, limits: Limits) -> str:
    if score >= limits.healthy:
        return "healthy"
    return "monitor" if score >= limits.monitor else "risk" if score >= limits.at_risk else "critical"


def _nice(value: float) -> int:
    """Return the smallest of 4, 8, 20, 40, 80, 200, ... that `value` fits under: quarters of it are whole."""
    size = 4
    while size < value:
        size = size * 5 // 2 if str(size).startswith("8") else size * 2
    return size


@dataclass(frozen=True)
class MedianTrend:
    """The median and the middle half of the scores, month by month. `lines` and `bands` are path data."""

    lines: list[str]
    bands: list[str]
    end: tuple[float, float]
    names: list[Label]
    grid: list[tuple[str, float]]
    ticks: list[Label]
    sentence: str


def median_trend(points: Sequence[TrendPoint]) -> MedianTrend | None:
    """Return the drawing; None under two points. Months without scores are gaps."""
    if len(points) < 2:
        return None
    first, last = points[0].day, points[-1].day
    low = max(0, min(70, 10 * int(min(point.p25 for point in points) // 10)))
    high = min(100, max(low + 30, 10 * int(-(-max(point.p75 for point in points) // 10))))
    span = max(1, (last - first).days)

    def x(point: TrendPoint) -> float:
        return round(LEFT + (TREND_RIGHT - LEFT) * (point.day - first).days / span, 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)

    runs: list[list[TrendPoint]] = []
    for point in points:
        if runs and (point.day - runs[-1][-1].day).days <= 45:
            runs[-1].append(point)
        else:
            runs.append([point])
    drawn = [run for run in runs if len(run) > 1]
    end = points[-1]
    every = -(-len(points) // 5)
    return MedianTrend(
        lines=["M" + " ".join(f"{x(one)},{y(one.median)}" for one in run) for run in drawn],
        bands=[
            "M" + " ".join(f"{x(one)},{y(one.p75)}" for one in run)
            + " L" + " ".join(f"{x(one)},{y(one.p25)}" for one in reversed(run)) + "Z"
            for run in drawn
        ],
        end=(x(end), y(end.median)),
        names=_apart([
            Label(f"P75 {end.p75:.0f}", TREND_RIGHT + 10, y(end.p75) + 4, "start"),
            Label(f"Median {end.median:.0f}", TREND_RIGHT + 10, y(end.median) + 4, "start"),
            Label(f"P25 {end.p25:.0f}", TREND_RIGHT + 10, y(end.p25) + 4, "start"),
        ]),
        grid=[(str(value), y(value)) for value in range(low, high + 1, 20 if high - low > 50 else 10)],
        ticks=[
            Label(f"{MONTHS[one.day.month - 1]} {one.day.year}", x(one), 201, "start" if not place else "middle")
            for place, one in enumerate(points)
            if place % every == 0
        ],
        sentence=(
            f"Median health, {full_day(first)} to {full_day(last)}: from {points[0].median:.0f} to {end.median:.0f}; "
            f"the middle half lies between {end.p25:.0f} and {end.p75:.0f} now."
        ),
    )  # fmt: skip


def _apart(labels: Sequence[Label]) -> list[Label]:
    """Return the labels, top to bottom, moved so that none covers another."""
    placed: list[Label] = []
    for one in labels:
        y = max(one.y, placed[-1].y + NEAR) if placed else one.y
        placed.append(Label(one.text, one.x, round(y, 1), one.anchor))
    over = placed[-1].y - (BOTTOM + 4)
    for place in range(len(placed) - 1, -1, -1):
        if over <= 0:
            break
        one = placed[place]
        placed[place] = Label(one.text, one.x, round(one.y - over, 1), one.anchor)
        over = NEAR - (placed[place].y - placed[place - 1].y) if place else 0
    return placed


@dataclass(frozen=True)
class RenewalBars:
    """ARR due by month, the part at risk in its own colour; marks are the expected renewal, from low to high."""

    calm: list[Bar]
    risk: list[Bar]
    marks: list[tuple[float, float, float, float]]
    grid: list[tuple[str, float]]
    names: list[Label]
    sentence: str


def renewal_bars(months: Sequence[Month]) -> RenewalBars | None:
    """Return the drawing; None where nothing is due."""
    most = max((month.arr for month in months), default=0)
    if not most:
        return None
    top = nice_money(most)
    step = (RIGHT - MONEY_LEFT) / len(months)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)

    calm, risk, marks, names = [], [], [], []
    for place, month in enumerate(months):
        x, width = round(MONEY_LEFT + place * step + step * 0.16, 1), round(step * 0.68, 1)
        at_risk = y(month.arr_at_risk)
        if month.arr_at_risk:
            risk.append(Bar(x, at_risk, width, round(BOTTOM - at_risk, 1), "risk"))
        if month.arr > month.arr_at_risk:
            calm.append(Bar(x, y(month.arr), width, round(at_risk - y(month.arr), 1), ""))
        if month.expected is not None and month.low is not None and month.high is not None:
            marks.append((round(x + width / 2, 1), y(month.expected), y(month.low), y(month.high)))
        names.append(Label(MONTHS[month.first.month - 1], round(x + width / 2, 1), 201))
    return RenewalBars(
        calm=calm,
        risk=risk,
        marks=marks,
        grid=[(axis_money(value), y(value)) for value in (0, top / 4, top / 2, 3 * top / 4, top)],
        names=names,
        sentence="ARR due for renewal by month: "
        + ", ".join(f"{month.name} {short_money(month.arr)}" for month in months if month.arr)
        + ".",
    )


def axis_money(value: float) -> str:
    """Return an amount of an axis: "$2M", "$1.5M", "$250K", "0"."""
    text = short_money(value)
    return "0" if not value else f"{text[:-1].rstrip('0').rstrip('.')}{text[-1]}" if "." in text else text


def nice_money(value: float) -> float:
    """Return a round amount that `value` fits under, whose quarters are round too."""
    size = 4.0
    while True:
        for factor in (1, 2, 3, 4, 5, 10):
            if size * factor >= value:
                return size * factor
        size *= 10
