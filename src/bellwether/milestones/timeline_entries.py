"""Milestones as entries of a client's timeline."""

from collections.abc import Iterable

from bellwether.common.time import day_of
from bellwether.milestones.models import Milestone
from bellwether.milestones.rules import Kind
from bellwether.portfolio.models import Client
from bellwether.portfolio.timeline import Entry, Group
from bellwether.staff.zones import workspace_zone
from bellwether.web.formatting import full_day

WEIGHTS = {Kind.GO_LIVE: 0, Kind.RENEWAL: 0, Kind.ACTIVITY: 0, Kind.NPS: 0, Kind.TIME: 2}
"""How much a milestone deserves a mark on the trend chart; 0 where another entry of that day says the same."""
OTHERS = 5


def milestone_entries(client: Client) -> list[Entry]:
    """Return an entry for each milestone of a client that the reader may see; no query where they are prefetched."""
    return entries_of(client.milestones.all())


def entries_of(milestones: Iterable[Milestone]) -> list[Entry]:
    """Return milestones as entries. One whose day is not known has no mark on the chart."""
    return [_entry(one) for one in milestones]


def _entry(one: Milestone) -> Entry:
    kind = one.detail.get("rule", {}).get("kind", "")
    weight = WEIGHTS.get(kind, OTHERS)
    parts = [f"{one.sentence}."]
    if not one.exact:
        parts.append("On this day or before it.")
    if one.celebrated_at is not None:
        parts.append(f"Celebrated on {full_day(day_of(one.celebrated_at, workspace_zone()))}.")
    return Entry(
        key=f"milestone-{one.pk}",
        on=one.achieved_on,
        group=Group.OTHER,
        icon="trophy",
        title=f"Milestone: {one.name}",
        detail=" ".join(parts),
        status="healthy",
        rank=1.8,
        weight=weight if one.exact else 0,
        mark=one.name,
    )
