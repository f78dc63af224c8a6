"""What waits for people: approving, editing and rejecting messages, completing and skipping steps.

Callers pass interventions of clients that `actor` may see (`visible_intervention`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.shortcuts import get_object_or_404

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.playbooks.choices import EnrolmentState, InterventionState, PlaybookState, StepKind
from bellwether.playbooks.models import Enrolment, Intervention
from bellwether.playbooks.sending import CannotSendError, hand_over
from bellwether.playbooks.services import check_may_act, definition_of
from bellwether.playbooks.stepping import Surroundings, advance
from bellwether.portfolio.changes import changing
from bellwether.portfolio.models import Activity, Change, Contact
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

LONGEST_MESSAGE = 20_000
TO_DO = (InterventionState.DUE, InterventionState.SCHEDULED, InterventionState.FAILED)


def visible_intervention(user: StaffUser, intervention_id: UUID) -> Intervention:
    """Return the intervention with what belongs to it if `user` may see its client; Http404 otherwise."""
    seen = Intervention.objects.visible_to(user).select_related(
        "client", "contact", "assigned_to", "enrolment__playbook", "enrolment__version"
    )
    found: Intervention = get_object_or_404(seen, pk=intervention_id)
    return found


def visible_enrolment(user: StaffUser, enrolment_id: UUID) -> Enrolment:
    """Return the enrolment with its client and playbook if `user` may see the client; Http404 otherwise."""
    seen = Enrolment.objects.visible_to(user).select_related("client", "playbook", "version")
    found: Enrolment = get_object_or_404(seen, pk=enrolment_id)
    return found


def edit_message(
    intervention: Intervention,
    *,
    subject: str | None = None,
    message: str | None = None,
    contact: Contact | None = None,
    actor: StaffUser,
    now: datetime,
) -> tuple[Intervention, Change | None]:
    """Change the text or receiver of a message that waits for approval; return it with the change (undoable).

    ConflictError where it no longer waits; InvalidInputError naming subject, message or contact.
    """
    check_may_act(actor)
    summary = f"Message to {intervention.client.name} edited"
    with _work(actor, "intervention.edited", summary, now) as work:
        row = _waiting(intervention)
        work.keep(row)
        _apply(row, subject, message, contact)
        row.updated_at = now
        work.save(row)
    return row, work.change


def approve(
    intervention: Intervention,
    *,
    subject: str | None = None,
    message: str | None = None,
    contact: Contact | None = None,
    actor: StaffUser,
    now: datetime,
) -> Intervention:
    """Send a message that waits for approval, with the last edits given, and return it; the playbook goes on.

    What is sent cannot be taken back. ConflictError where it no longer waits, the playbook is paused or nobody would
    get it; InvalidInputError as `edit_message`. Approving twice sends once.
    """
    check_may_act(actor)
    with transaction.atomic():
        _lock_enrolment(intervention)
        row = _waiting(intervention)
        _apply(row, subject, message, contact)
        enrolment = row.enrolment
        if enrolment is not None and enrolment.playbook.state == PlaybookState.PAUSED:
            raise ConflictError(f"{enrolment.playbook.name} is paused. Resume it first.")
        row.approved_at, row.approved_by = now, actor
        try:
            hand_over(row, now=now)
        except CannotSendError as error:
            raise ConflictError(str(error)) from None
        row.updated_at = now
        row.save()
        _go_on(row, now)
        _log(actor, "intervention.approved", row, now, {"kind": row.kind})
    return row


def approve_many(rows: Sequence[Intervention], *, actor: StaffUser, now: datetime) -> tuple[int, list[str]]:
    """Approve several messages; return how many were sent and a sentence about each one that was not."""
    sent, left = 0, []
    for row in rows:
        try:
            approve(row, actor=actor, now=now)
            sent += 1
        except (ConflictError, InvalidInputError) as error:
            left.append(f"{row.client.name}: {error}")
    return sent, left


def reject(intervention: Intervention, *, reason: str = "", actor: StaffUser, now: datetime) -> Intervention:
    """Do not send a message that waits for approval, and return it; the playbook goes on with its next step."""
    check_may_act(actor)
    with transaction.atomic():
        _lock_enrolment(intervention)
        row = _waiting(intervention)
        row.state, row.updated_at = InterventionState.SKIPPED, now
        row.done_at, row.done_by = now, actor
        row.failure = (reason.strip() or "Not sent: rejected.")[:300]
        row.save()
        _go_on(row, now)
        _log(actor, "intervention.rejected", row, now, {"reason": reason[:200]})
    return row


def mark_done(
    intervention: Intervention, *, outcome: str = "", actor: StaffUser, now: datetime
) -> tuple[Intervention, Change | None]:
    """Say that a task, call or message happened and what came of it; return it with the change (undoable).

    A planned activity is completed with it. One that is done already gets another outcome. ConflictError for one that
    was called off, skipped or only observed.
    """
    check_may_act(actor)
    if len(outcome) > 200:
        raise InvalidInputError("The outcome is too long.", {"outcome": "Write at most 200 characters."})
    summary = f"{intervention.title[:150]} with {intervention.client.name} done"
    with _work(actor, "intervention.done", summary, now) as work:
        row = _fresh(intervention)
        if row.state not in (*TO_DO, InterventionState.DONE, InterventionState.SENT):
            raise ConflictError(f"This is {row.get_state_display().lower()}; it cannot be marked as done.")
        work.keep(row)
        sent = row.state == InterventionState.SENT
        if not sent and row.state != InterventionState.DONE:
            row.done_at, row.done_by = now, actor
        row.state = row.state if sent else InterventionState.DONE
        row.outcome, row.failure, row.updated_at = outcome.strip(), "", now
        work.save(row)
        activity = _planned(row)
        if activity is not None:
            work.keep(activity)
            activity.completed_at = activity.occurred_at = now
            activity.outcome_notes = activity.outcome_notes or outcome.strip()
            work.save(activity)
    return row, work.change


def skip(
    intervention: Intervention, *, reason: str = "", actor: StaffUser, now: datetime
) -> tuple[Intervention, Change | None]:
    """Leave a task or call out and return it with the change (undoable); its planned activity goes from the agenda."""
    check_may_act(actor)
    summary = f"{intervention.title[:150]} with {intervention.client.name} skipped"
    with _work(actor, "intervention.skipped", summary, now) as work:
        row = _fresh(intervention)
        if row.state == InterventionState.SCHEDULED and row.message_key:
            raise ConflictError("This message is on its way; it cannot be skipped.")
        if row.state not in TO_DO:
            raise ConflictError(f"This is {row.get_state_display().lower()}; it cannot be skipped.")
        work.keep(row)
        row.state, row.failure = InterventionState.SKIPPED, (reason.strip() or "Skipped by hand.")[:300]
        row.done_at, row.done_by, row.updated_at = now, actor, now
        work.save(row)
        activity = _planned(row)
        if activity is not None:
            work.keep(activity)
            activity.archived_at = now
            work.save(activity)
    return row, work.change


def _fresh(intervention: Intervention) -> Intervention:
    row: Intervention = (
        Intervention.objects.select_for_update(of=("self",))
        .select_related("client", "contact", "enrolment__playbook", "enrolment__version")
        .get(pk=intervention.pk)
    )
    return row


def _lock_enrolment(intervention: Intervention) -> None:
    """Lock the enrolment before its interventions, as the job does, so that none waits for the other."""
    if intervention.enrolment_id:
        Enrolment.objects.select_for_update().filter(pk=intervention.enrolment_id).values_list("pk").first()


def _waiting(intervention: Intervention) -> Intervention:
    row = _fresh(intervention)
    if row.state != InterventionState.APPROVAL:
        raise ConflictError(f"This no longer waits for approval: it is {row.get_state_display().lower()}.")
    return row


def _apply(row: Intervention, subject: str | None, message: str | None, contact: Contact | None) -> None:
    errors: dict[str, str] = {}
    if subject is not None:
        row.subject = " ".join(subject.split())
    if message is not None:
        row.message = message.strip()
    if contact is not None:
        if contact.client_id != row.client_id or contact.archived_at is not None:
            errors["contact"] = f"Choose a contact of {row.client.name}."
        row.contact = contact
    if row.kind == StepKind.EMAIL and not row.subject:
        errors["subject"] = "An e-mail needs a subject."
    if len(row.subject) > 300:
        errors["subject"] = "Write at most 300 characters."
    if not row.message or len(row.message) > LONGEST_MESSAGE:
        errors["message"] = f"Write 1 to {LONGEST_MESSAGE:,} characters."
    if errors:
        raise InvalidInputError("The message cannot be sent. " + " ".join(errors.values()), errors)


def _go_on(row: Intervention, now: datetime) -> None:
    """Let the enrolment that waited for this intervention go on; waits count from now."""
    if row.enrolment_id is None:
        return
    locked: Enrolment = (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("client", "version", "playbook")
        .get(pk=row.enrolment_id)
    )
    definition = definition_of(locked.version)
    step = definition.step(row.step)
    if locked.state == EnrolmentState.ACTIVE and locked.step == row.step and step is not None:
        zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
        advance(locked, definition, step, holds=True, around=Surroundings(now=now, zone=zone))


def _planned(row: Intervention) -> Activity | None:
    if row.activity_id is None:
        return None
    found: Activity | None = (
        Activity.objects.select_for_update()
        .filter(pk=row.activity_id, completed_at__isnull=True, archived_at__isnull=True)
        .first()
    )
    return found


def _work(actor: StaffUser, kind: str, summary: str, now: datetime) -> Any:
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    return changing(actor, kind=kind, summary=summary, today=today, now=now)


def _log(actor: StaffUser, action: str, row: Intervention, now: datetime, detail: dict[str, Any]) -> None:
    record(
        actor=actor, action=action, object_type="intervention", object_id=row.pk, client_id=row.client_id,
        detail=detail, now=now,
    )  # fmt: skip
