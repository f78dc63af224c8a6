"""What other clients give to compare with: medians over time, medians of components, averages, percentiles. Pure.

A client is never its own peer, and nothing is said about fewer than AT_LEAST peers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from uuid import UUID

from bellwether.common.rounding import half_up

AT_LEAST = 5
Member = tuple[UUID, int, Mapping[str, float | None]]


@dataclass(frozen=True)
class Standing:
    """Averages are 0-100 half-up, percentiles 0-100 half-up; None under five peers or without an own score."""

    tier_average: int | None = None
    tier_percentile: int | None = None
    industry_average: int | None = None
    industry_percentile: int | None = None


def daily_medians(
    scores: Mapping[date, Counter[int]],
    own: Mapping[date, int | None],
    *,
    counted: bool,
    seen: Mapping[date, int] | None = None,
) -> dict[date, float]:
    """Return the median score of the peers by day, where there were AT_LEAST or more.

    `seen` is how many of the scores of a day the reader sees; of one to four others nothing is said.

    `scores` counts how often each score occurred on a day. `counted` says whether `own` is among them.
    """
    found = {}
    for day, counts in scores.items():
        peers = counts.copy()
        mine = own.get(day)
        if counted and mine is not None and peers[mine] > 0:
            peers[mine] -= 1
        unseen = sum(counts.values()) - seen.get(day, 0) if seen is not None else AT_LEAST
        value = None if 0 < unseen < AT_LEAST else counter_median(peers)
        if value is not None:
            found[day] = value
    return found


def counter_median(counts: Counter[int]) -> float | None:
    """Return the median of the counted values, None under AT_LEAST of them."""
    total = sum(counts.values())
    if total < AT_LEAST:
        return None
    lower, upper, seen = (total - 1) // 2, total // 2, 0
    low = None
    for value in sorted(counts):
        seen += counts[value]
        if low is None and seen > lower:
            low = value
        if low is not None and seen > upper:
            return (low + value) / 2
    return None


def peers_of(client_id: UUID, members: Sequence[Member]) -> list[Member]:
    """Return the members without the client itself."""
    return [member for member in members if member[0] != client_id]


def component_medians(peers: Sequence[Member], *, tops: Mapping[str, float]) -> dict[str, int]:
    """Return the median of each component among `peers` as 0-100, half-up; `tops` says which value counts as 100."""
    found = {}
    for key, top in tops.items():
        values = [float(value) for _, _, parts in peers if (value := parts.get(key)) is not None]
        if len(values) >= AT_LEAST and top:
            found[key] = half_up(min(100.0, 100 * median(values) / top))
    return found


def percentile(score: int, peers: Sequence[Member]) -> int | None:
    """Return the share of peers below the score plus half of the ties, as 0-100; None under AT_LEAST peers."""
    if len(peers) < AT_LEAST:
        return None
    below = sum(other < score for _, other, _ in peers)
    ties = sum(other == score for _, other, _ in peers)
    return half_up(100 * (below + ties / 2) / len(peers))


def average(peers: Sequence[Member]) -> int | None:
    """Return the mean score of the peers, half-up; None under AT_LEAST of them."""
    return half_up(sum(score for _, score, _ in peers) / len(peers)) if len(peers) >= AT_LEAST else None


def standing(score: int | None, tier: Sequence[Member], industry: Sequence[Member]) -> Standing:
    """Return how a client with `score` stands among its peers of the tier and of the industry.

    A group that the reader may not be shown is given without members (bellwether.health.published_groups).
    """
    return Standing(
        tier_average=average(tier),
        tier_percentile=None if score is None else percentile(score, tier),
        industry_average=average(industry),
        industry_percentile=None if score is None else percentile(score, industry),
    )
