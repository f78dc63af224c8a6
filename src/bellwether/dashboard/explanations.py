"""How a score comes about, in words and figures: components, weights, inputs, and what changed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from bellwether.common.rounding import half_up
from bellwether.health.coverage import parts_with_data
from bellwether.health.held_values import SINCE
from bellwether.health.levels import level_of
from bellwether.health.measures import MEASURE_LABELS, MEASURES_BY_SLUG, Measure, Unit
from bellwether.health.score_changes import Values, component_labels, contributions, effective_weights, effects
from bellwether.health.score_rows import VERSION
from bellwether.health.scorecard import Component, Scorecard
from bellwether.web.formatting import DASH, Delta, change, day, number, percent, plural, signed, words

NOISE = 0.05
STALE_DAYS = 30
NO_CUSTOMS: Mapping[str, Measure] = MappingProxyType({})
LEVELS = {
    "good": ("healthy", "Good", "circle-check"),
    "fair": ("monitor", "Fair", "eye"),
    "poor": ("risk", "Poor", "triangle-alert"),
}
SOURCES = {
    "usage": "usage events",
    "features": "usage events and the feature records",
    "tickets": "support tickets",
    "surveys": "survey answers",
    "activities": "activities",
    "contacts": "contact records",
    "contract": "the contract record",
    "counts": "events of the product",
    "scores": "earlier scores",
    "custom": "this workspace's own measures",
}


@dataclass(frozen=True)
class Input:
    """One measure that a component read: its name, value with unit, and definition."""

    label: str
    value: str
    definition: str


@dataclass(frozen=True)
class ComponentWhy:
    """How a component's score was made: the formula in words, its inputs, where they come from and their day."""

    title: str
    formula: str
    inputs: list[Input]
    source: str
    note: str


@dataclass(frozen=True)
class ComponentRow:
    """A component as the card shows it. `bar`: 0-100 for the meter, None without data; `median`: 0-100 or None."""

    key: str
    label: str
    weight: str
    value: str
    bar: float | None
    status: str
    word: str
    icon: str
    change: Delta | None
    effect: str
    median: int | None
    no_data: bool
    why: ComponentWhy
    rests: str = ""


@dataclass(frozen=True)
class TotalRow:
    """One line of the sum: "Usage", "41.2 × 25%", "10.30"."""

    label: str
    term: str
    amount: str


@dataclass(frozen=True)
class ScoreWhy:
    """How a whole score was made, on `day`."""

    title: str
    lead: str
    rows: list[TotalRow]
    total: str
    note: str


def largest(moves: Mapping[str, float], labels: Mapping[str, str], *, at_most: int) -> list[tuple[str, float]]:
    """Return the components that moved the score most, as (label, points), largest first; noise is left out."""
    ranked = sorted(((key, move) for key, move in moves.items() if abs(move) >= NOISE), key=lambda item: -abs(item[1]))
    return [(labels.get(key, words(key)), move) for key, move in ranked[:at_most]]


def measure_text(slug: str, value: Any, customs: Mapping[str, Measure] = NO_CUSTOMS) -> str:
    """Return a measure's value with its unit: "12.4 people", "40%", "45 days", "current"."""
    if value is None:
        return DASH
    measure = MEASURES_BY_SLUG.get(slug) or customs.get(slug)
    if measure is None or isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, str) else str(value)
    return unit_text(measure.unit, value)


def unit_text(unit: Unit, value: float) -> str:
    """Return a number with its unit: "12.4 people", "40%", "45 days"."""
    texts = {
        Unit.RATIO: lambda: percent(value),
        Unit.DAYS: lambda: f"{number(value)} {'day' if value == 1 else 'days'}",
        Unit.PEOPLE: lambda: f"{number(value)} {'person' if value == 1 else 'people'}",
        Unit.MINUTES: lambda: f"{number(value)} min",
        Unit.POINTS: lambda: f"{number(value)} {'point' if value == 1 else 'points'}",
        Unit.PERCENT: lambda: f"{number(value)} of 100",
        Unit.NPS: lambda: f"{number(value)} of 10",
    }
    return texts.get(unit, lambda: number(value))()


