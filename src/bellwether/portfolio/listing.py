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
from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import OrderBy

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import end_of
from bellwether.portfolio.choices import ContractTier, HealthStatus
from bellwether.portfolio.models import Client, Tag
from bellwether.portfolio.ranking import by_priority, with_follow_up, with_overdue, without_contact
from bellwether.staff.models import StaffUser

NOT_SCORED = "NA"
AT_RISK = (HealthStatus.AT_RISK, HealthStatus.CRITICAL)
CHURN_CATEGORIES = ("LOW", "MEDIUM", "HIGH")
"""What churn.choices.Category says, which stands above this floor."""
RENEWAL_SOON = 90
NO_CONTACT = 30
MOST_PER_PAGE = 500
MOST_MEASURES = 5
OF_MEASURE = "m."
MEASURE_SORT = re.compile(r"-?m\.[a-z][a-z0-9_]{1,59}")
MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
FOLLOW_UPS = ("overdue", "week")
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

    `health_status` is a HealthStatus or "NA" for clients without a score; it and `tier` take several words with commas.
    `churn_category`: LOW, MEDIUM or HIGH, several with commas; `churn_min` and `churn_max` leave clients out whose
    churn risk is known as a band alone. `search` looks in name and organisation id. `renewal_within` counts days from
    today, both ends included; `renewal_month` is such as "2026-12". `change_max` -10: the score fell by 10 points or
    more. `no_contact`: last contact so many days ago or longer; `quiet`: no usage for so many days. `follow_up`:
    "overdue", or "week" for those due within seven days as well. `view` is one of VIEWS. `sort` is one of SORTS, or
    "m." and the slug of a custom measure, with "-" in front for descending; clients without the value come last either
    way. `page` counts from 1.
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
    churn_category: str | None = None
    churn_min: int | None = None
    churn_max: int | None = None
    score_min: int | None = None
    score_max: int | None = None
    change_max: int | None = None
    renewal_within: int | None = None
    renewal_month: str | None = None
    no_contact: int | None = None
    quiet: int | None = None
    follow_up: str | None = None
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

    `total` and `arr` (the sum of what is known) are those of the whole list. `typical_arr` is what stands for an
    unknown ARR in the priority. Each row has `follow_up_overdue`.
    """

    rows: list[Client]
    total: int
    page: int
    pages: int
    limit: int
    arr: Decimal
    typical_arr: float = 1


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


def measure_condition(wanted: MeasureFilter) -> Q:
    """Return the condition for the clients that `wanted` is about."""
    values: Any = Client._meta.get_field("measure_values").related_model
    found = values.objects.filter(measure__slug=wanted.slug, value__isnull=False)
    if wanted.minimum is not None:
        found = found.filter(value__gte=wanted.minimum)
    if wanted.maximum is not None:
        found = found.filter(value__lte=wanted.maximum)
    return Q(pk__in=found.values("client_id"))


def quiet_for(days: int, today: date) -> Q:
    """Return the condition for clients whose last usage was `days` or more days ago; those without any are left out."""
    return Q(last_activity_at__lt=end_of(today - timedelta(days=days), settings.BELLWETHER_WORKSPACE_ZONE))


def renewing_in(month: str) -> Q:
    """Return the condition for clients whose next renewal lies in the month, such as "2026-12"."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return Q(next_renewal_date__gte=first, next_renewal_date__lt=following)


def matching(user: StaffUser, query: ClientQuery, *, today: date) -> QuerySet[Client]:
    """Return the clients that `user` may see and that `query` asks for: not archived, not ordered, not cut to a page.

    Raises InvalidInputError, with the field, for words that are not in the vocabulary.
    """
    check(query)
    found: QuerySet[Client] = Client.objects.visible_to(user).active()
    return found.filter(condition(user, query, today))


