"""What staff do to contacts: add, edit, mark as left, take back, archive, restore. Each is one change, undoable.

Callers pass contacts of clients that the actor may see. Fields carry the names of PRD-015.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of, start_of
from bellwether.portfolio.changes import Changing, changing
from bellwether.portfolio.contact_fields import checked
from bellwether.portfolio.models import Change, Client, Contact
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class Done:
    """The contact as it is now and the change that undoes it, None when nothing differed."""

    contact: Contact
    change: Change | None


@dataclass(frozen=True)
class Link:
    """The platform user that a contact is: pseudonym ("" for nobody) and last login."""

    user_key: str
    last_login: datetime | None = None


def add_contact(
    client: Client,
    values: Mapping[str, Any],
    *,
    actor: StaffUser,
    today: date,
    now: datetime,
    link: Link | None = None,
) -> Done:
    """Return the new contact of the client with `values` (contact_fields.FIELDS); the primary one before steps back.

    Raises InvalidInputError with an error for each field, ConflictError for an archived client.
    """
    with transaction.atomic():
        lock_client(client)
        contact = Contact(client=client, known_since=today)
        given = checked(values, contact, today=today)
        for name, value in given.items():
            setattr(contact, name, value)
        with changing(actor, kind="contact.added", summary=f"{contact.name} added", today=today, now=now) as work:
            _step_back(work, contact)
            _link(work, contact, link)
            work.make(contact)
    return Done(contact, work.change)


def change_contact(
    contact: Contact,
    values: Mapping[str, Any],
    *,
    actor: StaffUser,
    today: date,
    now: datetime,
    link: Link | None = None,
) -> Done:
    """Return the contact with `values` changed; what is not given stays. Setting `is_primary` unsets the others'.

    `link` None leaves the platform user as it is. Raises InvalidInputError with an error for each field, ConflictError
    for an archived client or contact.
    """
    with transaction.atomic():
        held = locked(contact)
        given = checked(values, held, today=today)
        with changing(actor, kind="contact.changed", summary=f"{held.name} changed", today=today, now=now) as work:
            work.keep(held)
            for name, value in given.items():
                setattr(held, name, value)
            _step_back(work, held)
            _link(work, held, link)
            work.save(held)
    return Done(held, work.change)


def mark_left(
    contact: Contact,
    on: date,
    *,
    successor_id: UUID | None = None,
    actor: StaffUser,
    today: date,
    now: datetime,
    zone: ZoneInfo,
) -> Done:
    """Return the contact, gone since the day `on`. A successor takes over the role and, if it was held, the primary,
    billing and technical part. Raises InvalidInputError for a day to come, before the contact was known, or a successor
    who is not there."""
    errors = {}
    if on > today:
        errors["left_company_at"] = "This day is still to come. Give today or an earlier day."
    elif contact.known_since and on < contact.known_since:
        errors["left_company_at"] = f"The contact is known since {contact.known_since}, which is later."
    with transaction.atomic():
        held = locked(contact)
        follows = None
        if successor_id is not None:
            there = Contact.objects.filter(client_id=held.client_id, archived_at__isnull=True, is_active=True)
            follows = there.filter(left_company_at__isnull=True).exclude(pk=held.pk).filter(pk=successor_id).first()
            if follows is None:
                errors["successor"] = "Choose a contact of this client who is still there."
        if errors:
            raise InvalidInputError(" ".join(errors.values()), errors)
        with changing(actor, kind="contact.left", summary=f"{held.name} left", today=today, now=now) as work:
            work.keep(held)
            held.left_company_at, held.is_active = start_of(on, zone), False
            if follows is not None:
                _hand_over(work, held, follows)
            work.save(held)
    return Done(held, work.change)


def come_back(contact: Contact, *, actor: StaffUser, today: date, now: datetime) -> Done:
    """Return the contact, there again. The former part of primary contact is not taken from whoever has it now."""
    with transaction.atomic():
        held = locked(contact)
        with changing(actor, kind="contact.came_back", summary=f"{held.name} is back", today=today, now=now) as work:
            work.keep(held)
            held.left_company_at, held.is_active = None, True
            _yield_primary(held)
            work.save(held)
    return Done(held, work.change)


def archive_contact(contact: Contact, *, actor: StaffUser, today: date, now: datetime) -> Done:
    """Return the contact, archived: off every list, its conversations kept. Again changes nothing."""
    with transaction.atomic():
        held = locked(contact, archived=True)
        with changing(actor, kind="contact.archived", summary=f"{held.name} archived", today=today, now=now) as work:
            work.keep(held)
            held.archived_at = held.archived_at or now
            work.save(held)
    return Done(held, work.change)


def restore_contact(contact: Contact, *, actor: StaffUser, today: date, now: datetime) -> Done:
    """Return the contact, back from the archive. Raises ConflictError for one that was merged, or whose e-mail address
    somebody else has by now."""
    with transaction.atomic():
        held = locked(contact, archived=True)
        if held.merged_into_id is not None:
            raise ConflictError(f"{held.name} was merged into another contact. Undo the merge instead.")
        if held.archived_at is not None and held.email:
            others = Contact.objects.filter(
                client_id=held.client_id, archived_at__isnull=True, email__iexact=held.email
            )
            if (other := others.exclude(pk=held.pk).first()) is not None:
                raise ConflictError(f"{other.name} has the same e-mail address. Change one of them first, or merge.")
        with changing(actor, kind="contact.restored", summary=f"{held.name} restored", today=today, now=now) as work:
            work.keep(held)
            held.archived_at = None
            _yield_primary(held)
            work.save(held)
    return Done(held, work.change)


def lock_client(client: Client) -> Client:
    """Return the client; other changes to its contacts wait until the transaction ends. ConflictError if archived."""
    held: Client = Client.objects.select_for_update().get(pk=client.pk)
    if held.archived_at is not None:
        raise ConflictError(f"{held.name} is archived; archived clients are not changed.")
    return held


def locked(contact: Contact, *, archived: bool = False) -> Contact:
    """Return the contact as it is stored, its client locked; ConflictError for an archived one unless `archived`."""
    lock_client(contact.client)
    held: Contact = Contact.objects.select_for_update().get(pk=contact.pk)
    if held.archived_at is not None and not archived:
        raise ConflictError(f"{held.name} is archived. Restore the contact first.")
    return held


def left_on(contact: Contact, zone: ZoneInfo) -> date | None:
    """Return the workspace day on which the contact left, None while there or when nobody knows."""
    return day_of(contact.left_company_at, zone) if contact.left_company_at else None


def _step_back(work: Changing, contact: Contact) -> None:
    """Take the part of primary contact from all others of the client, where `contact` has it."""
    if not contact.is_primary:
        return
    others = Contact.objects.select_for_update().filter(client_id=contact.client_id, is_primary=True)
    for other in others.filter(archived_at__isnull=True).exclude(pk=contact.pk):
        work.keep(other)
        other.is_primary = False
        work.save(other)


def _yield_primary(contact: Contact) -> None:
    others = Contact.objects.filter(client_id=contact.client_id, is_primary=True, archived_at__isnull=True)
    if contact.is_primary and others.exclude(pk=contact.pk).exists():
        contact.is_primary = False


def _link(work: Changing, contact: Contact, link: Link | None) -> None:
    """Link `contact` to a platform user; whoever was linked to that user is let go, because a user is one person."""
    if link is None or link.user_key == contact.user_key:
        return
    if link.user_key:
        others = Contact.objects.select_for_update().filter(client_id=contact.client_id, user_key=link.user_key)
        for other in others.exclude(pk=contact.pk):
            work.keep(other)
            other.user_key = ""
            work.save(other)
        contact.last_platform_login = link.last_login or contact.last_platform_login
    else:
        contact.engagement_status = None
    contact.user_key = link.user_key


def _hand_over(work: Changing, leaving: Contact, follows: Contact) -> None:
    work.keep(follows)
    follows.role = leaving.role
    for part in ("is_primary", "is_billing", "is_technical"):
        if getattr(leaving, part):
            setattr(follows, part, True)
            setattr(leaving, part, False)
    work.save(follows)
