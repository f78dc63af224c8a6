"""The list of clients as page, API and export ask for it: filters, saved views, order, one page at a time."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil, isfinite
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Avg, Case, Count, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import CombinedExpression, OrderBy
from django.db.models.functions import Cast, Coalesce

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import end_of
from bellwether.portfolio.choices import ContractTier, HealthStatus
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

NOT_SCORED = "NA"
AT_RISK = (HealthStatus.AT_RISK, HealthStatus.CRITICAL)
RENEWAL_SOON = 90
NO_CONTACT = 30
MOST_PER_PAGE = 500
MOST_MEASURES = 5
OF_MEASURE = "m."
MEASURE_SORT = re.compile(r"-?m\.[a-z][a-z0-9_]{1,59}")
RISK_WHEN_UNKNOWN = 0.5
URGENCY = ((30, 2.0), (90, 1.5), (180, 1.25))
SORTS = ("score", "trend", "churn", "arr", "renewal", "last_contact", "name", "csm", "priority")
FIELDS = {
    "score": "current_health_score",
    "trend": "health_trend_change",
    "churn": "churn_risk_score",
    "arr": "annual_recurring_revenue",
    "renewal": "next_renewal_date",
    "last_contact": "last_csm_contact_at",
    "name": "name",
    "csm": "csm_user__first_name",
}


@dataclass(frozen=True)
class MeasureFilter:
    """Clients whose newest value of the custom measure `slug` lies between the two, both included; without limits those
    that have a value."""

    slug: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class ClientQuery:
    """What to list. Everything is optional; filters that are given must all hold.

    `health_status` is a HealthStatus or "NA" for clients without a score. `search` looks in name and organisation id.
    `renewal_within` counts days from today, both ends included. `view` is one of VIEWS. `sort` is one of SORTS, or "m."
    and the slug of a custom measure, with "-" in front for descending; clients without the value come last either way.
    `page` counts from 1.
    """

    health_status: str | None = None
    tier: str | None = None
    industry: str | None = None
    segment: str | None = None
    region: str | None = None
    tag: str | None = None
    csm_id: UUID | None = None
    ae_id: UUID | None = None
    search: str | None = None
    churn_min: int | None = None
    churn_max: int | None = None
    renewal_within: int | None = None
    arr_min: Decimal | None = None
    arr_max: Decimal | None = None
    measures: tuple[MeasureFilter, ...] = ()
    view: str | None = None
    sort: str = "-priority"
    page: int = 1
    limit: int = 50


@dataclass(frozen=True)
class ClientList:
    """One page of clients. `page` is the page shown, which is the last one if a later one was asked for.

    `total` and `arr` (the sum of what is known) are those of the whole list.
    """

    rows: list[Client]
    total: int
    page: int
    pages: int
    limit: int
    arr: Decimal


def _at_risk(user: StaffUser, today: date) -> Q:
    return Q(health_status__in=AT_RISK)


def _renewals(user: StaffUser, today: date) -> Q:
    return renewing_within(RENEWAL_SOON, today)


def _mine(user: StaffUser, today: date) -> Q:
    return Q(csm_user_id=user.pk) | Q(ae_user_id=user.pk)


def _no_contact(user: StaffUser, today: date) -> Q:
    return without_contact(NO_CONTACT, today)


VIEWS: dict[str, Callable[[StaffUser, date], Q]] = {
    "all": lambda user, today: Q(),
    "at_risk": _at_risk,
    "renewals": _renewals,
    "mine": _mine,
    "no_contact": _no_contact,
}


def renewing_within(days: int, today: date) -> Q:
    """Return the condition for clients whose next renewal is today or at most `days` days away."""
    return Q(next_renewal_date__gte=today, next_renewal_date__lte=today + timedelta(days=days))


def without_contact(days: int, today: date) -> Q:
    """Return the condition for clients last contacted `days` or more days ago.

    A client that was never contacted counts from the start of its contract, and always if that is unknown.
    """
    latest = today - timedelta(days=days)
    never = Q(last_csm_contact_at__isnull=True)
    known_long = Q(contract_start_date__lte=latest) | Q(contract_start_date__isnull=True)
    return Q(last_csm_contact_at__lt=end_of(latest, settings.BELLWETHER_WORKSPACE_ZONE)) | (never & known_long)


def measure_condition(wanted: MeasureFilter) -> Q:
    """Return the condition for the clients that `wanted` is about; give each to a `filter` of its own."""
    found = Q(measure_values__measure__slug=wanted.slug, measure_values__value__isnull=False)
    if wanted.minimum is not None:
        found &= Q(measure_values__value__gte=wanted.minimum)
    if wanted.maximum is not None:
        found &= Q(measure_values__value__lte=wanted.maximum)
    return found


def matching(user: StaffUser, query: ClientQuery, *, today: date) -> QuerySet[Client]:
    """Return the clients that `user` may see and that `query` asks for: not archived, not ordered, not cut to a page.

    Raises InvalidInputError, with the field, for words that are not in the vocabulary.
    """
    check(query)
    found: QuerySet[Client] = Client.objects.visible_to(user).active()
    exact = {
        "contract_tier": query.tier,
        "industry": query.industry,
        "segment": query.segment,
        "region": query.region,
        "csm_user_id": query.csm_id,
        "ae_user_id": query.ae_id,
        "tags__name": query.tag,
        "churn_risk_score__gte": query.churn_min,
        "churn_risk_score__lte": query.churn_max,
        "annual_recurring_revenue__gte": query.arr_min,
        "annual_recurring_revenue__lte": query.arr_max,
    }
    found = found.filter(**{field: value for field, value in exact.items() if value is not None and value != ""})
    for wanted in query.measures:
        found = found.filter(measure_condition(wanted))
    if query.health_status == NOT_SCORED:
        found = found.filter(health_status__isnull=True)
    elif query.health_status:
        found = found.filter(health_status=query.health_status)
    if query.search:
        found = found.filter(Q(name__icontains=query.search) | Q(organization_id__icontains=query.search))
    if query.renewal_within is not None:
        found = found.filter(renewing_within(query.renewal_within, today))
    return found.filter(VIEWS[query.view or "all"](user, today))


def check(query: ClientQuery) -> None:
    """Raise InvalidInputError if `query` uses a word or a number that cannot be used; `errors` names each field."""
    errors: dict[str, str] = {}

    def one_of(field: str, value: str | None, known: tuple[str, ...]) -> None:
        if value and value not in known:
            errors[field] = f"{value!r} is not known. Use one of {', '.join(known)}."

    one_of("health_status", query.health_status, (*HealthStatus.values, NOT_SCORED))
    one_of("tier", query.tier, tuple(ContractTier.values))
    one_of("view", query.view, tuple(VIEWS))
    if not MEASURE_SORT.fullmatch(query.sort):
        one_of("sort", query.sort.removeprefix("-"), SORTS)
    for wanted in query.measures:
        limits = (wanted.minimum, wanted.maximum)
        if not all(limit is None or isfinite(limit) for limit in limits):
            errors["measure"] = f"The limits of {wanted.slug} need to be numbers."
        elif None not in limits and wanted.minimum > wanted.maximum:  # type: ignore[operator]
            errors["measure"] = f"The limits of {wanted.slug} are the wrong way round: {limits[0]:g} to {limits[1]:g}."
    if len(query.measures) > MOST_MEASURES:
        errors["measure"] = f"Filter by at most {MOST_MEASURES} measures."
    if query.page < 1:
        errors["page"] = "Pages count from 1."
    if not 1 <= query.limit <= MOST_PER_PAGE:
        errors["limit"] = f"A page holds 1 to {MOST_PER_PAGE} clients."
    if query.renewal_within is not None and not 0 <= query.renewal_within <= 3650:
        errors["renewal_within"] = "Give 0 to 3650 days."
    if errors:
        raise InvalidInputError("The list of clients cannot be made: " + " ".join(errors.values()), errors)


def priority_expression(today: date, typical_arr: float) -> CombinedExpression:
    """Return the priority of a client as a database expression: risk x ARR x time to renewal.

    Risk is ((100 - score) / 100) squared, so that a low score outweighs a large contract; without a score the share is
    0.5, because unknown is not safe. ARR is in dollars, `typical_arr` where it is unknown. Time to renewal counts 2 up
    to 30 days (also when overdue), 1.5 up to 90, 1.25 up to 180, else 1. Larger comes first.
    """
    share = Coalesce((Value(100.0) - Cast("current_health_score", FloatField())) / 100.0, Value(RISK_WHEN_UNKNOWN))
    arr = Coalesce(Cast("annual_recurring_revenue", FloatField()), Value(typical_arr), output_field=FloatField())
    urgency = Case(
        *(
            When(next_renewal_date__lte=today + timedelta(days=days), then=Value(factor, output_field=FloatField()))
            for days, factor in URGENCY
        ),
        default=Value(1.0),
        output_field=FloatField(),
    )
    return share * share * arr * urgency


def by_priority(clients: QuerySet[Client], *, today: date, typical_arr: float) -> QuerySet[Client]:
    """Return `clients`, the most urgent first; see `priority_expression`."""
    ranked = clients.annotate(priority=priority_expression(today, typical_arr))
    return ranked.order_by(F("priority").desc(), "current_health_score", "name", "id")


def ordered(clients: QuerySet[Client], sort: str, *, today: date, typical_arr: float = 1) -> QuerySet[Client]:
    """Return `clients` in the order `sort` names; ties by name, clients without the value last."""
    word, descending = sort.removeprefix("-"), sort.startswith("-")
    if word == "priority":
        most_urgent = by_priority(clients, today=today, typical_arr=typical_arr)
        return most_urgent if descending else most_urgent.reverse()
    if word.startswith(OF_MEASURE):
        values: Any = Client._meta.get_field("measure_values").related_model
        own = values.objects.filter(client=OuterRef("pk"), measure__slug=word.removeprefix(OF_MEASURE))
        clients = clients.annotate(by_measure=Subquery(own.values("value")[:1]))
    field = F("by_measure" if word.startswith(OF_MEASURE) else FIELDS[word])
    order: OrderBy = field.desc(nulls_last=True) if descending else field.asc(nulls_last=True)
    return clients.order_by(order, "name", "id")


def list_clients(user: StaffUser, query: ClientQuery, *, today: date, fields: Sequence[str] = ()) -> ClientList:
    """Return one page of the clients that `user` may see, in two queries. `today` is the workspace's day.

    With `fields` only these are read, which is quicker; the name of the CSM has to be among them to be read.

    Raises InvalidInputError as `matching` does. For the priority, an unknown ARR counts as the list's average.
    """
    found = matching(user, query, today=today)
    arr = "annual_recurring_revenue"
    whole = found.aggregate(total=Count("pk"), arr=Sum(arr), typical=Avg(arr))
    pages = max(1, ceil(whole["total"] / query.limit))
    page = min(query.page, pages)
    start = (page - 1) * query.limit
    rows = ordered(found, query.sort, today=today, typical_arr=float(whole["typical"] or 1))
    rows = rows.only(*fields).select_related("csm_user") if fields else rows.select_related("csm_user", "ae_user")
    shown = list(rows[start : start + query.limit])
    return ClientList(shown, whole["total"], page, pages, query.limit, whole["arr"] or Decimal(0))
