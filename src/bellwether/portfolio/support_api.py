"""Support tickets and answers to surveys through the staff API."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from bellwether.common.paging import pagination
from bellwether.portfolio import surveys, tickets
from bellwether.portfolio.models import Client, SupportTicket, SurveyResponse
from bellwether.portfolio.record_api import aware, by, do, made, note, seen, some
from bellwether.portfolio.record_schemas import (
    SurveyChangeIn,
    SurveyFilters,
    SurveyIn,
    SurveyOut,
    SurveyPage,
    TicketChangeIn,
    TicketFilters,
    TicketIn,
    TicketOut,
    TicketPage,
    given,
)
from bellwether.portfolio.selectors import visible_client
from bellwether.portfolio.ticket_reading import TicketQuery, list_tickets
from bellwether.staff.api_auth import StaffRequest

router = Router(tags=["support"])


@router.get("/tickets", response=TicketPage, operation_id="listTickets", summary="List tickets")
def all_tickets(request: StaffRequest, filters: Query[TicketFilters]) -> TicketPage:
    """Return one page of the tickets of all clients that the caller may see, by default those that wait first."""
    return _listed(request, filters, None)


@router.get(
    "/clients/{client_id}/tickets",
    response=TicketPage,
    operation_id="listClientTickets",
    summary="List a client's tickets",
)
def client_tickets(request: StaffRequest, client_id: UUID, filters: Query[TicketFilters]) -> TicketPage:
    """Return one page of a client's tickets, by default those that wait first."""
    return _listed(request, filters, visible_client(request.user, client_id))


@router.post(
    "/clients/{client_id}/tickets",
    response={200: TicketOut, 201: TicketOut},
    operation_id="createTicket",
    summary="Add a ticket",
)
def create_ticket(request: StaffRequest, client_id: UUID, ticket: TicketIn) -> HttpResponse:
    """Add a ticket and return it. The same `external_id` with the same values answers 200 and changes nothing, with
    others 409. Takes an Idempotency-Key."""
    client = visible_client(request.user, client_id)
    values = aware(ticket.dict(), "opened_at", "solved_at")
    external_id = values.pop("external_id")
    wanted = tickets.TicketValues(**values)
    return made(request, lambda: tickets.add_ticket(client, wanted, external_id=external_id, **by(request)), _ticket)


@router.put("/tickets/{ticket_id}", response=TicketOut, operation_id="updateTicket", summary="Change a ticket")
def update_ticket(request: StaffRequest, ticket_id: UUID, change: TicketChangeIn) -> TicketOut:
    """Change a ticket and return it. What is not given stays as it is, but for `solved_at` of one opened again."""
    known = seen(request, SupportTicket, ticket_id)
    values = aware(some(given(change)), "opened_at", "solved_at")
    if values.get("status", known.status) not in tickets.SOLVED and "solved_at" not in values:
        values["solved_at"] = None
    wanted = tickets.TicketValues(**tickets.values_of(known).columns | values)
    return _ticket(do(request, lambda: tickets.change_ticket(known, wanted, **by(request))).record)


@router.delete("/tickets/{ticket_id}", response={204: None}, operation_id="deleteTicket", summary="Remove a ticket")
def delete_ticket(request: StaffRequest, ticket_id: UUID) -> Status[None]:
    """Remove a ticket."""
    known = seen(request, SupportTicket, ticket_id)
    do(request, lambda: tickets.remove_ticket(known, **by(request)))
    return Status(204, None)


@router.get(
    "/clients/{client_id}/surveys", response=SurveyPage, operation_id="listSurveyAnswers", summary="List survey answers"
)
def answers(request: StaffRequest, client_id: UUID, filters: Query[SurveyFilters]) -> SurveyPage:
    """Return one page of a client's answers to surveys, newest first."""
    client = visible_client(request.user, client_id)
    rows = SurveyResponse.objects.filter(client=client).order_by("-answered_at", "pk")
    if filters.kind is not None:
        rows = rows.filter(kind=filters.kind)
    total, first = rows.count(), (filters.page - 1) * filters.limit
    shown = list(rows[first : first + filters.limit])
    note(request, "survey.list", "surveyresponse", timezone.now(), client=client, count=len(shown), total=total)
    return SurveyPage(
        data=[_answer(one) for one in shown],
        pagination=pagination(page=filters.page, limit=filters.limit, total=total),
    )


@router.post(
    "/clients/{client_id}/surveys", response={200: SurveyOut, 201: SurveyOut}, operation_id="createSurveyAnswer",
    summary="Add a survey answer",
)  # fmt: skip
def create_answer(request: StaffRequest, client_id: UUID, answer: SurveyIn) -> HttpResponse:
    """Add an answer and return it. Natural key and Idempotency-Key as with tickets."""
    client = visible_client(request.user, client_id)
    values = aware(answer.dict(), "answered_at")
    external_id = values.pop("external_id")
    wanted = surveys.AnswerValues(**values)
    return made(request, lambda: surveys.add_answer(client, wanted, external_id=external_id, **by(request)), _answer)


@router.put(
    "/surveys/{answer_id}", response=SurveyOut, operation_id="updateSurveyAnswer", summary="Change a survey answer"
)
def update_answer(request: StaffRequest, answer_id: UUID, change: SurveyChangeIn) -> SurveyOut:
    """Change an answer and return it. What is not given stays as it is."""
    known = seen(request, SurveyResponse, answer_id)
    values = aware(some(given(change)), "answered_at")
    before: dict[str, Any] = vars(surveys.values_of(known))
    wanted = surveys.AnswerValues(**before | values)
    return _answer(do(request, lambda: surveys.change_answer(known, wanted, **by(request))).record)


@router.delete(
    "/surveys/{answer_id}", response={204: None}, operation_id="deleteSurveyAnswer", summary="Remove a survey answer"
)
def delete_answer(request: StaffRequest, answer_id: UUID) -> Status[None]:
    """Remove an answer."""
    known = seen(request, SurveyResponse, answer_id)
    do(request, lambda: surveys.remove_answer(known, **by(request)))
    return Status(204, None)


def _listed(request: StaffRequest, filters: TicketFilters, client: Client | None) -> TicketPage:
    now = timezone.now()
    own = SupportTicket.objects.visible_to(request.user)
    rows = own.filter(client=client) if client else own.filter(client__archived_at__isnull=True)
    asked = filters.dict() | {"priority": filters.priority or ""}
    found = list_tickets(rows, TicketQuery(**asked), now=now, zone=settings.BELLWETHER_WORKSPACE_ZONE)
    shown = found.rows if filters.page <= found.pages else []
    note(request, "ticket.list", "supportticket", now, client=client, count=len(shown), total=found.total)
    return TicketPage(
        data=[_ticket(one) for one in shown],
        pagination=pagination(page=filters.page, limit=filters.limit, total=found.total),
    )


def _ticket(one: SupportTicket) -> TicketOut:
    return TicketOut(**{name: getattr(one, name) for name in TicketOut.model_fields})


def _answer(one: SurveyResponse) -> SurveyOut:
    names = [name for name in SurveyOut.model_fields if name != "score_asked"]
    return SurveyOut(**{name: getattr(one, name) for name in names}, score_asked=surveys.asked_score(one))
