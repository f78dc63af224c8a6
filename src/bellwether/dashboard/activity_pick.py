"""Choosing the client of a new activity, when it is logged from nowhere in particular."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from bellwether.common.text import storable_text
from bellwether.dashboard.activity_pages import read_asked
from bellwether.dashboard.client_access import target_of
from bellwether.portfolio.models import Activity, Client
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import next_address, show_form
from bellwether.web.formatting import plural

MOST = 8


@dataclass(frozen=True)
class Found:
    """A client to choose; `href` opens the form."""

    name: str
    sub: str
    href: str


@require_GET
@login_required
def pick(request: HttpRequest) -> HttpResponse:
    """Show the clients that a search finds, without one those last written about, or go to the one that is named."""
    user, asked = cast(StaffUser, request.user), read_asked(request)
    after = next_address(request, "")
    query = asked.query(next=after)
    named = request.GET.get("client", "")
    if named:
        return redirect(f"{reverse('client_activity_new', args=[_uuid(named)])}?{query}")
    search = " ".join(storable_text(request.GET.get("search", ""), 200).split())
    seen = Client.objects.visible_to(user).filter(archived_at__isnull=True)
    if search:
        matching = seen.filter(Q(name__icontains=search) | Q(organization_id__icontains=search))
        total = matching.count()
        clients = list(matching.order_by("name")[:MOST])
        heading = f"{plural(total, 'client')} found" + (f", the first {MOST} shown" if total > MOST else "")
        heading = heading if total else f"No client of yours is called like “{search}”."
    else:
        clients = _recent(user, seen)
        heading = "Last written about, then by name" if clients else "There are no clients that you look after."
    values: dict[str, Any] = {
        "title": "Schedule activity" if asked.planned else "Log activity",
        "search": search,
        "heading": heading,
        "found": [
            Found(one.name, _about(one), f"{reverse('client_activity_new', args=[one.pk])}?{query}") for one in clients
        ],
        "kept": {
            "type": request.GET.get("type", ""),
            "schedule": "1" if asked.planned else "",
            "from": asked.origin,
            "next": after,
        },
    }
    part = target_of(request) == "activity-clients"
    return show_form(request, f"dashboard/activity_pick{'_list' if part else ''}.html", values)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _about(client: Client) -> str:
    return ", ".join(part for part in (str(client.get_contract_tier_display()), client.industry) if part)


def _recent(user: StaffUser, seen: Any) -> list[Client]:
    """Return the clients that the user wrote about last, filled up by name; two queries."""
    written = Activity.objects.filter(performed_by=user, client__in=seen).order_by()
    newest = written.values("client").annotate(at=Max("created_at")).order_by("-at").values_list("client", flat=True)
    ids = list(newest[:MOST])
    known = {one.pk: one for one in seen.filter(pk__in=ids)}
    recent = [known[pk] for pk in ids if pk in known]
    more = list(seen.exclude(pk__in=ids).order_by("name")[: MOST - len(recent)]) if len(recent) < MOST else []
    return [*recent, *more]
