"""The suppliers' health for the team that looks after them (seed 004): the dashboard's answer and its export."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from bellwether.common.time import day_of
from bellwether.health.scored_clients import SUPPLIERS, need_scorecard
from bellwether.health.suppliers_export import suppliers_csv
from bellwether.health.suppliers_reading import Supplier, risk_counts, suppliers_of
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["suppliers"])
CSV = {"text/csv": {"schema": {"type": "string"}}}


class SupplierRisk(StrEnum):
    """Under 40 points critical, under 70 at_risk, else healthy; decided before rounding."""

    HEALTHY = "healthy"
    AT_RISK = "at_risk"
    CRITICAL = "critical"


class SupplierQuery(Schema):
    """Which suppliers."""

    risk: SupplierRisk | None = None


class SupplierSummary(Schema):
    """All suppliers that the caller sees, whatever the filter. Those without a score are in no other count."""

    totalSuppliers: int  # noqa: N815 (the names of the seed)
    healthyCount: int  # noqa: N815
    atRiskCount: int  # noqa: N815
    criticalCount: int  # noqa: N815


class SupplierOut(Schema):
    """A supplier. Score and risk are null before the first score."""

    id: str = Field(description="The organization's id.")
    name: str
    healthScore: int | None  # noqa: N815
    riskLevel: SupplierRisk | None  # noqa: N815
    lastLogin: date | None = Field(description="The day of the last login.")  # noqa: N815
    daysActive: int = Field(description="Days with a login in the last 30.")  # noqa: N815
    tier: str
    recommendations: list[str] = Field(
        description="Made by rule from the supplier's own numbers, most promising first."
    )


class SupplierHealth(Schema):
    """The counts, and the suppliers by name."""

    summary: SupplierSummary
    suppliers: list[SupplierOut]


@router.get(
    "/health", response=SupplierHealth, operation_id="getSupplierHealth", summary="List the suppliers with their health"
)
def health(request: StaffRequest, query: Query[SupplierQuery]) -> SupplierHealth:
    """Return the active suppliers that the caller sees, by name, those of one risk with `risk`."""
    now = timezone.now()
    every, chosen = _read(request, query)
    _note(request, "client.list", query, len(chosen), now)
    counts = risk_counts(every)
    return SupplierHealth(
        summary=SupplierSummary(
            totalSuppliers=counts.total,
            healthyCount=counts.healthy,
            atRiskCount=counts.at_risk,
            criticalCount=counts.critical,
        ),
        suppliers=[_supplier(one) for one in chosen],
    )


@router.get(
    "/health/export",
    operation_id="exportSupplierHealth",
    summary="Export the suppliers with their health",
    openapi_extra={"responses": {200: {"description": "A CSV file with a header line.", "content": CSV}}},
)
def export(request: StaffRequest, query: Query[SupplierQuery]) -> HttpResponse:
    """Return the same suppliers as a CSV file, safe to open in a spreadsheet. The export is written down."""
    now = timezone.now()
    _, chosen = _read(request, query)
    _note(request, "client.export", query, len(chosen), now)
    response = HttpResponse(suppliers_csv(chosen), content_type="text/csv; charset=utf-8")
    day = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    response["Content-Disposition"] = f'attachment; filename="suppliers-{day.isoformat()}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _read(request: StaffRequest, query: SupplierQuery) -> tuple[list[Supplier], list[Supplier]]:
    need_scorecard(SUPPLIERS)
    every = suppliers_of(request.user)
    return every, [one for one in every if query.risk is None or one.risk == query.risk]


def _note(request: StaffRequest, action: str, query: SupplierQuery, count: int, now: datetime) -> None:
    detail: dict[str, Any] = {"suppliers": True, "risk": query.risk, "count": count}
    record(actor=request.user, action=action, object_type="client", detail=detail, now=now)


def _supplier(one: Supplier) -> SupplierOut:
    return SupplierOut(
        id=one.scored.client.organization_id,
        name=one.scored.client.name,
        healthScore=one.scored.score,
        riskLevel=SupplierRisk(one.risk) if one.risk else None,
        lastLogin=one.last_login,
        daysActive=one.days_active,
        tier=one.scored.client.contract_tier,
        recommendations=list(one.recommendations),
    )
