"""What a score is made of in points, and what moved it since an earlier one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from bellwether.health.scorecard import Scorecard
from bellwether.web.formatting import words

COMPARE_DAYS, COMPARE_AT_LEAST = 30, 7
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class ScoreDay:
    """The score of a day: `score` None where there was none, then `reason` may say why.

    `components` maps component to exact score or None; `low` to `high` is where the score may lie, `version` what it
    was made with.
    """

    day: date
    score: int | None
    components: Values
    weights: Mapping[str, float]
    reason: str = ""
    version: str = ""
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Comparison:
    """An earlier score and what moved the exact score since, by component."""

    before: ScoreDay
    days: int
    change: int
    effects: Mapping[str, float]


def compare(series: Sequence[ScoreDay], on: ScoreDay | None, *, points: bool) -> Comparison | None:
    """Return the change since the oldest score of the COMPARE_DAYS before `on`, at least COMPARE_AT_LEAST days back."""
    if on is None or on.score is None:
        return None
    oldest, newest = on.day - timedelta(days=COMPARE_DAYS), on.day - timedelta(days=COMPARE_AT_LEAST)
    before = next((p for p in series if oldest <= p.day <= newest and p.score is not None), None)
    if before is None or before.score is None:
        return None
    moves = effects(
        contributions(before.components, before.weights, points=points),
        contributions(on.components, on.weights, points=points),
    )
    return Comparison(before, (on.day - before.day).days, on.score - before.score, moves)


def effective_weights(components: Values, weights: Mapping[str, float], *, points: bool) -> dict[str, float]:
    """Return the share (0-1) with which each component with a value counts.

    The weights of components without one are scaled out; in a points scorecard a component counts as it is (share 1).
    """
    known = {key: weight for key, weight in weights.items() if components.get(key) is not None}
    if points:
        return dict.fromkeys(known, 1.0)
    whole = sum(known.values())
    return {key: weight / whole for key, weight in known.items()} if whole else {}


def contributions(components: Values, weights: Mapping[str, float], *, points: bool) -> dict[str, float]:
    """Return the points that each component with a value brings to the exact score; they add up to it."""
    shares = effective_weights(components, weights, points=points)
    return {key: share * float(components[key] or 0) for key, share in shares.items()}


def effects(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return by component how much it moved the exact score; the values add up to the whole change."""
    keys = [*after, *(key for key in before if key not in after)]
    return {key: after.get(key, 0.0) - before.get(key, 0.0) for key in keys}


def component_labels(scorecard: Scorecard, keys: Sequence[str] = ()) -> dict[str, str]:
    """Return label by component key; keys that the scorecard no longer has are read as words."""
    labels = {component.key: component.label for component in scorecard.components}
    return labels | {key: words(key).capitalize() for key in keys if key not in labels}


def without_data(scorecard: Scorecard, inputs: Mapping[str, Any], components: Values) -> frozenset[str]:
    """Return the components that rest on no data, also where a rule for empty denominators gave them a number."""
    return all_without_data(scorecard, [(inputs, components)])[0]


def all_without_data(scorecard: Scorecard, scores: Sequence[tuple[Mapping[str, Any], Values]]) -> list[frozenset[str]]:
    """Return `without_data` of each score, given as its inputs and components, in one pass."""
    if not scores:
        return []
    names = sorted(scorecard.measures)
    frame = pl.DataFrame({name: pl.Series([inputs.get(name) for inputs, _ in scores], strict=False) for name in names})
    checks = [component.formula.has_data().fill_null(False).alias(component.key) for component in scorecard.components]
    rows = frame.select(checks).iter_rows(named=True)
    return [
        frozenset(key for key, has_data in row.items() if not has_data or components.get(key) is None)
        for row, (_, components) in zip(rows, scores, strict=True)
    ]
