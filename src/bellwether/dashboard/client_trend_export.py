"""The health trend as a file for slides and spreadsheets: SVG, PNG and CSV of what the page shows."""

import csv
import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bellwether.common.errors import BellwetherError
from bellwether.common.spreadsheets import safe
from bellwether.dashboard.client_trend_course import Course
from bellwether.dashboard.trend_chart import TrendChart
from bellwether.portfolio.timeline import clipped
from bellwether.web.formatting import full_day

COLUMNS = ("organization_id", "client", "scorecard", "date", "value", "health_score", "interval_low", "interval_high",
           "tier_median", "no_score_reason", "version", "events")  # fmt: skip
LONGEST_TITLE, LONGEST_EVENT = 62, 44
LETTER, ITEM_SPACE, LINE_WIDTH, LINE_HEIGHT, MOST_LINES = 7.6, 58.0, 1190.0, 26.0, 4
PNG_SECONDS = 30
NEAR_END = 8
TO_PNG = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.svg_to_png(sys.stdin.read(), scale=1.5))"


class ImageError(BellwetherError):
    """The image could not be made."""


@dataclass(frozen=True)
class SlideEvent:
    """An event listed under the chart of a slide."""

    number: int
    text: str
    status: str
    x: float
    y: float


@dataclass(frozen=True)
class Slide:
    """A chart for a slide of 1280 by 720: everything as text and places. `falls`: the line comes from above."""

    title: str
    period: str
    legend: str
    cohort: str
    interval: bool
    chart: TrendChart
    falls: bool
    sentence: str
    events: list[SlideEvent]
    source: str


def slide_of(course: Course, *, title: str, today: date) -> Slide:
    """Return the slide of a course that has a score; `title` names the scorecard."""
    what = course.labels.get(course.component, "")
    chart = course.drawing()
    return Slide(
        title=clipped(f"{course.name}: {what.lower() + ' ' if what else ''}health trend", at_most=LONGEST_TITLE),
        period=f"{title}, {full_day(course.first)} to {full_day(course.last)}",
        legend=what or "Health score",
        cohort=course.cohort if course.reference else "",
        interval=bool(course.intervals),
        chart=chart,
        falls=len(chart.points) > 1 and chart.points[-1].y > min(point.y for point in chart.points[-NEAR_END:]),
        sentence=course.sentence,
        events=_listed([(mark.mark, full_day(mark.on), mark.status) for mark in course.marks]),
        source=" ".join([*course.notes, f"Source: Bellwether, {full_day(today)}."]),
    )


def _listed(marks: Sequence[tuple[str, str, str]]) -> list[SlideEvent]:
    """Return the events side by side, in lines as long as the slide is wide."""
    found: list[SlideEvent] = []
    x, line = 0.0, 0
    for number, (text, on, status) in enumerate(marks, start=1):
        shown = f"{clipped(text, at_most=LONGEST_EVENT)}, {on}"
        width = ITEM_SPACE + LETTER * len(shown)
        if x and x + width > LINE_WIDTH:
            x, line = 0.0, line + 1
        if line >= MOST_LINES:
            break
        found.append(SlideEvent(number, shown, status, round(x, 1), line * LINE_HEIGHT))
        x += width
    return found


def trend_csv(course: Course, organization_id: str) -> tuple[str, int]:
    """Return the days of the range that have a row, oldest first, and how many there are. Dates are ISO.

    `value` is what the line shows. Text that a spreadsheet would run as a formula is quoted.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    events: dict[date, list[str]] = {}
    for entry in course.entries:
        if entry.weight > 0:
            events.setdefault(entry.on, []).append(entry.title)
    for point in course.inside:
        writer.writerow(
            [
                safe(organization_id),
                safe(course.name),
                course.scorecard.name,
                point.day,
                course.value(point),
                point.score,
                point.low,
                point.high,
                course.reference.get(point.day),
                safe(point.reason),
                safe(point.version),
                safe("; ".join(events.get(point.day, []))),
            ]
        )
    return buffer.getvalue(), len(course.inside)


def png_of(svg: str) -> bytes:
    """Return the drawing as PNG of 1920 by 1080. Raises ImageError where it cannot be made.

    It is made in a process of its own: the converter holds far more memory than a web process should keep.
    """
    try:
        done = subprocess.run(  # noqa: S603 (a fixed program; the drawing is its input)
            [sys.executable, "-c", TO_PNG], input=svg.encode(), capture_output=True, check=True, timeout=PNG_SECONDS
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise ImageError("The image could not be made. Take the drawing (SVG) instead, or try again.") from error
    return done.stdout
