"""Contract terms and outcomes through the staff API."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Status

from bellwether.portfolio import contracts, outcomes
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod
from bellwether.portfolio.reason_codes import coded
from bellwether.portfolio.record_api import by, do, made, note, seen, some, workspace_day
from bellwether.portfolio.record_schemas import (
    ChurnIn,
    OutcomeChangeIn,
    OutcomeIn,
    OutcomeList,
    OutcomeOut,
    RenewalIn,
    TermChangeIn,
    TermIn,
    TermList,
    TermOut,
    given,
)
from bellwether.portfolio.selectors import visible_client
from bellwether.portfolio.terms import OWN_COLUMNS, Term, term_on, troubles
from bellwether.staff.api_auth import StaffRequest

router = Router(tags=["contracts"])


@router.get(
    "/clients/{client_id}/contracts", response=TermList, operation_id="listContractTerms", summary="List contract terms"
)
def terms(request: StaffRequest, client_id: UUID) -> TermList:
    """Return the terms of a client, oldest first, and sentences about what needs a look."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    periods = contracts.periods_of(client)
    known = [contracts.term_of(period) for period in periods]
    today = workspace_day(now)
    ended = list(ClientOutcome.objects.filter(client=client))
    left = client.archived_at is not None or contracts.left_on(client, ended) is not None
    own = {column: getattr(client, column) for column in (*OWN_COLUMNS, "next_renewal_date")}
    note(request, "contract.list", "contractperiod", now, client=client, count=len(periods))
    current = term_on(known, today)
    return TermList(
        data=[_term(period, current.key if current else None) for period in periods],
        troubles=[one.text for one in troubles(known, own, today=today, left=left)],
    )


@router.post(
    "/clients/{client_id}/contracts",
    response={200: TermOut, 201: TermOut},
    operation_id="createContractTerm",
    summary="Add a term",
)
def create_term(request: StaffRequest, client_id: UUID, term: TermIn) -> HttpResponse:
    """Add a term and return it; the client's own columns follow. The same `external_id` with the same values answers
    200 and changes nothing, with others 409. Takes an Idempotency-Key."""
    client = visible_client(request.user, client_id)
    values = term.dict()
    external_id, allow = values.pop("external_id"), values.pop("allow_overlap")
    return made(
        request,
        lambda: contracts.add_term(client, Term(**values), external_id=external_id, allow_overlap=allow, **by(request)),
        lambda one: _term(one, _current(client)),
    )


@router.put("/contracts/{term_id}", response=TermOut, operation_id="updateContractTerm", summary="Change a term")
def update_term(request: StaffRequest, term_id: UUID, change: TermChangeIn) -> TermOut:
    """Change a term and return it; the client's own columns follow. What is not given stays as it is."""
    period = seen(request, ContractPeriod, term_id)
    values = some(given(change))
    allow = bool(values.pop("allow_overlap", False))
    term = replace(contracts.term_of(period), **values)
    done = do(request, lambda: contracts.change_term(period, term, allow_overlap=allow, **by(request)))
    return _term(done.record, _current(period.client))


@router.delete("/contracts/{term_id}", response={204: None}, operation_id="deleteContractTerm", summary="Remove a term")
def delete_term(request: StaffRequest, term_id: UUID) -> Status[None]:
    """Remove a term; the client's own columns follow those that are left."""
    period = seen(request, ContractPeriod, term_id)
    do(request, lambda: contracts.remove_term(period, **by(request)))
    return Status(204, None)


@router.post(
    "/clients/{client_id}/contracts/renew",
    response={200: TermOut, 201: TermOut},
    operation_id="renewContract",
    summary="Renew",
)
def renew(request: StaffRequest, client_id: UUID, renewal: RenewalIn) -> HttpResponse:
    """Close the present term, add the next one and its outcome (DOWNGRADED for less ARR, else RENEWED), all or
    nothing, and return the new term. `external_id` and `allow_overlap` of the term do not count here. Takes an
    Idempotency-Key."""
    client = visible_client(request.user, client_id)
    values = renewal.term.dict(exclude={"external_id", "allow_overlap"})
    wanted = contracts.Renewal(
        term=Term(**values),
        decided_on=renewal.decided_on,
        reason_code=renewal.reason_code,
        reason=renewal.reason,
        notes=renewal.notes,
    )
    return made(
        request,
        lambda: contracts.renew(client, wanted, **by(request)),
        lambda one: _term(one, _current(client)),
    )


