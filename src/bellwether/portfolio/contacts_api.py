"""Contacts through the staff API. E-mail and phone are masked unless revealed, which is written down."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import pagination
from bellwether.common.time import day_of
from bellwether.portfolio import contacts_changes as changes
from bellwether.portfolio.contacts_reading import ContactQuery, contacts_of, find_contact
from bellwether.portfolio.contacts_schemas import (
    REVEAL,
    ContactChangeIn,
    ContactFilters,
    ContactIn,
    ContactOut,
    ContactPage,
)
from bellwether.portfolio.history import acting
from bellwether.portfolio.masking import masked_email, masked_phone
from bellwether.portfolio.models import Contact
from bellwether.portfolio.revealing import note_reveal
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["contacts"])
SAME = (
    "id", "client_id", "name", "role", "is_primary", "is_billing", "is_technical", "last_platform_login",
    "last_csm_contact", "is_active", "known_since", "left_company_at", "archived_at", "merged_into_id",
    "created_at", "updated_at",
)  # fmt: skip
EMPTY_IS_NULL = ("title", "engagement_status", "salesforce_contact_id", "hubspot_contact_id", "notes")
NOT_NULL = ("name", "role", "is_primary", "is_billing", "is_technical")


@router.get(
    "/clients/{client_id}/contacts", response=ContactPage, operation_id="listClientContacts", summary="List contacts"
)
def contacts(request: StaffRequest, client_id: UUID, filters: Query[ContactFilters]) -> ContactPage:
    """Return one page of the contacts of a client, those who left included."""
    now, client = timezone.now(), visible_client(request.user, client_id)
    asked = ContactQuery(
        state=filters.state or "",
        role=filters.role or "",
        part=filters.part or "",
        engagement=filters.engagement_status or "",
        search=filters.search or "",
        sort=filters.sort,
    )
    found = contacts_of(client, asked, now=now)
    total, start = found.count(), (filters.page - 1) * filters.limit
    rows = list(found[start : start + filters.limit])
    if filters.reveal:
        note_reveal(request.user, client.pk, rows, where="api", now=now)
    record(
        actor=request.user,
        action="client.contacts",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"count": len(rows), "total": total},
        now=now,
    )
    return ContactPage(
        data=[_out(row, clear=filters.reveal) for row in rows],
        pagination=pagination(page=filters.page, limit=filters.limit, total=total),
    )


@router.post(
    "/clients/{client_id}/contacts",
    response={201: ContactOut},
    operation_id="createClientContact",
    summary="Add a contact",
)
def add(request: StaffRequest, client_id: UUID, given: ContactIn) -> HttpResponse:
    """Add a contact and return it, masked. Takes an Idempotency-Key."""
    now, client = timezone.now(), visible_client(request.user, client_id)
    values = _values(given.dict(exclude_unset=True))

    def make() -> Answer:
        with acting(request.user):
            done = changes.add_contact(client, values, actor=request.user, today=_today(now), now=now)
        return Answer(201, _out(done.contact).model_dump(mode="json"))

    return once(request, make)


@router.put("/contacts/{contact_id}", response=ContactOut, operation_id="updateContact", summary="Change a contact")
def update(
    request: StaffRequest,
    contact_id: UUID,
    given: ContactChangeIn,
    reveal: bool = Query(False, description=REVEAL),  # type: ignore[type-arg]
) -> ContactOut:
    """Change a contact and return it; what is not given stays. `left_company_at` marks as left, null takes it back."""
    now, found = timezone.now(), find_contact(request.user, contact_id)
    fields = given.dict(exclude_unset=True)
    if not fields:
        raise InvalidInputError("Give at least one field to change.", {"": "no field is given"})
    with acting(request.user):
        contact = _changed(request, found, fields, now)
    if reveal:
        note_reveal(request.user, contact.client_id, [contact], where="api", now=now)
    return _out(contact, clear=reveal)


@router.delete(
    "/contacts/{contact_id}", response={204: None}, operation_id="archiveContact", summary="Archive a contact"
)
def archive(request: StaffRequest, contact_id: UUID) -> Status[None]:
    """Archive a contact: off every list, its conversations kept. Again changes nothing."""
    now, found = timezone.now(), find_contact(request.user, contact_id)
    with acting(request.user):
        changes.archive_contact(found, actor=request.user, today=_today(now), now=now)
    return Status(204, None)


def _changed(request: StaffRequest, found: Contact, fields: dict[str, Any], now: datetime) -> Contact:
    actor, today, zone = request.user, _today(now), settings.BELLWETHER_WORKSPACE_ZONE
    moves = "left_company_at" in fields
    left = fields.pop("left_company_at", None)
    with transaction.atomic():
        contact = found
        if "archived_at" in fields:
            del fields["archived_at"]
            contact = changes.restore_contact(found, actor=actor, today=today, now=now).contact
        if fields:
            contact = changes.change_contact(contact, _values(fields), actor=actor, today=today, now=now).contact
        if moves and left is not None:
            contact = changes.mark_left(contact, left, actor=actor, today=today, now=now, zone=zone).contact
        elif moves:
            contact = changes.come_back(contact, actor=actor, today=today, now=now).contact
    return contact


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields given; null empties a text and is an error where there must be a value."""
    errors = {name: "This field cannot be null." for name in NOT_NULL if name in given and given[name] is None}
    if errors:
        raise InvalidInputError("Some fields cannot be null.", errors)
    return given


def _today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


def _out(contact: Contact, *, clear: bool = False) -> ContactOut:
    email, phone = contact.email, contact.phone
    if not clear:
        email, phone = masked_email(email), masked_phone(phone)
    values: dict[str, Any] = {name: getattr(contact, name) for name in SAME}
    values |= {name: getattr(contact, name) or None for name in EMPTY_IS_NULL}
    return ContactOut(**values, email=email or None, phone=phone or None, user_id=contact.user_key or None)