def explain_component(
    component: Component,
    inputs: Mapping[str, Any],
    *,
    no_data: bool,
    made: str,
    customs: Mapping[str, Measure] = NO_CUSTOMS,
) -> ComponentWhy:
    """Return how `component` was made from `inputs`; `made` says of which day and version. `customs`: the workspace's
    own measures that it reads, by slug."""
    known = MEASURES_BY_SLUG | dict(customs)
    slugs = [slug for slug in MEASURE_LABELS if slug in component.formula.measures]
    slugs += sorted(component.formula.measures - set(slugs))
    labels = {slug: known[slug].label if slug in known else words(slug) for slug in slugs}
    shown = [
        Input(labels[slug], measure_text(slug, inputs.get(slug), customs), _definition(slug, known, inputs))
        for slug in slugs
    ]
    named = {SOURCES.get(known[slug].source, "") for slug in slugs if slug in known}
    absent = [labels[slug] for slug in slugs if inputs.get(slug) is None]
    note = "No data, so this component is left out of the score." if no_data else ""
    if absent and not no_data:
        note = f"Without data: {', '.join(absent)}. The rest of the formula stands for them."
    return ComponentWhy(
        title=f"How {component.label.lower()} is calculated",
        formula=f"{component.formula.words(labels)}.",
        inputs=shown,
        source=f"From {', '.join(sorted(name for name in named if name))}. {made}" if named else made,
        note=note,
    )


def _definition(slug: str, known: Mapping[str, Measure], inputs: Mapping[str, Any]) -> str:
    """Return what the measure is; of one of the workspace's own, with the version that the score was made with."""
    version = inputs.get(slug + VERSION)
    text = known[slug].description if slug in known else ""
    return f"{text} Version {version} of the measure.".strip() if version else text


@dataclass(frozen=True)
class Basis:
    """What the explanation of a score rests on: the row as stored. `empty`: components that rest on no data."""

    day: date
    score: int | None
    components: Values
    weights: Mapping[str, float]
    inputs: Mapping[str, Any]
    coverage: float
    reason: str
    version: str
    made_at: str
    empty: frozenset[str] = frozenset()
    customs: Mapping[str, Measure] = field(default_factory=dict)
    rests_on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    interval: tuple[int, int] | None = None


def rests_text(data: Mapping[str, Any], component: Component, inputs: Mapping[str, Any], today: date) -> str:
    """Return in few words what a component lacks, how old its newest record is, and what is held; "" if nothing is."""
    said = []
    since = sorted({str(inputs[slug + SINCE]) for slug in component.formula.measures if slug + SINCE in inputs})
    if since:
        when = day(date.fromisoformat(since[0]), today)
        said.append(f"Nothing has come from any source since {when}; the last known value still counts")
    have, parts = parts_with_data(component.formula, inputs)
    if parts > 1 and have < parts and have:
        said.append(f"{have} of {parts} parts have data")
    stale = data.get("stale_days")
    if stale is not None and stale > STALE_DAYS:
        said.append(f"newest record {stale} days old")
    text = "; ".join(said)
    return text[:1].upper() + text[1:]


def component_rows(
    basis: Basis,
    scorecard: Scorecard,
    *,
    earlier: tuple[Values, Mapping[str, float]] | None,
    medians: Mapping[str, int],
    today: date,
) -> list[ComponentRow]:
    """Return a row for each component of the scorecard; `earlier` are components and weights to compare with."""
    now = contributions(basis.components, basis.weights, points=scorecard.points)
    then = contributions(*earlier, points=scorecard.points) if earlier else {}
    moves = effects(then, now) if earlier else {}
    made = f"Score of {day(basis.day, today)}, {basis.version}."
    rows = []
    for component in scorecard.components:
        value = basis.components.get(component.key)
        weight = float(basis.weights.get(component.key, component.weight))
        before = earlier[0].get(component.key) if earlier else None
        bar = _bar(value, weight, scorecard.points)
        status, word, icon = _level(bar, no_data=component.key in basis.empty)
        rows.append(
            ComponentRow(
                key=component.key,
                label=component.label,
                weight=f"{number(weight)}{' pts' if scorecard.points else '%'}",
                value=number(half_up(value)) if value is not None else "N/A",
                bar=bar,
                status=status,
                word=word,
                icon=icon,
                change=_change(value, before),
                effect=signed(round(moves[component.key], 1)) if component.key in moves else DASH,
                median=medians.get(component.key),
                no_data=component.key in basis.empty,
                why=explain_component(component, basis.inputs, no_data=value is None, made=made, customs=basis.customs),
                rests=rests_text(basis.rests_on.get(component.key, {}), component, basis.inputs, today),
            )
        )
    return rows


