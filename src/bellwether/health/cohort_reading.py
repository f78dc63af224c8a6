"""Reads the clients that one is compared with.

It is the same for every client of a group, so callers give a cache to keep it in. The page of one client leaves that
client out afterwards (bellwether.health.cohorts.peers_of).
"""

from collections import Counter
from collections.abc import Collection
from datetime import date

from django.core.cache import BaseCache
from django.db.models import Count

from bellwether.health.cohorts import Member
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client

KEPT_SECONDS = 60
PAST_SECONDS = 3_600
"""For how long scores of past weeks are kept: only data that come late change them."""


def tier_members(tier: str, *, cache: BaseCache) -> list[Member]:
    """Return the active clients of `tier` that have a score, with it and its components; at most KEPT_SECONDS old."""
    return _members("contract_tier", tier, cache)


def industry_members(industry: str, *, cache: BaseCache) -> list[Member]:
    """Return the same of an industry; none for the empty one."""
    return _members("industry", industry, cache) if industry else []


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
