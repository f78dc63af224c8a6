"""Reads of what is due: open follow-ups and planned activities, and who has to see to them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, F, Q, When

from bellwether.common.time import day_of, end_of, start_of
from bellwether.portfolio.agenda import Item, Kind, Phase, week_end
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.models import Activity
from bellwether.staff.models import SEES_ALL_CLIENTS, Role, StaffUser

DONE_LATELY = timedelta(days=14)
MOST_OPEN, MOST_DONE = 100, 50
OPEN = Q(follow_up_required=True, follow_up_completed_at__isnull=True)
PLANNED = Q(completed_at__isnull=True)
JOINED = ("client", "performed_by", "client__csm_user", "follow_up_contact")
NEEDED = (
    "activity_type", "label", "subject", "occurred_at", "completed_at", "follow_up_date", "follow_up_text",
    "follow_up_remind_on", "follow_up_completed_at", "client__name", "client__csm_user__first_name",
    "client__csm_user__last_name", "performed_by__first_name", "performed_by__last_name", "follow_up_contact__name",
)  # fmt: skip


@dataclass(frozen=True)
class AgendaQuery:
    """What of the agenda is asked for: own items or those of all clients seen; of one kind, person, client."""

    mine: bool = True
    kind: Kind | None = None
    owner_id: UUID | None = None
    client_id: UUID | None = None
    search: str = ""


def _sees_the_client() -> Q:
    """Return the condition that the one who did an activity still sees its client; the rule of `visible_clients`."""
    return Q(performed_by__is_active=True) & (
        Q(performed_by__role__in=SEES_ALL_CLIENTS)
        | Q(performed_by__role=Role.AE, client__ae_user_id=F("performed_by_id"))
        | Q(performed_by__role__in=(Role.CSM, Role.SENIOR_CSM), client__csm_user_id=F("performed_by_id"))
        | Q(performed_by__role=Role.SENIOR_CSM, client__csm_user__team_id=F("performed_by__team_id"))
    )


def _kept() -> Any:
    """Return activities that are not archived, of clients that are not."""
    return Activity.objects.filter(archived_at__isnull=True, client__archived_at__isnull=True)


def _owned(rows: Any) -> Any:
    """Return the activities with `owner_id`: who has to see to them."""
    return rows.annotate(
        owner_id=Case(When(_sees_the_client(), then=F("performed_by_id")), default=F("client__csm_user_id"))
    )


def _asked(user: StaffUser, query: AgendaQuery, *, owned: bool = True) -> Any:
    """Return what is asked for, with `owner_id` where `owned` or where the question needs it."""
    found = _kept().visible_to(user)
    if owned or query.mine or query.owner_id is not None:
        found = _owned(found)
    if query.mine:
        found = found.filter(owner_id=user.pk)
    if query.owner_id is not None:
        found = found.filter(owner_id=query.owner_id)
    if query.client_id is not None:
        found = found.filter(client_id=query.client_id)
    if query.search:
        words = Q(client__name__icontains=query.search) | Q(subject__icontains=query.search)
        found = found.filter(words | Q(follow_up_text__icontains=query.search))
    return found.order_by()


def agenda(user: StaffUser, query: AgendaQuery, *, now: datetime, done: bool = True) -> list[Item]:
    """Return what is open and, with `done`, what was done in the last 14 days, unsorted; at most four queries.

    At most MOST_OPEN open items of each kind come back, the soonest, and MOST_DONE that are done, the newest.
    """
    rows = _asked(user, query).select_related(*JOINED).only(*NEEDED)
    since = now - DONE_LATELY
    found: list[Item] = []
    if query.kind in {None, Kind.FOLLOW_UP}:
        order = F("follow_up_date").asc(nulls_last=True)
        found += [follow_up_item(one) for one in rows.filter(OPEN).order_by(order, "pk")[:MOST_OPEN]]
        if done:
            over = rows.filter(follow_up_required=True, follow_up_completed_at__gte=since)
            found += [follow_up_item(one) for one in over.order_by("-follow_up_completed_at")[:MOST_DONE]]
    if query.kind in {None, Kind.PLANNED}:
        found += [planned_item(one) for one in rows.filter(PLANNED).order_by("occurred_at", "pk")[:MOST_OPEN]]
        if done:
            over = rows.filter(scheduled_for__isnull=False, completed_at__gte=since)
            found += [planned_item(one) for one in over.order_by("-completed_at")[:MOST_DONE]]
    return found


def counts(user: StaffUser, query: AgendaQuery, *, today: date) -> dict[Phase, int]:
    """Return how many items are open in each phase but DONE; two queries, one for each kind."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    start, end, later = start_of(today, zone), end_of(today, zone), end_of(week_end(today), zone)
    sunday = week_end(today)
    follow_up = {
        Phase.OVERDUE: Q(follow_up_date__lt=today),
        Phase.TODAY: Q(follow_up_date=today),
        Phase.THIS_WEEK: Q(follow_up_date__gt=today, follow_up_date__lte=sunday),
        Phase.LATER: Q(follow_up_date__gt=sunday) | Q(follow_up_date__isnull=True),
    }
    planned = {
        Phase.OVERDUE: Q(occurred_at__lt=start),
        Phase.TODAY: Q(occurred_at__gte=start, occurred_at__lt=end),
        Phase.THIS_WEEK: Q(occurred_at__gte=end, occurred_at__lt=later),
        Phase.LATER: Q(occurred_at__gte=later),
    }
    found = dict.fromkeys(follow_up, 0)
    for kind, part, when in ((Kind.FOLLOW_UP, OPEN, follow_up), (Kind.PLANNED, PLANNED, planned)):
        if query.kind in {None, kind}:
            wanted = {phase.value: Count("pk", filter=condition) for phase, condition in when.items()}
            held = _asked(user, query, owned=False).filter(part).aggregate(**wanted)
            for phase in when:
                found[phase] += held[phase.value]
    return found


