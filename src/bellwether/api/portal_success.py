"""The console of the operations portal: its portfolio, one client, alerts and benchmarks (seed 003)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Query, Router

from bellwether.api.portal_health import note, visible_organization
from bellwether.api.portal_schemas import (
    AlertsIn,
    AlertsOut,
    Light,
    PortalBenchmarkQuery,
    PortalBenchmarksOut,
    PortalClient,
    PortalClientHealth,
    PortalComponents,
    PortalHappening,
    PortalMetrics,
    PortalPortfolio,
    PortalRisk,
    PortalSpread,
    PortalSpreads,
)
from bellwether.benchmarks.percentiles import Spread
from bellwether.benchmarks.portal import portal_benchmarks
from bellwether.health.scored_clients import OPERATIONS, ScoredClient, need_scorecard, scored_client, scored_clients
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.client_changes import ClientChange, change_client
from bellwether.portfolio.models import Client
from bellwether.portfolio.recent import recent_activity
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["operations portal"])
NAMES = {"supportTickets": "ticketVolume"}
"""Components that the portal calls otherwise than the scorecard."""


@router.get(
    "/portfolio", response=PortalPortfolio, operation_id="getPortalPortfolio", summary="List the clients of the console"
)
def portfolio(request: StaffRequest) -> PortalPortfolio:
    """Return the active clients that the caller sees, by name, each with its newest score and components."""
    now = timezone.now()
    need_scorecard(OPERATIONS)
    found = scored_clients(request.user, OPERATIONS)
    detail = {"portal": True, "count": len(found)}
    record(actor=request.user, action="client.list", object_type="client", detail=detail, now=now)
    return PortalPortfolio(clients=[PortalClient(**_client(one)) for one in found])


@router.get(
    "/health/{organization_id}",
    response=PortalClientHealth,
    operation_id="getPortalClient",
    summary="Get a client of the console",
)
def client_health(request: StaffRequest, organization_id: str) -> PortalClientHealth:
    """Return one client as in the portfolio, with what happened lately."""
    now = timezone.now()
    client = visible_organization(request, organization_id)
    found = scored_client(client, OPERATIONS)
    lately = recent_activity(client, now=now)
    note(request, client, "client.read", now)
    return PortalClientHealth(
        **_client(found),
        alertLevel=AlertLevel(client.alert_level),
        recentActivity=[PortalHappening(timestamp=one.at, description=one.text) for one in lately],
    )


@router.patch(
    "/alerts/{organization_id}", response=AlertsOut, operation_id="setPortalAlerts", summary="Switch a client's alerts"
)
def alerts(request: StaffRequest, organization_id: str, given: AlertsIn) -> AlertsOut:
    """Set the alert level, the shorthand over the client's rules: PROACTIVE when enabled, else DASHBOARD_ONLY; NONE
    stays when switched off. The same again changes nothing."""
    now = timezone.now()
    client = visible_organization(request, organization_id)
    off = AlertLevel.NONE if client.alert_level == AlertLevel.NONE else AlertLevel.DASHBOARD_ONLY
    level = AlertLevel.PROACTIVE if given.enabled else off
    changed = change_client(client, ClientChange(alert_level=level), actor=request.user, now=now)
    return AlertsOut(alertsEnabled=given.enabled, alertLevel=AlertLevel(changed.alert_level))


@router.get(
    "/benchmarks",
    response=PortalBenchmarksOut,
    operation_id="getPortalBenchmarks",
    summary="Get the benchmarks of a group",
)
def benchmarks(request: StaffRequest, query: Query[PortalBenchmarkQuery]) -> PortalBenchmarksOut:
    """Return quartiles of the group, and values and rank percentiles of the clients that the caller sees.

    A group under five peers, or one that would tell about a single client, has no quartiles; `hidden` says why.
    """
    now = timezone.now()
    need_scorecard(OPERATIONS)
    found = portal_benchmarks(request.user, size=query.size, industry=query.industry)
    visible = Client.objects.visible_to(request.user).filter(pk__in=list(found.client_metrics))
    names = dict(visible.values_list("pk", "organization_id"))
    detail = {"portal": True, "size": query.size, "industry": query.industry}
    record(actor=request.user, action="benchmark.read", object_type="benchmark", detail=detail, now=now)
    sees_all = request.user.sees_all_clients
    return PortalBenchmarksOut(
        peerCount=found.peer_count,
        benchmarks=PortalSpreads(**{key: _spread(one, sees_all=sees_all) for key, one in found.benchmarks.items()}),
        clientMetrics={names[pk]: PortalMetrics(**_rounded(one)) for pk, one in found.client_metrics.items()},
        clientPercentiles={names[pk]: PortalMetrics(**_rounded(one)) for pk, one in found.client_percentiles.items()},
        hidden=found.hidden,
        day=found.day,
    )


def _spread(one: Spread | None, *, sees_all: bool) -> PortalSpread | None:
    if one is None:
        return None
    return PortalSpread(
        p25=round(one.p25, 1),
        median=round(one.median, 1),
        p75=round(one.p75, 1),
        peerCount=one.peers,
        mean=None if one.mean is None else round(one.mean, 1),
        min=round(one.lowest, 1) if sees_all else None,
        max=round(one.highest, 1) if sees_all else None,
    )


def _rounded(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 1) for key, value in values.items()}


def _client(found: ScoredClient) -> dict[str, Any]:
    keys = ("login", "caseResolution", "campaignCompletion", "featureAdoption", "supportTickets")
    parts = {NAMES.get(key, key): found.component(key) for key in keys}
    last: datetime | None = found.client.last_activity_at
    return {
        "id": found.client.organization_id,
        "name": found.client.name,
        "healthScore": found.score,
        "trend": found.change,
        "components": PortalComponents(**parts),
        "alertsEnabled": found.client.alert_level == AlertLevel.PROACTIVE,
        "lastActivity": last,
        "light": Light(found.light) if found.light else None,
        "riskLevel": PortalRisk(found.row.risk) if found.row and found.row.risk else None,
        "coverage": found.row.coverage if found.row else 0.0,
        "noData": [NAMES.get(key, key) for key in found.no_data],
    }
