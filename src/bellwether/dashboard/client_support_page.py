"""The support tab of a client: tickets and surveys shown, exported and edited."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, client_or_404, head_of, target_of
from bellwether.dashboard.client_support_forms import AnswerForm, TicketForm
from bellwether.dashboard.client_support_view import (
    answer_row,
    answers_of,
    csat_months,
    survey_page,
    ticket_kpis,
    week_chart,
)
from bellwether.dashboard.record_forms import act, answer_form
from bellwether.dashboard.records_export import answer_sheet, export_response, ticket_sheet
from bellwether.dashboard.tickets_view import listing, read_asked
from bellwether.portfolio import surveys as survey_changes
from bellwether.portfolio import tickets as ticket_changes
from bellwether.portfolio.models import Client, SupportTicket, SurveyResponse
from bellwether.portfolio.record_changes import Made
from bellwether.portfolio.survey_figures import csat_mean
from bellwether.portfolio.ticket_reading import figures_of, list_tickets, matching, ordered, waiting_counts
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

SURVEYS, LIST = "surveys", "tickets"
ANSWERS_A_PAGE = 50
KEPT = ("from",)
R = TypeVar("R", SupportTicket, SurveyResponse)


@require_GET
@login_required
def support(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the tickets of a client that the reader may see, or with `show=surveys` its answers to surveys."""
    user, now, today, client = opened(request, client_id)
    shows_surveys = request.GET.get("show") == SURVEYS
    audit.record(
        actor=user, action="client.surveys" if shows_surveys else "client.tickets", object_type="client",
        object_id=client.pk, client_id=client.pk, now=now,
    )  # fmt: skip
    if shows_surveys:
        return _surveys(request, user, client, today, now)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    asked = read_asked(_values(request), reverse("client_support", args=[client.pk]), kept=KEPT)
    own = SupportTicket.objects.filter(client=client)
    listed = listing(list_tickets(own, asked.query, now=now, zone=zone), asked, now=now, zone=zone, with_client=False)
    values: dict[str, Any] = {
        "list": listed,
        "client_id": client.pk,
        "archived": client.archived_at is not None,
        "with_client": False,
        "exports": _exports(request, client, "tickets"),
        "counts": (counts := waiting_counts(own)),
    }
    if target_of(request) == LIST:
        return answer(request, "dashboard/tickets_list.html", values)
    answers = _answers(client)
    figures = figures_of(client, today=today, zone=zone)
    values |= {
        "head": head_of(request, client, user=user, tab="client_support", now=now),
        "figures": ticket_kpis(figures, counts, csat_mean(answers, today=today)),
        "chart": week_chart(figures, today=today),
        "months": csat_months(answers, today=today),
    }
    return answer(request, "dashboard/client_support.html", values)


