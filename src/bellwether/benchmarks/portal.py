"""Benchmarks as the operations portal shows them: four metrics, filtered by size and industry."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np

from bellwether.benchmarks.cohorts import SIZE_BANDS, Group
from bellwether.benchmarks.night import Night, newest_night, sight_of
from bellwether.benchmarks.percentiles import AT_LEAST, Spread, percentile, spread
from bellwether.common.errors import InvalidInputError
from bellwether.staff.models import StaffUser

SIZES = tuple(band[0] for band in SIZE_BANDS)
METRIC_OF = {
    "attestationCompletion": "attestation_completion",
    "caseResolutionDays": None,
    "loginRate": "login_rate",
    "featureAdoption": "feature_adoption",
}
"""The portal's metrics. How long a case took does not follow from daily facts, so caseResolutionDays is never there."""

LOWER_IS_BETTER = frozenset({"caseResolutionDays"})


@dataclass(frozen=True)
class PortalBenchmarks:
    """What the portal's page shows.

    `peer_count`: clients in the group. `benchmarks`: metric of METRIC_OF to its spread (percent, 0-100), None where it
    is not published. `client_metrics`: visible clients of the whole workspace to metric to value, None where unknown.
    `client_percentiles`: the same clients to metric to rank percentile among the group without the client, None where
    nothing is published. `hidden`: why the whole group is hidden, "" if it is not. `day`: night of the figures.
    """

    peer_count: int
    benchmarks: dict[str, Spread | None]
    client_metrics: dict[UUID, dict[str, float | None]]
    client_percentiles: dict[UUID, dict[str, float | None]]
    hidden: str
    day: date | None


def portal_benchmarks(user: StaffUser, *, size: str = "", industry: str = "") -> PortalBenchmarks:
    """Return the benchmarks of the group for `user`: fixed classes, for every role, under the rule of privacy.

    `size` is smb, midmarket or enterprise (employees under 250, to 999, more), "" or "all" for any. `industry` is the
    name of an industry or the beginning of one, in any case ("financial"), "" or "all" for any; one that no client has
    gives an empty group. Minimum and maximum of a spread are only for roles that see all clients. Raises
    InvalidInputError for another size.
    """
    night = newest_night()
    group = _group(night, size, industry)
    sight = sight_of(user, night)
    inside = night.roster.of(group) if group is not None else np.zeros(len(night.places), bool)
    peers = int(inside.sum())
    spreads: dict[str, Spread | None] = {}
    for name, metric in METRIC_OF.items():
        allowed = metric is not None and sight.allows(group, metric)
        spreads[name] = spread(night.values[metric][inside]) if allowed and metric is not None else None
    own = {client_id: place for client_id, place in night.places.items() if sight.visible[place]}
    return PortalBenchmarks(
        peer_count=peers,
        benchmarks=spreads,
        client_metrics={client_id: _values(night, place) for client_id, place in own.items()},
        client_percentiles={
            client_id: {name: _percentile(night, name, place, inside) if spreads[name] else None for name in METRIC_OF}
            for client_id, place in own.items()
        },
        hidden=_hidden(peers, spreads),
        day=night.day,
    )


def _group(night: Night, size: str, industry: str) -> Group | None:
    if size not in {"", "all", *SIZES}:
        sentence = f"{size!r} is no size; use {', '.join(SIZES)} or all."
        raise InvalidInputError(f"The filter cannot be used: {sentence}", {"size": sentence})
    group: list[tuple[str, str]] = []
    if industry not in {"", "all"}:
        known = sorted(set(night.roster.classes["industry"]) - {""})
        wanted = industry.strip().lower()
        found = [one for one in known if one.lower() == wanted] or [
            one for one in known if one.lower().startswith(wanted)
        ]
        if len(found) != 1:
            return None
        group.append(("industry", found[0]))
    if size in SIZES:
        group.append(("size", size))
    return tuple(group)


def _values(night: Night, place: int) -> dict[str, float | None]:
    return {
        name: None if metric is None or np.isnan(night.values[metric][place]) else float(night.values[metric][place])
        for name, metric in METRIC_OF.items()
    }


def _percentile(night: Night, name: str, place: int, inside: np.ndarray) -> float | None:
    metric = METRIC_OF[name]
    if metric is None:
        return None
    others = inside.copy()
    others[place] = False
    values = night.values[metric]
    return percentile(float(values[place]), values[others], lower_is_better=name in LOWER_IS_BETTER)


def _hidden(peers: int, spreads: dict[str, Spread | None]) -> str:
    if peers < AT_LEAST:
        return f"Benchmark data requires at least {AT_LEAST} peers in the comparison group."
    if not any(spreads.values()):
        return "Shown beside other groups, this one would tell about single clients. Please broaden your filters."
    return ""
