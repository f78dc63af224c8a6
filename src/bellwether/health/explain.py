"""A stored score made again from its own inputs, and the change between two scores split into its causes. Pure.

The split goes from the earlier score to the later one in four steps, each changing one thing, so that the parts always
add up to the change of the exact score (docs/reference/explain.md):

1. components that lost their data leave, with the earlier weights;
2. the components that both scores have move from the earlier values to the later ones, component by component;
3. components that gained data come in, with the earlier weights;
4. the later configuration (weights, formulas) takes over.

What half-up rounding adds on the way to whole points is a part of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

import polars as pl

from bellwether.health.engine import score_measures
from bellwether.health.measures import MEASURE_LABELS, MEASURES_BY_SLUG, Unit
from bellwether.health.score_rows import VERSION
from bellwether.health.scorecard import Scorecard

TOLERANCE = 1e-9
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class StoredScore:
    """What the database says about a score; field names as in HealthScore."""

    date: date
    overall_score: int | None
    status: str
    trend: str
    previous_score: int | None
    coverage: float
    no_score_reason: str
    components: Mapping[str, float | None]
    inputs: Mapping[str, Any]
    weights_version: str


@dataclass(frozen=True)
class ComponentPart:
    """How a component came about and what it brings. `share` is its weight among the components with data (0-1, 1 in
    a points scorecard), `contribution` the points of the exact score it brings; both None without data."""

    key: str
    label: str
    weight: float
    share: float | None
    value: float | None
    contribution: float | None
    formula: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Why a score differs from an earlier one. `score` = sum of all parts; each part in points of the score.

    `data` by component with data on both dates; `lost` and `gained`: components that lost or gained their data, and
    what the change of scale that follows did; `configuration`: weights and formulas; `rounding`: the rest.
    """

    since: date
    before: int
    score: int
    data: dict[str, float]
    lost: list[str]
    lost_points: float
    gained: list[str]
    gained_points: float
    configuration: float
    rounding: float


@dataclass(frozen=True)
class Explanation:
    """A score with everything it was made of. `exact` is the score before rounding, made again from the inputs;
    `differences` lists where the score made again differs from the stored one, empty when it is the same."""

    date: date
    score: int | None
    exact: float | None
    status: str
    trend: str
    previous_score: int | None
    coverage: float
    reason: str
    version: str
    components: list[ComponentPart]
    differences: list[str]
    labels: dict[str, str] = field(default_factory=dict)


def explain(
    stored: StoredScore, scorecard: Scorecard, *, labels: Mapping[str, str] = MappingProxyType({})
) -> Explanation:
    """Return the explanation of a stored score, made again through the engine with the scorecard it names.

    `labels` names the custom measures; their slug stands for those that it lacks.
    """
    named = {slug: slug for slug in scorecard.measures} | MEASURE_LABELS | dict(labels)
    again = _score(stored.inputs, stored.date, scorecard, previous=stored.previous_score)
    values = {component.key: again[component.key] for component in scorecard.components}
    shares = _shares(values, scorecard)
    return Explanation(
        date=stored.date,
        score=again["score"],
        exact=again["exact"],
        status=again["status"],
        trend=again["trend"],
        previous_score=stored.previous_score,
        coverage=again["coverage"],
        reason=again["no_score_reason"],
        version=stored.weights_version,
        components=[
            ComponentPart(
                key=component.key,
                label=component.label,
                weight=component.weight,
                share=shares.get(component.key),
                value=values[component.key],
                contribution=_times(shares.get(component.key), values[component.key]),
                formula=component.formula.words(named),
                inputs=_inputs(component.formula.measures, stored.inputs),
            )
            for component in scorecard.components
        ],
        differences=_differences(stored, again, values),
        labels=dict(labels),
    )


