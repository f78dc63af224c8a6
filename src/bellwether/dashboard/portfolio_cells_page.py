"""Editing the tags and the segment of one client in its row, or in a form over the page."""

from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import client_or_404
from bellwether.dashboard.portfolio_bulk_forms import split_tags
from bellwether.dashboard.portfolio_choices import values_of
from bellwether.portfolio.bulk import REFUSED, BulkChange, apply_bulk, clean_change
from bellwether.portfolio.models import Change, Client
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, in_dialog, show_form

FORM, CELL = "dashboard/portfolio_cell_form.html", "dashboard/portfolio_cell.html"


@require_http_methods(["GET", "POST"])
@login_required
def tags(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show or change the tags of a client: `add` with commas, `remove` one tag."""
    add, remove = request.POST.get("add", ""), request.POST.getlist("remove")
    change = BulkChange(add_tags=split_tags(add), remove_tags=tuple(filter(None, map(str.strip, remove))))
    return _cell(request, client_id, "tags", change)


@require_http_methods(["GET", "POST"])
@login_required
def segment(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show or change the segment of a client; empty takes it away."""
    return _cell(request, client_id, "segment", BulkChange(segment=request.POST.get("segment", "").strip()))


def _cell(request: HttpRequest, client_id: UUID, kind: str, change: BulkChange) -> HttpResponse:
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    in_row = bool(getattr(request, "htmx", None)) and not in_dialog(request)
    error, made = "", None
    if request.method == "POST" and not change.is_empty:
        try:
            plan, made = apply_bulk(
                user,
                [client.pk],
                clean_change(change, user),
                today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE),
                now=now,
            )
            error = next((row.detail for row in plan.rows if row.result == REFUSED), "")
        except InvalidInputError as problem:
            error = " ".join(problem.errors.values())
        client = client_or_404(user, client_id)
    if request.method == "POST" and not error and not in_row:
        text = f"{made.summary[: -len(' 1 client')]} {client.name}." if made else "Nothing was changed."
        return done(request, reverse("client", args=[client.pk]), text, undo=made.pk if made else None)
    context = _context(user, client, kind, error, made)
    if not in_row:
        return show_form(request, FORM, context, invalid=bool(error))
    leaving = "leave" in request.GET or (request.method == "POST" and not error and "stay" not in request.POST)
    context["editing"] = not leaving
    came = urlsplit(request.headers.get("HX-Current-URL", ""))
    context["back"] = f"{came.path}?{came.query}" if came.query else came.path
    response = render(request, CELL, context, status=422 if error else 200)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _context(user: StaffUser, client: Client, kind: str, error: str, made: Change | None) -> dict[str, Any]:
    values = values_of(user)
    own = [tag.name for tag in client.tags.all()]
    known = values.tags if kind == "tags" else frozenset(filter(None, values.segments))
    return {
        "client": client,
        "kind": kind,
        "tags": own,
        "known": sorted(known - set(own), key=str.casefold),
        "error": error,
        "made": made,
        "action": reverse(f"client_{kind}", args=[client.pk]),
    }
