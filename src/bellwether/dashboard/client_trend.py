"""The card with the health trend: the drawing, what its points say, and the same in a table. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_trend_course import Course
from bellwether.dashboard.client_trend_range import PERIODS, Asked, is_dense
from bellwether.dashboard.explanations import largest
from bellwether.dashboard.trend_chart import LEFT, RIGHT, WIDTH, Point, TrendChart
from bellwether.health.score_changes import ScoreDay, contributions, effects
from bellwether.web.formatting import day, full_day, number, plural, signed

PLACE = "~day~"


@dataclass(frozen=True)
class Choice:
    """One of several ways to show something; `current` is the one shown."""

    text: str
    href: str
    current: bool


@dataclass(frozen=True)
class EventItem:
    """A numbered event below the chart; `href` shows what moved on its day."""

    number: int
    text: str
    day: str
    iso: str
    status: str
    href: str


@dataclass(frozen=True)
class TableRow:
    """A day of the table: score and change as text, the tier median where it was taken, and where more is told."""

    day: str
    iso: str
    score: str
    change: str
    median: str
    href: str


@dataclass(frozen=True)
class Hit:
    """A place of the chart that leads to its day: where it begins and how wide it is, in percent of the drawing."""

    href: str
    left: float
    width: float


@dataclass(frozen=True)
class Dates:
    """The form for a range of the reader's own; `kept` are the other choices that the address carries."""

    action: str
    start: str
    end: str
    latest: str
    kept: list[tuple[str, str]]
    problem: str
    open: bool


@dataclass(frozen=True)
class Trend:
    """The trend card. `chart` None: no score in the period, `nothing` says why. `points` is JSON for the tooltip.

    `on_href` tells of a day when its ISO date is put in place of "~day~". `exports` are (name, address).
    """

    periods: list[Choice]
    lines: list[Choice]
    scorecards: list[Choice]
    dates: Dates
    exports: list[tuple[str, str]]
    chart: TrendChart | None
    chosen: Point | None
    nothing: str
    sentence: str
    name: str
    cohort: str
    no_cohort: str
    notes: list[str]
    gaps: list[str]
    events: list[EventItem]
    points: str
    hits: list[Hit]
    rows: list[TableRow]
    has_median: bool
    has_interval: bool
    on_href: str
    what: str


def trend_card(
    course: Course,
    *,
    address: Address,
    asked: Asked,
    today: date,
    scorecards: list[Choice],
    exports: list[tuple[str, str]],
    on: date | None = None,
) -> Trend:
    """Return the card of `course`; `asked` is the range that the address asks for, `on` the day that is looked into."""
    shown = course.drawing() if course.has_score else None
    to_day = day_links(address)
    return Trend(
        periods=[
            Choice(
                text,
                address.with_(days=days, start=None, end=None, explain=None, since=None, on=None),
                days == asked.days and not asked.custom,
            )
            for days, text in PERIODS.items()
        ],
        lines=_lines(course, address),
        scorecards=scorecards,
        dates=_dates(course, address, asked, today),
        exports=exports if shown else [],
        chart=shown,
        chosen=next((point for point in shown.points if point.day == on), None) if shown else None,
        nothing="" if shown else course.nothing,
        sentence=course.sentence if shown else "",
        name=course.name if not course.component else f"{course.name}, {course.what}",
        cohort=course.cohort if course.reference else "",
        no_cohort=course.cohort_note,
        notes=course.notes if shown else [],
        gaps=[gap.text for gap in course.gaps] if shown else [],
        events=[
            EventItem(n, mark.mark, day(mark.on, today), mark.on.isoformat(), mark.status, to_day(mark.on))
            for n, mark in enumerate(course.marks, start=1)
        ]
        if shown
        else [],
        points=point_data(shown, course) if shown else "[]",
        hits=hits(shown, course, to_day) if shown else [],
        rows=table_rows(course, to_day, today=today) if shown else [],
        has_median=bool(course.reference),
        has_interval=bool(course.intervals),
        on_href=address.with_(on=PLACE),
        what=course.labels.get(course.component, "Health"),
    )  # fmt: skip


