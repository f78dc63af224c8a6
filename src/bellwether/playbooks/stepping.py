"""Takes the steps that are due, one transaction a step: killed in the middle, a step was taken whole or not at all."""

import logging
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.urls import reverse

from bellwether.common.errors import BellwetherError
from bellwether.common.time import day_of
from bellwether.playbooks.business_time import business_moment, due_after, holidays_of
from bellwether.playbooks.choices import Arm, EnrolmentState, InterventionState, PlaybookState, StepKind
from bellwether.playbooks.conditions import SinceEnrolment, holds
from bellwether.playbooks.definition import Definition, Step
from bellwether.playbooks.leaving import leave
from bellwether.playbooks.models import Enrolment, Intervention, MessageTemplate
from bellwether.playbooks.receivers import logged_in_since, nobody, receiver, subject_of, template_values
from bellwether.playbooks.rendering import Rendered, render
from bellwether.playbooks.sending import CannotSendError, add_tag, ask_for, check_mail, hand_over, plan_activity
from bellwether.playbooks.vocabulary import STEPS
from bellwether.playbooks.wording import condition_words
from bellwether.portfolio.models import Client, Contact

logger = logging.getLogger(__name__)

NO_CRM = "No CRM is connected yet. Do it there by hand, and mark it as done."
STEPS_AT_ONCE = 40


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What steps need to know, read once for all that are due: rows of conditions.values_of and contacts by client,
    templates by key."""

    now: datetime
    zone: ZoneInfo
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[UUID, list[Contact]] = field(default_factory=dict)
    templates: dict[str, MessageTemplate] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The workspace day."""
        return day_of(self.now, self.zone)


def take_steps(enrolment_id: UUID, definition: Definition, around: Surroundings) -> int:
    """Take what is due of one enrolment, step after step, and return how many interventions that made."""
    made = 0
    for _ in range(STEPS_AT_ONCE):
        try:
            with transaction.atomic():
                row = _locked(enrolment_id, around.now)
                if row is None:
                    return made
                made += _take(row, definition, around)
        except Exception as error:
            if not isinstance(error, BellwetherError):
                logger.exception("A step of enrolment %s failed", enrolment_id)
            made += _fail(enrolment_id, definition, around, error)
    return made


def _locked(enrolment_id: UUID, now: datetime) -> Enrolment | None:
    """Return the enrolment, locked, if a step of it is due; the other worker may have taken it meanwhile."""
    found: Enrolment | None = (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("client", "client__csm_user", "playbook", "playbook__owner")
        .filter(
            pk=enrolment_id,
            state=EnrolmentState.ACTIVE,
            next_at__lte=now,
            playbook__state=PlaybookState.RUNNING,
        )
        .first()
    )
    return found


def _take(row: Enrolment, definition: Definition, around: Surroundings) -> int:
    step = definition.step(row.step)
    if step is None:
        leave(row, EnrolmentState.COMPLETED, "", now=around.now)
        return 0
    holidays = _holidays(row.client, definition, around)
    if definition.business_days:
        moment = business_moment(around.now, around.zone, holidays)
        if moment > around.now:
            row.next_at = moment
            row.save(update_fields=["next_at"])
            return 0
    held = step.when is None or holds(step.when, _values(row, around), since_enrolment(row, around))
    if step.kind in {StepKind.WAIT, StepKind.BRANCH}:
        advance(row, definition, step, holds=held, around=around)
        return 0
    made = _blank(row, step, around.now)
    if not held and step.when is not None:
        made.state, made.failure = InterventionState.SKIPPED, f"Not needed: {condition_words(step.when)} does not hold."
    elif row.arm == Arm.HELD_OUT:
        made.state = InterventionState.OBSERVED
    else:
        _act(made, row, step, around)
    created = _store_once(made)
    if created and made.state in {InterventionState.APPROVAL, InterventionState.DUE}:
        ask_for([made], href=reverse("playbook_tasks"), now=around.now)
    if made.state == InterventionState.APPROVAL:
        row.next_at = None
        row.save(update_fields=["next_at"])
    else:
        advance(row, definition, step, holds=True, around=around)
    return int(created)


def advance(row: Enrolment, definition: Definition, step: Step, *, holds: bool, around: Surroundings) -> None:
    """Set what comes after `step` and when, counted from now; after the last one the enrolment is completed."""
    following = definition.following(step, holds=holds)
    if following is None:
        leave(row, EnrolmentState.COMPLETED, "", now=around.now)
        return
    row.step = following.key
    row.next_at = due_after(
        around.now,
        following.wait_days,
        business=definition.business_days,
        zone=around.zone,
        holidays=_holidays(row.client, definition, around),
    )
    row.save(update_fields=["step", "next_at"])


