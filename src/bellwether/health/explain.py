"""A stored score made again from its own inputs, and the change between two scores split into its causes. Pure.

The split goes from the earlier score to the later one in four steps, each changing one thing, so that the parts always
add up to the change of the exact score (docs/reference/explain.md):

1. components that lost their data leave, with the earlier weights;
2. the components that both scores have move from the earlier values to the later ones, component by component;
3. components that gained data come in, with the earlier weights;
4. the later configuration (weights, formulas) takes over.

What half-up rounding adds on the way to whole points is a part of its own.
"""

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from bellwether.health.coverage import component_data, intervals, shares
from bellwether.health.engine import score_components, score_measures
from bellwether.health.held_values import HELD, SINCE
from bellwether.health.measures import MEASURE_LABELS
from bellwether.health.rederiving import measures_frame
from bellwether.health.score_rows import VERSION
from bellwether.health.scorecard import Scorecard

QUANTUM = 2**30
Values = Mapping[str, float | None]
Components = dict[str, float | None]
Row = tuple[date, int | None, Mapping[str, Any]]
Steps = dict[str, list[tuple[str, dict[str, Any]]]]
DERIVED = "expected_dau"
"""What the engine derives where the whole frame lacks it: rows with and without it cannot share one."""


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
    coverage: float = 1.0
    as_of: str | None = None
    stale_days: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class MeasureMove:
    """A measure that moved a component between two dates, and the points of the score that it brought."""

    measure: str
    before: Any
    after: Any
    points: float


@dataclass(frozen=True)
class Change:
    """Why a score differs from an earlier one as it was seen on its day. `score` = sum of all parts, exactly; each part
    in points of the score, as a multiple of 2^-30.

    `data` by component with data on both dates; `lost` and `gained`: components that lost or gained their data, and
    what the change of scale that follows did; `configuration`: weights and formulas; `late`: data that came after the
    earlier day, whose score was seen as `before` and is `stored` now; `rounding`: the rest. `measures` splits `data`.
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
    late: float = 0.0
    stored: int | None = None
    measures: dict[str, list[MeasureMove]] = field(default_factory=dict)


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
    interval: tuple[int, int] | None = None


def explain(
    stored: StoredScore, scorecard: Scorecard, *, labels: Mapping[str, str] = MappingProxyType({})
) -> Explanation:
    """Return the explanation of a stored score, made again through the engine with the scorecard it names.

    `labels` names the custom measures; their slug stands for those that it lacks.
    """
    named = {slug: slug for slug in scorecard.measures} | MEASURE_LABELS | dict(labels)
    measures = measures_frame([(stored.date, stored.previous_score, stored.inputs)], scorecard)
    scored, have = score_measures(measures, scorecard), shares(measures, scorecard)
    again = scored.row(0, named=True)
    low, high = intervals(scored, have, scorecard).row(0)
    values = {component.key: again[component.key] for component in scorecard.components}
    counts = {key: float(share) for key, share in _shares(values, scorecard).items()}
    rests: dict[str, dict[str, Any]] = json.loads(component_data(measures, have, scorecard)[0])
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
                share=counts.get(component.key),
                value=values[component.key],
                contribution=_times(counts.get(component.key), values[component.key]),
                formula=component.formula.words(named),
                inputs=_inputs(component.formula.measures, stored.inputs),
                **rests[component.key],
            )
            for component in scorecard.components
        ],
        differences=_differences(stored, again, values),
        labels=dict(labels),
        interval=None if low is None else (low, high),
    )


def change(
    before: StoredScore,
    before_card: Scorecard,
    after: StoredScore,
    after_card: Scorecard,
    *,
    seen: tuple[StoredScore, Scorecard] | None = None,
) -> Change | None:
    """Return why `after` differs from `before`; None when one of them has no score.

    `seen` is the earlier score as it stood when its day was over, with its scorecard, where it was changed since: the
    change then counts from what was seen.
    """
    shown, shown_card = seen or (before, before_card)
    if shown.overall_score is None or before.overall_score is None or after.overall_score is None:
        return None
    later_before = _under(after, after_card, before_card)
    steps = _steps(before, later_before, before_card)
    (seen_first, under_seen, first, later_old_card, later), stepped = _all_components(
        (shown, shown_card),
        (_under(before, before_card, shown_card), shown_card),
        (before, before_card),
        (later_before, before_card),
        (after, after_card),
        steps=[(after.date, None, inputs) for rows in steps.values() for _, inputs in rows],
        steps_card=before_card,
    )
    exact_seen, now_old_card = _total(seen_first, shown_card), _total(under_seen, shown_card)
    had = {key for key, value in first.items() if value is not None}
    has = {key for key, value in later_old_card.items() if value is not None}
    both = had & has
    start, moved_from = _total(first, before_card), _total(_only(first, both), before_card)
    moved_to, complete = _total(_only(later_old_card, both), before_card), _total(later_old_card, before_card)
    end = _total(later, after_card)
    counts = _shares(_only(first, both), before_card)
    data = {key: _part(counts[key] * _difference(first[key], later_old_card[key])) for key in first if key in both}
    parts = {
        "late": _part(now_old_card - exact_seen),
        "lost": _part(moved_from - start),
        "gained": _part(complete - moved_to),
        "configuration": _part(start - now_old_card + end - complete),
    }
    points = after.overall_score - shown.overall_score
    return Change(
        since=before.date,
        before=shown.overall_score,
        score=points,
        data=data,
        lost=[key for key in first if key in had - has],
        lost_points=parts["lost"],
        gained=[key for key in later_old_card if key in has - had],
        gained_points=parts["gained"],
        configuration=parts["configuration"],
        rounding=points - sum(data.values()) - sum(parts.values()),
        late=parts["late"],
        stored=before.overall_score,
        measures=_moves(before, later_before, steps, stepped, data),
    )


def _part(points: Fraction) -> float:
    """Return points as a multiple of 2^-30: such floats add up without any error, in whatever order."""
    return round(points * QUANTUM) / QUANTUM


def _steps(before: StoredScore, after: StoredScore, card: Scorecard) -> Steps:
    """Return by component the inputs with one measure after the other at its later value, in the order of names.

    The first of a component has none changed: its measure is "".
    """
    steps: Steps = {}
    for component in card.components:
        inputs = dict(before.inputs)
        rows = [("", dict(inputs))]
        for slug in sorted(component.formula.measures):
            if not _differs(before, after, slug):
                continue
            for name in (slug, slug + HELD):
                inputs.pop(name, None)
                inputs |= {name: after.inputs[name]} if name in after.inputs else {}
            rows.append((slug, dict(inputs)))
        steps[component.key] = rows
    return steps


def _moves(
    before: StoredScore, after: StoredScore, steps: Steps, stepped: Sequence[Components], data: Mapping[str, float]
) -> dict[str, list[MeasureMove]]:
    """Return by component of `data` which measures moved it; their points add up to the component's part.

    `stepped` are the components of all rows of `steps`.
    """
    moves: dict[str, list[MeasureMove]] = {}
    at = 0
    for key, rows in steps.items():
        values = [float(row[key] or 0) for row in stepped[at : at + len(rows)]]
        at += len(rows)
        if key not in data:
            continue
        differences = [b - a for a, b in itertools.pairwise(values)]
        whole = sum(differences)
        points = [_part(Fraction(data[key]) * Fraction(one) / Fraction(whole)) if whole else 0.0 for one in differences]
        if points:
            points[-1] += data[key] - sum(points)
        moves[key] = [
            MeasureMove(slug, before.inputs.get(slug), after.inputs.get(slug), share)
            for (slug, _), share in zip(rows[1:], points, strict=True)
        ]
    return moves


def _differs(before: StoredScore, after: StoredScore, slug: str) -> bool:
    return any(before.inputs.get(name) != after.inputs.get(name) for name in (slug, slug + HELD))


def _inputs(slugs: Collection[str], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measures `slugs`, each followed by its version where it is a custom one, and by its held value."""
    names = [
        name
        for slug in sorted(slugs)
        for name in (slug, slug + VERSION, slug + HELD, slug + SINCE)
        if name == slug or name in inputs
    ]
    return {name: inputs.get(name) for name in names}


