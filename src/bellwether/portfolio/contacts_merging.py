"""Two contacts who turn out to be one person: what both have is kept in one of them, in one undoable change."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.changes import Changing, changing
from bellwether.portfolio.contacts_changes import Done, lock_client
from bellwether.portfolio.models import Activity, Contact, SupportTicket, SurveyResponse
from bellwether.staff.models import StaffUser

CHOOSABLE = ("name", "email", "phone", "title", "role")
"""Fields of which the person merging may take the other contact's value."""
FILLED = ("email", "phone", "title", "user_key", "engagement_status", "salesforce_contact_id", "hubspot_contact_id")
EITHER = ("is_primary", "is_billing", "is_technical")
LATEST = ("last_platform_login", "last_csm_contact", "stated_contact_at")


def merge_contacts(
    kept: Contact,
    other: Contact,
    *,
    from_other: Collection[str] = (),
    actor: StaffUser,
    today: date,
    now: datetime,
) -> Done:
    """Return `kept` with what `other` had: conversations, follow-ups, tickets, survey answers, notes and empty fields.

    `from_other` names the fields of CHOOSABLE that the other one's value replaces. `other` is archived and remembered
    as merged, so that a later import of it means `kept`. Raises InvalidInputError for contacts of different clients,
    the same contact twice, or an unknown field; ConflictError for an archived client or contact.
    """
    _check(kept, other, from_other)
    with transaction.atomic():
        lock_client(kept.client)
        stored = Contact.objects.select_for_update().filter(pk__in=[kept.pk, other.pk], archived_at__isnull=True)
        held = {contact.pk: contact for contact in stored}
        if len(held) < 2:
            raise InvalidInputError("One of the contacts is archived.", {"other": "This contact is archived."})
        stays, goes = held[kept.pk], held[other.pk]
        summary = f"{goes.name} merged into {stays.name}"
        with changing(actor, kind="contact.merged", summary=summary, today=today, now=now) as work:
            work.keep(goes)
            work.keep(stays)
            user_key = goes.user_key
            _combine(stays, goes, from_other, today)
            goes.archived_at, goes.merged_into, goes.is_primary = now, stays, False
            if user_key == stays.user_key:
                goes.user_key = ""
            work.save(goes)
            work.save(stays)
            _move_records(work, goes, stays)
    return Done(stays, work.change)


def _check(kept: Contact, other: Contact, from_other: Collection[str]) -> None:
    if kept.pk == other.pk:
        raise InvalidInputError("Choose another contact.", {"other": "A contact cannot be merged with itself."})
    if kept.client_id != other.client_id:
        raise InvalidInputError("Choose a contact of this client.", {"other": "This contact is another client's."})
    if unknown := sorted(set(from_other) - set(CHOOSABLE)):
        raise InvalidInputError("Unknown field.", {unknown[0]: f"Use one of {', '.join(CHOOSABLE)}."})


def _combine(stays: Contact, goes: Contact, from_other: Collection[str], today: date) -> None:
    for name in from_other:
        setattr(stays, name, getattr(goes, name))
    for name in FILLED:
        if not getattr(stays, name):
            setattr(stays, name, getattr(goes, name))
    for name in EITHER:
        setattr(stays, name, getattr(stays, name) or getattr(goes, name))
    for name in LATEST:
        setattr(stays, name, max((v for v in (getattr(stays, name), getattr(goes, name)) if v), default=None))
    since = [day for day in (stays.known_since, goes.known_since) if day]
    stays.known_since = min(since) if len(since) == 2 else None  # one of them was always there
    if goes.is_active and goes.left_company_at is None:
        stays.is_active, stays.left_company_at = True, None
    if goes.notes.strip() and goes.notes.strip() not in stays.notes:
        stays.notes = "\n\n".join(part for part in (stays.notes.strip(), goes.notes.strip()) if part)


def _move_records(work: Changing, goes: Contact, stays: Contact) -> None:
    _move_talks(work, goes, stays)
    for model, field in ((Activity, "follow_up_contact"), (SupportTicket, "contact"), (SurveyResponse, "contact")):
        rows: Any = model._default_manager.filter(**{field: goes})
        for row in rows.only("pk", "client_id"):
            work.note(row, {field: str(goes.pk)}, {field: str(stays.pk)})
        rows.update(**{field: stays})


def _move_talks(work: Changing, goes: Contact, stays: Contact) -> None:
    """Let `stays` take the place of `goes` in every conversation, in a fixed number of queries."""
    through = Activity.client_contacts.through
    talks = list(Activity.objects.filter(client_contacts=goes).only("pk", "client_id"))
    before: dict[UUID, list[str]] = {}
    rows = through.objects.filter(activity_id__in=[talk.pk for talk in talks])
    for activity_id, contact_id in rows.values_list("activity_id", "contact_id"):
        before.setdefault(activity_id, []).append(str(contact_id))
    both = [pk for pk, ids in before.items() if str(stays.pk) in ids]
    through.objects.filter(contact=goes, activity_id__in=both).delete()
    through.objects.filter(contact=goes).update(contact=stays)
    for talk in talks:
        ids = before[talk.pk]
        work.note(talk, {"client_contacts": sorted(ids)}, {"client_contacts": _replaced(ids, goes, stays)})


def _replaced(ids: Sequence[str], goes: Contact, stays: Contact) -> list[str]:
    return sorted({str(stays.pk) if one == str(goes.pk) else one for one in ids})
