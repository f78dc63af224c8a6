"""The tickets of all clients that the reader sees: what waits, and the rest by filter."""

from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.records_export import export_response, ticket_sheet
from bellwether.dashboard.tickets_view import Asked, listing, read_asked
from bellwether.portfolio.models import Client, SupportTicket
from bellwether.portfolio.ticket_reading import list_tickets, matching, ordered, waiting_counts
from bellwether.staff import audit
from bellwether.staff.models import Role, StaffUser
from bellwether.web.formatting import plural

LIST, DEFAULT = "tickets", "waiting"
MOST_EXPORTED = 50_000


@require_GET
@login_required
def tickets(request: HttpRequest) -> HttpResponse:
    """Show the tickets that wait, or those that the filters ask for; for a swap of the list, only the list."""
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    asked = _asked(request)
    own = SupportTicket.objects.visible_to(user).filter(client__archived_at__isnull=True)
    found = list_tickets(own, asked.query, now=now, zone=zone)
    detail = {"count": len(found.rows), "total": found.total, "query": dict(asked.address.query)}
    audit.record(actor=user, action="ticket.list", object_type="supportticket", detail=detail, now=now)
    counts = waiting_counts(own)
    query = request.GET.urlencode()
    address = reverse("tickets_export", args=["csv"]).removesuffix("csv")
    values = {
        "list": listing(found, asked, now=now, zone=zone, with_client=True, csms=_csms(user)),
        "with_client": True,
        "archived": False,
        "counts": counts,
        "exports": [(kind.upper(), address + kind + (f"?{query}" if query else "")) for kind in ("csv", "xlsx")],
    }
    if target_of(request) == LIST:
        return answer(request, "dashboard/tickets_list.html", values)
    urgent, escalated = counts["urgent"], counts["escalated"]
    subtitle = f"{plural(counts['waiting'], 'ticket')} open or pending, {urgent:,} urgent, {escalated:,} escalated."
    return answer(request, "dashboard/tickets.html", values | {"subtitle": subtitle})


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the tickets that the filters let through, at most MOST_EXPORTED, as CSV or XLSX."""
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    asked = _asked(request)
    own = SupportTicket.objects.visible_to(user).filter(client__archived_at__isnull=True)
    found = ordered(matching(own, asked.query, now=now, zone=zone), asked.query.sort, now=now)
    rows = list(found.select_related("client", "contact")[:MOST_EXPORTED])
    detail = {"count": len(rows), "query": dict(asked.address.query)}
    audit.record(actor=user, action="ticket.export", object_type="supportticket", detail=detail, now=now)
    return export_response(f"tickets-{day_of(now, zone)}", kind, [ticket_sheet(rows, zone)])


def _asked(request: HttpRequest) -> Asked:
    values = {name: str(value) for name, value in request.GET.dict().items()}
    return read_asked(values, reverse("tickets"), default_status=DEFAULT)


def _csms(user: StaffUser) -> list[tuple[str, str]]:
    """Return the CSMs of the clients that the reader sees, by name; none for those who see their own clients alone."""
    if user.role == Role.CSM:
        return []
    ids = Client.objects.visible_to(user).active().exclude(csm_user=None).values("csm_user_id").distinct()
    return [(str(one.pk), one.name) for one in StaffUser.objects.filter(pk__in=ids).order_by("first_name", "last_name")]
