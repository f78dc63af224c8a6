"""Usage as the operations portal reads it (api.md, section 2): field names are those of its UsageMetricsChart."""

from datetime import date

from django.conf import settings
from django.core.cache import caches
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field as NinjaField
from ninja import Query, Router, Schema

from bellwether.common.time import day_of
from bellwether.health.usage_reading import Usage, last_day_of, usage_of
from bellwether.portfolio.models import Client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.usage.periods import CUSTOM, Period

router = Router(tags=["operations portal"])
CASES_CREATED, CASES_RESOLVED, CAMPAIGN_RESPONSES = "cases_created", "cases_closed", "assignments_completed"


class PortalUsageQuery(Schema):
    """How many days, ending today."""

    days: int = NinjaField(30, ge=1, le=365)


class PortalDay(Schema):
    """What happened on a day. Counts that the preset does not make are 0."""

    date: date
    logins: int
    casesCreated: int  # noqa: N815 (the portal's names)
    casesResolved: int  # noqa: N815
    campaignResponses: int  # noqa: N815


class PortalSummary(Schema):
    """The range in four figures: minutes per session, and the day with most logins; empty without any login."""

    totalLogins: int  # noqa: N815
    uniqueUsers: int  # noqa: N815
    avgSessionDuration: float  # noqa: N815
    peakDay: str  # noqa: N815


class PortalUsage(Schema):
    """The usage of an organisation, oldest day first."""

    daily: list[PortalDay]
    summary: PortalSummary


@router.get(
    "/usage/{org_id}",
    response=PortalUsage,
    operation_id="getPortalUsage",
    summary="Get the usage of an organisation for the operations portal",
)
def portal_usage(request: StaffRequest, org_id: str, query: Query[PortalUsageQuery]) -> PortalUsage:
    """Return logins, cases and campaign responses of each day, and a summary. Logins are the preset's login events, or
    sessions where it names none."""
    now = timezone.now()
    client: Client = get_object_or_404(Client.objects.visible_to(request.user), organization_id=org_id)
    last = last_day_of(client, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE))
    period = Period(CUSTOM, date.fromordinal(last.toordinal() - query.days + 1), last)
    found = usage_of(client, period, user=request.user, now=now, cache=caches["memory"])
    record(
        actor=request.user,
        action="client.usage",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"from": period.first, "to": period.last},
        now=now,
    )
    return _answer(found)


def _answer(found: Usage) -> PortalUsage:
    days = [
        PortalDay(
            date=day.day,
            logins=day.counts["logins"],
            casesCreated=day.counts.get(CASES_CREATED, 0),
            casesResolved=day.counts.get(CASES_RESOLVED, 0),
            campaignResponses=day.counts.get(CAMPAIGN_RESPONSES, 0),
        )
        for day in found.days
    ]
    most = max(days, key=lambda day: (day.logins, -day.date.toordinal()))
    return PortalUsage(
        daily=days,
        summary=PortalSummary(
            totalLogins=sum(day.logins for day in days),
            uniqueUsers=found.active_users,
            avgSessionDuration=round(found.figures["session_minutes"] or 0.0, 1),
            peakDay=most.date.isoformat() if most.logins else "",
        ),
    )
