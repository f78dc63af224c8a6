"""Half-up rounding, the only rounding of scores: floor(x + 0.5) of the exact value.

Binary noise below 1e-9 never decides, so 58.5 stored as 58.49999999999999 still becomes 59.
"""

import math
from collections.abc import Sequence

import polars as pl

NOISE = 1e-9


def half_up(value: float) -> int:
    """Return `value` rounded half-up to an integer; halves go towards plus infinity (formulas.md, first paragraph)."""
    return math.floor(value + 0.5 + NOISE)


def half_up_expr(value: pl.Expr) -> pl.Expr:
    """Return an Int32 expression that rounds `value` half-up; null and NaN stay null."""
    return (value.fill_nan(None) + (0.5 + NOISE)).floor().cast(pl.Int32)


def rounded_together(values: Sequence[float], places: int) -> list[float]:
    """Return the values rounded to so many places such that they sum to their rounded sum: each is rounded down, and
    the largest remainders up, the earlier first."""
    scale = 10**places
    scaled = [value * scale for value in values]
    down = [math.floor(value) for value in scaled]
    missing = half_up(math.fsum(scaled)) - sum(down)
    order = sorted(range(len(values)), key=lambda at: (down[at] - scaled[at], at))
    raised = set(order[: max(missing, 0)])
    return [(whole + (at in raised)) / scale for at, whole in enumerate(down)]
