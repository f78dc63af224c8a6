"""Interventions by hand: a mail to a contact, a call to make, a message inside the client's product (seed 004).

Callers pass clients that `actor` may see. What is asked for twice under one key is done once.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.playbooks.choices import InterventionState, StepKind
from bellwether.playbooks.models import Intervention, MessageTemplate
from bellwether.playbooks.receivers import contacts_of, receiver, template_values
from bellwether.playbooks.rendering import Rendered, render
from bellwether.playbooks.sending import CannotSendError, hand_over
from bellwether.playbooks.services import check_may_act
from bellwether.playbooks.templates import usable_templates
from bellwether.portfolio import activities
from bellwether.portfolio.activity_drafts import ActivityDraft
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

BY_HAND = (StepKind.EMAIL, StepKind.CALL, StepKind.IN_APP)
LONGEST_MESSAGE = 20_000
CALL_AT = time(10, 0)
FARTHEST = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What somebody wants done. `kind` is one of BY_HAND; a message is a template's key or a text of one's own, and the
    text wins. `scheduled_for`: not before then; None is now, for a call the next working day at ten in the morning of
    the one who plans it. `contact_id` None is the primary contact."""

    kind: str
    template: str = ""
    subject: str = ""
    message: str = ""
    contact_id: UUID | None = None
    scheduled_for: datetime | None = None


def intervene(
    client: Client, wanted: ByHand, *, actor: StaffUser, now: datetime, key: UUID | None = None
) -> Intervention:
    """Do what is wanted and return the intervention: a mail or message on its way, or a call in the agenda.

    InvalidInputError by field (type, template, message, subject, contact, scheduled_for); ConflictError for an archived
    client; PermissionDenied for people who only read. With the same `key` it happens once.
    """
    check_may_act(actor)
    if client.archived_at is not None:
        raise ConflictError(f"{client.name} is archived. Bring it back first.")
    natural = f"hand:{key or uuid4()}"
    known: Intervention | None = Intervention.objects.filter(key=natural, client=client).first()
    if known is not None:
        return known
    contact, written = _checked(client, wanted, now)
    with transaction.atomic():
        row = Intervention(
            key=natural, client=client, kind=wanted.kind, title=_title(wanted, contact), template=wanted.template,
            subject=written.subject, message=written.text, contact=contact, assigned_to=actor, created_by=actor,
            approved_by=actor, approved_at=now, scheduled_for=wanted.scheduled_for, created_at=now, updated_at=now,
        )  # fmt: skip
        _DO[wanted.kind](row, actor, now)
        record(
            actor=actor, action="intervention.made", object_type="intervention", object_id=row.pk, client_id=client.pk,
            detail={"kind": wanted.kind, "template": wanted.template}, now=now,
        )  # fmt: skip
    return row


def _checked(client: Client, wanted: ByHand, now: datetime) -> tuple[Contact | None, Rendered]:
    errors: dict[str, str] = {}
    if wanted.kind not in BY_HAND:
        errors["type"] = f"{wanted.kind!r} is not known. Use one of {', '.join(BY_HAND)}."
    contact = _contact(client, wanted, errors)
    template = _template(wanted, errors)
    if wanted.scheduled_for is not None and not now - timedelta(minutes=5) <= wanted.scheduled_for <= now + FARTHEST:
        errors["scheduled_for"] = "Give a time between now and a year from now."
    elif wanted.scheduled_for is not None and wanted.kind == StepKind.IN_APP:
        errors["scheduled_for"] = "Messages in the product are shown at once. Leave the time empty."
    if len(wanted.message) > LONGEST_MESSAGE:
        errors["message"] = f"Write at most {LONGEST_MESSAGE:,} characters."
    if wanted.kind in (StepKind.EMAIL, StepKind.IN_APP) and not wanted.message.strip() and not wanted.template:
        errors["message"] = "Write a message, or choose a template."
    written = Rendered(storable_text(wanted.subject, 300).strip(), storable_text(wanted.message).strip())
    if not errors and template is not None and not written.text:
        zone = settings.BELLWETHER_WORKSPACE_ZONE
        values = template_values(client, contact, facts=None, reason="", today=day_of(now, zone), zone=zone)
        try:
            written = render(wanted.subject or template.subject, template.body, values)
        except InvalidInputError as error:
            errors["template"] = " ".join(error.errors.values()) or str(error)
    if not errors and wanted.kind == StepKind.EMAIL and not written.subject:
        errors["subject"] = "An e-mail needs a subject."
    if errors:
        raise InvalidInputError("This cannot be done. " + " ".join(errors.values()), errors)
    return contact, written


def _contact(client: Client, wanted: ByHand, errors: dict[str, str]) -> Contact | None:
    there = contacts_of([client.pk]).get(client.pk, [])
    if wanted.contact_id is not None:
        found = next((one for one in there if one.pk == wanted.contact_id), None)
        if found is None:
            errors["contact"] = "This person is no contact of the client, or has left."
    else:
        with_address = [one for one in there if one.email] if wanted.kind == StepKind.EMAIL else there
        found = receiver(with_address, "PRIMARY")
    if wanted.kind == StepKind.EMAIL and "contact" not in errors and (found is None or not found.email):
        errors["contact"] = "No contact of this client has an e-mail address. Add one under Contacts."
    return found


def _template(wanted: ByHand, errors: dict[str, str]) -> MessageTemplate | None:
    if not wanted.template:
        return None
    found = usable_templates().get(wanted.template)
    if found is None:
        errors["template"] = f"There is no template {wanted.template!r}."
    elif wanted.kind in (StepKind.EMAIL, StepKind.IN_APP) and found.kind != wanted.kind:
        errors["template"] = f"The template {found.name} is not for this kind of message."
    return found


def _title(wanted: ByHand, contact: Contact | None) -> str:
    label = StepKind(wanted.kind).label
    return f"{label} to {contact.name}"[:200] if contact else label


def _send(row: Intervention, actor: StaffUser, now: datetime) -> None:
    try:
        hand_over(row, now=now)
    except CannotSendError as error:
        raise InvalidInputError(f"This cannot be done. {error}", {"type": str(error)}) from None
    row.save(force_insert=True)


def _call(row: Intervention, actor: StaffUser, now: datetime) -> None:
    at = row.scheduled_for or next_working_morning(actor, now)
    subject = row.subject or f"Call {row.contact.name if row.contact else row.client.name}"
    draft = ActivityDraft(
        activity_type=ActivityType.CALL, subject=subject, description=row.message, occurred_at=at,
        contact_ids=(row.contact.pk,) if row.contact else (),
    )  # fmt: skip
    done = activities.schedule(actor, row.client, draft, now=now, origin=f"intervention:{row.pk}")
    row.activity, row.scheduled_for, row.state = done.activity, at, InterventionState.DUE
    row.save(force_insert=True)


_DO: dict[str, Any] = {StepKind.EMAIL: _send, StepKind.IN_APP: _send, StepKind.CALL: _call}


def next_working_morning(user: StaffUser, now: datetime) -> datetime:
    """Return ten in the morning of the next working day after `now`, in the zone of `user`, as an instant."""
    zone = zone_of(user)
    day = now.astimezone(zone).date() + timedelta(days=1)
    while day.isoweekday() not in settings.BELLWETHER_WORKING_DAYS:
        day += timedelta(days=1)
    return datetime.combine(day, CALL_AT, tzinfo=zone)
