"""Which clients to hand over so that no CSM has much more work than one can do. Pure and deterministic.

As long as somebody is above HIGH, the one with the most work hands over one client at a time, to somebody who stays at
or under FULL with it. Not handed over: clients that are at risk or critical with a renewal in the next RENEWAL_DAYS
days (or just missed), and clients in their first ONBOARDING_DAYS days. Colleagues of the same team come first, then
those who look after the client's region already, then those with the least work. Healthy clients go before others,
those whose renewal is far away before those whose is near, and of those the one that brings the giver nearest to FULL.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.analytics.book import LOW
from bellwether.analytics.workload import CAPACITY, FULL, HIGH

RENEWAL_DAYS = 90
ONBOARDING_DAYS = 90
MOST_MOVES = 6
CALM = {"HEALTHY": 0, "MONITOR": 1, None: 2, "AT_RISK": 3, "CRITICAL": 4}


@dataclass(frozen=True)
class Holder:
    """A CSM who may give or take clients; `team` is empty without one."""

    key: str
    team: str


@dataclass(frozen=True)
class Held:
    """A client of a CSM, with what it weighs."""

    key: str
    name: str
    csm: str
    tier: str
    region: str
    status: str | None
    arr: float
    renewal: date | None
    start: date | None
    weight: float


@dataclass(frozen=True)
class Move:
    """One client from one CSM to another, and what both workloads (1 is full) are before and after this move."""

    client: Held
    giver: str
    taker: str
    giver_before: float
    giver_after: float
    taker_before: float
    taker_after: float
    same_team: bool
    same_region: bool


@dataclass(frozen=True)
class Plan:
    """The moves in order, the workloads before and after all of them, and who stays above HIGH all the same."""

    moves: tuple[Move, ...]
    before: dict[str, float]
    after: dict[str, float]
    still_high: tuple[str, ...]


def may_move(client: Held, today: date) -> bool:
    """Return whether the client may change hands now."""
    if client.start is not None and client.start > today - timedelta(days=ONBOARDING_DAYS):
        return False
    near = client.renewal is not None and client.renewal <= today + timedelta(days=RENEWAL_DAYS)
    return not (near and client.status in LOW)


def rebalance(holders: Sequence[Holder], clients: Sequence[Held], today: date) -> Plan:
    """Return what to hand over; the same input gives the same plan, whatever its order."""
    teams = {one.key: one.team for one in holders}
    held: dict[str, list[Held]] = {key: [] for key in sorted(teams)}
    for client in sorted(clients, key=lambda one: one.key):
        if client.csm in held:
            held[client.csm].append(client)
    load = {key: sum(one.weight for one in own) / CAPACITY for key, own in held.items()}
    before = dict(load)
    moves: list[Move] = []
    stuck: set[str] = set()
    while len(moves) < MOST_MOVES:
        high = [key for key in load if load[key] > HIGH and key not in stuck]
        if not high:
            break
        giver = max(high, key=lambda key: (load[key], key))
        move = _best(giver, held, load, teams, today, moved={one.client.key for one in moves})
        if move is None:
            stuck.add(giver)
            continue
        moves.append(move)
        load[move.giver], load[move.taker] = move.giver_after, move.taker_after
        held[giver] = [one for one in held[giver] if one.key != move.client.key]
        held[move.taker].append(move.client)
    return Plan(tuple(moves), before, load, tuple(key for key in load if load[key] > HIGH))


def _best(
    giver: str,
    held: Mapping[str, Sequence[Held]],
    load: Mapping[str, float],
    teams: Mapping[str, str],
    today: date,
    moved: Collection[str],
) -> Move | None:
    regions = {key: {one.region for one in own if one.region} for key, own in held.items()}
    found: tuple[tuple[object, ...], Move] | None = None
    for client in held[giver]:
        if client.key in moved or not may_move(client, today):
            continue
        share = client.weight / CAPACITY
        for taker in held:
            if taker == giver or load[taker] + share > FULL:
                continue
            same_team = bool(teams[giver]) and teams[taker] == teams[giver]
            same_region = client.region in regions[taker]
            near = client.renewal is not None and client.renewal <= today + timedelta(days=RENEWAL_DAYS)
            order = (
                not same_team, not same_region, CALM[client.status], near, abs(load[giver] - share - FULL),
                load[taker], client.key, taker,
            )  # fmt: skip
            if found is None or order < found[0]:
                after = load[giver] - share
                move = Move(client, giver, taker, load[giver], after, load[taker], load[taker] + share, same_team,
                            same_region)  # fmt: skip
                found = (order, move)
    return found[1] if found else None
