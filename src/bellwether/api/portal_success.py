"""The console of the operations portal: its portfolio, one client, alerts and benchmarks (seed 003)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Router

from bellwether.api.portal_health import note, visible_organization
from bellwether.api.portal_schemas import (
    AlertsIn,
    AlertsOut,
    Light,
    PortalClient,
    PortalClientHealth,
    PortalComponents,
    PortalHappening,
    PortalPortfolio,
    PortalRisk,
)
from bellwether.health.scored_clients import OPERATIONS, ScoredClient, need_scorecard, scored_client, scored_clients
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.client_changes import ClientChange, change_client
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
    """Set the alert level: PROACTIVE when enabled, else DASHBOARD_ONLY. The same again changes nothing."""
    now = timezone.now()
    client = visible_organization(request, organization_id)
    level = AlertLevel.PROACTIVE if given.enabled else AlertLevel.DASHBOARD_ONLY
    changed = change_client(client, ClientChange(alert_level=level), actor=request.user, now=now)
    return AlertsOut(alertsEnabled=given.enabled, alertLevel=AlertLevel(changed.alert_level))


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