def explain_score(basis: Basis, scorecard: Scorecard, *, today: date) -> ScoreWhy:
    """Return the sum behind a score: component × weight, the total, the version and how much of the weight had data."""
    labels = component_labels(scorecard, tuple(basis.components))
    shares = effective_weights(basis.components, basis.weights, points=scorecard.points)
    parts = contributions(basis.components, basis.weights, points=scorecard.points)
    rows = []
    for key, weight in basis.weights.items():
        value = basis.components.get(key)
        if value is None:
            rows.append(TotalRow(labels.get(key, words(key)), "no data", DASH))
        elif scorecard.points:
            rows.append(TotalRow(labels.get(key, words(key)), f"of {number(weight)}", f"{parts[key]:.2f}"))
        else:
            rows.append(
                TotalRow(labels.get(key, words(key)), f"{_exact(value)} × {_share(shares[key])}", f"{parts[key]:.2f}")
            )
    when = "" if basis.day == today else f" on {day(basis.day, today)}"
    title = f"How {basis.score} is calculated{when}" if basis.score is not None else f"Why there is no score{when}"
    lead = "Points of the components, added up" if scorecard.points else "Component score × weight"
    return ScoreWhy(
        title=title,
        lead=f"{lead}, {basis.version}.",
        rows=rows,
        total=f"{sum(parts.values()):.2f}" if basis.score is not None else "N/A",
        note=f"{_coverage_note(basis, scorecard)}{_interval_note(basis)} Made {basis.made_at}.",
    )


def _interval_note(basis: Basis) -> str:
    if basis.interval is None:
        return ""
    low, high = basis.interval
    return f" Whatever the missing data are, the score lies between {low} and {high}."


def _coverage_note(basis: Basis, scorecard: Scorecard) -> str:
    if basis.score is None:
        return f"{basis.reason.rstrip('.')}."
    empty = basis.empty
    if not empty:
        return "All components have data." if basis.interval is None else "All components have data, but not all parts."
    labels = component_labels(scorecard)
    names = ", ".join(labels[component.key] for component in scorecard.components if component.key in empty)
    verb = "has" if len(empty) == 1 else "have"
    scaled = any(basis.components.get(key) is None for key in empty) and not scorecard.points
    rest = "; the other weights are scaled up" if scaled else ""
    return f"{percent(basis.coverage)} of the weight has data: {names} {verb} none{rest}."


def _bar(value: float | None, weight: float, points: bool) -> float | None:
    if value is None:
        return None
    share = 100 * value / weight if points and weight else value
    return round(min(100.0, max(0.0, share)), 1)


def _level(bar: float | None, *, no_data: bool) -> tuple[str, str, str]:
    """Return status word, its name and icon: good from 75, fair from 60, poor below."""
    if bar is None or no_data:
        return "na", "No data", "circle-dashed"
    return LEVELS[level_of(half_up(bar))]


def _change(value: float | None, before: float | None) -> Delta | None:
    if value is None or before is None:
        return None
    moved = half_up(value) - half_up(before)
    return change(moved, better="up" if abs(moved) > 5 else "")


def _exact(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _share(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def count_text(count: int, tier: str) -> str:
    """Return how many clients a median rests on: "41 Enterprise clients"."""
    return plural(count, f"{tier} client")
