"""Where a value lies among its peers: rank percentile and quartiles (formulas.md, section 5). Pure."""

import math
from dataclasses import dataclass

import numpy as np

from bellwether.benchmarks.metrics import Floats

AT_LEAST = 5


@dataclass(frozen=True)
class Spread:
    """What a group publishes of a metric. `peers` is how many report it; an infinite quartile is "not yet".

    `mean` is None where a peer has not got there yet. `lowest` and `highest` are for roles that see all clients.
    """

    peers: int
    p25: float
    median: float
    p75: float
    mean: float | None
    lowest: float
    highest: float


def spread(values: Floats) -> Spread | None:
    """Return the spread of the `values` that are known (not NaN); None under AT_LEAST of them."""
    known = np.sort(values[~np.isnan(values)])
    if len(known) < AT_LEAST:
        return None
    low, middle, high = (quantile(known, share) for share in (0.25, 0.5, 0.75))
    mean = float(known.mean()) if np.isfinite(known).all() else None
    return Spread(len(known), low, middle, high, mean, float(known[0]), float(known[-1]))


def quantile(ordered: Floats, share: float) -> float:
    """Return the quantile by linear interpolation between the two nearest of the `ordered` values."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    part = place - below
    lower = float(ordered[below])
    if part == 0 or math.isinf(lower):
        return lower
    return lower + part * (float(ordered[below + 1]) - lower)


def percentile(value: float, peers: Floats, *, lower_is_better: bool = False) -> float | None:
    """Return 100 · (peers below + ½ ties) / peers, 0-100; 100 less that where lower is better.

    None for an unknown value or under AT_LEAST peers with a known one.
    """
    known = peers[~np.isnan(peers)]
    if math.isnan(value) or len(known) < AT_LEAST:
        return None
    rank = 100 * float((known < value).sum() + (known == value).sum() / 2) / len(known)
    return 100 - rank if lower_is_better else rank
