"""The client endpoints of the staff API (api.md, section 1)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import Http404
from django.utils import timezone
from ninja import Query, Router

from bellwether.api.client_schemas import (
    ClientChangeIn,
    ClientDetail,
    ClientFilters,
    ClientPage,
    Impact,
    ListedClient,
    Person,
    PriorityFactor,
    RiskFactorOut,
)
from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import pagination
from bellwether.common.problems import ProblemError
from bellwether.common.time import day_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.custom_registry import custom_measures
from bellwether.health.gathering import facts_of_clients
from bellwether.health.risk_factors import Finding, Severity, risk_factors
from bellwether.portfolio.client_changes import ClientChange, NotAllowedError, change_client
from bellwether.portfolio.listing import OF_MEASURE, VIEWS, ClientQuery, MeasureFilter, list_clients
from bellwether.portfolio.models import Client
from bellwether.portfolio.ranking import row_priority
from bellwether.portfolio.saved_views import find_view, query_of_view
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

router = Router(tags=["clients"])

IMPACTS: dict[Severity, Impact] = {Severity.CRITICAL: "high", Severity.RISK: "medium", Severity.MONITOR: "low"}
ROW_FIELDS = ("id", "organization_id", "name", "contract_tier", "current_health_score", "health_status",
              "health_trend", "health_trend_change", "health_coverage", "health_interval_low",
              "health_interval_high", "health_missing", "scored_on", "churn_is_band", "churn_change",
              "next_renewal_date",
              "last_csm_contact_at")  # fmt: skip
TEXTS = ("industry", "region", "segment", "health_reason", "churn_category", "churn_reason")
DETAIL_FIELDS = ("employee_count", "contract_start_date", "contract_end_date", "licensed_modules",
                 "licensed_user_count", "payment_status", "renewal_probability", "auto_renew", "health_components",
                 "alert_level", "crm_sync_enabled", "last_crm_sync_at", "go_live_date", "last_activity_at",
                 "created_at", "updated_at", "archived_at")  # fmt: skip
DETAIL_TEXTS = ("location", "country", "salesforce_account_id", "hubspot_company_id")


@router.get("/clients", response=ClientPage, operation_id="listClients", summary="List clients")
def clients(request: StaffRequest, filters: Query[ClientFilters]) -> ClientPage:
    """Return one page of the clients that the caller may see and that match every filter given."""
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    given = filters.dict()
    query = _query(given, _saved(request.user, given["view"]), filters.model_fields_set)
    found = list_clients(request.user, query, today=today)
    rows = found.rows if filters.page <= found.pages else []
    prefetch_related_objects(rows, "tags")
    risks = _risks(rows, now)
    applied = {name: value for name, value in given.items() if value is not None}
    detail = {"count": len(rows), "total": found.total, "query": applied}
    record(actor=request.user, action="client.list", object_type="client", detail=detail, now=now)
    return ClientPage(
        data=[
            ListedClient(**_row(client, today, risks[client.pk]), **_priority(client, today, found.typical_arr))
            for client in rows
        ],
        pagination=pagination(page=filters.page, limit=filters.limit, total=found.total),
    )


@router.get("/clients/{client_id}", response=ClientDetail, operation_id="getClient", summary="Get a client")
def client(request: StaffRequest, client_id: UUID) -> ClientDetail:
    """Return everything about a client but its score's parts. Archived clients can be read."""
    now = timezone.now()
    found = visible_client(request.user, client_id)
    record(
        actor=request.user, action="client.read", object_type="client", object_id=found.pk, client_id=found.pk, now=now
    )
    return _detail(found, now)


@router.put("/clients/{client_id}", response=ClientDetail, operation_id="updateClient", summary="Change a client")
def update_client(request: StaffRequest, client_id: UUID, change: ClientChangeIn) -> ClientDetail:
    """Change tags, segment, CSM, AE or alert level and return the client. What is not given stays as it is."""
    given = change.dict(exclude_unset=True)
    if not given:
        raise ProblemError(422, "Give at least one field to change.", errors={"": "no field is given"})
    now = timezone.now()
    found = visible_client(request.user, client_id)
    try:
        change_client(found, ClientChange(**given), actor=request.user, now=now)
    except NotAllowedError as error:
        raise ProblemError(403, str(error)) from error
    fresh = Client.objects.select_related("csm_user", "ae_user").get(pk=found.pk)
    return _detail(fresh, now)


