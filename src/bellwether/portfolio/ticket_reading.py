"""Lists of tickets as people ask for them, and the figures of one client's. Callers limit them to what may be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from bellwether.common.time import day_of, start_of
from bellwether.portfolio.choices import TicketPriority, TicketStatus
from bellwether.portfolio.models import Client, SupportTicket
from bellwether.portfolio.ticket_figures import MEDIAN_DAYS, WEEKS, Ticket, TicketFigures, ticket_figures

WAITING = (TicketStatus.OPEN, TicketStatus.PENDING)
PRIORITIES = (TicketPriority.LOW, TicketPriority.NORMAL, TicketPriority.HIGH, TicketPriority.URGENT)
STATUSES = ("waiting", "done", *TicketStatus.values)
PERIODS = (7, 30, 90, 365)
SORTS = ("urgency", "opened", "priority", "age", "response", "client")
SIZES = (50, 100)
LAST_PAGE = 100_000


@dataclass(frozen=True, kw_only=True)
class TicketQuery:
    """Which tickets, in which order. `status` is a status, waiting (open or pending), done, or empty for all;
    `period` the days in which they were opened. `sort` "urgency" puts those that wait first, the gravest on top."""

    status: str = ""
    priority: str = ""
    escalated: bool = False
    period: int | None = None
    search: str = ""
    csm_id: UUID | None = None
    sort: str = "urgency"
    page: int = 1
    limit: int = 50


@dataclass(frozen=True)
class TicketList:
    """A page of tickets; `page` is the last one where the one asked for lies behind it."""

    rows: list[SupportTicket]
    total: int
    page: int
    pages: int


def matching(tickets: QuerySet[Any], query: TicketQuery, *, now: datetime, zone: ZoneInfo) -> QuerySet[Any]:
    """Return those of `tickets` that the query asks for, unordered."""
    found: QuerySet[Any] = tickets
    if query.status == "waiting":
        found = found.filter(status__in=WAITING)
    elif query.status == "done":
        found = found.exclude(status__in=WAITING)
    elif query.status:
        found = found.filter(status=query.status)
    if query.priority:
        found = found.filter(priority=query.priority)
    if query.escalated:
        found = found.filter(is_escalated=True)
    if query.period is not None:
        first = day_of(now, zone) - timedelta(days=query.period - 1)
        found = found.filter(opened_at__gte=start_of(first, zone))
    if query.csm_id is not None:
        found = found.filter(client__csm_user_id=query.csm_id)
    if query.search:
        words = Q(subject__icontains=query.search) | Q(external_id__icontains=query.search)
        found = found.filter(words | Q(client__name__icontains=query.search))
    return found


def ordered(tickets: QuerySet[Any], sort: str, *, now: datetime) -> QuerySet[Any]:
    """Return the tickets in the order `sort`, a word of SORTS, with "-" in front the other way round."""
    rank = Case(
        *(When(priority=priority, then=Value(place)) for place, priority in enumerate(PRIORITIES)),
        default=Value(1),
        output_field=IntegerField(),
    )
    waits = Case(When(status__in=WAITING, then=Value(0)), default=Value(1), output_field=IntegerField())
    down, word = sort.startswith("-"), sort.removeprefix("-")
    if word == "urgency":
        # Among those that are done the gravity no longer matters.
        gravity = Case(When(status__in=WAITING, then=rank), default=Value(0), output_field=IntegerField())
        found = tickets.annotate(_waits=waits, _gravity=gravity)
        orders = ["_waits", "-_gravity", "-opened_at"]
        urgent: QuerySet[Any] = found.order_by(*([_turned(one) for one in orders] if down else orders), "pk")
        return urgent
    lasted = ExpressionWrapper(Coalesce(F("solved_at"), Value(now)) - F("opened_at"), output_field=DurationField())
    keys: dict[str, Any] = {
        "opened": F("opened_at"),
        "priority": rank,
        "age": lasted,
        "response": F("first_response_minutes"),
        "client": F("client__name"),
    }
    keyed: QuerySet[Any] = tickets.annotate(_key=keys[word])
    key = F("_key").desc(nulls_last=True) if down else F("_key").asc(nulls_last=True)
    return keyed.order_by(key, "-opened_at", "pk")


def _turned(order: str) -> str:
    return order[1:] if order.startswith("-") else f"-{order}"


def list_tickets(tickets: QuerySet[Any], query: TicketQuery, *, now: datetime, zone: ZoneInfo) -> TicketList:
    """Return a page of the tickets that the query asks for; two queries."""
    found = matching(tickets, query, now=now, zone=zone)
    total = found.count()
    pages = max(1, -(-total // query.limit))
    page = min(max(1, query.page), pages)
    rows = ordered(found, query.sort, now=now).select_related("client", "client__csm_user", "contact")
    return TicketList(list(rows[(page - 1) * query.limit : page * query.limit]), total, page, pages)


def figures_of(client: Client, *, today: date, zone: ZoneInfo) -> TicketFigures:
    """Return the figures of a client's tickets; two queries."""
    recent = start_of(today - timedelta(days=max(7 * WEEKS, 120)), zone)
    solved = start_of(today - timedelta(days=MEDIAN_DAYS), zone)
    rows = SupportTicket.objects.filter(client=client).filter(Q(opened_at__gte=recent) | Q(solved_at__gte=solved))
    known = [
        Ticket(
            opened=day_of(opened, zone),
            solved=day_of(ended, zone) if ended else None,
            hours=(ended - opened).total_seconds() / 3600 if ended else None,
            response_minutes=minutes,
        )
        for opened, ended, minutes in rows.order_by().values_list("opened_at", "solved_at", "first_response_minutes")
    ]
    first = SupportTicket.objects.order_by("opened_at").values_list("opened_at", flat=True).first()
    return ticket_figures(known, today=today, source_since=day_of(first, zone) if first else None)


def waiting_counts(tickets: QuerySet[Any]) -> dict[str, int]:
    """Return how many tickets wait: in all, urgent ones, escalated ones, and all tickets; one query."""
    found = {"waiting": 0, "urgent": 0, "escalated": 0, "all": 0}
    for status, priority, escalated, count in _counted(tickets):
        found["all"] += count
        if status not in WAITING:
            continue
        found["waiting"] += count
        found["urgent"] += count if priority == TicketPriority.URGENT else 0
        found["escalated"] += count if escalated else 0
    return found


def _counted(tickets: QuerySet[Any]) -> Sequence[tuple[str, str, bool, int]]:
    return list(tickets.order_by().values_list("status", "priority", "is_escalated").annotate(count=Count("pk")))