@router.post(
    "/clients/{client_id}/contracts/churn", response={200: OutcomeOut, 201: OutcomeOut}, operation_id="churnClient",
    summary="Mark as churned",
)  # fmt: skip
def churn(request: StaffRequest, client_id: UUID, churned: ChurnIn) -> HttpResponse:
    """Say that the client leaves: its terms end, an outcome is stored, its scores end with its last day; with `archive`
    it also goes off the lists. Returns the outcome. Takes an Idempotency-Key."""
    client = visible_client(request.user, client_id)
    wanted = contracts.Churn(**churned.dict())
    return made(request, lambda: contracts.mark_churned(client, wanted, **by(request)), _outcome)


@router.get("/clients/{client_id}/outcomes", response=OutcomeList, operation_id="listOutcomes", summary="List outcomes")
def list_outcomes(request: StaffRequest, client_id: UUID) -> OutcomeList:
    """Return how the client's terms ended, newest first."""
    client = visible_client(request.user, client_id)
    rows = list(ClientOutcome.objects.filter(client=client).order_by("-date", "-created_at"))
    note(request, "outcome.list", "clientoutcome", timezone.now(), client=client, count=len(rows))
    return OutcomeList(data=[_outcome(row) for row in rows])


@router.post(
    "/clients/{client_id}/outcomes",
    response={200: OutcomeOut, 201: OutcomeOut},
    operation_id="createOutcome",
    summary="Add an outcome",
)
def create_outcome(request: StaffRequest, client_id: UUID, outcome: OutcomeIn) -> HttpResponse:
    """Add an outcome on its own, terms stay as they are. Natural key and Idempotency-Key as with terms."""
    client = visible_client(request.user, client_id)
    values = outcome.dict()
    external_id = values.pop("external_id")
    ending = outcomes.Ending(**values)
    return made(request, lambda: outcomes.add_outcome(client, ending, external_id=external_id, **by(request)), _outcome)


@router.put("/outcomes/{outcome_id}", response=OutcomeOut, operation_id="updateOutcome", summary="Change an outcome")
def update_outcome(request: StaffRequest, outcome_id: UUID, change: OutcomeChangeIn) -> OutcomeOut:
    """Change an outcome and return it. What is not given stays as it is; new words that are known bring their code."""
    known = seen(request, ClientOutcome, outcome_id)
    names = ("outcome", "date", "reason_code", "reason", "notes", "arr_before", "arr_after")
    before: dict[str, Any] = {name: getattr(known, name) for name in names}
    values = some(given(change))
    ending = outcomes.Ending(**before | values)
    if "reason" in values and "reason_code" not in values:
        ending = replace(ending, reason_code=coded("", ending.reason, ending.outcome) or ending.reason_code)
    return _outcome(do(request, lambda: outcomes.change_outcome(known, ending, **by(request))).record)


@router.delete(
    "/outcomes/{outcome_id}", response={204: None}, operation_id="deleteOutcome", summary="Remove an outcome"
)
def delete_outcome(request: StaffRequest, outcome_id: UUID) -> Status[None]:
    """Remove an outcome. A client whose churn is removed is scored again."""
    known = seen(request, ClientOutcome, outcome_id)
    do(request, lambda: outcomes.remove_outcome(known, **by(request)))
    return Status(204, None)


def _current(client: Client) -> UUID | None:
    known = [contracts.term_of(period) for period in contracts.periods_of(client)]
    current = term_on(known, workspace_day(timezone.now()))
    return current.key if current else None


def _term(period: ContractPeriod, current: UUID | None) -> TermOut:
    arr = period.annual_recurring_revenue
    names = ("id", "client_id", "external_id", "start_date", "end_date", "contract_tier", "licensed_user_count",
             "licensed_modules", "auto_renew", "created_at", "updated_at")  # fmt: skip
    values = {name: getattr(period, name) for name in names}
    return TermOut(
        **values, annual_recurring_revenue=None if arr is None else float(arr), is_current=period.pk == current
    )


def _outcome(one: ClientOutcome) -> OutcomeOut:
    names = ("id", "client_id", "external_id", "outcome", "date", "reason_code", "reason", "notes", "created_at",
             "updated_at")  # fmt: skip
    values = {name: getattr(one, name) for name in names}
    for name in ("arr_before", "arr_after"):
        amount = getattr(one, name)
        values[name] = None if amount is None else float(amount)
    return OutcomeOut(**values)
