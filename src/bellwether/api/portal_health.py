"""Scores of organizations for the operations portal: the newest, the past ones, and asking for new ones (seed 001)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router

from bellwether.api.portal_schemas import (
    PortalHistoryQuery,
    PortalJob,
    PortalRisk,
    PortalTrend,
    TenantHealth,
)
from bellwether.common.errors import ConflictError
from bellwether.common.jobs import request_job
from bellwether.common.problems import ProblemError
from bellwether.common.time import day_of, end_of
from bellwether.health import jobs  # noqa: F401 (declares the jobs that are asked for)
from bellwether.health.models import HealthScore
from bellwether.health.scored_clients import OPERATIONS, ScoredClient, need_scorecard, score_days, scored_client
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.models import Client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["operations portal"])
ONE_JOB, ALL_JOB = "health_refresh", "score"
# The seed's names of the components' columns.
COLUMNS = {
    "loginScore": "login",
    "caseResolutionScore": "caseResolution",
    "campaignCompletionScore": "campaignCompletion",
    "featureAdoptionScore": "featureAdoption",
    "supportTicketScore": "supportTickets",
}


@router.get(
    "/{organization_id}/score",
    response=TenantHealth,
    operation_id="getPortalScore",
    summary="Get the newest score of an organization",
)
def score(request: StaffRequest, organization_id: str) -> TenantHealth:
    """Return the newest stored score with its components, trend and risk; 404 (not-scored) before the first."""
    now = timezone.now()
    client = visible_organization(request, organization_id)
    found = scored_client(client, OPERATIONS)
    note(request, client, "health.read", now)
    if found.row is None:
        raise ProblemError(404, f"{client.name} has no score yet. POST …/calculate makes one.", kind="not-scored")
    return _tenant_health(found, found.row)


@router.get(
    "/{organization_id}/history",
    response=list[TenantHealth],
    operation_id="getPortalHistory",
    summary="Get the scores of an organization over time",
)
def history(request: StaffRequest, organization_id: str, query: Query[PortalHistoryQuery]) -> list[TenantHealth]:
    """Return the stored scores of the last `days` days, oldest first; days without one are left out."""
    now = timezone.now()
    client = visible_organization(request, organization_id)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    found = score_days(client, OPERATIONS, days=query.days, today=today)
    note(request, client, "health.history", now, count=len(found), days=query.days)
    return [_tenant_health(one, one.row) for one in found if one.row]


@router.post(
    "/{organization_id}/calculate",
    response={201: PortalJob},
    operation_id="calculatePortalScore",
    summary="Make the score of an organization again",
)
def calculate(request: StaffRequest, organization_id: str) -> HttpResponse:
    """Ask for the score of today to be made again and return the job. Takes an Idempotency-Key."""
    client = visible_organization(request, organization_id)
    if client.archived_at is not None:
        raise ConflictError(f"{client.name} is archived; archived clients are not scored.")

    def make() -> Answer:
        now = timezone.now()
        arguments = {"client_id": str(client.pk), "requested_by": str(request.user.pk)}
        run = request_job(ONE_JOB, arguments, requested_by_id=request.user.pk, now=now)
        note(request, client, "health.refresh", now, job=run.pk)
        return _asked(str(run.pk))

    return once(request, make)


@router.post(
    "/calculate-all",
    response={201: PortalJob},
    operation_id="calculateAllPortalScores",
    summary="Make the scores of all organizations again",
)
def calculate_all(request: StaffRequest) -> HttpResponse:
    """Ask for all scores to be made again and return the job; for roles that see all clients. Takes an Idempotency-Key.

    The same job runs by itself after new usage, and every hour at least.
    """
    need_scorecard(OPERATIONS)
    if not request.user.sees_all_clients:
        raise ProblemError(
            403, "Only roles that see all clients may ask for all scores. Ask for one: …/{id}/calculate."
        )

    def make() -> Answer:
        now = timezone.now()
        arguments = {"requested_by": str(request.user.pk)}
        run = request_job(ALL_JOB, arguments, requested_by_id=request.user.pk, now=now)
        record(actor=request.user, action="health.refresh_all", object_type="job", object_id=run.pk, now=now)
        return _asked(str(run.pk))

    return once(request, make)


def visible_organization(request: StaffRequest, organization_id: str) -> Client:
    """Return the client of `organization_id` if the caller may see it, else Http404; 409 without the scorecard."""
    need_scorecard(OPERATIONS)
    found: Client = get_object_or_404(Client.objects.visible_to(request.user), organization_id=organization_id)
    return found


def note(request: StaffRequest, client: Client, action: str, now: datetime, **detail: Any) -> None:
    """Write down that the caller read or changed something of `client`."""
    record(
        actor=request.user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"portal": True, **detail},
        now=now,
    )


def _asked(job_id: str) -> Answer:
    url = reverse("api:job", kwargs={"job_id": job_id})
    return Answer(201, {"jobId": job_id}, {"Location": url})


def _tenant_health(found: ScoredClient, row: HealthScore) -> TenantHealth:
    return TenantHealth(
        id=str(row.pk),
        organizationId=found.client.organization_id,
        calculatedAt=_calculated_at(row),
        overallScore=row.overall_score,
        trend=PortalTrend(row.trend) if row.trend else None,
        riskLevel=PortalRisk(row.risk) if row.risk else None,
        previousScore=row.previous_score,
        alertLevel=AlertLevel(found.client.alert_level),
        coverage=row.coverage,
        noData=list(found.no_data),
        **{name: found.component(key) for name, key in COLUMNS.items()},
    )


def _calculated_at(row: HealthScore) -> datetime:
    """Return when the row was made, if that was on its day, else the last second of that day: the past is made again
    when late data come, and a chart over `calculatedAt` must stay in order."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    made: datetime = row.created_at
    return made if day_of(made, zone) == row.date else end_of(row.date, zone) - timedelta(seconds=1)
