"""The history of interventions: all that was done for clients, by playbooks and by hand, with what came of it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.interventions_view import KINDS, OUTCOMES, date_of, facts, row_of
from bellwether.dashboard.records_export import Sheet, export_response, local
from bellwether.playbooks import selectors as read
from bellwether.playbooks.choices import InterventionState, StepKind
from bellwether.playbooks.models import Intervention
from bellwether.playbooks.outcome_words import OPEN, write_outcome
from bellwether.playbooks.selectors import BY_HAND, PERIODS, STANDARD_PERIOD, InterventionQuery
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import done, show_form
from bellwether.web.formatting import number, plural

PER_PAGE = 50
MOST_EXPORTED = 50_000
LIST = "interventions"
COLUMNS = (
    "client",
    "organization_id",
    "playbook",
    "version",
    "step",
    "kind",
    "title",
    "state",
    "date",
    "scheduled_for",
    "done_at",
    "assigned_to",
    "contact",
    "subject",
    "message",
    "outcome",
    "failure",
)


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    query: InterventionQuery
    address: Address
    page: int

    @property
    def filtered(self) -> bool:
        """Whether something beside the period narrows the list."""
        return any(value for name, value in self.address.query.items() if name != "days")


def read_asked(values: QueryDict) -> Asked:
    """Return what the address asks for; what cannot be used is left out."""
    client_id = None
    with suppress(ValueError):
        client_id = UUID(values.get("client", ""))
    days, page = values.get("days", ""), values.get("page", "")
    query = InterventionQuery(
        client_id=client_id,
        playbook=storable_text(values.get("playbook", ""), 60),
        kind=values.get("kind", "") if values.get("kind", "") in StepKind.values else "",
        state=values.get("state", "") if values.get("state", "") in InterventionState.values else "",
        days=int(days) if days in {str(period) for period in PERIODS} else STANDARD_PERIOD,
        search=" ".join(storable_text(values.get("search", ""), 200).split()),
    )
    address = Address(
        reverse("interventions"),
        {
            "client": str(client_id or ""),
            "playbook": query.playbook,
            "kind": query.kind,
            "state": query.state,
            "days": "" if query.days == STANDARD_PERIOD else str(query.days),
            "search": query.search,
        },
    )
    return Asked(query, address, int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 else 1)


@require_GET
@login_required
def interventions(request: HttpRequest) -> HttpResponse:
    """Show the interventions of the reader's clients; for a swap of the list only the list."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    asked = read_asked(request.GET)
    rows = read.interventions(user, asked.query, today=day_of(now, zone), zone=zone)
    total = rows.order_by().count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(1, asked.page), pages)
    first = (page - 1) * PER_PAGE
    found = [row_of(one, now=now, zone=zone) for one in rows[first : first + PER_PAGE]]
    client = Client.objects.visible_to(user).filter(pk=asked.query.client_id).first() if asked.query.client_id else None
    values: dict[str, Any] = {
        "asked": asked,
        "rows": found,
        "total": total,
        "text": _span(first, len(found), total),
        "previous": asked.address.with_(page=page - 1) if page > 1 else "",
        "next": asked.address.with_(page=page + 1) if page < pages else "",
        "here": asked.address.with_(page=page if page > 1 else None),
        "client": client,
        "playbooks": [(one.key, one.name) for one in read.playbooks(archived=True)],
        "by_hand": BY_HAND,
        "kinds": KINDS,
        "states": InterventionState.choices,
        "periods": list(PERIODS.items()),
        "exports": [
            (kind.upper(), Address(reverse("interventions_export", args=[kind]), asked.address.query).with_())
            for kind in ("csv", "xlsx")
        ],
        "anything": total > 0 or Intervention.objects.visible_to(user).exists(),
    }
    audit.record(
        actor=user, action="intervention.list", object_type="intervention", client_id=client.pk if client else None,
        detail={"count": len(found)}, now=now,
    )  # fmt: skip
    swap = target_of(request) == LIST
    return answer(request, f"dashboard/interventions{'_list' if swap else ''}.html", values)


def _span(first: int, shown: int, total: int) -> str:
    what = plural(total, "intervention")
    return what if shown == total else f"{number(first + 1)} to {number(first + shown)} of {what}"


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return what the filters let through as CSV or XLSX, newest first."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    asked = read_asked(request.GET)
    own = zone_of(user)
    rows = []
    for one in read.interventions(user, asked.query, today=today, zone=zone)[:MOST_EXPORTED]:
        enrolment = one.enrolment
        rows.append(
            (
                one.client.name,
                one.client.organization_id,
                enrolment.playbook.name if enrolment else "",
                enrolment.version.number if enrolment else None,
                one.step,
                one.kind,
                one.title,
                one.state,
                day_of(date_of(one), zone),
                local(one.scheduled_for, own),
                local(one.done_at, own),
                one.assigned_to.name if one.assigned_to else "",
                one.contact.name if one.contact else "",
                one.subject,
                one.message,
                one.outcome,
                one.failure,
            )
        )
    response = export_response(f"interventions-{today.isoformat()}", kind, [Sheet("interventions", COLUMNS, rows)])
    detail = {"count": len(rows), "kind": kind}
    audit.record(actor=user, action="intervention.export", object_type="intervention", detail=detail, now=now)
    return response


@require_GET
@login_required
def intervention(request: HttpRequest, intervention_id: UUID) -> HttpResponse:
    """Show one intervention: what was said to whom, when, and what came of it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_intervention(user, intervention_id)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    audit.record(
        actor=user, action="intervention.read", object_type="intervention", object_id=found.pk,
        client_id=found.client_id, now=now,
    )  # fmt: skip
    values = {
        "one": found,
        "row": row_of(found, now=now, zone=zone),
        "facts": facts(found, now=now, zone=zone_of(user)),
        "open": found.state in OPEN,
        "here": reverse("intervention", args=[found.pk]),
    }
    return answer(request, "dashboard/intervention.html", values)


@require_http_methods(["GET", "POST"])
@login_required
def outcome(request: HttpRequest, intervention_id: UUID) -> HttpResponse:
    """Show the form of the outcome, or store it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_intervention(user, intervention_id)
    values: dict[str, Any] = {
        "one": found,
        "outcomes": OUTCOMES,
        "text": request.POST.get("outcome", found.outcome),
        "action": reverse("intervention_outcome", args=[found.pk]),
        "error": "",
    }
    form = "dashboard/intervention_outcome.html"
    if request.method == "GET":
        return show_form(request, form, values)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    try:
        row, change = write_outcome(found, request.POST.get("outcome", ""), actor=user, today=today, now=now)
    except InvalidInputError as error:
        return show_form(request, form, values | {"error": error.errors["outcome"]}, invalid=True)
    except ConflictError as error:
        return show_form(request, form, values | {"error": str(error)}, invalid=True)
    text = f"{change.summary}." if change else "Nothing was changed."
    return done(request, reverse("intervention", args=[row.pk]), text, undo=change.pk if change else None)