def _surveys(request: HttpRequest, user: StaffUser, client: Client, today: date, now: datetime) -> HttpResponse:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    kind = request.GET.get("kind", "")
    kind = kind if kind in ("NPS", "CSAT") else ""
    rows = SurveyResponse.objects.filter(client=client, **({"kind": kind} if kind else {}))
    total = rows.count()
    pages = max(1, -(-total // ANSWERS_A_PAGE))
    given = request.GET.get("page", "")
    page = min(int(given), pages) if given.isascii() and given.isdigit() and 0 < len(given) < 7 and int(given) else 1
    shown = rows.select_related("contact").order_by("-answered_at", "pk")
    first = (page - 1) * ANSWERS_A_PAGE
    path = reverse("client_support", args=[client.pk])
    values = {
        "head": head_of(request, client, user=user, tab="client_support", now=now),
        "client_id": client.pk,
        "archived": client.archived_at is not None,
        "page": survey_page(_answers(client), today=today),
        "rows": [answer_row(one, today=today, zone=zone) for one in shown[first : first + ANSWERS_A_PAGE]],
        "kinds": [
            (text, f"{path}?show=surveys" + (f"&kind={word}" if word else ""), word == kind)
            for word, text in (("", "All"), ("NPS", "NPS"), ("CSAT", "CSAT"))
        ],
        "text": f"{first + 1:,} to {min(first + ANSWERS_A_PAGE, total):,} of {total:,}" if pages > 1 else f"{total:,}",
        "previous": _paged(path, kind, page - 1) if page > 1 else "",
        "next": _paged(path, kind, page + 1) if page < pages else "",
        "exports": _exports(request, client, "surveys"),
    }
    return answer(request, "dashboard/client_surveys.html", values)


def _paged(path: str, kind: str, page: int) -> str:
    return f"{path}?show=surveys" + (f"&kind={kind}" if kind else "") + f"&page={page}"


@require_GET
@login_required
def export_tickets(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Return the tickets that the filters let through, all pages, as CSV or XLSX."""
    user, now, today, client = opened(request, client_id)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    asked = read_asked(_values(request), request.path)
    found = matching(SupportTicket.objects.filter(client=client), asked.query, now=now, zone=zone)
    rows = list(ordered(found, asked.query.sort, now=now).select_related("client", "contact"))
    _note_export(user, client, "client.tickets_export", len(rows), now)
    return export_response(f"tickets-{client.organization_id}-{today}", kind, [ticket_sheet(rows, zone)])


@require_GET
@login_required
def export_surveys(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Return the answers to surveys as CSV or XLSX."""
    user, now, today, client = opened(request, client_id)
    rows = list(SurveyResponse.objects.filter(client=client).select_related("client", "contact"))
    _note_export(user, client, "client.surveys_export", len(rows), now)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return export_response(f"surveys-{client.organization_id}-{today}", kind, [answer_sheet(rows, zone)])


@require_http_methods(["GET", "POST"])
@login_required
def ticket(request: HttpRequest, client_id: UUID, ticket_id: UUID | None = None) -> HttpResponse:
    """Add a ticket, or show and change one."""
    user, now, today, client = opened(request, client_id)
    known = of_client(SupportTicket, client, ticket_id) if ticket_id else None
    zone = zone_of(user)
    form = TicketForm(
        request.POST if request.method == "POST" else None,
        initial=TicketForm.shown(known, zone),
        client=client,
        ticket=known,
        zone=zone,
    )

    def save(given: dict[str, Any]) -> Made[SupportTicket]:
        values = form.values(given, known, zone)
        if known is None:
            return ticket_changes.add_ticket(client, values, actor=user, today=today, now=now)
        return ticket_changes.change_ticket(known, values, actor=user, today=today, now=now)

    return answer_form(
        request,
        form,
        title="Change the ticket" if known else f"Add a ticket of {client.name}",
        lead=f"Number {known.external_id}" if known and known.external_id else "",
        submit="Save",
        said="The ticket is saved." if known else "The ticket is added.",
        back=back(client),
        save=save,
        extra={"remove": reverse("ticket_act", args=[client.pk, known.pk, "remove"])} if known else None,
    )


@require_POST
@login_required
def act_on_ticket(request: HttpRequest, client_id: UUID, ticket_id: UUID, action: str) -> HttpResponse:
    """Solve, reopen, escalate, calm or remove a ticket and go back to the list."""
    user, now, today, client = opened(request, client_id)
    known = of_client(SupportTicket, client, ticket_id)
    by: dict[str, Any] = {"actor": user, "today": today, "now": now}
    actions: dict[str, Callable[[], Made[SupportTicket]]] = {
        "solve": lambda: ticket_changes.solve(known, **by),
        "reopen": lambda: ticket_changes.reopen(known, **by),
        "escalate": lambda: ticket_changes.escalate(known, True, **by),
        "calm": lambda: ticket_changes.escalate(known, False, **by),
        "remove": lambda: ticket_changes.remove_ticket(known, **by),
    }
    if action not in actions:
        raise Http404
    return act(request, back(client), lambda made: f"{made.change.summary}." if made.change else "", actions[action])


@require_http_methods(["GET", "POST"])
@login_required
def survey(request: HttpRequest, client_id: UUID, answer_id: UUID | None = None) -> HttpResponse:
    """Add an answer to a survey, or show and change one."""
    user, now, today, client = opened(request, client_id)
    known = of_client(SurveyResponse, client, answer_id) if answer_id else None
    zone = zone_of(user)
    form = AnswerForm(
        request.POST if request.method == "POST" else None,
        initial=AnswerForm.shown(known, zone),
        client=client,
        answer=known,
        zone=zone,
    )

    def save(given: dict[str, Any]) -> Made[SurveyResponse]:
        values = form.values(given, known, zone)
        if known is None:
            return survey_changes.add_answer(client, values, actor=user, today=today, now=now)
        return survey_changes.change_answer(known, values, actor=user, today=today, now=now)

    return answer_form(
        request,
        form,
        title="Change the answer" if known else f"Add an answer of {client.name}",
        submit="Save",
        said="The answer is saved." if known else "The answer is added.",
        back=f"{back(client)}?show=surveys",
        save=save,
        extra={"remove": reverse("survey_remove", args=[client.pk, known.pk])} if known else None,
    )


@require_POST
@login_required
def remove_survey(request: HttpRequest, client_id: UUID, answer_id: UUID) -> HttpResponse:
    """Take an answer away."""
    user, now, today, client = opened(request, client_id)
    known = of_client(SurveyResponse, client, answer_id)
    return act(
        request,
        f"{back(client)}?show=surveys",
        "The answer is removed.",
        lambda: survey_changes.remove_answer(known, actor=user, today=today, now=now),
    )


def opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, datetime, date, Client]:
    """Return who asks, the instant, its workspace day and the client; Http404 for one that the reader may not see."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    return user, now, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), client_or_404(user, client_id)


def of_client(model: type[R], client: Client, pk: UUID) -> R:
    """Return the client's record with the id `pk`; Http404 if it has none."""
    found: R | None = model._default_manager.select_related("client", "contact").filter(pk=pk, client=client).first()
    if found is None:
        raise Http404
    return found


def back(client: Client) -> str:
    """Return the address of the tab."""
    return reverse("client_support", args=[client.pk])


def _values(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.dict().items()}


def _answers(client: Client) -> list[Any]:
    rows = SurveyResponse.objects.filter(client=client).order_by("answered_at")
    fields = ("kind", "score", "answered_at", "respondent", "contact_id")
    return answers_of(list(rows.values_list(*fields)), settings.BELLWETHER_WORKSPACE_ZONE)


def _exports(request: HttpRequest, client: Client, what: str) -> list[tuple[str, str]]:
    query = request.GET.urlencode()
    address = reverse(f"client_{what}_export", args=[client.pk, "csv"]).removesuffix("csv")
    return [(kind.upper(), address + kind + (f"?{query}" if query else "")) for kind in ("csv", "xlsx")]


def _note_export(user: StaffUser, client: Client, action: str, count: int, now: datetime) -> None:
    audit.record(
        actor=user, action=action, object_type="client", object_id=client.pk, client_id=client.pk,
        detail={"count": count}, now=now,
    )  # fmt: skip