def condition(user: StaffUser, query: ClientQuery, today: date) -> Q:
    """Return the filters of a checked `query` as one condition without joins, which also counts within an aggregate."""
    exact = {
        "industry": query.industry,
        "segment": query.segment,
        "region": query.region,
        "csm_user_id": query.csm_id,
        "ae_user_id": query.ae_id,
        "churn_risk_score__gte": query.churn_min,
        "churn_risk_score__lte": query.churn_max,
        "current_health_score__gte": query.score_min,
        "current_health_score__lte": query.score_max,
        "health_trend_change__lte": query.change_max,
        "annual_recurring_revenue__gte": query.arr_min,
        "annual_recurring_revenue__lte": query.arr_max,
    }
    found = Q(**{field: value for field, value in exact.items() if value is not None and value != ""})
    if query.churn_category:
        found &= Q(churn_category__in=query.churn_category.split(","))
    if query.churn_min is not None or query.churn_max is not None:
        found &= Q(churn_is_band=False)
    if query.tier:
        found &= Q(contract_tier__in=query.tier.split(","))
    if query.health_status:
        words = query.health_status.split(",")
        scored = Q(health_status__in=words)
        found &= scored | Q(health_status__isnull=True) if NOT_SCORED in words else scored
    if query.tag:
        tagged = Client.tags.through.objects.filter(tag__in=Tag.objects.filter(name=query.tag).values("pk"))
        found &= Q(pk__in=tagged.values("client_id"))
    for wanted in query.measures:
        found &= measure_condition(wanted)
    if query.search:
        found &= Q(name__icontains=query.search) | Q(organization_id__icontains=query.search)
    if query.renewal_within is not None:
        found &= renewing_within(query.renewal_within, today)
    if query.renewal_month:
        found &= renewing_in(query.renewal_month)
    if query.no_contact is not None:
        found &= without_contact(query.no_contact, today)
    if query.quiet is not None:
        found &= quiet_for(query.quiet, today)
    if query.follow_up:
        found &= with_follow_up(today, within=7 if query.follow_up == "week" else None)
    return found & VIEWS[query.view or "all"](user, today)


def check(query: ClientQuery) -> None:
    """Raise InvalidInputError if `query` uses a word or a number that cannot be used; `errors` names each field."""
    errors: dict[str, str] = {}

    def one_of(field: str, value: str | None, known: tuple[str, ...]) -> None:
        if value and value not in known:
            errors[field] = f"{value!r} is not known. Use one of {', '.join(known)}."

    def some_of(field: str, value: str | None, known: tuple[str, ...]) -> None:
        for word in (value or "").split(",") if value else ():
            one_of(field, word or ",", known)

    def between(field: str, value: int | None, low: int, high: int, sentence: str) -> None:
        if value is not None and not low <= value <= high:
            errors[field] = sentence

    some_of("health_status", query.health_status, (*HealthStatus.values, NOT_SCORED))
    some_of("tier", query.tier, tuple(ContractTier.values))
    some_of("churn_category", query.churn_category, CHURN_CATEGORIES)
    one_of("follow_up", query.follow_up, FOLLOW_UPS)
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
    for days in ("renewal_within", "no_contact", "quiet"):
        between(days, getattr(query, days), 0, 3650, "Give 0 to 3650 days.")
    for share in ("score_min", "score_max", "churn_min", "churn_max"):
        between(share, getattr(query, share), 0, 100, "Give 0 to 100.")
    between("change_max", query.change_max, -100, 100, "Give -100 to 100 points.")
    for field, amount in (("arr_min", query.arr_min), ("arr_max", query.arr_max)):
        if amount is not None and (not amount.is_finite() if isinstance(amount, Decimal) else not isfinite(amount)):
            errors[field] = "Give an amount in dollars."
    if query.renewal_month and not MONTH.fullmatch(query.renewal_month):
        errors["renewal_month"] = f"Give a month such as 2026-12, not {query.renewal_month!r}."
    if errors:
        raise InvalidInputError("The list of clients cannot be made: " + " ".join(errors.values()), errors)


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
    typical = float(whole["typical"] or 1)
    rows = with_overdue(ordered(found, query.sort, today=today, typical_arr=typical), today)
    people = [name for name in ("csm_user", "ae_user") if any(field.startswith(f"{name}__") for field in fields)]
    rows = rows.only(*fields).select_related(*people) if people else rows.select_related("csm_user", "ae_user")
    shown = list(rows[start : start + query.limit])
    return ClientList(shown, whole["total"], page, pages, query.limit, whole["arr"] or Decimal(0), typical)
