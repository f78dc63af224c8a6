"""Reads the clients that one is compared with.

It is the same for every client of a group, so callers give a cache to keep it in. The page of one client leaves that
client out afterwards (bellwether.health.cohorts.peers_of).
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date

from django.core.cache import BaseCache
from django.db.models import Count

from bellwether.health.cohorts import AT_LEAST, Member
from bellwether.health.models import HealthScore
from bellwether.health.published_groups import Kind, counted_members
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

KEPT_SECONDS = 60
PAST_SECONDS = 3_600
"""For how long scores of past weeks are kept: only data that come late change them."""


def tier_members(tier: str, *, cache: BaseCache) -> list[Member]:
    """Return the active clients of `tier` that have a score, with it and its components; at most KEPT_SECONDS old."""
    return _members("contract_tier", tier, cache)


def industry_members(industry: str, *, cache: BaseCache) -> list[Member]:
    """Return the same of an industry; none for the empty one."""
    return _members("industry", industry, cache) if industry else []


def shown_peers(user: StaffUser, client: Client, kind: Kind, *, cache: BaseCache) -> tuple[list[Member], bool]:
    """Return the peers of `client` in its tier or industry that `user` is compared with, and whether they are held
    back: then there are AT_LEAST or more, and nothing may be said about them."""
    value = client.contract_tier if kind == "tier" else client.industry
    found = tier_members(value, cache=cache) if kind == "tier" else industry_members(value, cache=cache)
    peers = [one for one in found if one[0] != client.pk]
    if len(peers) < AT_LEAST or user.sees_all_clients:
        return peers, False
    counted = counted_members(user, kind, value, members=[one[0] for one in peers], metric="health")
    return ([], True) if counted is None else ([one for one in peers if one[0] in counted], False)


def shown_components(user: StaffUser, tier: str, peers: Sequence[Member]) -> dict[str, list[Member]] | None:
    """Return which of the shown `peers` of a tier the medians of each component are of; None where of all of them.

    It is decided a component at a time, as not every client has each of them.
    """
    if user.sees_all_clients:
        return None
    found = {}
    for key in {key for _, _, parts in peers for key in parts}:
        having = [one for one in peers if one[2].get(key) is not None]
        ids = [one[0] for one in having]
        published = key if key == "support" else ""  # the one component that benchmarks publish
        counted = counted_members(user, "tier", tier, members=ids, reporting=ids, metric=published) or frozenset()
        found[key] = [one for one in having if one[0] in counted]
    return found


def tier_scores(
    tier: str, scorecard: str, days: Collection[date], *, cache: BaseCache, seconds: int = KEPT_SECONDS
) -> dict[date, Counter[int]]:
    """Return how often each score occurred in `tier` on each of `days`; at most `seconds` old.

    Clients that have left count on the days on which they were scored.
    """
    key = f"cohort-scores:{scorecard}:{tier}:{min(days)}:{max(days)}:{len(days)}"
    kept: dict[date, Counter[int]] | None = cache.get(key)
    if kept is not None:
        return kept
    counted = (
        HealthScore.objects.filter(
            scorecard=scorecard,
            date__in=list(days),
            client__in=Client.objects.filter(contract_tier=tier).values("id"),  # twice as fast as a join
            overall_score__isnull=False,
        )
        .values_list("date", "overall_score")
        .annotate(clients=Count("id"))
    )
    found: dict[date, Counter[int]] = {}
    for day, score, clients in counted:
        found.setdefault(day, Counter())[score] = clients
    cache.set(key, found, seconds)
    return found


def seen_scores(
    user: StaffUser, tier: str, scorecard: str, days: Collection[date], *, cache: BaseCache
) -> dict[date, int] | None:
    """Return how many of the scores that tier_scores counts `user` sees by day, at most KEPT_SECONDS old; None where
    that is all of them."""
    if user.sees_all_clients:
        return None
    key = f"cohort-seen:{user.pk}:{scorecard}:{tier}:{min(days)}:{max(days)}:{len(days)}"
    kept: dict[date, int] | None = cache.get(key)
    if kept is None:
        visible = Client.objects.visible_to(user).filter(contract_tier=tier)
        scored = HealthScore.objects.filter(
            scorecard=scorecard, date__in=list(days), client__in=visible.values("id"), overall_score__isnull=False
        )
        kept = dict(scored.order_by().values_list("date").annotate(clients=Count("id")))
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _members(group: str, value: str, cache: BaseCache) -> list[Member]:
    key = f"cohort-members:{group}:{value.encode().hex()}"
    kept: list[Member] | None = cache.get(key)
    if kept is None:
        scored = Client.objects.active().filter(current_health_score__isnull=False, **{group: value})
        kept = [
            (client_id, score, components)
            for client_id, score, components in scored.values_list("id", "current_health_score", "health_components")
            if score is not None
        ]
        cache.set(key, kept, KEPT_SECONDS)
    return kept
