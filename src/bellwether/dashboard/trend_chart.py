"""The health trend as a drawing: where every line, limit, name and mark goes. The template writes the SVG.

Coordinates are those of the SVG's viewBox, rounded to a tenth. Dates are workspace days.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from bellwether.web.formatting import MONTHS, full_day

WIDTH, HEIGHT = 792, 262
LEFT, RIGHT, TOP, BOTTOM = 30, 714, 12, 208
LABEL_Y, LANE_Y, LANE_TOP, NAMES_X = 224, 252, 243, 726
MARK_GAP = 20.0
TICK_GAP, MONTH_GAP = 44.0, 60.0
LOW_START = 30
SHORT_YEAR_DAYS = 300
LOUD = frozenset({"risk", "critical"})


@dataclass(frozen=True)
class Band:
    """A status band of the scorecard: scores from `minimum` up to the next band; `status` is the page's status word."""

    name: str
    minimum: int
    status: str


@dataclass(frozen=True)
class Limit:
    """A horizontal line at `value`; dotted where a band begins."""

    value: int
    y: float
    dotted: bool


@dataclass(frozen=True)
class Zone:
    """A tinted band that asks for attention."""

    status: str
    y: float
    height: float


@dataclass(frozen=True)
class Name:
    """The name of a band, right of the drawing."""

    text: str
    y: float


@dataclass(frozen=True)
class Tick:
    """A date under the axis."""

    text: str
    x: float
    anchor: str


@dataclass(frozen=True)
class Mark:
    """A numbered event: `x` on the time axis, `label_x` where its circle found room, `top` where its line begins."""

    number: int
    x: float
    label_x: float
    top: float
    status: str


@dataclass(frozen=True)
class Point:
    """A day with a score."""

    day: date
    score: int
    x: float
    y: float


@dataclass(frozen=True)
class Hole:
    """A stretch without a score and what it says."""

    x: float
    width: float
    text: str


@dataclass(frozen=True)
class TrendChart:
    """Everything that the SVG shows. `lines`, `bands` and `reference` are path data, one path for each stretch without
    a gap; `bands` are areas in which the score may lie."""

    zones: list[Zone]
    limits: list[Limit]
    names: list[Name]
    ticks: list[Tick]
    lines: list[str]
    lone: list[Point]
    reference: list[str]
    points: list[Point]
    marks: list[Mark]
    bands: list[str]
    holes: list[Hole]

    @property
    def last(self) -> Point | None:
        """The newest day with a score."""
        return self.points[-1] if self.points else None


def draw(
    *,
    first: date,
    last: date,
    scores: Mapping[date, int | None],
    median: Mapping[date, float],
    bands: Sequence[Band],
    events: Sequence[tuple[date, str]] = (),
    kept: Collection[date] | None = None,
    intervals: Mapping[date, tuple[int, int]] = MappingProxyType({}),
    gaps: Sequence[tuple[date, date, str]] = (),
    longest_step: int = 1,
    from_zero: bool = False,
) -> TrendChart:
    """Return the drawing of `scores` from `first` to `last` (first before last).

    A day missing from `scores`, or with None, is a gap, if it lasts `longest_step` days or more. With `from_zero` the
    axis begins at 0, else where there is something to see. `median` may have a value every few days only; a stretch of
    over seven days without one is a gap. `events` are (day, status word or "") in the order of their numbers. Of the
    days with a score only those of `kept` are drawn, and where a gap begins and ends; None draws all. `intervals` say
    between which scores the true one may lie, `gaps` are (first day, last day, text).
    """
    within = {day: score for day, score in scores.items() if first <= day <= last}
    floor = 0 if from_zero else _floor(within, median, [low for low, _ in intervals.values()])
    scale = _Scale(first, last, floor)
    known = [(day, score) for day in sorted(within) if (score := within[day]) is not None]
    every = [Point(day, score, scale.x(day), scale.y(score)) for day, score in known]
    runs = [_thinned(run, kept) for run in _runs(every, longest_step=longest_step)]
    points = [point for run in runs for point in run]
    peers = [
        Point(day, round(value), scale.x(day), scale.y(value))
        for day, value in sorted(median.items())
        if first <= day <= last
    ]
    return TrendChart(
        zones=_zones(bands, scale),
        limits=_limits(bands, scale),
        names=_names(bands, scale),
        ticks=_ticks(first, last, scale),
        lines=[_path(run) for run in runs if len(run) > 1],
        lone=[run[0] for run in runs if len(run) == 1],
        reference=[_path(run) for run in _runs(peers, longest_step=7) if len(run) > 1],
        points=points,
        marks=_marks(events, points, scale),
        bands=[area for run in runs if (area := _area(run, intervals, scale))],
        holes=[_hole(begin, end, text, scale) for begin, end, text in gaps],
    )


