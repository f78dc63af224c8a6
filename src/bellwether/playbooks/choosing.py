"""Who of those that meet a trigger is enrolled, and why the others are not. Pure: for running and dry running alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from bellwether.playbooks.conditions import failing
from bellwether.playbooks.definition import Caps, Definition
from bellwether.playbooks.frames import TriggerFacts
from bellwether.playbooks.triggers import met
from bellwether.playbooks.wording import condition_words
from bellwether.web.formatting import full_day, plural


class WhyNot(StrEnum):
    """Why a client that meets the trigger is not enrolled."""

    CONDITION = "condition"
    UNDER_WAY = "under_way"
    ENROLLED = "enrolled"
    RUNNING = "running"
    QUIET = "quiet"


WHY_NOT: Mapping[WhyNot, str] = {
    WhyNot.CONDITION: "A condition does not hold",
    WhyNot.UNDER_WAY: "Under way in this playbook",
    WhyNot.ENROLLED: "Was enrolled for this occasion before",
    WhyNot.RUNNING: "Another playbook runs for the client",
    WhyNot.QUIET: "Another playbook ended lately",
}


@dataclass
class Standing:
    """Where clients stand, by client id (32 hex): how many playbooks run for each and when the last one ended, over all
    playbooks; and for the playbook in question who is under way and which (client, episode) were enrolled."""

    running: dict[str, int] = field(default_factory=dict)
    ended: dict[str, date] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    enrolled: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A client that meets the trigger. `why_not` is None for one that is enrolled, `detail` says it in words."""

    client_id: str
    episode: str
    since: date
    reason: str
    related_type: str = ""
    related_id: str = ""
    why_not: WhyNot | None = None
    detail: str = ""


def choose(definition: Definition, facts: TriggerFacts, standing: Standing) -> list[Chosen]:
    """Return all clients that meet the trigger on `facts.today`, by name, with whether each is enrolled."""
    rows = met(definition.trigger, facts)
    if rows.is_empty():
        return []
    failed = failing(definition.conditions, facts).places
    ordered = facts.clients.select("client_id").join(rows, on="client_id", how="inner", maintain_order="left")
    found = []
    for row in ordered.to_dicts():
        client = str(row["client_id"])
        why, detail = capped(definition.caps, standing, client, str(row["episode"]), facts.today)
        if client in failed and why not in {WhyNot.UNDER_WAY, WhyNot.ENROLLED}:
            why = WhyNot.CONDITION
            detail = f"Does not hold: {condition_words(definition.conditions[failed[client]])}."
        found.append(Chosen(**row, why_not=why, detail=detail))
    return found


def capped(caps: Caps, standing: Standing, client: str, episode: str, today: date) -> tuple[WhyNot | None, str]:
    """Return why caps and what went before keep a client from being enrolled, with a sentence; None if nothing does."""
    if client in standing.under_way:
        return WhyNot.UNDER_WAY, "It is under way in this playbook."
    if (client, episode) in standing.enrolled:
        return WhyNot.ENROLLED, "It was enrolled for this occasion before."
    running = standing.running.get(client, 0)
    if running >= caps.running_per_client:
        return WhyNot.RUNNING, f"{plural(running, 'playbook')} run for it; there may be {caps.running_per_client}."
    ended = standing.ended.get(client)
    if ended is not None and caps.quiet_days and today < ended + timedelta(days=caps.quiet_days):
        until = ended + timedelta(days=caps.quiet_days)
        return WhyNot.QUIET, f"Another playbook ended on {full_day(ended)}; quiet until {full_day(until)}."
    return None, ""
