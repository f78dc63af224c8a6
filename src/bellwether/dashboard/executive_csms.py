"""The scorecard of CSMs, its veil and the suggested hand-overs as texts."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from bellwether.analytics.alert_response import NO_ALERTS
from bellwether.analytics.moving import Suggested
from bellwether.analytics.periods import Period
from bellwether.analytics.rebalancing import Move
from bellwether.analytics.scorecard import CsmRow, Sight, Spread, Veiled
from bellwether.analytics.workload import HIGH
from bellwether.common.rounding import half_up
from bellwether.dashboard.executive_query import Address
from bellwether.portfolio.choices import ContractTier
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, Delta, change, number, percent, short_money, signed

TIERS = dict(ContractTier.choices)
COUNTED = (("CALL", "Calls"), ("MEETING", "Meetings"), ("QBR", "QBRs"))
METER_END = 150
MOST_LINES = 50
"""The workload meter ends at 150%."""


@dataclass(frozen=True)
class CsmLine:
    """One row: texts, with DASH or an empty text where somebody else's figure is not shown."""

    name: str
    href: str
    you: bool
    clients: str
    arr: str
    stake: str
    gross: str
    stayed: str
    nps: str
    nps_why: str
    change: Delta | None
    counts: tuple[str, ...]
    per_client: str
    overdue: str
    alerts: str
    workload: str
    meter: float
    high: bool


def named_line(row: CsmRow, user: StaffUser, period: Period, address: Address) -> CsmLine:
    """Return a row with its name; the reader's own says so."""
    mine = row.key == user.pk.hex
    href = reverse("executive_csm", args=[_uuid(row.key)]) + address.link(names=None, csm_id=None, by=None)
    return CsmLine(
        name=row.name,
        href=href,
        you=mine,
        clients=f"{row.now.clients:,}",
        arr=short_money(row.now.arr) if row.now.with_arr else DASH,
        stake="" if row.at_stake is None else short_money(row.at_stake),
        gross=percent(row.retention.gross, 1),
        stayed=percent(row.retention.stayed, 1),
        nps=signed(half_up(row.nps.value)) if row.nps.value is not None else DASH,
        nps_why=f"{row.nps.answers} answers, of which {row.nps.promoters} promoters, {row.nps.detractors} detractors",
        change=None if row.health_change is None else change(half_up(row.health_change), better="up"),
        counts=tuple(f"{row.activities.get(kind, 0):,}" for kind, _ in COUNTED),
        per_client=number(row.per_client(period.days)),
        overdue=f"{row.overdue:,}",
        alerts="" if row.alerts is None or row.alerts.median_hours is None else f"{number(row.alerts.median_hours)} h",
        workload=percent(row.workload),
        meter=round(min(100.0, 100 * row.workload / METER_END * 100), 1),
        high=row.workload > HIGH,
    )


def veiled_line(row: Veiled) -> CsmLine:
    """Return a row without anything that tells who it is."""
    return CsmLine(
        name=row.label, href="", you=False, clients="", arr="", stake="", gross="", stayed="",
        nps=DASH if row.nps is None else f"≈ {signed(row.nps)}", nps_why="",
        change=None if row.health_change is None else change(row.health_change, better="up"),
        counts=tuple("" for _ in COUNTED), per_client=f"≈ {number(row.per_client)}" if row.per_client is not None else
        DASH, overdue="", alerts="", workload=f"≈ {percent(row.workload)}",
        meter=round(min(100.0, 100 * row.workload / METER_END * 100), 1), high=row.workload > HIGH,
    )  # fmt: skip


@dataclass(frozen=True)
class Scorecard:
    """The card: lines, the middle of all CSMs as texts by rate, what is hidden and why, the note about alerts, and
    the word of the link to all rows where only MOST_LINES are shown."""

    lines: list[CsmLine]
    middle: dict[str, str]
    halves: dict[str, str]
    named: bool
    veils: bool
    hidden: str
    alerts: str
    reference: float
    more: str
    stakes: bool


def scorecard_of(sight: Sight, user: StaffUser, period: Period, address: Address, *, any_alerts: bool) -> Scorecard:
    """Return the scorecard as the reader may see it."""
    named = sorted(sight.named, key=lambda row: (-(row.retention.gross or -1), row.name))
    spreads, most = sight.spreads, len(named) + len(sight.others) if address.every_csm else MOST_LINES
    more = len(named) + len(sight.others) > most
    return Scorecard(
        lines=[
            *(named_line(row, user, period, address) for row in named[:most]),
            *(veiled_line(row) for row in sight.others[: max(0, most - len(named))]),
        ],
        middle={name: _rate(name, spread.median) for name, spread in spreads.items()},
        halves={name: _half(name, spread) for name, spread in spreads.items()},
        named=not sight.others and not sight.hidden,
        veils=bool(sight.others),
        hidden=sight.hidden,
        alerts="" if any_alerts else NO_ALERTS,
        reference=round(100 / METER_END * 100, 1),
        more=f"Show all {len(named) + len(sight.others)} CSMs" if more else "",
        stakes=any(row.at_stake is not None for row in named),
    )


def _rate(name: str, value: float) -> str:
    if name in {"gross", "stayed"}:
        return percent(value, 1)
    if name == "workload":
        return percent(value)
    return signed(half_up(value)) if name in {"nps", "health_change"} else number(value)


def _half(name: str, spread: Spread) -> str:
    return f"{_rate(name, spread.p25)} to {_rate(name, spread.p75)}"


@dataclass(frozen=True)
class MoveLine:
    """A suggested hand-over: texts, and the fields of the form that carries it out."""

    client: str
    href: str
    detail: str
    giver: str
    taker: str
    effect: str
    why: str
    fields: Mapping[str, str]


def move_lines(suggested: Suggested) -> list[MoveLine]:
    """Return the suggested hand-overs in their order."""
    return [_move(move, suggested.names) for move in suggested.plan.moves]


def _move(move: Move, names: Mapping[str, str]) -> MoveLine:
    client = move.client
    giver, taker = names[move.giver], names[move.taker]
    reasons = [
        "same team" if move.same_team else "another team, because nobody of the same has room",
        f"{taker} looks after {client.region} already" if move.same_region and client.region else "",
        "no renewal at risk within 90 days",
    ]
    status = {"HEALTHY": "healthy", "MONITOR": "to be monitored", "AT_RISK": "at risk", "CRITICAL": "critical"}
    detail = [TIERS.get(client.tier, client.tier), status.get(client.status or "", "not scored"),
              short_money(client.arr) if client.arr else ""]  # fmt: skip
    return MoveLine(
        client=client.name,
        href=reverse("client", args=[_uuid(client.key)]),
        detail=", ".join(part for part in detail if part),
        giver=giver,
        taker=taker,
        effect=(
            f"{giver} {percent(move.giver_before)} → {percent(move.giver_after)}, "
            f"{taker} {percent(move.taker_before)} → {percent(move.taker_after)}"
        ),
        why=(text := "; ".join(reason for reason in reasons if reason))[:1].upper() + text[1:],
        fields={"client": _uuid(client.key), "giver": _uuid(move.giver), "taker": _uuid(move.taker)},
    )


def _uuid(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