@dataclass(frozen=True)
class _Scale:
    first: date
    last: date
    floor: int

    def x(self, day: date) -> float:
        span = max(1, (self.last - self.first).days)
        return round(LEFT + (RIGHT - LEFT) * (day - self.first).days / span, 1)

    @property
    def a_day(self) -> float:
        """How wide a day is."""
        return (RIGHT - LEFT) / max(1, (self.last - self.first).days)

    def y(self, value: float) -> float:
        share = (max(value, self.floor) - self.floor) / (100 - self.floor)
        return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def _floor(scores: Mapping[date, int | None], median: Mapping[date, float], lows: Sequence[int] = ()) -> int:
    values = [value for value in (*scores.values(), *median.values(), *lows) if value is not None]
    return LOW_START if values and min(values) >= LOW_START else 0


def _runs(points: Sequence[Point], *, longest_step: int) -> list[list[Point]]:
    runs: list[list[Point]] = []
    for point in points:
        if runs and (point.day - runs[-1][-1].day).days <= longest_step:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _thinned(run: Sequence[Point], kept: Collection[date] | None) -> list[Point]:
    """Return the points of a stretch to draw; its ends always, so that gaps begin and end where they do."""
    if kept is None:
        return list(run)
    return [point for place, point in enumerate(run) if place in {0, len(run) - 1} or point.day in kept]


def _area(run: Sequence[Point], intervals: Mapping[date, tuple[int, int]], scale: _Scale) -> str:
    """Return the area between the ends of the intervals; where a point has none, it narrows to the point."""
    if len(run) < 2 or not any(point.day in intervals for point in run):
        return ""
    ends = [(point.x, *intervals.get(point.day, (point.score, point.score))) for point in run]
    upper = [f"{x:g},{scale.y(high):g}" for x, _, high in ends]
    lower = [f"{x:g},{scale.y(low):g}" for x, low, _ in reversed(ends)]
    return f"M{' '.join([*upper, *lower])}Z"


def _hole(first: date, last: date, text: str, scale: _Scale) -> Hole:
    half = scale.a_day / 2
    left, right = max(float(LEFT), scale.x(first) - half), min(float(RIGHT), scale.x(last) + half)
    return Hole(round(left, 1), round(max(1.0, right - left), 1), text)


def _path(run: Sequence[Point]) -> str:
    return "M" + " ".join(f"{point.x:g},{point.y:g}" for point in run)


def _spans(bands: Sequence[Band], scale: _Scale) -> list[tuple[Band, float, float]]:
    """Return each visible band with the y of its top and of its bottom, highest band first."""
    spans, ceiling = [], 100
    for band in sorted(bands, key=lambda band: band.minimum, reverse=True):
        if ceiling > scale.floor and band.minimum < ceiling:
            spans.append((band, scale.y(ceiling), scale.y(max(band.minimum, scale.floor))))
        ceiling = band.minimum
    return spans


def _zones(bands: Sequence[Band], scale: _Scale) -> list[Zone]:
    return [
        Zone(band.status, top, round(bottom - top, 1))
        for band, top, bottom in _spans(bands, scale)
        if band.status in LOUD
    ]


def _names(bands: Sequence[Band], scale: _Scale) -> list[Name]:
    return [Name(band.name, round((top + bottom) / 2 + 4, 1)) for band, top, bottom in _spans(bands, scale)]


def _limits(bands: Sequence[Band], scale: _Scale) -> list[Limit]:
    bounds = sorted({band.minimum for band in bands if scale.floor < band.minimum < 100})
    return [*(Limit(bound, scale.y(bound), True) for bound in bounds), Limit(100, scale.y(100), False)]