def _lines(course: Course, address: Address) -> list[Choice]:
    """Return the score and its components as choices of what the line shows."""
    whole = [("", "Score"), *((component.key, component.label) for component in course.scorecard.components)]
    return [
        Choice(
            label, address.with_(component=key or None, explain=None, since=None) + "#trend", key == course.component
        )
        for key, label in whole
    ]


def _dates(course: Course, address: Address, asked: Asked, today: date) -> Dates:
    left_out = {"days", "start", "end", "on", "explain", "since", "against"}
    return Dates(
        action=f"{address.path}#trend",
        start=course.first.isoformat(),
        end=course.last.isoformat(),
        latest=today.isoformat(),
        kept=[(key, value) for key, value in address.query.items() if value and key not in left_out],
        problem=asked.problem or "",
        open=asked.custom or bool(asked.problem),
    )


def day_links(address: Address) -> Callable[[date], str]:
    """Return what makes the address that tells of a day; putting each address together anew would take long."""
    start, _, end = f"{address.with_(on=PLACE)}#moved".partition(PLACE)
    return lambda on: f"{start}{on.isoformat()}{end}"


def hits(chart: TrendChart, course: Course, to_day: Callable[[date], str]) -> list[Hit]:
    """Return links that cover the drawing without a gap: one a day, in a long range one a week."""
    wanted = chart.points
    if not is_dense(course.first, course.last):
        weeks: dict[tuple[int, int], Point] = {point.day.isocalendar()[:2]: point for point in chart.points}
        wanted = list(weeks.values())
    xs = [point.x for point in wanted]
    edges = [float(LEFT), *((a + b) / 2 for a, b in pairwise(xs)), float(RIGHT)]
    return [
        Hit(
            to_day(point.day),
            round(100 * edges[place] / WIDTH, 2),
            round(100 * (edges[place + 1] - edges[place]) / WIDTH, 2),
        )
        for place, point in enumerate(wanted)
    ]


def point_data(chart: TrendChart, course: Course) -> str:
    """Return the points of the chart as JSON: x, y, ISO day, day, score, change in words and the two largest causes.

    Change and causes are against the day before, and absent where that day has no score.
    """
    by_day = {point.day: point for point in course.series}
    data = []
    for point in chart.points:
        before = by_day.get(point.day - timedelta(days=1))
        earlier = course.value(before) if before is not None else None
        moved = point.score - earlier if earlier is not None else None
        causes = _causes(before, by_day[point.day], course) if before is not None and moved is not None else []
        data.append(
            {
                "x": point.x,
                "y": point.y,
                "iso": point.day.isoformat(),
                "day": full_day(point.day),
                "score": point.score,
                "change": None if moved is None else signed(moved),
                "tone": "" if not moved else "good" if moved > 0 else "bad",
                "causes": [[label, signed(round(move, 1))] for label, move in causes],
            }
        )
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _causes(before: ScoreDay, after: ScoreDay, course: Course) -> list[tuple[str, float]]:
    if course.component or before.components == after.components:
        return []
    points = course.scorecard.points
    first = contributions(before.components, before.weights, points=points)
    second = contributions(after.components, after.weights, points=points)
    return largest(effects(first, second), course.labels, at_most=2)


def table_rows(course: Course, to_day: Callable[[date], str], *, today: date) -> list[TableRow]:
    """Return a row for each day with a stored score or a stored reason, newest first; in a long range those drawn."""
    every = is_dense(course.first, course.last)
    rows = []
    for point in reversed(course.inside):
        if not every and point.day not in course.kept:
            continue
        score, before = course.value(point), course.scores.get(point.day - timedelta(days=1))
        moved = None if score is None or before is None else score - before
        rows.append(
            TableRow(
                day=day(point.day, today),
                iso=point.day.isoformat(),
                score=str(score) if score is not None else "N/A",
                change=signed(moved),
                median=number(course.reference[point.day]) if point.day in course.reference else "",
                href=to_day(point.day),
            )
        )
    return rows


def cohort_words(tier: str, peers: int, *, needed: int) -> tuple[str, str]:
    """Return (name of the reference line, reason why there is none); one of them is empty."""
    if peers >= needed:
        return f"{tier} median, {plural(peers, 'client')}", ""
    have = "no other client has" if peers == 0 else f"only {plural(peers, 'other client has', 'other clients have')}"
    return "", f"No {tier} median: {have} a score, {needed} are needed."
