"""The usage endpoints of the staff API (api.md, section 1)."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone
from ninja import Query, Router

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.health.usage_comparison import Comparison, change
from bellwether.health.usage_days import UsageDay
from bellwether.health.usage_reading import Usage, last_day_of, usage_of
from bellwether.health.usage_schemas import (
    AnomalyOut,
    ComparisonOut,
    FiguresOut,
    HeatmapOut,
    PeakOut,
    RangeOut,
    RoleOut,
    UsageDayOut,
    UsageOut,
    UsageQuery,
    UsageSummaryOut,
)
from bellwether.portfolio.models import Client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.usage.hours import WEEKDAYS
from bellwether.usage.periods import DEFAULT_RANGE, Period, custom_period, period_of

router = Router(tags=["usage"])


@router.get(
    "/clients/{client_id}/usage",
    response=UsageOut,
    operation_id="getClientUsage",
    summary="Get the usage of a client",
)
def usage(request: StaffRequest, client_id: UUID, query: Query[UsageQuery]) -> UsageOut:
    """Return the daily figures of a range, their summary, what they compare with, and unusual days, oldest first."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    found = _read(request, client, query, now)
    _note(request, client, "client.usage", now, found.period)
    figures = FiguresOut(**found.figures)
    return UsageOut(
        client_id=client.pk,
        range=_range(found.period),
        baseline_range=_range(Period("", *found.period.baseline)),
        time_zone=settings.BELLWETHER_WORKSPACE_ZONE.key,
        first_event_on=found.started,
        newest_event_at=found.newest_event_at,
        no_events_from_any_client_since=found.silent_since,
        data=[_day(day) for day in found.days],
        summary=UsageSummaryOut(
            **figures.model_dump(),
            modules_used=found.modules.used,
            modules_licensed=found.modules.licensed,
            active_users=found.active_users,
            total_users=found.total_users,
        ),
        comparisons=[_comparison(item, found) for item in found.comparisons],
        sessions_by_role=[
            RoleOut(
                role=item.role or None,
                users=item.users,
                sessions=item.sessions,
                sessions_per_user=item.per_user,
                baseline=item.baseline,
            )
            for item in found.roles
        ],
        anomalies=[
            AnomalyOut(
                date=item.day,
                kind=item.kind,
                daily_active_users=item.people,
                expected=item.expected,
                expected_low=item.low,
                expected_high=item.high,
                reason=item.reason,
            )
            for item in found.unusual
        ],
    )


@router.get(
    "/clients/{client_id}/usage/heatmap",
    response=HeatmapOut,
    operation_id="getClientUsageHeatmap",
    summary="Get when a client's people act",
)
def heatmap(request: StaffRequest, client_id: UUID, query: Query[UsageQuery]) -> HeatmapOut:
    """Return people's actions by weekday and hour over a range, and the hour with most of them."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    found = _read(request, client, query, now)
    _note(request, client, "client.usage_heatmap", now, found.period)
    table, peak = found.hours.actions, found.hours.peak
    return HeatmapOut(
        client_id=client.pk,
        range=_range(found.period),
        time_zone=settings.BELLWETHER_WORKSPACE_ZONE.key,
        counted="actions",
        data=table,
        by_hour={str(hour): sum(row[hour] for row in table) for hour in range(24)},
        by_day_of_week={name[:3].lower(): sum(row) for name, row in zip(WEEKDAYS, table, strict=True)},
        total=found.hours.total,
        peak=PeakOut(weekday=WEEKDAYS[peak[0]].lower(), hour=peak[1], actions=found.hours.most) if peak else None,
    )


def _read(request: StaffRequest, client: Client, query: UsageQuery, now: datetime) -> Usage:
    """Return the usage of the range asked for; raises InvalidInputError if it cannot be used."""
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    custom = bool(query.from_date.strip() or query.to_date.strip())
    if custom and query.days:
        sentence = "Give either days, or from and to."
        raise InvalidInputError(f"The range cannot be used: {sentence}", {"days": sentence})
    period: Period | None = period_of(query.days or DEFAULT_RANGE, last=last_day_of(client, today))
    if custom:
        period, problems = custom_period(query.from_date, query.to_date, today=today)
        if problems:
            raise InvalidInputError("The range cannot be used: " + " ".join(problems.values()), problems)
    assert period is not None  # noqa: S101 (there were no problems)
    return usage_of(client, period, user=request.user, now=now, cache=caches["memory"])


def _range(period: Period) -> RangeOut:
    return RangeOut(first=period.first, last=period.last, days=period.days)


def _day(day: UsageDay) -> UsageDayOut:
    low, high = day.interval or (None, None)
    seconds = round(day.session_seconds / day.sessions) if day.sessions else None
    return UsageDayOut(
        date=day.day,
        daily_active_users=day.dau,
        weekly_active_users=day.wau,
        monthly_active_users=day.mau,
        total_users=day.total_users,
        new_users=day.new_users,
        total_sessions=day.sessions,
        avg_session_duration_seconds=seconds,
        avg_session_depth=round(day.actions / day.sessions, 4) if day.sessions else None,
        total_actions=day.actions,
        logins=day.counts["logins"],
        cases_created=day.counts.get("cases_created"),
        cases_closed=day.counts.get("cases_closed"),
        reports_run=day.counts.get("reports_run"),
        disclosures_submitted=day.counts.get("disclosures_submitted"),
        policies_viewed=day.counts.get("policies_viewed"),
        chatbot_conversations=day.counts.get("chatbot_conversations"),
        counts={name: value for name, value in day.counts.items() if name != "logins"},
        actions_by_hour=list(day.by_hour),
        before_first_event=day.before_start,
        expected_low=low,
        expected_high=high,
    )


def _comparison(item: Comparison, found: Usage) -> ComparisonOut:
    return ComparisonOut(
        against=item.against,
        label=item.label,
        clients=item.clients,
        values=FiguresOut(**item.values),
        change=FiguresOut(**{name: change(value, item.values.get(name)) for name, value in found.figures.items()}),
        reason=item.reason or None,
    )


def _note(request: StaffRequest, client: Client, action: str, now: datetime, period: Period) -> None:
    record(
        actor=request.user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"from": period.first, "to": period.last},
        now=now,
    )
