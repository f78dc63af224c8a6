"""What a playbook would do today: who would be enrolled, what would be sent first and when, who not and why.

Nothing is written. Scope is the reader's: clients that `user` sees, all of them for None.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from bellwether.common.errors import BellwetherError
from bellwether.common.time import day_of
from bellwether.delivery.unsubscribing import suppressed
from bellwether.playbooks.assigning import arm
from bellwether.playbooks.business_time import due_after, holidays_of
from bellwether.playbooks.choices import StepKind
from bellwether.playbooks.choosing import Chosen, choose
from bellwether.playbooks.conditions import SinceEnrolment, holds, values_of
from bellwether.playbooks.definition import Definition, Step
from bellwether.playbooks.enrolling import first_due, standing_of
from bellwether.playbooks.models import Enrolment, Playbook
from bellwether.playbooks.receivers import contacts_of, nobody
from bellwether.playbooks.sending import TOPIC, no_mail
from bellwether.playbooks.stepping import Surroundings, contact_for, message_for
from bellwether.playbooks.templates import usable_templates
from bellwether.playbooks.trigger_reading import read_trigger_facts
from bellwether.playbooks.vocabulary import STEPS
from bellwether.playbooks.wording import step_words
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import StaffUser

MOST_RENDERED = 200
"""Clients whose first message is written out; the others come without."""
ACTS = frozenset({StepKind.EMAIL, StepKind.IN_APP, StepKind.CALL, StepKind.TASK, StepKind.SLACK, StepKind.CRM_TASK})


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """What happens first for a client: the step in words, when it is due, to whom, and the text.

    `problem` says why it would fail or be skipped; empty where it would not.
    """

    kind: str
    title: str
    words: str
    due_at: datetime
    contact: Contact | None = None
    subject: str = ""
    text: str = ""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class WouldEnrol:
    """A client that would be enrolled now. `arm` is empty where it is drawn only when the version is saved."""

    client: Client
    episode: str
    reason: str
    arm: str
    first: FirstStep | None


@dataclass(frozen=True, kw_only=True)
class WouldNot:
    """A client that meets the trigger and is not enrolled: `why` is a key of choosing.WHY_NOT, `detail` a sentence."""

    client: Client
    reason: str
    why: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What would happen. `meeting` clients meet the trigger, of `clients` that are looked at; with a hold-out about
    `expected_held_out` of those that would be enrolled are held out."""

    clients: int
    enrolled: tuple[WouldEnrol, ...]
    others: tuple[WouldNot, ...]
    hold_out: int

    @property
    def meeting(self) -> int:
        """How many clients meet the trigger."""
        return len(self.enrolled) + len(self.others)

    @property
    def expected_held_out(self) -> float:
        """How many of those that would be enrolled are held out on average."""
        return len(self.enrolled) * self.hold_out / 100

    @property
    def problems(self) -> int:
        """For how many the first step would fail or be skipped."""
        return sum(one.first is not None and bool(one.first.problem) for one in self.enrolled)


