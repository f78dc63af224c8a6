"""A dry run as pages show it: who would be enrolled today, what they would get first, who would not be and why."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from math import inf

from django.conf import settings
from django.core.cache import caches
from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.playbooks.choosing import WHY_NOT, WhyNot
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.dry_run import DryRun, WouldEnrol, WouldNot, dry_run
from bellwether.playbooks.models import Playbook
from bellwether.playbooks.prospects import WEEKS, Prospects, prospects
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import moment, number, plural

SHOWN = 25
NAMED = 5
FARTHEST_WEEKS = 260
KEPT_SECONDS = 600
"""For how long the pace of the last 13 weeks is kept: to read it takes long, and it moves slowly."""


@dataclass(frozen=True)
class DryClient:
    """A client that would be enrolled, why, and what would keep the first step from happening."""

    name: str
    href: str
    text: str
    problem: str


@dataclass(frozen=True)
class DryMessage:
    """The first message as one client would get it."""

    lead: str
    subject: str
    text: str


@dataclass(frozen=True)
class DryView:
    """What a dry run found among the clients that the reader sees."""

    enrolled: int
    treated: int
    held_out: int
    clients: int
    first_words: str
    note: str
    message: DryMessage | None
    who: list[DryClient]
    more_who: int
    why_not: list[tuple[str, int, str]]
    problems: list[tuple[str, int, str]]


def dry_view(definition: Definition, user: StaffUser, *, playbook: Playbook | None, now: datetime) -> DryView:
    """Return what the definition would do today for the clients that `user` sees. Nothing is stored or sent."""
    found = dry_run(definition, now=now, playbook=playbook, user=user)
    held_out = round(found.expected_held_out)
    first = next((one.first for one in found.enrolled if one.first), None)
    return DryView(
        enrolled=len(found.enrolled),
        treated=len(found.enrolled) - held_out,
        held_out=held_out,
        clients=found.clients,
        first_words=first.words if first else "",
        note="It is started by hand, from the page of a client." if definition.trigger.kind == "hand" else "",
        message=_message(found, user, now),
        who=[_client(one) for one in found.enrolled[:SHOWN]],
        more_who=max(0, len(found.enrolled) - SHOWN),
        why_not=_why_not(found.others),
        problems=_problems(found.enrolled),
    )


def _client(one: WouldEnrol) -> DryClient:
    problem = one.first.problem if one.first else ""
    return DryClient(one.client.name, reverse("client", args=[one.client.pk]), one.reason, problem)


def _message(found: DryRun, user: StaffUser, now: datetime) -> DryMessage | None:
    """Return the first text of the first client that would get one without a problem."""
    for one in found.enrolled:
        first = one.first
        if first is not None and first.text and not first.problem:
            to = f", to {first.contact.name}" if first.contact else ""
            when = moment(first.due_at, now, zone_of(user))
            return DryMessage(f"{one.client.name}{to}, {when}: {first.title}", first.subject, first.text)
    return None


def _grouped(rows: list[tuple[str, str]]) -> list[tuple[str, int, str]]:
    """Return (reason, how many, some names) of (reason, name) rows, the most frequent first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for reason, name in rows:
        groups[reason.rstrip(".")].append(name)
    lines = []
    for reason, names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        more = len(names) - NAMED
        lines.append((reason, len(names), ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")))
    return lines


def _why_not(left: tuple[WouldNot, ...]) -> list[tuple[str, int, str]]:
    def reason(one: WouldNot) -> str:
        return one.detail if one.why == WhyNot.CONDITION else WHY_NOT[WhyNot(one.why)]

    return _grouped([(reason(one), one.client.name) for one in left])


def _problems(enrolled: tuple[WouldEnrol, ...]) -> list[tuple[str, int, str]]:
    return _grouped([(one.first.problem, one.client.name) for one in enrolled if one.first and one.first.problem])


def prospect_lines(definition: Definition, *, playbook: Playbook | None, now: datetime) -> list[str]:
    """Return in sentences when an effect could be told, before the start or while it is too early."""
    if not definition.hold_out:
        return ["Nobody is held out, so that no effect can be told. Hold out 10% or more to learn whether it helps."]
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    key = f"playbook-prospects:{definition.digest}:{playbook.pk if playbook else ''}:{today.isoformat()}"
    found: Prospects | None = caches["memory"].get(key)
    if found is None:
        found = prospects(definition, playbook=playbook, today=today)
        caches["memory"].set(key, found, timeout=KEPT_SECONDS)
    if not found.counted:
        return ["Clients that are put in by hand are counted apart, so that no effect can be told."]
    a_month = found.per_week * 52 / 12
    if found.per_week == 0:
        none = "No client was enrolled" if found.counted == "enrolled" else "No client met this"
        return [f"{none} in the last {WEEKS} weeks. A wider trigger tells more."]
    happened = "were enrolled" if found.counted == "enrolled" else "met this"
    lines = [f"In the last {WEEKS} weeks about {_amount(a_month)} a month {happened}."]
    return lines + _needed(found)


def _amount(a_month: float) -> str:
    return plural(round(a_month), "client") if a_month >= 1 else f"{number(round(a_month, 1))} clients"


def _needed(found: Prospects) -> list[str]:
    unit = "points" if found.binary else "points of score"
    lines = []
    middle = found.plan.needed[min(1, len(found.plan.needed) - 1)] if found.plan.needed else None
    if middle is not None:
        effect = number(round(middle.effect * (100 if found.binary else 1)))
        if middle.weeks == inf or middle.weeks > FARTHEST_WEEKS:
            lines.append(
                f"An effect of {effect} {unit} would not be seen within five years at this pace. "
                "A wider trigger or a larger hold-out helps."
            )
        else:
            lines.append(
                f"It takes about {_span(middle.weeks)} to see an effect of {effect} {unit}: "
                f"{number(middle.treated)} treated and {number(middle.held_out)} held out."
            )
    year = next((one for one in found.plan.detectable if one.weeks == 52), None)
    if year is not None and year.effect is not None:
        seen = number(round(year.effect * (100 if found.binary else 1)))
        lines.append(f"Within a year an effect of {seen} {unit} or more can be seen.")
    return lines


def _span(weeks: float) -> str:
    months = round(weeks * 12 / 52)
    return plural(max(1, round(weeks)), "week") if months < 3 else plural(months, "month")
