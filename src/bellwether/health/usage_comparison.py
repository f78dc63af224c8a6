"""What a client's usage figures are compared with: its own past, and other clients. Pure.

A client is never its own peer; nothing is said about fewer than AT_LEAST peers; a group that would give single clients
away by its difference to a larger one is hidden from those who do not see all clients (health.cohorts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bellwether.health.cohorts import AT_LEAST, TELLTALE
from bellwether.usage.anomalies import Floats
from bellwether.usage.daily import FIGURES

Against = Literal["own", "tier", "all", "best"]
UPPER_QUARTILE = 75


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
    """Figures of the active clients that have usage: `rows` name the client, `tiers` its tier, in the same order."""

    rows: Sequence[str]
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
) -> list[Comparison]:
    """Return all four comparisons. `own` is the client's baseline, `no_own` why it has none."""
    others = np.array([name != organization_id for name in peers.rows], bool)
    same = others & np.array([name == tier for name in peers.tiers], bool)
    inside, everybody = int(same.sum()), int(others.sum())
    hidden = ""
    if inside < AT_LEAST:
        hidden = _too_few(inside, f"in the tier {tier_name}")
    elif not sees_all and 1 <= everybody - inside <= TELLTALE:
        hidden = f"Not shown: it would tell about the {everybody - inside} clients that are not in the tier."
    nothing: dict[str, float | None] = dict.fromkeys(FIGURES)
    best = "Best" if sees_all else "Upper quartile"
    return [
        Comparison("own", "Own 90-day baseline", 0, own if not no_own else nothing, no_own),
        Comparison("tier", f"{tier_name} average", inside, nothing if hidden else _means(peers, same), hidden),
        Comparison(
            "all",
            "All-client average",
            everybody,
            _means(peers, others) if everybody >= AT_LEAST else nothing,
            "" if everybody >= AT_LEAST else _too_few(everybody, "of the workspace"),
        ),
        Comparison(
            "best",
            f"{best} of {tier_name}",
            inside,
            nothing if hidden else _highest(peers, same, sees_all=sees_all),
            hidden,
        ),
    ]


def change(value: float | None, reference: float | None) -> float | None:
    """Return `value` against `reference` as a share, -0.4 being 40 % less; None without either or against nothing."""
    return None if value is None or not reference else value / reference - 1


def _too_few(count: int, where: str) -> str:
    who = {0: "No other client", 1: "Only 1 other client"}.get(count, f"Only {count} other clients")
    return f"{who} {where} {'has' if count < 2 else 'have'} usage; {AT_LEAST} are needed."


def _known(peers: Peers, name: str, chosen: np.ndarray) -> Floats:
    values: Floats = peers.figures[name][chosen]
    return np.asarray(values[np.isfinite(values)])


def _means(peers: Peers, chosen: np.ndarray) -> dict[str, float | None]:
    values = {name: _known(peers, name, chosen) for name in FIGURES}
    return {name: float(found.mean()) if len(found) >= AT_LEAST else None for name, found in values.items()}


def _highest(peers: Peers, chosen: np.ndarray, *, sees_all: bool) -> dict[str, float | None]:
    values = {name: _known(peers, name, chosen) for name in FIGURES}
    top = 100 if sees_all else UPPER_QUARTILE
    return {
        name: float(np.percentile(found, top)) if len(found) >= AT_LEAST else None for name, found in values.items()
    }
