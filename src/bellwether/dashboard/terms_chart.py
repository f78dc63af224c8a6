"""The terms of a contract along the years as a drawing: a bar for each term, as high as its ARR. Pure.

Coordinates are those of the SVG's viewBox, rounded to a tenth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.portfolio.terms import Term, is_open, span
from bellwether.web.formatting import full_day, money, plural, short_money

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BASE, LABEL_Y, MARK_Y = 792, 164, 10, 782, 44, 118, 154, 130
LOWEST, LABEL_WIDTH, YEAR_GAP = 10.0, 52.0, 44.0
AHEAD = timedelta(days=180)


@dataclass(frozen=True)
class TermBar:
    """One term. `label` is its ARR, empty where there is no room; `state` is past, current or ahead."""

    x: float
    y: float
    width: float
    height: float
    label: str
    text: str
    state: str


@dataclass(frozen=True)
class Mark:
    """An outcome under the axis; `status` is a data-status word."""

    x: float
    status: str
    text: str


@dataclass(frozen=True)
class TermsChart:
    """Everything that the SVG shows. `today_x` None: today is outside."""

    bars: list[TermBar]
    years: list[tuple[float, str]]
    marks: list[Mark]
    today_x: float | None
    sentence: str


def draw_terms(
    terms: Sequence[Term], outcomes: Sequence[tuple[date, str, str]], *, current: Term | None, today: date
) -> TermsChart | None:
    """Return the drawing of `terms`, oldest first, with `outcomes` (day, status word, text); None without terms.

    An open-ended term is drawn to half a year after today.
    """
    if not terms:
        return None
    ends = [_drawn_end(term, today) for term in terms]
    days = [on for on, _, _ in outcomes]
    first, last = min([terms[0].start_date, *days]), max([*ends, *days, today])
    scale = (RIGHT - LEFT) / max(1, (last - first).days + 1)

    def x(day: date) -> float:
        return round(LEFT + (day - first).days * scale, 1)

    top = max([float(term.annual_recurring_revenue or 0) for term in terms] + [1.0])
    bars = []
    for term, end in zip(terms, ends, strict=True):
        arr = term.annual_recurring_revenue
        height = LOWEST if arr is None else max(LOWEST, (BASE - TOP) * float(arr) / top)
        width = max(2.0, x(end + timedelta(days=1)) - x(term.start_date) - 2)
        bars.append(
            TermBar(
                x=x(term.start_date),
                y=round(BASE - height, 1),
                width=round(width, 1),
                height=round(height, 1),
                label=short_money(arr) if arr is not None and width >= LABEL_WIDTH else "",
                text=f"{span(term)}: {money(arr) if arr is not None else 'ARR not known'}",
                state="current" if term is current else "ahead" if term.start_date > today else "past",
            )
        )
    return TermsChart(
        bars=bars,
        years=_years(first, last, x),
        marks=[Mark(x(on), status, text) for on, status, text in outcomes],
        today_x=x(today) if first <= today <= last else None,
        sentence=_sentence(terms, current),
    )


def _drawn_end(term: Term, today: date) -> date:
    return max(today, term.start_date) + AHEAD if is_open(term, today) or term.end_date is None else term.end_date


def _years(first: date, last: date, x: object) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for year in range(first.year, last.year + 1):
        at = x(date(year, 1, 1)) if date(year, 1, 1) >= first else float(LEFT)  # type: ignore[operator]
        if not found or at - found[-1][0] >= YEAR_GAP:
            found.append((at, str(year)))
    return found


def _sentence(terms: Sequence[Term], current: Term | None) -> str:
    text = f"{plural(len(terms), 'term')} since {full_day(terms[0].start_date)}"
    known = [term.annual_recurring_revenue for term in terms if term.annual_recurring_revenue is not None]
    if len(known) > 1:
        verb = "rises" if known[-1] > known[0] else "falls" if known[-1] < known[0] else "stays"
        course = f"at {money(known[0])}" if verb == "stays" else f"from {money(known[0])} to {money(known[-1])}"
        text += f"; ARR {verb} {course}"
    return f"{text}. The present one: {span(current)}." if current else f"{text}."