def _saved(user: StaffUser, view: str | None) -> ClientQuery | None:
    """Return what a saved view asks for, None for another kind of view; an unknown one is an error of its field."""
    if view is None or view in VIEWS:
        return None
    try:
        return query_of_view(find_view(user, UUID(view)))
    except Http404:
        sentence = "There is no such saved view, or it is not shared with you."
        raise InvalidInputError(sentence, {"view": sentence}) from None


def _query(given: dict[str, Any], saved: ClientQuery | None, named: set[str]) -> ClientQuery:
    """Return the query of the filters; a measure that does not exist is an error of its field.

    What a saved view holds counts unless it is `named` in the request.
    """
    fields = dict(given)
    slug, low, high = (fields.pop(name) for name in ("measure", "measure_min", "measure_max"))
    if slug is None and (low is not None or high is not None):
        raise InvalidInputError(
            "Name the measure of the limits.", {"measure": "is needed beside measure_min and _max."}
        )
    word = fields["sort"].removeprefix("-")
    asked = {"measure": slug} if slug is not None else {}
    asked |= {"sort": word.removeprefix(OF_MEASURE)} if word.startswith(OF_MEASURE) else {}
    known = {custom.slug for custom in custom_measures(slugs=set(asked.values()))} if asked else set()
    errors = {field: f"names no custom measure: {name!r}." for field, name in asked.items() if name not in known}
    if errors:
        raise InvalidInputError("There is no such measure.", errors)
    measures = () if slug is None else (MeasureFilter(slug, low, high),)
    if saved is None:
        return ClientQuery(**fields, measures=measures)
    own = {name: value for name, value in fields.items() if name in named or name in ("page", "limit")}
    return replace(saved, **own | {"view": saved.view} | ({"measures": measures} if measures else {}))


def _priority(client: Client, today: date, typical_arr: float) -> dict[str, Any]:
    found = row_priority(client, today=today, typical_arr=typical_arr, zone=settings.BELLWETHER_WORKSPACE_ZONE)
    factors = [PriorityFactor(key=one.key, label=one.label, figure=one.text, value=one.value) for one in found.factors]
    return {"priority": found.value, "priority_factors": factors}


def _detail(client: Client, now: datetime) -> ClientDetail:
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    values: dict[str, Any] = _row(client, today, _risks([client], now)[client.pk])
    values |= {field: getattr(client, field) for field in DETAIL_FIELDS}
    values |= {field: getattr(client, field) or None for field in DETAIL_TEXTS}
    return ClientDetail(**values)


def _row(client: Client, today: date, risks: list[RiskFactorOut]) -> dict[str, Any]:
    renewal, arr = client.next_renewal_date, client.annual_recurring_revenue
    return {
        **{field: getattr(client, field) for field in ROW_FIELDS},
        **{field: getattr(client, field) or None for field in TEXTS},
        **{
            field: None if client.churn_is_band else getattr(client, field)
            for field in ("churn_risk_score", "churn_low", "churn_high")
        },
        "annual_recurring_revenue": float(arr) if arr is not None else None,
        "days_to_renewal": (renewal - today).days if renewal else None,
        "csm": _person(client.csm_user),
        "ae": _person(client.ae_user),
        "tags": [tag.name for tag in client.tags.all()],
        "ai_risk_factors": risks,
    }


def _risks(clients: Sequence[Client], now: datetime) -> dict[UUID, list[RiskFactorOut]]:
    """Return the risk factors of each client, by id: those of its page."""
    config = active_config(main_scorecard(), now=now)
    facts = facts_of_clients(clients, config, now=now, zone=settings.BELLWETHER_WORKSPACE_ZONE)
    return {client_id: [_risk(finding) for finding in risk_factors(found)] for client_id, found in facts.items()}


def _risk(finding: Finding) -> RiskFactorOut:
    detail = f"{finding.headline}. {finding.detail}"
    return RiskFactorOut(factor=finding.key, impact=IMPACTS[finding.severity], detail=detail)


def _person(user: StaffUser | None) -> Person | None:
    return Person(id=user.pk, name=user.name) if user else None
