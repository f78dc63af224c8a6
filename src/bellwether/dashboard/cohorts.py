"""What a tier's other clients give to compare with: medians over time, medians of components, a percentile. Pure.

A client is never its own peer, and nothing is said about fewer than AT_LEAST peers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from uuid import UUID

from bellwether.common.rounding import half_up

AT_LEAST = 5
Member = tuple[UUID, int, Mapping[str, float | None]]


def daily_medians(
    scores: Mapping[date, Counter[int]], own: Mapping[date, int | None], *, counted: bool
) -> dict[date, float]:
    """Return the median score of the peers by day, where there were AT_LEAST or more.

    `scores` counts how often each score occurred on a day. `counted` says whether `own` is among them.
    """
    found = {}
    for day, counts in scores.items():
        peers = counts.copy()
        mine = own.get(day)
        if counted and mine is not None and peers[mine] > 0:
            peers[mine] -= 1
        value = counter_median(peers)
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
