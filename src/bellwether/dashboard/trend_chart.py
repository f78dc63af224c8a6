"""The health trend as a drawing: where every line, limit, name and mark goes. The template writes the SVG.

Coordinates are those of the SVG's viewBox, rounded to a tenth. Dates are workspace days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.web.formatting import MONTHS, full_day

WIDTH, HEIGHT = 792, 262
LEFT, RIGHT, TOP, BOTTOM = 30, 714, 12, 208
LABEL_Y, LANE_Y, LANE_TOP, NAMES_X = 224, 252, 243, 726
MARK_GAP = 20.0
TICK_GAP = 44.0
LOW_START = 30
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
class TrendChart:
    """Everything that the SVG shows. `lines` and `reference` are path data, one path for each stretch without a gap."""

    zones: list[Zone]
    limits: list[Limit]
    names: list[Name]
    ticks: list[Tick]
    lines: list[str]
    lone: list[Point]
    reference: list[str]
    points: list[Point]
    marks: list[Mark]

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
) -> TrendChart:
    """Return the drawing of `scores` from `first` to `last` (first before last).

    A day missing from `scores`, or with None, is a gap. `median` may have a value every few days only; a stretch of
    over seven days without one is a gap. `events` are (day, status word or "") in the order of their numbers.
    """
    scale = _Scale(first, last, _floor(scores, median))
    known = [(day, score) for day in sorted(scores) if first <= day <= last and (score := scores[day]) is not None]
    points = [Point(day, score, scale.x(day), scale.y(score)) for day, score in known]
    runs = _runs(points, longest_step=1)
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
    )


@dataclass(frozen=True)
class _Scale:
    first: date
    last: date
    floor: int

    def x(self, day: date) -> float:
        span = max(1, (self.last - self.first).days)
        return round(LEFT + (RIGHT - LEFT) * (day - self.first).days / span, 1)

    def y(self, value: float) -> float:
        share = (max(value, self.floor) - self.floor) / (100 - self.floor)
        return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def _floor(scores: Mapping[date, int | None], median: Mapping[date, float]) -> int:
    values = [value for value in (*scores.values(), *median.values()) if value is not None]
    return LOW_START if values and min(values) >= LOW_START else 0


def _runs(points: Sequence[Point], *, longest_step: int) -> list[list[Point]]:
    runs: list[list[Point]] = []
    for point in points:
        if runs and (point.day - runs[-1][-1].day).days <= longest_step:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


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
    ends = [Tick(day_label(first), scale.x(first), "start"), Tick(day_label(last), scale.x(last), "middle")]
    inner: list[Tick] = []
    for day in _tick_days(first, last):
        x = scale.x(day)
        if x - LEFT >= TICK_GAP * 1.4 and RIGHT - x >= TICK_GAP and (not inner or x - inner[-1].x >= TICK_GAP):
            inner.append(Tick(day_label(day), x, "middle"))
    return [ends[0], *inner, ends[1]]


def _tick_days(first: date, last: date) -> list[date]:
    span = (last - first).days
    days = [first + timedelta(days=n) for n in range(1, span)]
    if span <= 45:
        return [day for day in days if day.weekday() == 0]
    if span <= 120:
        return [day for day in days if day.day in {1, 16}]
    return [day for day in days if day.day == 1]


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


def in_words(
    *, first: date, last: date, scores: Mapping[date, int | None], median: Mapping[date, float], cohort: str
) -> str:
    """Return the chart as one sentence, for those who do not see it; `cohort` names the median's group."""
    opening = f"Health score, {full_day(first)} to {full_day(last)}: "
    known = [(day, score) for day in sorted(scores) if (score := scores[day]) is not None]
    if not known:
        return opening + "no score on any of these days."
    parts = [_course(known)]
    if median:
        values = [value for _, value in sorted(median.items())]
        steady = max(values) - min(values) <= 4
        parts.append(
            f"{cohort} median stays near {values[-1]:.0f}"
            if steady
            else f"{cohort} median goes from {values[0]:.0f} to {values[-1]:.0f}"
        )
    return opening + "; ".join(parts) + "."


def _course(known: Sequence[tuple[date, int]]) -> str:
    start, end = known[0][1], known[-1][1]
    change = end - start
    low, high = min(score for _, score in known), max(score for _, score in known)
    if len(known) == 1:
        return f"{end} on {day_label(known[0][0])}, the only day with a score"
    if abs(change) < 5:
        return f"stays between {low} and {high}, now {end}"
    verb = "rises" if change > 0 else "falls"
    since = _mostly_since(known, change)
    return f"{verb} from {start} to {end}" + (f", most of it since {day_label(since)}" if since else "")


def _mostly_since(known: Sequence[tuple[date, int]], change: int) -> date | None:
    """Return the latest day in the last third since which over two thirds of the change happened, if there is one."""
    end = known[-1][1]
    for day, score in reversed(known[len(known) * 2 // 3 : -1]):
        if (end - score) * change > 0 and abs(end - score) * 3 >= abs(change) * 2:
            return day
    return None
