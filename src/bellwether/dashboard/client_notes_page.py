"""The Notes tab of a client and one note with its history."""

from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, head_of, list_address
from bellwether.dashboard.client_notes_view import edit_views, note_filters, note_view
from bellwether.portfolio.choices import NoteType
from bellwether.portfolio.models import Client
from bellwether.portfolio.notes_reading import (
    SCOPES,
    NoteQuery,
    counts_by_type,
    edited_at,
    find_note,
    history_of,
    notes_of,
)
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

PER_PAGE = 20
LONGEST_SEARCH = 200


@require_GET
@login_required
def notes(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the notes that the reader may see: pinned first, then the newest."""
    user, now, client = _opened(request, client_id)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    query, page = _query(request)
    every = NoteQuery(scope=query.scope, search=query.search)
    counts = counts_by_type(notes_of(user, client, every))
    total = counts.get(query.note_type, 0) if query.note_type else sum(counts.values())
    pages = max(1, -(-total // PER_PAGE))
    page = min(page, pages)
    rows = list(notes_of(user, client, query)[(page - 1) * PER_PAGE : page * PER_PAGE])
    edited = edited_at(rows) if rows else {}
    address = Address(
        reverse("client_notes", args=[client.pk]),
        {
            "scope": "" if query.scope == "all" else query.scope,
            "type": query.note_type,
            "search": query.search,
            "from": list_address(request),
        },
    )
    values = {
        "head": head_of(request, client, user=user, tab="client_notes", now=now),
        "notes": [note_view(row, user, edited=edited.get(row.pk), now=now, zone=zone) for row in rows],
        "filters": note_filters(query, counts, address),
        "address": address,
        "total": total,
        "page": page,
        "pages": pages,
        "may_change": client.archived_at is None,
        "client_id": client.pk,
    }
    _note(user, client, "client.notes", now, count=len(rows))
    return answer(request, "dashboard/client_notes_page.html", values)


@require_GET
@login_required
def note(request: HttpRequest, client_id: UUID, note_id: UUID) -> HttpResponse:
    """Show one note with its history, as far as the reader may know it."""
    user, now, client = _opened(request, client_id)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    found = find_note(user, note_id)
    if found.client_id != client.pk:
        raise Http404
    edited = edited_at([found]).get(found.pk)
    values = {
        "head": head_of(request, client, user=user, tab="client_notes", now=now),
        "note": note_view(found, user, edited=edited, now=now, zone=zone),
        "history": edit_views(history_of(found, user), now=now, zone=zone),
        "address": Address(reverse("client_note", args=[client.pk, found.pk]), {}),
        "may_change": client.archived_at is None,
        "client_id": client.pk,
    }
    _note(user, client, "note.read", now, note=str(found.pk))
    response = answer(request, "dashboard/client_note.html", values)
    patch_cache_control(response, private=True, no_store=found.is_private)
    return response


def _query(request: HttpRequest) -> tuple[NoteQuery, int]:
    given = request.GET
    scope, kind, page = given.get("scope", ""), given.get("type", ""), given.get("page", "1")
    query = NoteQuery(
        scope=scope if scope in SCOPES else "all",
        note_type=kind if kind in NoteType.values else "",
        search=given.get("search", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
    )
    return query, int(page) if page.isdecimal() and 0 < len(page) < 6 and int(page) else 1


def _opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, datetime, Client]:
    user = cast(StaffUser, request.user)
    return user, timezone.now(), client_or_404(user, client_id)


def _note(user: StaffUser, client: Client, action: str, now: datetime, **detail: object) -> None:
    audit.record(
        actor=user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail=detail,
        now=now,
    )
