"""The decision on groups for what compares with them outside benchmarks: health, trend, usage and adoption.

It is the same decision, on the same groups: of the fixed family the first ones decided on are all clients, tiers and
industries, and those after them (sizes, pairs) change nothing about them.
"""

from uuid import UUID

import numpy as np
from django.core.cache import caches

from bellwether.benchmarks.cohorts import Group, Mask, family
from bellwether.benchmarks.metrics import STORED
from bellwether.benchmarks.night import KEPT_SECONDS, Night, newest_night, visible_of
from bellwether.benchmarks.percentiles import AT_LEAST
from bellwether.benchmarks.privacy import shown_groups
from bellwether.benchmarks.rosters import roster_of
from bellwether.health.published_groups import Kind
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


def counted(
    user: StaffUser,
    kind: Kind,
    value: str,
    *,
    members: frozenset[UUID],
    reporting: frozenset[UUID] | None,
    metric: str,
) -> frozenset[UUID] | None:
    """Return which of `members` count, None where the group is held back: bellwether.health.published_groups.

    A decision is kept for KEPT_SECONDS for the same reader, members and reporting clients.
    """
    cache = caches["memory"]
    key = f"published:{user.pk}:{kind}:{value.encode().hex()}:{metric}:{hash(members)}:{hash(reporting)}"
    kept: tuple[bool, frozenset[UUID]] | None = cache.get(key)
    if kept is None:
        found = _counted(user, ((kind, value),) if kind != "all" else (), members, reporting, metric)
        kept = (False, frozenset()) if found is None else (True, members - found)
        cache.set(key, kept, KEPT_SECONDS)
    shown, without = kept
    return members - without if shown else None


def _counted(
    user: StaffUser, group: Group, members: frozenset[UUID], reporting: frozenset[UUID] | None, metric: str
) -> frozenset[UUID] | None:
    night = newest_night()
    if night.day is None:
        night = _as_of_now()
    reports, visible = _reports(night, reporting, metric), visible_of(user, night)
    groups = [one for one in family(night.roster, ("tier", "industry")) if len(one) < 2]
    masks = night.roster.of_all(groups)
    if group not in shown_groups(groups, masks, ~visible & night.roster.counted & reports):
        return None
    inside = masks[group] & reports & np.array([one in members for one in night.places], bool)
    if 0 < int((inside & ~visible).sum()) < AT_LEAST:  # others of the group have no figure just now
        return None
    return frozenset(client_id for client_id, place in night.places.items() if inside[place])


def _reports(night: Night, reporting: frozenset[UUID] | None, metric: str) -> Mask:
    if metric in night.values:
        known: Mask = ~np.isnan(night.values[metric])
        if known.any():
            return known
    if reporting is None:
        return np.zeros(len(night.places), bool)
    return np.array([client_id in reporting for client_id in night.places], bool)


def _as_of_now() -> Night:
    """Return what stands in for the first night: the active clients as they are, with their scores."""
    rows = list(
        Client.objects.active().order_by("pk").values_list("pk", "contract_tier", "industry", "current_health_score")
    )
    scores = [np.nan if score is None else float(score) for *_, score in rows]
    unknown = dict.fromkeys(STORED, np.full(len(rows), np.nan))
    return Night(
        day=None,
        places={client_id: place for place, (client_id, *_) in enumerate(rows)},
        roster=roster_of([{"tier": tier, "industry": industry} for _, tier, industry, _ in rows]),
        values=unknown | {"health": np.array(scores, np.float64)},
        version="",
    )