def due_count(user: StaffUser, *, today: date) -> int:
    """Return how many of the user's own items are due today or overdue, for the mark in the rail.

    One query, of parts that an index answers each: it is asked with every page.
    """
    end = end_of(today, settings.BELLWETHER_WORKSPACE_ZONE)
    seen = _kept().visible_to(user).order_by()
    own = seen.filter(performed_by=user)  # who sees the client and did it is its owner
    handed = _owned(seen.filter(client__csm_user=user).exclude(performed_by=user)).filter(owner_id=user.pk)
    due = (OPEN & Q(follow_up_date__lte=today), PLANNED & Q(occurred_at__lt=end))
    first, *rest = (rows.filter(part).values_list("pk") for rows in (own, handed) for part in due)
    return int(first.union(*rest, all=True).count())


def owners(user: StaffUser) -> list[tuple[UUID, str]]:
    """Return who has open items among the clients that `user` sees, by name; two queries."""
    held = _asked(user, AgendaQuery(mine=False))
    promised, planned = (held.filter(part).values_list("owner_id", flat=True) for part in (OPEN, PLANNED))
    ids: set[UUID | None] = set(promised.union(planned))
    people = StaffUser.objects.filter(pk__in=[one for one in ids if one])
    return [(one.pk, one.name) for one in people.order_by("first_name", "last_name")]


def follow_up_item(activity: Activity) -> Item:
    """Return the follow-up of an activity; one of `agenda` costs no query."""
    what = activity.follow_up_text or f"Follow up: {activity.subject}"
    return _item(
        activity,
        kind=Kind.FOLLOW_UP,
        what=what,
        about=activity.subject if activity.follow_up_text else "",
        on=activity.follow_up_date,
        contact=activity.follow_up_contact.name if activity.follow_up_contact else "",
        remind_on=activity.follow_up_remind_on,
        done_at=activity.follow_up_completed_at,
    )


def planned_item(activity: Activity) -> Item:
    """Return an activity that is, or was, planned."""
    return _item(
        activity,
        kind=Kind.PLANNED,
        what=activity.subject,
        about="",
        on=day_of(activity.occurred_at, settings.BELLWETHER_WORKSPACE_ZONE),
        at=activity.occurred_at,
        done_at=activity.completed_at,
    )


def _item(activity: Any, **fields: Any) -> Item:
    people = [activity.performed_by, activity.client.csm_user]
    owner = next((one for one in people if one is not None and one.pk == activity.owner_id), None)
    return Item(
        activity_id=activity.pk,
        client_id=activity.client_id,
        client_name=activity.client.name,
        activity_type=activity.activity_type,
        label=activity_label(activity),
        owner_id=activity.owner_id,
        owner=owner.name if owner else "",
        **fields,
    )


@dataclass(frozen=True)
class DueFollowUp:
    """An open follow-up to tell somebody about. `days_overdue` is negative when only its reminder has come.

    `owner_id` is who has to see to it, None where nobody looks after the client.
    """

    activity_id: UUID
    client_id: UUID
    client_name: str
    owner_id: UUID | None
    what: str
    due_on: date
    remind_on: date | None
    days_overdue: int


def due_follow_ups(now: datetime, today: date) -> list[DueFollowUp]:
    """Return the open follow-ups of the whole workspace whose reminder or date has come by `today`, oldest first.

    Those of archived clients and activities, and of activities that took place after `now`, are left out. One query.
    """
    held = _owned(_kept()).filter(OPEN, follow_up_date__isnull=False, occurred_at__lte=now)
    come = held.filter(Q(follow_up_date__lte=today) | Q(follow_up_remind_on__lte=today))
    found = []
    for activity in come.select_related(*JOINED).only(*NEEDED).order_by("follow_up_date", "pk"):
        item = follow_up_item(activity)
        if item.on is not None:
            found.append(
                DueFollowUp(
                    item.activity_id,
                    item.client_id,
                    item.client_name,
                    item.owner_id,
                    item.what,
                    item.on,
                    item.remind_on,
                    (today - item.on).days,
                )
            )
    return found
