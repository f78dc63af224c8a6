"""What a client's usage figures are compared with: its own past, and other clients. Pure.

A client is never its own peer; nothing is said about fewer than AT_LEAST peers, nor of a group that the reader may not
be shown beside others (health.published_groups).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np
import numpy.typing as npt

from bellwether.health.cohorts import AT_LEAST
from bellwether.usage.anomalies import Floats
from bellwether.usage.daily import FIGURES

Against = Literal["own", "tier", "all", "best"]
UPPER_QUARTILE = 75
Mask = npt.NDArray[np.bool_]
Counted = Callable[[Literal["tier", "all"], Mask, Mask], Mask | None]
"""Given a group, its members and who has the figure at all: which members count, None where it may not be shown."""


@dataclass(frozen=True)
class Comparison:
    """One thing to compare with: `values` by figure (usage.daily.FIGURES), None where there is none.

    `clients` is how many peers it rests on, 0 for the client's own past. `reason` says why there is no value at all.
    """

    against: Against
    label: str
    clients: int
    values: Mapping[str, float | None]
    reason: str = ""


@dataclass(frozen=True)
class Peers:
    """Figures of the active clients that have usage: `rows` name the client, `clients` are their ids, `tiers` their
    tiers, in the same order."""

    rows: Sequence[str]
    clients: Sequence[UUID]
    tiers: Sequence[str]
    figures: Mapping[str, Floats]


def comparisons(
    organization_id: str,
    tier: str,
    tier_name: str,
    *,
    own: Mapping[str, float | None],
    no_own: str,
    peers: Peers,
    sees_all: bool,
    counted: Counted,
    held_back: str,
) -> list[Comparison]:
    """Return all four comparisons. `own` is the client's baseline, `no_own` why it has none.

    `counted` decides on each group and figure, `held_back` is the reason where it lets no figure of a group through.
    """
    others = np.array([name != organization_id for name in peers.rows], bool)
    same = others & np.array([name == tier for name in peers.tiers], bool)
    nothing: dict[str, float | None] = dict.fromkeys(FIGURES)
    best = "Best" if sees_all else "Upper quartile"
    found = [Comparison("own", "Own 90-day baseline", 0, own if not no_own else nothing, no_own)]
    groups: list[tuple[Against, str, Literal["tier", "all"], Mask, str, float | None]] = [
        ("tier", f"{tier_name} average", "tier", same, f"in the tier {tier_name}", None),
        ("all", "All-client average", "all", others, "of the workspace", None),
        (
            "best",
            f"{best} of {tier_name}",
            "tier",
            same,
            f"in the tier {tier_name}",
            100 if sees_all else UPPER_QUARTILE,
        ),
    ]
    for against, label, kind, members, where, quantile in groups:
        count = int(members.sum())
        values, reason = nothing, _too_few(count, where)
        if count >= AT_LEAST:
            values, let_through = _figures(peers, kind, members, counted, quantile)
            reason = "" if let_through else held_back
        found.append(Comparison(against, label, count, values, reason))
    return found


def change(value: float | None, reference: float | None) -> float | None:
    """Return `value` against `reference` as a share, -0.4 being 40 % less; None without either or against nothing."""
    return None if value is None or not reference else value / reference - 1


def _too_few(count: int, where: str) -> str:
    who = {0: "No other client", 1: "Only 1 other client"}.get(count, f"Only {count} other clients")
    return f"{who} {where} {'has' if count < 2 else 'have'} usage; {AT_LEAST} are needed."


def _figures(
    peers: Peers, kind: Literal["tier", "all"], members: Mask, counted: Counted, quantile: float | None
) -> tuple[dict[str, float | None], bool]:
    """Return mean or `quantile` by figure, and whether any of them may be shown."""
    found: dict[str, float | None] = {}
    let_through = False
    for name in FIGURES:
        values = peers.figures[name]
        known = np.isfinite(values)
        enough = int((members & known).sum()) >= AT_LEAST
        chosen = counted(kind, members & known, known) if enough else None
        let_through |= chosen is not None
        if chosen is None or int(chosen.sum()) < AT_LEAST:
            found[name] = None
        else:
            found[name] = float(values[chosen].mean() if quantile is None else np.percentile(values[chosen], quantile))
    return found, let_through
