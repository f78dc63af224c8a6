"""The order of the inbox: overdue, due today, later; alerts of one cause joined; the weightiest first. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo


class Phase(StrEnum):
    """By when somebody has to react; `ACKNOWLEDGED`: somebody did."""

    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True)
class Facts:
    """What the order rests on. `rank` is 0 for critical to 3 for low; `answered` whether anybody reacted yet."""

    alert_id: UUID
    client_id: UUID
    root_cause: str
    rank: int
    arr: Decimal | None
    created_at: datetime
    respond_by: datetime | None
    acknowledged: bool
    answered: bool = False


@dataclass(frozen=True)
class Bundle:
    """Alerts of one client that one cause explains, the weightiest first, in the phase of the most urgent."""

    phase: Phase
    alerts: tuple[UUID, ...]

    @property
    def head(self) -> UUID:
        """The alert that stands for all."""
        return self.alerts[0]


def phase_of(facts: Facts, now: datetime, zone: ZoneInfo) -> Phase:
    """Return by when somebody has to react, days being those of `zone`. One that came back from a snooze is due
    today."""
    if facts.acknowledged:
        return Phase.ACKNOWLEDGED
    if facts.answered:
        return Phase.TODAY
    if facts.respond_by is None:
        return Phase.LATER
    if facts.respond_by <= now:
        return Phase.OVERDUE
    same_day = facts.respond_by.astimezone(zone).date() == now.astimezone(zone).date()
    return Phase.TODAY if same_day else Phase.LATER


def weight(facts: Facts) -> tuple[int, Decimal, datetime, str]:
    """Return the key of the order: severity, then the revenue at stake, then age; ids make it a whole order."""
    return facts.rank, -(facts.arr or Decimal(0)), facts.created_at, facts.alert_id.hex


def arranged(alerts: Iterable[Facts], now: datetime, zone: ZoneInfo) -> list[Bundle]:
    """Return the alerts in the order of the inbox, those of one client and cause joined.

    Those that somebody took on are joined by themselves, so that a new one of the same cause is not hidden among them.
    """
    phases: dict[UUID, Phase] = {}
    joined: Mapping[object, list[Facts]] = defaultdict(list)
    for one in alerts:
        phases[one.alert_id] = phase_of(one, now, zone)
        cause = (one.client_id, one.root_cause, one.acknowledged)
        joined[cause if one.root_cause else one.alert_id].append(one)
    order = list(Phase)
    found = []
    for members in joined.values():
        members.sort(key=weight)
        urgent = min((phases[one.alert_id] for one in members), key=order.index)
        found.append((order.index(urgent), weight(members[0]), _bundle(urgent, members)))
    return [bundle for _, _, bundle in sorted(found, key=lambda one: one[:2])]


def _bundle(phase: Phase, members: Sequence[Facts]) -> Bundle:
    return Bundle(phase, tuple(one.alert_id for one in members))
