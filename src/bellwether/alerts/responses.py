"""How long alerts waited for the first reaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from bellwether.alerts.models import Alert
from bellwether.alerts.selectors import visible
from bellwether.common.time import day_of
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class Response:
    """Alerts of a period: median hours to the first reaction (None while nobody reacted), how many there were, how
    many were answered, and the median hours in which an answer was asked for (None where none was)."""

    median_hours: float | None
    alerts: int
    answered: int
    target_hours: float | None


def response_this_month(user: StaffUser, now: datetime) -> Response:
    """Return how quickly alerts of this month, of clients that `user` may see, were answered; one query."""
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    rows = made_in(visible(user), today.replace(day=1), today)
    return summed(rows.values_list("created_at", "first_response_at", "respond_by"))


def responses_by_csm(csms: Collection[UUID], first: date, last: date) -> dict[UUID, Response]:
    """Return how quickly alerts made from `first` to `last` were answered, by the CSM of their client; one query."""
    rows = made_in(Alert.objects.filter(client__csm_user_id__in=list(csms)), first, last)
    held: dict[UUID, list[tuple[datetime, datetime | None, datetime | None]]] = defaultdict(list)
    columns = ("client__csm_user_id", "created_at", "first_response_at", "respond_by")
    for csm, made, answered, until in rows.values_list(*columns):
        if csm is not None:
            held[csm].append((made, answered, until))
    return {csm: summed(times) for csm, times in held.items()}


def made_in(rows: QuerySet[Alert], first: date, last: date) -> QuerySet[Alert]:
    """Return the alerts that people were told about, made on the workspace's days `first` to `last`."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    start = datetime.combine(first, time(), tzinfo=zone)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    return rows.filter(is_silent=False, created_at__gte=start, created_at__lt=end).order_by()


def summed(times: Iterable[tuple[datetime, datetime | None, datetime | None]]) -> Response:
    """Return the figures of (made, first reaction, asked for until) of alerts. Pure."""
    waited, targets, count = [], [], 0
    for made, answered, until in times:
        count += 1
        if answered is not None:
            waited.append(max(0.0, (answered - made).total_seconds() / 3600))
        if until is not None:
            targets.append((until - made).total_seconds() / 3600)
    return Response(
        median_hours=median(waited) if waited else None,
        alerts=count,
        answered=len(waited),
        target_hours=median(targets) if targets else None,
    )