def _all_components(
    *scores: tuple[StoredScore, Scorecard], steps: Sequence[Row], steps_card: Scorecard
) -> tuple[list[Components], list[Components]]:
    """Return the components of each score under its scorecard, and of `steps`. A run of the engine costs as much as
    many rows, so that what can be scored together is."""
    wanted: list[tuple[Row, Scorecard]] = [((one.date, None, one.inputs), card) for one, card in scores]
    wanted += [(row, steps_card) for row in steps]
    groups: dict[tuple[int, bool], list[int]] = {}
    for at, ((_, _, inputs), card) in enumerate(wanted):
        groups.setdefault((id(card), DERIVED in inputs), []).append(at)
    made: dict[int, Components] = {}
    for places in groups.values():
        card = wanted[places[0]][1]
        scored = score_components(measures_frame([wanted[at][0] for at in places], card), card)
        made |= zip(places, scored.to_dicts(), strict=True)
    found = [made[at] for at in range(len(wanted))]
    return found[: len(scores)], found[len(scores) :]


def _under(stored: StoredScore, card: Scorecard, other: Scorecard) -> StoredScore:
    """Return the score as `other` would have had it measured: other rates expect other daily users."""
    if card.expected_daily_rate == other.expected_daily_rate:
        return stored
    inputs = {slug: value for slug, value in stored.inputs.items() if slug != DERIVED}
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
    return [f"{name} is stored as {old} and comes out as {new}" for name, old, new in pairs if old != new]


def _shares(values: Values, scorecard: Scorecard) -> dict[str, Fraction]:
    present = {c.key: Fraction(c.weight) for c in scorecard.components if values.get(c.key) is not None}
    if scorecard.points:
        return dict.fromkeys(present, Fraction(1))
    whole = sum(present.values())
    return {key: weight / whole for key, weight in present.items()} if whole else {}


def _total(values: Values, scorecard: Scorecard) -> Fraction:
    counts = _shares(values, scorecard)
    return sum((share * Fraction(values[key] or 0) for key, share in counts.items()), Fraction(0))


def _only(values: Values, keys: set[str]) -> dict[str, float | None]:
    return {key: value if key in keys else None for key, value in values.items()}


def _difference(before: float | None, after: float | None) -> Fraction:
    return Fraction(after or 0) - Fraction(before or 0)


def _times(share: float | None, value: float | None) -> float | None:
    return None if share is None or value is None else share * value
