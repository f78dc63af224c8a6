"""Which components of the main scorecard have data for how many clients, and which import would add most."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from bellwether.health.backtest import definition_in_use
from bellwether.health.configs import main_scorecard
from bellwether.health.custom_registry import known_measures
from bellwether.health.measures import MEASURES_BY_SLUG, Source
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import parse_scorecard
from bellwether.portfolio.models import Client

SOURCES: dict[str, frozenset[Source]] = {
    "clients": frozenset({Source.CONTRACT}),
    "contracts": frozenset({Source.CONTRACT}),
    "contacts": frozenset({Source.CONTACTS}),
    "tickets": frozenset({Source.TICKETS}),
    "surveys": frozenset({Source.SURVEYS}),
    "activities": frozenset({Source.ACTIVITIES}),
    "features": frozenset({Source.FEATURES}),
    "events": frozenset({Source.USAGE, Source.COUNTS, Source.FEATURES}),
    "outcomes": frozenset(),
}
"""By kind of import: the sources of measures that it fills."""
LEAST_GAIN = 2.0


@dataclass(frozen=True)
class ComponentCoverage:
    """A component of the scorecard: its weight in percent of all, how many of the active clients have any data for it,
    and what kinds of import feed it, with the share (0-1) of its measures that each feeds."""

    key: str
    label: str
    weight: float
    covered: int
    clients: int
    kinds: Mapping[str, float]


def component_coverage(*, now: datetime) -> list[ComponentCoverage]:
    """Return the coverage of the components by the newest scores; clients without any count as without data."""
    name = main_scorecard()
    card = parse_scorecard(definition_in_use(name, now=now), known_measures=known_measures())
    clients = Client.objects.active().count()
    scores = HealthScore.objects.filter(scorecard=name, client__archived_at__isnull=True)
    newest = scores.aggregate(day=Max("date"))["day"]
    covered = dict.fromkeys((component.key for component in card.components), 0)
    for data in scores.filter(date=newest).values_list("component_data", flat=True) if newest else ():
        for key, values in _mapping(data).items():
            if key in covered and (values.get("coverage") or 0) > 0:
                covered[key] += 1
    whole = sum(component.weight for component in card.components) or 1.0
    return [
        ComponentCoverage(
            component.key,
            component.label,
            100.0 * component.weight / whole,
            covered[component.key],
            clients,
            _kinds(component.formula.measures),
        )
        for component in card.components
    ]


def _mapping(data: Any) -> dict[str, Any]:
    return json.loads(data) if isinstance(data, str) else data or {}


def _kinds(measures: frozenset[str]) -> dict[str, float]:
    known = [MEASURES_BY_SLUG[slug].source for slug in measures if slug in MEASURES_BY_SLUG]
    shares = {kind: sum(source in fed for source in known) / len(measures) for kind, fed in SOURCES.items() if known}
    return {kind: share for kind, share in shares.items() if share}


@dataclass(frozen=True)
class Gain:
    """A kind of import and by how many percentage points of weight it could raise the average coverage, at most."""

    kind: str
    points: float
    components: tuple[str, ...]


def gains(coverage: Sequence[ComponentCoverage]) -> list[Gain]:
    """Return what to import next, the kind that could add most first. Pure: no query."""
    found = []
    for kind in SOURCES:
        parts = [one for one in coverage if kind in one.kinds and one.clients > one.covered]
        points = sum(one.weight * one.kinds[kind] * (1 - one.covered / one.clients) for one in parts)
        if points >= LEAST_GAIN:
            found.append(Gain(kind, points, tuple(one.label for one in parts)))
    return sorted(found, key=lambda gain: -gain.points)


def kept(coverage: Sequence[ComponentCoverage]) -> dict[str, Any]:
    """Return how many clients each component covers, as an import keeps it to compare with later."""
    return {
        "clients": coverage[0].clients if coverage else 0,
        "covered": {one.key: one.covered for one in coverage},
    }