def _ticks(first: date, last: date, scale: _Scale) -> list[Tick]:
    long = (last - first).days > SHORT_YEAR_DAYS
    label, gap = (month_label, MONTH_GAP) if long else (day_label, TICK_GAP)
    ends = [Tick(label(first), scale.x(first), "start"), Tick(label(last), scale.x(last), "middle")]
    inner: list[Tick] = []
    for day in _tick_days(first, last):
        x = scale.x(day)
        if x - LEFT >= gap * 1.4 and RIGHT - x >= gap and (not inner or x - inner[-1].x >= gap):
            inner.append(Tick(label(day), x, "middle"))
    return [ends[0], *inner, ends[1]]


def _tick_days(first: date, last: date) -> list[date]:
    span = (last - first).days
    days = [first + timedelta(days=n) for n in range(1, span)]
    if span <= 45:
        return [day for day in days if day.weekday() == 0]
    if span <= 120:
        return [day for day in days if day.day in {1, 16}]
    if span <= SHORT_YEAR_DAYS:
        return [day for day in days if day.day == 1]
    months = {1, 3, 5, 7, 9, 11} if span <= 400 else {1, 4, 7, 10} if span <= 800 else {1, 7}
    return [day for day in days if day.day == 1 and day.month in months]


def _marks(events: Sequence[tuple[date, str]], points: Sequence[Point], scale: _Scale) -> list[Mark]:
    xs = [scale.x(day) for day, _ in events]
    spread = spread_out(xs, gap=MARK_GAP, low=LEFT, high=RIGHT + 6)
    marks = []
    for number, ((day, status), x, label_x) in enumerate(zip(events, xs, spread, strict=True), start=1):
        before = [point for point in points if point.day <= day]
        top = before[-1].y if before and (day - before[-1].day).days <= 7 else scale.y(100)
        marks.append(Mark(number, x, label_x, min(top + 6, float(BOTTOM)), status))
    return marks


def spread_out(xs: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Return positions near the ascending `xs`, at least `gap` apart, within `low` and `high` where they fit."""
    placed: list[float] = []
    for x in xs:
        placed.append(max(x, placed[-1] + gap if placed else low))
    limit = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - gap
    return [round(x, 1) for x in placed]


def day_label(day: date) -> str:
    """Return the day as the axis shows it: "14 Nov"."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def month_label(day: date) -> str:
    """Return the month as the axis of a long range shows it: "Nov 2026"."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def in_words(
    *,
    first: date,
    last: date,
    scores: Mapping[date, int | None],
    median: Mapping[date, float],
    cohort: str,
    what: str = "Health score",
) -> str:
    """Return the chart as one sentence, for those who do not see it; `cohort` names the median's group."""
    opening = f"{what}, {full_day(first)} to {full_day(last)}: "
    label = month_label if (last - first).days > SHORT_YEAR_DAYS else day_label
    known = [(day, score) for day in sorted(scores) if (score := scores[day]) is not None]
    if not known:
        return opening + "no score on any of these days."
    parts = [_course(known, label)]
    if median:
        values = [value for _, value in sorted(median.items())]
        steady = max(values) - min(values) <= 4
        parts.append(
            f"{cohort} median stays near {values[-1]:.0f}"
            if steady
            else f"{cohort} median goes from {values[0]:.0f} to {values[-1]:.0f}"
        )
    return opening + "; ".join(parts) + "."


def _course(known: Sequence[tuple[date, int]], label: Callable[[date], str]) -> str:
    start, end = known[0][1], known[-1][1]
    change = end - start
    low, high = min(score for _, score in known), max(score for _, score in known)
    if len(known) == 1:
        return f"{end} on {day_label(known[0][0])}, the only day with a score"
    if abs(change) < 5:
        return f"stays between {low} and {high}, now {end}"
    verb = "rises" if change > 0 else "falls"
    since = _mostly_since(known, change)
    return f"{verb} from {start} to {end}" + (f", most of it since {label(since)}" if since else "")


def _mostly_since(known: Sequence[tuple[date, int]], change: int) -> date | None:
    """Return the latest day in the last third since which over two thirds of the change happened, if there is one."""
    end = known[-1][1]
    for day, score in reversed(known[len(known) * 2 // 3 : -1]):
        if (end - score) * change > 0 and abs(end - score) * 3 >= abs(change) * 2:
            return day
    return None
