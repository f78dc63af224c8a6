"""A client's score among its peers: average and percentile by tier and by industry, never under five peers."""

from dataclasses import dataclass

from django.db.models import Avg, Count, Q

from bellwether.common.rounding import half_up
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

FEWEST = 5
TELLTALE = 4


@dataclass(frozen=True)
class Standing:
    """Averages are 0-100 half-up, percentiles 0-100 half-up; None under five peers or without an own score."""

    tier_average: int | None = None
    tier_percentile: int | None = None
    industry_average: int | None = None
    industry_percentile: int | None = None


def standing(client: Client, *, viewer: StaffUser) -> Standing:
    """Return how `client` stands among all scored, active clients of its tier and of its industry, in one query.

    Peers exclude the client. Two groups that differ by one to four clients would give those away: the narrower is then
    hidden from viewers who do not see all clients.
    """
    tier = Q(contract_tier=client.contract_tier)
    industry = Q(industry=client.industry) if client.industry else Q(pk__in=[])
    scored = Client.objects.active().exclude(pk=client.pk).filter(current_health_score__isnull=False)
    figures = scored.filter(tier | industry).aggregate(
        both=Count("pk", filter=tier & industry),
        **_group("tier", tier, client.current_health_score),
        **_group("industry", industry, client.current_health_score),
    )
    hidden = set() if viewer.sees_all_clients else _hidden(figures)
    values: dict[str, int | None] = {}
    for name in ("tier", "industry"):
        peers = figures[f"{name}_count"]
        shown = peers >= FEWEST and name not in hidden
        values[f"{name}_average"] = half_up(figures[f"{name}_mean"]) if shown else None
        below = figures[f"{name}_below"] + figures[f"{name}_ties"] / 2
        has_score = client.current_health_score is not None
        values[f"{name}_percentile"] = half_up(100 * below / peers) if shown and has_score else None
    return Standing(**values)


def _group(name: str, members: Q, score: int | None) -> dict[str, Avg | Count]:
    mine = -1 if score is None else score
    return {
        f"{name}_count": Count("pk", filter=members),
        f"{name}_mean": Avg("current_health_score", filter=members),
        f"{name}_below": Count("pk", filter=members & Q(current_health_score__lt=mine)),
        f"{name}_ties": Count("pk", filter=members & Q(current_health_score=mine)),
    }


def _hidden(figures: dict[str, int]) -> set[str]:
    """Return the narrower group where one lies within the other and they differ by one to four clients."""
    tier, industry, both = figures["tier_count"], figures["industry_count"], figures["both"]
    if both == min(tier, industry) and 1 <= abs(tier - industry) <= TELLTALE:
        return {"tier" if tier < industry else "industry"}
    return set()