def dry_run(
    definition: Definition,
    *,
    now: datetime,
    playbook: Playbook | None = None,
    user: StaffUser | None = None,
    client_ids: frozenset[UUID] | None = None,
) -> DryRun:
    """Return what `definition` would do now. A fixed number of queries; nothing is stored.

    `playbook`: the one that the definition is, or would become a version of; who is enrolled in it is left out, and the
    arms are those that its version in force draws if the definition is the same. `client_ids`: these only.
    """
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    facts = read_trigger_facts([definition], today=today)
    standing = standing_of(playbook.pk if playbook else None, zone=zone)
    chosen = choose(definition, facts, standing)
    clients = _clients(chosen, user, client_ids)
    chosen = [one for one in chosen if UUID(one.client_id) in clients]
    wanted = [UUID(one.client_id) for one in chosen if one.why_not is None]
    names = [step.when.field for step in definition.steps if step.when]
    around = Surroundings(
        now=now,
        zone=zone,
        values=values_of(facts, names, [one.hex for one in wanted]),
        contacts=contacts_of(wanted),
        templates=usable_templates(),
    )
    addresses = [one.email for group in around.contacts.values() for one in group if one.email]
    refused = suppressed(addresses, TOPIC)
    version = playbook.version if playbook else None
    same = version is not None and version.digest == definition.digest
    enrolled: list[WouldEnrol] = []
    for one in chosen:
        if one.why_not is not None:
            continue
        client = clients[UUID(one.client_id)]
        drawn = arm(version.pk, client.pk, one.episode, definition.hold_out) if version is not None and same else ""
        first = _first(definition, client, one, around, refused) if len(enrolled) < MOST_RENDERED else None
        enrolled.append(WouldEnrol(client=client, episode=one.episode, reason=one.reason, arm=drawn, first=first))
    others = tuple(
        WouldNot(client=clients[UUID(one.client_id)], reason=one.reason, why=str(one.why_not), detail=one.detail)
        for one in chosen
        if one.why_not is not None
    )
    seen = Client.objects.active() if user is None else Client.objects.active().visible_to(user)
    return DryRun(clients=seen.count(), enrolled=tuple(enrolled), others=others, hold_out=definition.hold_out)


def _clients(chosen: list[Chosen], user: StaffUser | None, client_ids: frozenset[UUID] | None) -> Mapping[UUID, Client]:
    rows = Client.objects.select_related("csm_user").filter(pk__in=[UUID(one.client_id) for one in chosen])
    if user is not None:
        rows = rows.visible_to(user)
    if client_ids is not None:
        rows = rows.filter(pk__in=client_ids)
    return {row.pk: row for row in rows}


def _first(
    definition: Definition, client: Client, chosen: Chosen, around: Surroundings, refused: Collection[str]
) -> FirstStep | None:
    """Return the first step that does something for this client, waits and branches followed as things stand now."""
    holidays = holidays_of(client.country, around.today) if definition.business_days else frozenset()
    due = first_due(definition, client.country, around.now, around.zone)
    baseline: dict[str, Any] = {
        "reason": chosen.reason, "subject_type": chosen.related_type, "subject_id": chosen.related_id
    }  # fmt: skip
    pretended = Enrolment(client=client, episode=chosen.episode, baseline=baseline, enrolled_at=around.now)
    step: Step | None = definition.steps[0]
    values = around.values.get(client.pk.hex, {})
    while step is not None:
        held = step.when is None or holds(step.when, values, SinceEnrolment(score_change=0))
        if step.kind in ACTS and held:
            return _filled(definition, step, due, pretended, around, refused)
        step = definition.following(step, holds=held)
        if step is not None:
            due = due_after(due, step.wait_days, business=definition.business_days, zone=around.zone, holidays=holidays)
    return None


def _filled(
    definition: Definition, step: Step, due: datetime, row: Enrolment, around: Surroundings, refused: Collection[str]
) -> FirstStep:
    contacts = around.contacts.get(row.client_id, [])
    contact = contact_for(row, step, contacts)
    said: dict[str, Any] = {
        "kind": step.kind, "title": step.title or STEPS[step.kind].label, "words": step_words(definition, step),
        "due_at": due, "contact": contact,
    }  # fmt: skip
    mailed = step.kind == StepKind.EMAIL
    if contact is None and (mailed or (step.kind == StepKind.IN_APP and step.to)):
        return FirstStep(**said, problem=nobody(step.to))
    try:
        message = message_for(row, step, contact, around)
    except BellwetherError as error:
        return FirstStep(**said, problem=str(error))
    said |= {"subject": message.subject, "text": message.text}
    problem = ""
    if mailed and (contact is None or not contact.email):
        problem = "The contact has no e-mail address."
    elif mailed and contact is not None and contact.email in refused:
        problem = no_mail()
    elif step.kind == StepKind.CRM_TASK:
        problem = "No CRM is connected yet."
    elif step.kind in {StepKind.TASK, StepKind.CALL} and row.client.csm_user_id is None:
        problem = "Nobody looks after this client."
    return FirstStep(**said, problem=problem)
