"""One client against a group: position, gaps and what would close them. The same for pages, API and export."""

import math
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from bellwether.benchmarks.choosing import Choice
from bellwether.benchmarks.metrics import METRICS, RADAR, Metric
from bellwether.benchmarks.night import Night, Sight
from bellwether.benchmarks.percentiles import AT_LEAST, Spread, percentile, spread
from bellwether.common.rounding import half_up


@dataclass(frozen=True)
class Position:
    """Where a client stands in a metric. `value` is NaN where it is not known, infinite where not reached yet.

    `peers` is how many report the metric. `spread` and `percentile` (0-100, higher is better) are None where `hidden`
    says why. `gap` is client less median in the metric's unit, `gap_points` percentile less 50.
    """

    metric: Metric
    value: float
    peers: int
    spread: Spread | None
    percentile: float | None
    hidden: str

    @property
    def gap(self) -> float | None:
        """Client less median; None where either is not known or not reached."""
        if self.spread is None or not math.isfinite(self.value) or not math.isfinite(self.spread.median):
            return None
        return self.value - self.spread.median

    @property
    def gap_points(self) -> float | None:
        """Percentile less 50."""
        return None if self.percentile is None else self.percentile - 50

    @property
    def behind(self) -> bool:
        """Whether the client does worse than the median."""
        return self.gap_points is not None and self.gap_points < 0


def positions(night: Night, sight: Sight, client_id: UUID, choice: Choice) -> list[Position]:
    """Return the position in each metric, in the order of METRICS."""
    place = night.places.get(client_id)
    found = []
    for metric in METRICS:
        values = night.values[metric.key]
        peers = values[choice.mask]
        value = math.nan if place is None else float(values[place])
        reporting = int((~np.isnan(peers)).sum())
        hidden = choice.locked or _hidden(reporting, choice.peers, allowed=sight.allows(choice.group, metric.key))
        found.append(
            Position(
                metric,
                value,
                reporting,
                None if hidden else spread(peers),
                None if hidden else percentile(value, peers, lower_is_better=metric.lower_is_better),
                hidden,
            )
        )
    return found


def largest_gaps(found: list[Position], *, most: int = 5) -> list[Position]:
    """Return where the client is behind the median, the largest gap in percentile points first."""
    behind = [one for one in found if one.behind]
    return sorted(behind, key=lambda one: one.gap_points or 0)[:most]


def radar(found: list[Position]) -> list[Position]:
    """Return the positions of the radar, in its order."""
    by_key = {one.metric.key: one for one in found}
    return [by_key[key] for key in RADAR]


def to_median(position: Position, *, seats: int | None, licensed: int | None) -> str:
    """Return what it takes to get to the median, in words; "" where nothing can be said.

    `seats` and `licensed` are the client's licensed users and licensed features.
    """
    gap, key = position.gap, position.metric.key
    if position.spread is None:
        return ""
    if key == "time_to_value":
        return "Not yet reached" if math.isinf(position.value) else "Cannot be changed any more"
    if gap is None:
        return ""
    size = abs(gap)
    if key == "usage_intensity" and seats:
        return _more(size * seats / 100, "monthly user")
    if key == "adoption" and licensed:
        return _more(size * licensed / 100, "licensed feature") + " in use"
    if key == "tickets" and seats:
        count = math.ceil(size * seats / 100 - 1e-9)
        return f"{count} fewer ticket{'' if count == 1 else 's'} a month"
    if key == "health":
        return "Follows from the other metrics"
    points = {"support": "Support component {} points up", "satisfaction": "Mean CSAT {} points up"}.get(key, "")
    return points.format(max(1, half_up(size)))


def _more(amount: float, what: str) -> str:
    count = max(1, math.ceil(amount - 1e-9))
    return f"{count} more {what}{'' if count == 1 else 's'}"


def _hidden(reporting: int, peers: int, *, allowed: bool) -> str:
    if reporting < AT_LEAST:
        verb = "reports" if reporting == 1 else "report"
        return f"Hidden: {reporting} of {peers} peers {verb} this metric, {AT_LEAST} are needed."
    return "" if allowed else "Hidden: beside other groups it would tell about single clients."
