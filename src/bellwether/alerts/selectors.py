"""Reads of alerts for pages, exports and the API: of clients that the reader sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, DateTimeField, F, Q, QuerySet, When
from django.shortcuts import get_object_or_404

from bellwether.alerts.choices import AlertStatus
from bellwether.alerts.inbox_order import Bundle, Facts, Phase, arranged
from bellwether.alerts.models import Alert
from bellwether.alerts.settings_selectors import muted_count
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

PER_PAGE = 50
MOST_ARRANGED = 5_000
"""More open alerts than this are cut off after the severest."""
FIRED_DAYS = 90


class Tab(StrEnum):
    """The folders of the inbox."""

    OPEN = "open"
    SNOOZED = "snoozed"
    DONE = "done"
    MUTED = "muted"


@dataclass(frozen=True)
class InboxQuery:
    """Which alerts: nothing chosen lets everything through. `silent` adds those that nobody was told about."""

    tab: Tab = Tab.OPEN
    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    csm_id: UUID | None = None
    client_id: UUID | None = None
    assigned_to_id: UUID | None = None
    search: str = ""
    silent: bool = False

    @property
    def filtered(self) -> bool:
        """Whether something is narrowed."""
        return bool(
            self.severities or self.types or self.csm_id or self.client_id or self.assigned_to_id or self.search
        )


@dataclass(frozen=True)
class Entry:
    """A row of the inbox: the alert that stands for its bundle, and the others of the same cause."""

    alert: Alert
    phase: Phase | None
    others: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Inbox:
    """One page of the inbox; `total` rows in all, `cut` when there are more alerts than are put in order."""

    entries: tuple[Entry, ...]
    total: int
    page: int
    pages: int
    cut: bool = False


@dataclass(frozen=True)
class Counts:
    """How many alerts there are in each folder, how many of the open ones nobody took on, and muted clients."""

    open: int
    new: int
    snoozed: int
    done: int
    muted: int


def visible(user: StaffUser) -> QuerySet[Alert]:
    """Return the alerts of clients that `user` may see."""
    found: QuerySet[Alert] = Alert.objects.visible_to(user)
    return found


def find(user: StaffUser, alert_id: UUID) -> Alert:
    """Return the alert with its client and people; Http404 for one of a client that `user` does not see."""
    rows = visible(user).select_related(*RELATED)
    found: Alert = get_object_or_404(rows, pk=alert_id)
    return found


RELATED = ("client__csm_user", "assigned_to", "acknowledged_by", "dismissed_by", "resolved_by")


def narrowed(rows: QuerySet[Alert], query: InboxQuery) -> QuerySet[Alert]:
    """Return the rows that pass the filters of the query, whatever the folder."""
    if query.severities:
        rows = rows.filter(severity__in=query.severities)
    if query.types:
        rows = rows.filter(alert_type__in=query.types)
    if query.csm_id:
        rows = rows.filter(client__csm_user_id=query.csm_id)
    if query.client_id:
        rows = rows.filter(client_id=query.client_id)
    if query.assigned_to_id:
        rows = rows.filter(assigned_to_id=query.assigned_to_id)
    if query.search:
        rows = rows.filter(Q(client__name__icontains=query.search) | Q(title__icontains=query.search))
    return rows


def is_in(tab: Tab, *, silent: bool = False) -> Q:
    """Return the condition of a folder. Silent alerts and those of archived clients are not open to anybody."""
    here = Q(client__archived_at__isnull=True)
    if not silent:
        here &= Q(is_silent=False)
    if tab is Tab.OPEN:
        return here & Q(status__in=(AlertStatus.NEW, AlertStatus.ACKNOWLEDGED))
    if tab is Tab.SNOOZED:
        return here & Q(status=AlertStatus.SNOOZED)
    done = Q(status__in=(AlertStatus.DISMISSED, AlertStatus.RESOLVED))
    return done if silent else done & Q(is_silent=False)


def inbox(user: StaffUser, query: InboxQuery, now: datetime, *, page: int = 1, limit: int = PER_PAGE) -> Inbox:
    """Return one page of a folder: the open ones in the order of `inbox_order`, snoozed ones by their return, done ones
    newest first. Three queries at most."""
    rows = narrowed(visible(user).filter(is_in(query.tab, silent=query.silent)), query)
    if query.tab is Tab.OPEN:
        return _open(user, rows, now, page, limit)
    if query.tab is Tab.SNOOZED:
        rows = rows.order_by("snoozed_until", "severity_rank", "pk")
    else:
        rows = rows.annotate(closed_at=closed_at()).order_by(F("closed_at").desc(nulls_last=True), "pk")
    total = rows.order_by().count()
    pages = max(1, -(-total // limit))
    page = max(1, min(page, pages))
    found = rows.select_related(*RELATED)[(page - 1) * limit : page * limit]
    return Inbox(tuple(Entry(alert, None) for alert in found), total, page, pages)


def closed_at() -> Case:
    """Return the expression for when an alert was closed."""
    return Case(
        When(status=AlertStatus.DISMISSED, then=F("dismissed_at")),
        When(status=AlertStatus.RESOLVED, then=F("resolved_at")),
        output_field=DateTimeField(),
    )


def _open(user: StaffUser, rows: QuerySet[Alert], now: datetime, page: int, limit: int) -> Inbox:
    bundles, cut = bundles_of(user, rows, now)
    pages = max(1, -(-len(bundles) // limit))
    page = max(1, min(page, pages))
    shown = bundles[(page - 1) * limit : page * limit]
    ids = [alert_id for bundle in shown for alert_id in bundle.alerts]
    by_id = {alert.pk: alert for alert in Alert.objects.select_related(*RELATED).filter(pk__in=ids)}
    entries = []
    for bundle in shown:
        held = [by_id[alert_id] for alert_id in bundle.alerts if alert_id in by_id]
        if held:
            entries.append(Entry(held[0], bundle.phase, tuple(held[1:])))
    return Inbox(tuple(entries), len(bundles), page, pages, cut)


def bundles_of(user: StaffUser, rows: QuerySet[Alert], now: datetime) -> tuple[list[Bundle], bool]:
    """Return open alerts in the order of the inbox, and whether some were cut off; one query."""
    ordered = rows.order_by("severity_rank", F("arr").desc(nulls_last=True), "created_at")
    columns = ordered.values_list(
        "pk", "client_id", "root_cause", "severity_rank", "arr", "created_at", "respond_by", "status",
        "first_response_at",
    )[: MOST_ARRANGED + 1]  # fmt: skip
    held = list(columns)
    facts = [
        Facts(*row[:7], acknowledged=row[7] == AlertStatus.ACKNOWLEDGED, answered=row[8] is not None)
        for row in held[:MOST_ARRANGED]
    ]
    return arranged(facts, now, zone_of(user)), len(held) > MOST_ARRANGED


def counts(user: StaffUser, query: InboxQuery, now: datetime) -> Counts:
    """Return how many alerts pass the filters in each folder; two queries."""
    rows = narrowed(visible(user), query).order_by()
    found = rows.aggregate(
        open=Count("pk", filter=is_in(Tab.OPEN, silent=query.silent)),
        new=Count("pk", filter=is_in(Tab.OPEN, silent=query.silent) & Q(status=AlertStatus.NEW)),
        snoozed=Count("pk", filter=is_in(Tab.SNOOZED, silent=query.silent)),
        done=Count("pk", filter=is_in(Tab.DONE, silent=query.silent)),
    )
    return Counts(**found, muted=muted_count(user, now))


def new_count(user: StaffUser) -> int:
    """Return how many open alerts nobody has taken on; one query."""
    return visible(user).filter(is_in(Tab.OPEN), status=AlertStatus.NEW).order_by().count()


def fired_lately(alert: Alert, today: date) -> int:
    """Return how often alerts of this type began to hold at the client in the last FIRED_DAYS days, this one included.

    Of an alert that opened before them only its last time is known, so it counts once.
    """
    since = today - timedelta(days=FIRED_DAYS)
    same = Alert.objects.filter(client_id=alert.client_id, alert_type=alert.alert_type, last_fired_on__gt=since)
    rows = same.order_by().values_list("opened_on", "times_fired")
    return sum(times if opened > since else 1 for opened, times in rows)


def chosen(user: StaffUser, ids: Sequence[UUID]) -> list[Alert]:
    """Return the alerts with these ids; Http404 unless `user` may see each of them."""
    wanted = set(ids)
    found = list(visible(user).select_related("client").filter(pk__in=wanted))
    if len(found) != len(wanted):
        get_object_or_404(Alert.objects.none(), pk=None)
    return found


def open_counts(ids: Sequence[UUID]) -> dict[str, int]:
    """Return how many alerts are open, by client id as text; clients without any are left out. One query."""
    rows = Alert.objects.filter(is_in(Tab.OPEN), client__in=ids).order_by()
    return {str(pk): count for pk, count in rows.values_list("client_id").annotate(count=Count("pk"))}


def open_of(client: Any) -> list[Alert]:
    """Return the open alerts of a client, snoozed ones last, the severest first; one query."""
    rows = Alert.objects.filter(client=client, is_silent=False).filter(
        status__in=(AlertStatus.NEW, AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED)
    )
    found = list(rows.select_related("assigned_to").order_by("severity_rank", "-created_at"))
    return sorted(found, key=lambda alert: alert.status == AlertStatus.SNOOZED)