def change(before: StoredScore, before_card: Scorecard, after: StoredScore, after_card: Scorecard) -> Change | None:
    """Return why `after` differs from `before`; None when one of them has no score."""
    if before.overall_score is None or after.overall_score is None:
        return None
    first = _components(before, before_card)
    later_old_card = _components(_under(after, after_card, before_card), before_card)
    later = _components(after, after_card)
    had = {key for key, value in first.items() if value is not None}
    has = {key for key, value in later_old_card.items() if value is not None}
    both = had & has
    start, moved_from = _total(first, before_card), _total(_only(first, both), before_card)
    moved_to, complete = _total(_only(later_old_card, both), before_card), _total(later_old_card, before_card)
    end = _total(later, after_card)
    shares = _shares(_only(first, both), before_card)
    data = {key: shares[key] * _difference(first[key], later_old_card[key]) for key in first if key in both}
    points = after.overall_score - before.overall_score
    exact = (moved_from - start) + sum(data.values()) + (complete - moved_to) + (end - complete)
    return Change(
        since=before.date,
        before=before.overall_score,
        score=points,
        data=data,
        lost=[key for key in first if key in had - has],
        lost_points=moved_from - start,
        gained=[key for key in later_old_card if key in has - had],
        gained_points=complete - moved_to,
        configuration=end - complete,
        rounding=points - exact,
    )


def _inputs(slugs: Collection[str], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measures `slugs`, each followed by its version where it is a custom one."""
    names = [name for slug in sorted(slugs) for name in (slug, slug + VERSION) if name == slug or name in inputs]
    return {name: inputs.get(name) for name in names}


def _score(inputs: Mapping[str, Any], day: date, scorecard: Scorecard, *, previous: int | None) -> dict[str, Any]:
    values: dict[str, pl.Series] = {
        "client_id": pl.Series([""], dtype=pl.String),
        "date": pl.Series([day], dtype=pl.Date),
        "previous_score": pl.Series([previous], dtype=pl.Int32),
    }
    for slug, value in inputs.items():
        measure = MEASURES_BY_SLUG.get(slug)
        if measure is None and slug in scorecard.measures:  # a custom one: always a number
            values[slug] = pl.Series([value], dtype=pl.Float64, strict=False)
        elif measure is not None and slug not in values:
            kind = pl.String if measure.unit is Unit.WORD else pl.Int64 if measure.whole else pl.Float64
            values[slug] = pl.Series([value], dtype=kind, strict=False)
    return score_measures(pl.DataFrame(values), scorecard).row(0, named=True)


def _components(stored: StoredScore, scorecard: Scorecard) -> dict[str, float | None]:
    row = _score(stored.inputs, stored.date, scorecard, previous=None)
    return {component.key: row[component.key] for component in scorecard.components}


def _under(stored: StoredScore, card: Scorecard, other: Scorecard) -> StoredScore:
    """Return the score as `other` would have had it measured: other rates expect other daily users."""
    if card.expected_daily_rate == other.expected_daily_rate:
        return stored
    inputs = {slug: value for slug, value in stored.inputs.items() if slug != "expected_dau"}
    return replace(stored, inputs=inputs)


def _differences(stored: StoredScore, again: Mapping[str, Any], values: Values) -> list[str]:
    """Return where the score made again is not the stored one, in words."""
    pairs: list[tuple[str, Any, Any]] = [
        ("score", stored.overall_score, again["score"]),
        ("status", stored.status, again["status"]),
        ("trend", stored.trend, again["trend"]),
        ("coverage", stored.coverage, again["coverage"]),
        *((key, stored.components.get(key), value) for key, value in values.items()),
    ]
    return [f"{name} is stored as {old} and comes out as {new}" for name, old, new in pairs if not _same(old, new)]


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(old - new) <= TOLERANCE
    return bool(old == new)


def _shares(values: Values, scorecard: Scorecard) -> dict[str, float]:
    present = {c.key: c.weight for c in scorecard.components if values.get(c.key) is not None}
    if scorecard.points:
        return dict.fromkeys(present, 1.0)
    whole = sum(present.values())
    return {key: weight / whole for key, weight in present.items()} if whole else {}


def _total(values: Values, scorecard: Scorecard) -> float:
    return sum(share * float(values[key] or 0) for key, share in _shares(values, scorecard).items())


def _only(values: Values, keys: set[str]) -> dict[str, float | None]:
    return {key: value if key in keys else None for key, value in values.items()}


def _difference(before: float | None, after: float | None) -> float:
    return float(after or 0) - float(before or 0)


def _times(share: float | None, value: float | None) -> float | None:
    return None if share is None or value is None else share * value
