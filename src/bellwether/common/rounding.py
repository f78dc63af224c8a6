"""Half-up rounding, the only rounding of scores: floor(x + 0.5) of the exact value.

Binary noise below 1e-9 never decides, so 58.5 stored as 58.49999999999999 still becomes 59.
"""

import math

import polars as pl

NOISE = 1e-9


def half_up(value: float) -> int:
    """Return `value` rounded half-up to an integer; halves go towards plus infinity (formulas.md, first paragraph)."""
    return math.floor(value + 0.5 + NOISE)


def half_up_expr(value: pl.Expr) -> pl.Expr:
    """Return an Int32 expression that rounds `value` half-up; null and NaN stay null."""
    return (value.fill_nan(None) + (0.5 + NOISE)).floor().cast(pl.Int32)
