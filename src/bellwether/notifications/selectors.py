"""Reads of notifications for the bell and the page."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404

from bellwether.notifications.models import Notification
from bellwether.staff.models import StaffUser

MOST_COUNTED = 100
STATES = ("unread", "all", "archived")


@dataclass(frozen=True)
class NotificationQuery:
    """What a list shows: `state` is one of STATES, `kind` a kind's key or empty for all."""

    state: str = "all"
    kind: str = ""


def unread_count(user: StaffUser) -> int:
    """Return how many notifications wait for `user`, at most MOST_COUNTED; one query on an index."""
    unread = Notification.objects.visible_to(user).unread().order_by()
    return len(unread.values_list("pk", flat=True)[:MOST_COUNTED])


def listed(user: StaffUser, query: NotificationQuery) -> QuerySet[Notification]:
    """Return the notifications that the query asks for, newest first, with their clients."""
    seen = Notification.objects.visible_to(user).select_related("client")
    if query.kind:
        seen = seen.filter(kind=query.kind)
    if query.state == "archived":
        return seen.filter(archived_at__isnull=False)
    return seen.unread() if query.state == "unread" else seen.current()


def newest(user: StaffUser, count: int) -> list[Notification]:
    """Return the newest `count` notifications that are not archived."""
    return list(listed(user, NotificationQuery())[:count])


def kind_counts(user: StaffUser, state: str) -> dict[str, int]:
    """Return how many notifications of `state` there are of each kind that has any."""
    rows = listed(user, NotificationQuery(state=state)).order_by().values_list("kind").annotate(Count("pk"))
    return dict(rows)


def find(user: StaffUser, notification_id: UUID) -> Notification:
    """Return the notification; Http404 for another's, and for one about a client that the user no longer sees."""
    seen = Notification.objects.visible_to(user).select_related("client")
    found: Notification = get_object_or_404(seen, pk=notification_id)
    return found