def _fail(enrolment_id: UUID, definition: Definition, around: Surroundings, error: Exception) -> int:
    """Keep that the step failed and why, and go on with the next one."""
    with transaction.atomic():
        row = _locked(enrolment_id, around.now)
        step = definition.step(row.step) if row else None
        if row is None or step is None:
            return 0
        made = _blank(row, step, around.now)
        reason = _said(error)
        made.state = error.state if isinstance(error, CannotSendError) else InterventionState.FAILED
        made.failure = reason
        if step.kind in {StepKind.WAIT, StepKind.BRANCH}:
            leave(row, EnrolmentState.CANCELLED, reason, now=around.now)
            return 0
        created = _store_once(made)
        advance(row, definition, step, holds=True, around=around)
    return int(created)


def _said(error: Exception) -> str:
    text = str(error) if isinstance(error, BellwetherError) else "This step failed unexpectedly; the log says more."
    return text[:300]


def _store_once(made: Intervention) -> bool:
    if Intervention.objects.filter(key=made.key).exists():
        return False
    made.save(force_insert=True)
    return True


def _blank(row: Enrolment, step: Step, now: datetime) -> Intervention:
    return Intervention(
        key=f"{row.pk.hex}:{step.key}",
        client=row.client,
        enrolment=row,
        step=step.key,
        kind=step.kind,
        title=(step.title or STEPS[step.kind].label)[:200],
        template=step.template,
        assigned_to=row.client.csm_user or row.playbook.owner,
        scheduled_for=now,
        created_at=now,
        updated_at=now,
    )


def _act(made: Intervention, row: Enrolment, step: Step, around: Surroundings) -> None:
    """Do what a step says for a treated client. CannotSendError or InvalidInputError: the step fails, with a reason."""
    kind = StepKind(step.kind)
    if kind == StepKind.TAG:
        add_tag(row.client, step.tag, now=around.now)
        made.state, made.done_at, made.outcome = InterventionState.DONE, around.now, f"Tagged {step.tag}"
        return
    contact = contact_for(row, step, around.contacts.get(row.client_id, []))
    if contact is None and (step.to or kind == StepKind.EMAIL) and kind in {StepKind.EMAIL, StepKind.IN_APP}:
        raise CannotSendError(nobody(step.to))
    if kind == StepKind.EMAIL:
        check_mail(contact)
    said = message_for(row, step, contact, around)
    made.contact, made.subject, made.message = contact, said.subject, said.text
    if step.title and not step.template:
        made.title = said.subject[:200]
    if kind == StepKind.CRM_TASK:
        made.state, made.failure = InterventionState.FAILED, NO_CRM
    elif kind in {StepKind.TASK, StepKind.CALL}:
        if made.assigned_to is None:
            raise CannotSendError("Nobody looks after this client and the playbook has no owner: nobody to do it.")
        made.state = InterventionState.DUE
        made.activity = plan_activity(made, text=said.text, contact=contact, performer=made.assigned_to, now=around.now)
    elif step.approval:
        made.state = InterventionState.APPROVAL
    else:
        hand_over(made, now=around.now)


def contact_for(row: Enrolment, step: Step, contacts: list[Contact]) -> Contact | None:
    """Return who at the client a step is for; None if there is nobody."""
    return receiver(contacts, step.to, subject_id=subject_of(row))


def message_for(row: Enrolment, step: Step, contact: Contact | None, around: Surroundings) -> Rendered:
    """Return the message or the talking points of a step. InvalidInputError names what has no value."""
    subject, body = step.title, step.text
    if step.template:
        template = around.templates.get(step.template)
        if template is None:
            raise CannotSendError(f"The template {step.template!r} is not there any more.")
        subject, body = template.subject or step.title, template.body
    values = template_values(
        row.client,
        contact,
        facts=around.values.get(row.client_id.hex),
        reason=str(row.baseline.get("reason") or ""),
        today=around.today,
        zone=around.zone,
    )
    return render(subject, body, values)


def since_enrolment(row: Enrolment, around: Surroundings) -> SinceEnrolment:
    """Return what happened to the client since it was enrolled.

    Where an alert about a person enrolled it, that person's logins count alone.
    """
    client, before = row.client, row.baseline.get("score")
    score, spoken = client.current_health_score, client.last_csm_contact_at
    return SinceEnrolment(
        logged_in=logged_in_since(row, around.contacts.get(row.client_id, [])),
        contacted=spoken is not None and spoken > row.enrolled_at,
        score_change=score - before if score is not None and isinstance(before, int | float) else None,
    )


def _values(row: Enrolment, around: Surroundings) -> dict[str, Any]:
    return around.values.get(row.client_id.hex, {})


def _holidays(client: Client, definition: Definition, around: Surroundings) -> frozenset[date]:
    return holidays_of(client.country, around.today) if definition.business_days else frozenset()
