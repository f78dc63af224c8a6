"""A change of score as the lines of a table: every cause with its points and its words, nothing summed up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from bellwether.health.explain import Change, MeasureMove
from bellwether.health.measure_words import Pair, measure_of, movement
from bellwether.health.measures import Measure
from bellwether.web.formatting import full_day

NO_CUSTOMS: Mapping[str, Measure] = MappingProxyType({})


@dataclass(frozen=True)
class ChangePart:
    """A cause of a change: `points` of the score, `details` in words, and the measures behind it as (words, points).

    `kind` is late, data, lost, gained, configuration or rounding.
    """

    kind: str
    label: str
    points: float
    details: list[str] = field(default_factory=list)
    measures: list[tuple[str, float]] = field(default_factory=list)


def change_parts(
    change: Change,
    *,
    labels: Mapping[str, str],
    configuration: Sequence[str] = (),
    customs: Mapping[str, Measure] = NO_CUSTOMS,
) -> list[ChangePart]:
    """Return the parts of `change` in the order in which it is walked; their points add up to `change.score` exactly.

    `labels` names the components, `configuration` says in words what differs between the versions, `customs` are the
    workspace's own measures by slug. Parts that there are not are left out; rounding is always the last.
    """
    found = []
    if change.late or change.stored != change.before:
        found.append(ChangePart("late", "Late data", change.late, [_late(change.since, change.before, change.stored)]))
    if change.lost:
        found.append(
            ChangePart("lost", "Lost data", change.lost_points, [_have(change.lost, labels, "no data any more")])
        )
    found += [
        ChangePart("data", labels.get(key, key), points, measures=_measures(change.measures.get(key, []), customs))
        for key, points in change.data.items()
    ]
    if change.gained:
        found.append(
            ChangePart("gained", "Gained data", change.gained_points, [_have(change.gained, labels, "data now")])
        )
    if configuration or abs(change.configuration) > 0:
        details = list(configuration) or ["Other weights or formulas"]
        found.append(ChangePart("configuration", "Configuration", change.configuration, details))
    return [*found, ChangePart("rounding", "Rounding", change.rounding, ["To whole points, half up"])]


def _measures(moves: Sequence[MeasureMove], customs: Mapping[str, Measure]) -> list[tuple[str, float]]:
    found = []
    for one in moves:
        text = movement(Pair(measure_of(one.measure, customs), one.before, one.after))
        found.append((text[:1].upper() + text[1:], one.points))
    return found


def _late(since: date, shown: int, stored: int | None) -> str:
    return f"{shown} was shown when {full_day(since)} was over, {stored} is stored now"


def _have(keys: Sequence[str], labels: Mapping[str, str], what: str) -> str:
    names = [labels.get(key, key) for key in keys]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} {'has' if len(names) == 1 else 'have'} {what}"
