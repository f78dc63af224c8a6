"""Interventions as pages show them: rows, the look of their state, and the choices of the filters."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.playbooks.choices import Arm, InterventionState, StepKind
from bellwether.playbooks.models import Intervention
from bellwether.playbooks.timeline_source import ICONS
from bellwether.web.formatting import day, moment

OUTCOMES = (
    "Logged in",
    "Replied",
    "Meeting booked",
    "Issue solved",
    "No answer",
    "Declined",
    "No change",
)
"""What people often write as an outcome; anything else may be typed."""
FRUITLESS = frozenset({"no answer", "declined", "no change", "no reply", "bounced", "not reached"})
KINDS = [(kind.value, str(kind.label)) for kind in StepKind if kind not in {StepKind.WAIT, StepKind.BRANCH}]


@dataclass(frozen=True)
class Look:
    """How a state looks: text, data-status word, icon."""

    text: str
    status: str
    icon: str


@dataclass(frozen=True)
class InterventionRow:
    """An intervention in a table."""

    href: str
    client: str
    client_href: str
    kind: str
    icon: str
    title: str
    playbook: str
    playbook_href: str
    owner: str
    on: str
    look: Look
    source: Intervention


def row_of(one: Intervention, *, now: datetime, zone: ZoneInfo) -> InterventionRow:
    """Return the row of an intervention whose client, playbook and people are read; days are those of `zone`."""
    today = day_of(now, zone)
    playbook = one.enrolment.playbook if one.enrolment else None
    held_out = one.enrolment is not None and one.enrolment.arm == Arm.HELD_OUT
    person = one.assigned_to or one.client.csm_user
    return InterventionRow(
        href=reverse("intervention", args=[one.pk]),
        client=one.client.name,
        client_href=reverse("client", args=[one.client_id]),
        kind=str(one.get_kind_display()),
        icon=ICONS.get(StepKind(one.kind), "list-checks"),
        title="Held out, no contact" if held_out and one.state == InterventionState.OBSERVED else one.title,
        playbook=playbook.name if playbook else "",
        playbook_href=reverse("playbook", args=[playbook.key]) if playbook else "",
        owner=person.name if person else "",
        on=day(day_of(date_of(one), zone), today),
        look=look_of(one, today=today, zone=zone),
        source=one,
    )


def date_of(one: Intervention) -> datetime:
    """Return when it was done, else when it is planned for, else when it was made."""
    return one.done_at or one.scheduled_for or one.created_at


def look_of(one: Intervention, *, today: date, zone: ZoneInfo) -> Look:
    """Return the state in a few words with its look: what is due says by when, what is done what came of it."""
    state = InterventionState(one.state)
    on = day_of(one.scheduled_for or one.created_at, zone)
    match state:
        case InterventionState.DUE:
            if on < today:
                late = (today - on).days
                return Look(f"Overdue, {late} day{'s' if late > 1 else ''}", "critical", "clock-alert")
            return Look("Due today" if on == today else f"Due {day(on, today)}", "monitor", "clock")
        case InterventionState.APPROVAL:
            return Look("To approve", "monitor", "mail-question-mark")
        case InterventionState.SCHEDULED:
            return Look("Due today" if on == today else f"Planned, {day(on, today)}", "na", "clock")
        case InterventionState.SENT:
            return _done(one, "Waiting", "na", "circle-dashed")
        case InterventionState.DONE:
            return _done(one, "Done", "healthy", "circle-check")
        case InterventionState.OBSERVED:
            return Look(one.outcome or "Observed only", "na", "circle-dashed")
        case InterventionState.FAILED:
            return Look("Failed", "critical", "octagon-alert")
        case InterventionState.SKIPPED:
            return Look("Skipped", "na", "circle-slash")
    return Look("Cancelled", "na", "circle-slash")


def _done(one: Intervention, otherwise: str, status: str, icon: str) -> Look:
    if not one.outcome:
        return Look(otherwise, status, icon)
    if one.outcome.strip().lower().rstrip(".") in FRUITLESS:
        return Look(one.outcome, "risk", "circle-x")
    return Look(one.outcome, "healthy", "circle-check")


def facts(one: Intervention, *, now: datetime, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Return what is known of an intervention as label and text; what is not known is left out."""
    people = (
        ("Assigned to", one.assigned_to.name if one.assigned_to else ""),
        ("To", f"{one.contact.name}, {one.contact.get_role_display()}" if one.contact else ""),
    )
    times = (
        ("Planned for", one.scheduled_for),
        ("Approved", one.approved_at),
        ("Done", one.done_at),
        ("Made", one.created_at),
    )
    who = {"Approved": one.approved_by, "Done": one.done_by, "Made": one.created_by}
    found = [("Kind", str(one.get_kind_display())), ("State", str(one.get_state_display())), *people]
    for label, at in times:
        if at is not None:
            person = who.get(label)
            found.append((label, moment(at, now, zone) + (f" by {person.name}" if person else "")))
    found += [("Outcome", one.outcome), ("Why it failed", one.failure)]
    return [(label, text) for label, text in found if text]
