"""The Contacts tab of a client, one contact, and what reveals and exports them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, head_of, list_address
from bellwether.dashboard.client_contacts_choices import SORTED, ContactView, Filters, read_view
from bellwether.dashboard.client_contacts_export import csv_text, xlsx_bytes
from bellwether.dashboard.client_contacts_view import contact_row, facts_of, map_view, pair_views
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.contacts_reading import contacts_of, find_contact, met_on, stakeholders_of
from bellwether.portfolio.models import Activity, Client, Contact, SupportTicket, SurveyResponse
from bellwether.portfolio.revealing import note_reveal
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.people import pseudonym_name

PER_PAGE = 50
RECENT = 10
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_GET
@login_required
def contacts(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the stakeholder map and the table of contacts."""
    user, now, client = _opened(request, client_id)
    response = _tab(request, client, user, now)
    _note(user, client, "client.contacts", now)
    return response


@require_http_methods(["GET", "POST"])
@login_required
def reveal(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the tab with e-mail and phone of one contact, or of all on the page of the table, in clear.

    Who did so, and for whom, is written down first. What is shown is kept by no cache; reloading hides it again.
    """
    user, now, client = _opened(request, client_id)
    if request.method == "GET":  # somebody reloads the page after revealing without JavaScript
        return redirect("client_contacts", client_id)
    view = read_view(request)
    rows = _rows(client, view, now)[0]
    wanted = request.POST.get("contact", "")
    chosen = [row for row in rows if wanted in {"", str(row.pk)}]
    if not chosen:
        raise Http404
    note_reveal(user, client.pk, chosen, where="page", now=now)
    response = _tab(request, client, user, now, revealed=chosen)
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_http_methods(["GET", "POST"])
@login_required
def contact(request: HttpRequest, client_id: UUID, contact_id: UUID) -> HttpResponse:
    """Show one contact with what was said lately; POST shows e-mail and phone in clear, which is written down."""
    user, now, client = _opened(request, client_id)
    found = find_contact(user, contact_id)
    if found.client_id != client.pk:
        raise Http404
    clear = request.method == "POST"
    if clear:
        note_reveal(user, client.pk, [found], where="page", now=now)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    met = met_on(client, now=now, zone=zone)
    row = contact_row(found, met=met, revealed=[found.pk] if clear else (), today=today, zone=zone)
    values = {
        "head": head_of(request, client, user=user, tab="client_contacts", now=now),
        "contact": row,
        "notes": found.notes,
        "facts": facts_of(found, row, pseudonym_name(found.user_key) if found.user_key else "", today),
        "talks": _talks(found),
        "tickets": list(SupportTicket.objects.filter(contact=found).order_by("-opened_at")[:RECENT]),
        "answers": list(SurveyResponse.objects.filter(contact=found).order_by("-answered_at")[:RECENT]),
        "today": today,
        "zone": zone,
        "may_change": client.archived_at is None,
        "is_there": not row.left,
    }
    _note(user, client, "contact.read", now, contact=str(found.pk))
    response = answer(request, "dashboard/client_contact.html", values)
    if clear:
        patch_cache_control(response, private=True, no_store=True)
    return response


@require_http_methods(["GET", "POST"])
@login_required
def export(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Return the contacts asked for as a file. E-mail and phone are masked; a POST has them in clear, written down."""
    user, now, client = _opened(request, client_id)
    if kind not in KINDS:
        raise Http404
    view, zone = read_view(request), settings.BELLWETHER_WORKSPACE_ZONE
    rows = list(contacts_of(client, view.query, now=now))
    clear = request.method == "POST"
    if clear:
        note_reveal(user, client.pk, rows, where=kind, now=now)
    _note(user, client, "client.contacts_export", now, count=len(rows), kind=kind)
    body: Any = (csv_text if kind == "csv" else xlsx_bytes)(rows, clear=clear, zone=zone)
    response = HttpResponse(body, content_type=KINDS[kind])
    name = f"contacts-{client.pk}-{day_of(now, zone).isoformat()}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _tab(
    request: HttpRequest, client: Client, user: StaffUser, now: datetime, *, revealed: Sequence[Contact] = ()
) -> HttpResponse:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    view = read_view(request)
    rows, total, page, pages = _rows(client, view, now)
    found = stakeholders_of(client, now=now, zone=zone)
    met = {pk: person.met_on for pk, person in found.people.items() if person.met_on}
    clear = {row.pk for row in revealed}
    address = Address(reverse("client_contacts", args=[client.pk]), {**view.address, "from": list_address(request)})
    values = {
        "head": head_of(request, client, user=user, tab="client_contacts", now=now),
        "map": map_view(client.pk, found, today),
        "pairs": pair_views(client.pk, found) if client.archived_at is None else [],
        "rows": [contact_row(row, met=met, revealed=clear, today=today, zone=zone) for row in rows],
        "known": bool(found.people),
        "total": total,
        "filters": Filters.of(view, address),
        "columns": SORTED,
        "sort": view.query.sort,
        "address": address,
        "page": page,
        "pages": pages,
        "revealed": bool(clear),
        "may_change": client.archived_at is None,
        "client_id": client.pk,
    }
    return answer(request, "dashboard/client_contacts_page.html", values)


def _rows(client: Client, view: ContactView, now: datetime) -> tuple[list[Contact], int, int, int]:
    """Return the contacts of the page of the table asked for, how many match, the page, and how many pages."""
    found = contacts_of(client, view.query, now=now).select_related("merged_into")
    total = found.count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(view.page, pages)
    return list(found[(page - 1) * PER_PAGE : page * PER_PAGE]), total, page, pages


def _talks(contact: Contact) -> list[dict[str, Any]]:
    rows = contact.activities.filter(archived_at__isnull=True, completed_at__isnull=False).order_by("-occurred_at")
    return [{"label": activity_label(row), "subject": row.subject, "at": row.occurred_at} for row in _some(rows)]


def _some(rows: Any) -> list[Activity]:
    return list(rows[:RECENT])


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
