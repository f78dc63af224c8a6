"""A comparison as text and places on the strips: worse is left, better is right."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bellwether.benchmarks.comparing import Position, to_median
from bellwether.benchmarks.metrics import Metric
from bellwether.common.rounding import half_up
from bellwether.web.formatting import number, signed

NEAR = 8.0
EDGE = 3.0


@dataclass(frozen=True)
class Mark:
    """A label under a strip, at `x` (0-100)."""

    x: float
    text: str


@dataclass(frozen=True)
class StripRow:
    """A metric on its strip. Places are 0-100; `hidden` is instead of the strip, `p` None without an own value."""

    label: str
    sub: str
    value: str
    hidden: str
    a: float
    m: float
    b: float
    p: float | None
    marks: list[Mark]
    percentile: str
    suffix: str
    sentence: str


@dataclass(frozen=True)
class GapRow:
    """A metric in which the client is behind."""

    label: str
    value: str
    median: str
    gap: str
    points: str
    to_median: str


def text_of(metric: Metric, value: float | None) -> str:
    """Return a value in the unit of its metric: "58", "70%", "34 d", "not yet", "–"."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "not yet"
    if metric.unit == "percent":
        return f"{half_up(value)}%"
    if metric.unit == "days":
        return f"{half_up(value)} d"
    return number(round(value, 1) if metric.unit == "number" else half_up(value))


def strip_row(one: Position) -> StripRow:
    """Return a position as its row."""
    metric, spread = one.metric, one.spread
    value = text_of(metric, one.value)
    if spread is None:
        return StripRow(metric.label, metric.sub, value, one.hidden, 0, 0, 0, None, [], "–", "", one.hidden)
    low, middle, high = spread.p25, spread.median, spread.p75
    known = [number for number in (low, middle, high, one.value) if math.isfinite(number)]
    place = _scale(metric, known, spread=(high - low) if math.isfinite(high - low) else 0.0)
    a, m, b = place(low), place(middle), place(high)
    worst, best = (high, low) if metric.lower_is_better else (low, high)
    left, right = min(a, b), max(a, b)
    marks = [Mark(left, text_of(metric, worst)), Mark(m, text_of(metric, middle)), Mark(right, text_of(metric, best))]
    if right - left < 2 * NEAR:
        marks = [marks[1]] if right - left < NEAR else [marks[0], marks[2]]
    elif m - left < NEAR or right - m < NEAR:
        marks = [marks[0], marks[2]]
    own = None if math.isnan(one.value) else place(one.value)
    rank = None if one.percentile is None else half_up(one.percentile)
    return StripRow(
        label=metric.label,
        sub=metric.sub,
        value=value,
        hidden="",
        a=left,
        m=m,
        b=right,
        p=own,
        marks=marks,
        percentile="–" if rank is None else str(rank),
        suffix="" if rank is None else ordinal(rank),
        sentence=(
            f"{metric.label} {value if own is not None else 'not known'}, median {text_of(metric, middle)}, "
            f"P25 {text_of(metric, low)}, P75 {text_of(metric, high)}, {one.peers} peers"
        ),
    )


def gap_row(one: Position, *, seats: int | None, licensed: int | None) -> GapRow:
    """Return a position as a row of the table of gaps."""
    metric, gap = one.metric, one.gap
    unit = {"percent": " pts", "days": " d"}.get(metric.unit, "")
    amount = None if gap is None else round(gap, 1) if metric.unit == "number" else half_up(gap)
    return GapRow(
        label=metric.label,
        value=text_of(metric, one.value),
        median=text_of(metric, one.spread.median if one.spread else None),
        gap="–" if amount is None else f"{signed(amount)}{unit}",
        points="–" if one.gap_points is None else signed(half_up(one.gap_points)),
        to_median=to_median(one, seats=seats, licensed=licensed),
    )


def profile_words(found: list[Position]) -> str:
    """Return what is strong and what is weak, "Strong in time to value, weak in support"."""
    known = sorted((one for one in found if one.percentile is not None), key=lambda one: one.percentile or 0)
    if not known:
        return "No metric can be shown"
    weak = [one.metric.short.lower() for one in known if (one.percentile or 0) < 25][:2]
    strong = [one.metric.short.lower() for one in reversed(known) if (one.percentile or 0) > 75][:2]
    parts = ([f"strong in {' and '.join(strong)}"] if strong else []) + (
        [f"weak in {' and '.join(weak)}"] if weak else []
    )
    text = ", ".join(parts) or "between the quartiles in every metric"
    return text[0].upper() + text[1:]


def ordinal(rank: int) -> str:
    """Return st, nd, rd or th."""
    if 10 <= rank % 100 <= 20:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")


def _scale(metric: Metric, known: list[float], *, spread: float) -> Callable[[float], float]:
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    pad = max(0.4 * spread, 0.15 * (high - low), 1e-9)
    low, high = max(0.0, low - pad), high + pad
    if metric.unit in {"points", "percent"}:
        high = max(min(100.0, high), max(known, default=100.0))
    if high - low < 1e-6:
        low, high = low - 1, high + 1

    def place(value: float) -> float:
        if math.isinf(value):
            return EDGE
        share = (value - low) / (high - low)
        along = 1 - share if metric.lower_is_better else share
        return round(EDGE + (100 - 2 * EDGE) * min(1.0, max(0.0, along)), 1)

    return place
