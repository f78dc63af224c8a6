"""The priority as the database computes it for the whole list in one query, and a row's own factors."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Case, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Coalesce, Greatest

from bellwether.common.time import day_of, end_of
from bellwether.portfolio.models import Activity, Client
from bellwether.portfolio.priority import (
    CHURN_BANDS,
    FALL,
    FOLLOW_UP_OVERDUE,
    RISK_WHEN_UNKNOWN,
    SILENCE,
    THIN_COVERAGE,
    THIN_DATA,
    URGENCY,
    Priority,
    Standing,
    priority_of,
)


def without_contact(days: int, today: date) -> Q:
    """Return the condition for clients last contacted `days` or more days ago.

    A client that was never contacted counts from the start of its contract, and always if that is unknown.
    """
    latest = today - timedelta(days=days)
    never = Q(last_csm_contact_at__isnull=True)
    known_long = Q(contract_start_date__lte=latest) | Q(contract_start_date__isnull=True)
    return Q(last_csm_contact_at__lt=end_of(latest, settings.BELLWETHER_WORKSPACE_ZONE)) | (never & known_long)


def open_follow_ups() -> QuerySet[Activity]:
    """Return the activities whose follow-up still waits."""
    found: QuerySet[Activity] = Activity.objects.filter(
        follow_up_required=True, follow_up_completed_at__isnull=True, archived_at__isnull=True
    )
    return found.order_by()


def with_follow_up(today: date, *, within: int | None = None) -> Q:
    """Return the condition for clients with an overdue follow-up; with `within` for those with one due by then."""
    last = today - timedelta(days=1) if within is None else today + timedelta(days=within)
    return Q(pk__in=open_follow_ups().filter(follow_up_date__lte=last).values("client_id"))


def _steps(steps: Iterable[tuple[Q, float]]) -> Case:
    cases = (When(condition, then=Value(factor, output_field=FloatField())) for condition, factor in steps)
    return Case(*cases, default=Value(1.0), output_field=FloatField())


def priority_expression(today: date, typical_arr: float) -> CombinedExpression:
    """Return the priority of a client as a database expression; portfolio.priority says what it is made of.

    `typical_arr` stands for an unknown ARR. Larger comes first.
    """
    share = Coalesce((Value(100.0) - Cast("current_health_score", FloatField())) / 100.0, Value(RISK_WHEN_UNKNOWN))
    bands = (When(churn_is_band=True, churn_category=word, then=Value(risk)) for word, risk in CHURN_BANDS.items())
    churn = Case(
        *bands,
        When(churn_is_band=True, then=Value(0.0)),
        default=Coalesce(Cast("churn_risk_score", FloatField()) / 100.0, Value(0.0)),
        output_field=FloatField(),
    )
    arr = Coalesce(Cast("annual_recurring_revenue", FloatField()), Value(typical_arr), output_field=FloatField())
    return (
        Greatest(share * share, churn, output_field=FloatField())
        * arr
        * _steps((Q(next_renewal_date__lte=today + timedelta(days=days)), factor) for days, factor in URGENCY)
        * _steps((Q(health_trend_change__lte=-points), factor) for points, factor in FALL)
        * _steps((without_contact(days, today), factor) for days, factor in SILENCE)
        * _steps([(with_follow_up(today), FOLLOW_UP_OVERDUE)])
        * _steps([(Q(health_coverage__lt=THIN_COVERAGE, current_health_score__isnull=False), THIN_DATA)])
    )


def by_priority(clients: QuerySet[Client], *, today: date, typical_arr: float) -> QuerySet[Client]:
    """Return `clients`, the most urgent first; see `priority_expression`."""
    ranked = clients.annotate(priority=priority_expression(today, typical_arr))
    return ranked.order_by(F("priority").desc(), "current_health_score", "name", "id")


def with_overdue(clients: QuerySet[Client], today: date) -> QuerySet[Client]:
    """Return `clients` with `follow_up_overdue`, which `row_priority` reads."""
    overdue = open_follow_ups().filter(client=OuterRef("pk"), follow_up_date__lt=today)
    return clients.annotate(follow_up_overdue=Exists(overdue))


def row_priority(client: Any, *, today: date, typical_arr: float, zone: ZoneInfo) -> Priority:
    """Return the priority of a client read through `with_overdue` with its factors, without a query."""
    contact = client.last_csm_contact_at
    since = day_of(contact, zone) if contact else client.contract_start_date
    arr, renewal = client.annual_recurring_revenue, client.next_renewal_date
    return priority_of(
        Standing(
            score=client.current_health_score,
            churn_risk=client.churn_risk_score,
            churn_band=client.churn_category if client.churn_is_band else "",
            arr=None if arr is None else float(arr),
            typical_arr=typical_arr,
            renewal_days=(renewal - today).days if renewal else None,
            change=client.health_trend_change,
            silent_days=(today - since).days if since else None,
            ever_contacted=contact is not None,
            follow_up_overdue=bool(client.follow_up_overdue),
            coverage=client.health_coverage,
        )
    )
