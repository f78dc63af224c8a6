"""What moved a score, in words with the client's own numbers. Pure.

The parts are those of `explain.change`; here each gets its sentence. Parts under SMALL points, and what rounding to
whole points adds, are summed as one, so that the drivers always add up to the change of the score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import polars as pl

from bellwether.health.explain import Change, StoredScore
from bellwether.health.formulas import Formula, Mean, Part, Ratio, Relief
from bellwether.health.measure_words import Pair, both_texts, measure_of, movement, name_of, value_text, verb
from bellwether.health.measures import MEASURES_BY_SLUG, Measure, Unit
from bellwether.health.scorecard import Component, Scorecard
from bellwether.web.formatting import plural, signed, words

SMALL = 1.0
NAMED_PARTS = 2
AGAINST = {"expected_dau": "expected", "dau_avg_90d": "over 90 days", "dau_avg_30d": "over 30 days"}
NO_CUSTOMS: Mapping[str, Measure] = MappingProxyType({})


@dataclass(frozen=True)
class Driver:
    """A part of a change: `points` of the score, what it is called, and why, as part of a sentence.

    `kind` is data (of the component `component`), lost, gained, late, configuration or other.
    """

    kind: str
    component: str
    label: str
    points: float
    reason: str

    @property
    def sentence(self) -> str:
        """The driver in one line: "Usage −9: daily users fell from 12.4 to 8.1 against 15 expected"."""
        return f"{self.label} {signed(self.points)}: {self.reason}"


@dataclass(frozen=True)
class MovedMeasure:
    """A measure that differs between two days, with its values as texts; `component` is who reads it."""

    component: str
    label: str
    before: str
    after: str


def drivers(
    change: Change,
    before: StoredScore,
    after: StoredScore,
    scorecard: Scorecard,
    *,
    customs: Mapping[str, Measure] = NO_CUSTOMS,
) -> list[Driver]:
    """Return what `change` consists of, largest first, what is small summed at the end.

    `scorecard` is that of `after`; `customs` are the workspace's own measures by slug. The points add up to
    `change.score` within floating point.
    """
    components = {component.key: component for component in scorecard.components}
    leaves = _Leaves(before.inputs, after.inputs, customs)
    found = [
        Driver("data", key, _label(key, components), points, _component_reason(key, points, components, leaves))
        for key, points in change.data.items()
    ]
    found += _other_parts(change, before, after, components)
    shown = sorted((one for one in found if abs(one.points) >= SMALL), key=lambda one: -abs(one.points))
    small = [one for one in found if 0 < abs(one.points) < SMALL]
    rest = change.score - sum(one.points for one in shown)
    if small or abs(rest) > 1e-9:
        shown.append(Driver("other", "", "Other", rest, _small_reason(small)))
    return [one for one in shown if one.kind != "other" or abs(one.points) >= 0.05]


def measure_moves(
    before: StoredScore, after: StoredScore, scorecard: Scorecard, *, customs: Mapping[str, Measure] = NO_CUSTOMS
) -> list[MovedMeasure]:
    """Return the measures of the scorecard that differ between the two days, in its order; each once."""
    found, seen = [], set()
    for component in scorecard.components:
        order = [slug for slug in MEASURES_BY_SLUG if slug in component.formula.measures]
        for slug in (*order, *sorted(component.formula.measures - set(order))):
            pair = Pair(measure_of(slug, customs), before.inputs.get(slug), after.inputs.get(slug))
            if slug not in seen and pair.moved:
                seen.add(slug)
                found.append(MovedMeasure(component.label, pair.measure.label, *both_texts(pair)))
    return found


def _other_parts(
    change: Change, before: StoredScore, after: StoredScore, components: Mapping[str, Component]
) -> list[Driver]:
    """Return what did not come from data that both days have."""
    parts = []
    if change.lost:
        names = _names(change.lost, components)
        reason = f"{names} {_have(change.lost)} no data any more, the other weights stand for it"
        parts.append(Driver("lost", "", "Missing data", change.lost_points, reason))
    if change.gained:
        reason = f"{_names(change.gained, components)} {_have(change.gained)} data now"
        parts.append(Driver("gained", "", "New data", change.gained_points, reason))
    if abs(change.late) > 1e-9:
        parts.append(Driver("late", "", "Late data", change.late, "records that came in after the day was scored"))
    if abs(change.configuration) > 1e-9:
        reason = "other weights or formulas"
        if before.weights_version != after.weights_version:
            reason = f"{after.weights_version} came into force in place of {before.weights_version}"
        parts.append(Driver("configuration", "", "Configuration", change.configuration, reason))
    return parts


def _component_reason(key: str, points: float, components: Mapping[str, Component], leaves: "_Leaves") -> str:
    component = components.get(key)
    text = leaves.reason(component.formula) if component else ""
    return text or ("it rose" if points > 0 else "it fell")


def _small_reason(small: Sequence[Driver]) -> str:
    """Return what the small parts are: the components by name."""
    names = [one.label.lower() if one.kind == "data" else "configuration and missing data" for one in small]
    listed = ", ".join(dict.fromkeys(names))
    return f"{plural(len(small), 'smaller change')} ({listed}) and rounding" if small else "rounding to whole points"


class _Leaves:
    """The measures of two days, and what the formulas over them make of each."""

    def __init__(self, before: Mapping[str, Any], after: Mapping[str, Any], customs: Mapping[str, Measure]) -> None:
        self.before, self.after, self.customs = before, after, customs

    def pair(self, slug: str) -> Pair:
        return Pair(measure_of(slug, self.customs), self.before.get(slug), self.after.get(slug))

    def reason(self, formula: Formula) -> str:
        """Return what moved the formula's value, as part of a sentence; empty where nothing did."""
        if isinstance(formula, Mean):
            texts = [self.reason(part.formula) for part in self._moved(formula)]
            return "; ".join([text for text in texts if text][:NAMED_PARTS])
        if not any(self.pair(slug).moved for slug in formula.measures):
            return ""
        if isinstance(formula, Ratio):
            return self._ratio(formula)
        if isinstance(formula, Relief):
            return f"{movement(self.pair(formula.measure))} with {self._base(formula.of)}"
        (slug,) = formula.measures
        return movement(self.pair(slug))

    def _ratio(self, formula: Ratio) -> str:
        of, part = self.pair(formula.of), self.pair(formula.measure)
        if not (of.known and part.known):
            unknown = [pair for pair in (part, of) if not pair.known]
            return ", ".join(movement(pair) for pair in unknown)
        if formula.of in AGAINST:
            was = f" (was {both_texts(of)[0]})" if of.moved else ""
            return f"{movement(part)} against {both_texts(of)[1]} {AGAINST[formula.of]}{was}"
        before, after = both_texts(part)
        before_of, after_of = both_texts(of)
        name = name_of(of.measure)
        whole = f" {name}" if part.measure.unit is Unit.PEOPLE else ""
        way = "went"
        if part.before and of.before and of.after:
            way = verb(part.before / of.before, part.after / of.after)
            way = way if not part.moved or way == verb(part.before, part.after) else "went"
        return f"{name_of(part.measure)} {way} from {before} of {before_of} to {after} of {after_of}{whole}"

    def _base(self, slug: str) -> str:
        pair = self.pair(slug)
        was = f" (was {value_text(pair.measure, pair.before)})" if pair.moved and pair.before is not None else ""
        return f"{value_text(pair.measure, pair.after)} {name_of(pair.measure)}{was}"

    def _moved(self, mean: Mean) -> list[Part]:
        """Return the parts whose value changed, the one that moved the mean most first."""
        frame = self._frame(mean)
        values = frame.select(part.formula.value().alias(str(place)) for place, part in enumerate(mean.parts))
        moves = {}
        for place, part in enumerate(mean.parts):
            first, second = values[str(place)].to_list()
            if first != second:
                whole = 100.0 if first is None or second is None else abs(second - first)
                moves[place] = part.weight * whole
        return [mean.parts[place] for place in sorted(moves, key=lambda place: (-moves[place], place))]

    def _frame(self, formula: Formula) -> pl.DataFrame:
        columns = {}
        for slug in sorted(formula.measures):
            word = measure_of(slug, self.customs).unit is Unit.WORD
            values = [self.before.get(slug), self.after.get(slug)]
            columns[slug] = pl.Series(values, dtype=pl.String if word else pl.Float64, strict=False)
        return pl.DataFrame(columns)


def _label(key: str, components: Mapping[str, Component]) -> str:
    return components[key].label if key in components else words(key).capitalize()


def _names(keys: Sequence[str], components: Mapping[str, Component]) -> str:
    names = [_label(key, components) for key in keys]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _have(keys: Sequence[str]) -> str:
    return "has" if len(keys) == 1 else "have"
