"""The newest night as pages and API read it: values and attributes of all clients, the same for every viewer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from uuid import UUID

import numpy as np
from django.core.cache import BaseCache, caches

from bellwether.benchmarks.cohorts import Group, Mask, Roster, family
from bellwether.benchmarks.metrics import STORED, Floats
from bellwether.benchmarks.models import ClientMetrics
from bellwether.benchmarks.nightly import columns_of
from bellwether.benchmarks.privacy import shown_groups
from bellwether.benchmarks.rosters import roster_of
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

KEPT_SECONDS = 60
DECIDED_SECONDS = 86_400


@dataclass(frozen=True)
class Night:
    """Clients by place (`places` by id): what they count as and their values by metric. `day` is None before any."""

    day: date | None
    places: Mapping[UUID, int]
    roster: Roster
    values: Mapping[str, Floats]
    version: str


@dataclass(frozen=True)
class Sight:
    """What a viewer may be shown. `shown` maps metric to groups of the fixed family, None for who sees all clients.

    `visible` are the clients whose own values the viewer may see.
    """

    sees_all: bool
    visible: Mask
    shown: Mapping[str, frozenset[Group]] | None

    def allows(self, group: Group | None, metric: str) -> bool:
        """Return whether the figures of `group` in `metric` may be shown; None is a group outside the family."""
        if self.shown is None:
            return True
        return group is not None and group in self.shown[metric]


def newest_night() -> Night:
    """Return the newest night, at most KEPT_SECONDS old."""
    cache = caches["memory"]
    kept: Night | None = cache.get("benchmarks-night")
    if kept is None:
        kept = _read()
        cache.set("benchmarks-night", kept, KEPT_SECONDS)
    return kept


def forget_night() -> None:
    """Let this process read the night again, after it was made."""
    caches["memory"].delete("benchmarks-night")


def _read() -> Night:
    rows = list(ClientMetrics.objects.order_by("client_id").values_list("client_id", "date", "values", "attributes"))
    reports = [
        (client_id, attributes, sorted(name for name, value in values.items() if value is not None))
        for client_id, _, values, attributes in rows
    ]
    digest = blake2b(repr(reports).encode(), digest_size=12)
    return Night(
        day=max((day for _, day, _, _ in rows), default=None),
        places={client_id: place for place, (client_id, *_) in enumerate(rows)},
        roster=roster_of([attributes for *_, attributes in rows]),
        values=columns_of([values for _, _, values, _ in rows]),
        version=digest.hexdigest(),
    )


def sight_of(user: StaffUser, night: Night) -> Sight:
    """Return what `user` may be shown of `night`; the decision is kept for the same clients in the same groups."""
    visible = visible_of(user, night)
    if user.sees_all_clients:
        return Sight(True, visible, None)
    return Sight(False, visible, _decided(night, visible, caches["default"]))


def visible_of(user: StaffUser, night: Night) -> Mask:
    """Return which clients of `night` the user sees."""
    visible = np.zeros(len(night.places), bool)
    for client_id in Client.objects.visible_to(user).order_by().values_list("pk", flat=True):
        if client_id in night.places:
            visible[night.places[client_id]] = True
    return visible


def _decided(night: Night, visible: Mask, cache: BaseCache) -> dict[str, frozenset[Group]]:
    book = blake2b(np.packbits(visible).tobytes(), digest_size=12).hexdigest()
    key = f"benchmarks-shown-2:{night.version}:{book}"
    kept: dict[str, frozenset[Group]] | None = cache.get(key)
    if kept is None:
        groups = family(night.roster)
        masks = night.roster.of_all(groups)
        by_reports: dict[bytes, frozenset[Group]] = {}
        kept = {}
        for metric in STORED:
            unseen = ~visible & night.roster.counted & ~np.isnan(night.values[metric])
            same = unseen.tobytes()
            if same not in by_reports:
                by_reports[same] = frozenset(shown_groups(groups, masks, unseen))
            kept[metric] = by_reports[same]
        cache.set(key, kept, DECIDED_SECONDS)
    return kept
