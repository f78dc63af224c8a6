"""Which components of stored scores rest on no data, told from the inputs that are stored with them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from bellwether.health.scorecard import Scorecard


def without_data(card: Scorecard, inputs: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return for each of `inputs` (measure to value) the keys of the components without data, in the card's order.

    A component that a rule answered, such as 100 where no case was closed, is without data too (formulas.md, 9).
    """
    if not inputs:
        return []
    frame = pl.DataFrame([_column(name, [given.get(name) for given in inputs]) for name in sorted(card.measures)])
    found = frame.select(component.formula.has_data().alias(component.key) for component in card.components)
    return [tuple(key for key, has_data in row.items() if not has_data) for row in found.iter_rows(named=True)]


def _column(name: str, values: list[Any]) -> pl.Series:
    words = any(isinstance(value, str) for value in values)
    return pl.Series(name, values, pl.String if words else pl.Float64, strict=False)
