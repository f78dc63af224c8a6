"""The digest: what a member of staff finds in the mail in the morning. Nothing to say is no mail."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.health.models import HealthScore
from bellwether.notifications.models import Notification
from bellwether.portfolio.choices import HealthStatus
from bellwether.portfolio.follow_ups import DueFollowUp
from bellwether.portfolio.listing import renewing_within
from bellwether.portfolio.models import Client
from bellwether.staff.models import Digest, StaffUser
from bellwether.web.formatting import day, plural, short_money

HOUR = time(7, 0)
LATEST = time(12, 0)
SHOWN = 5
RENEWAL_DAYS = 30
FELL_BY = 5
WORSE = {status: rank for rank, status in enumerate(HealthStatus.values)}


@dataclass(frozen=True)
class Line:
    """One line of a section: a link, and what is said about it."""

    text: str
    detail: str
    path: str


@dataclass(frozen=True)
class Section:
    """A heading with its first lines; `more` says how many there are beyond them and `path` leads to all."""

    title: str
    lines: tuple[Line, ...]
    more: str
    path: str


@dataclass(frozen=True)
class DigestPage:
    """What one mail says."""

    greeting: str
    since: str
    sections: tuple[Section, ...]


def zone_of(user: StaffUser, workspace: ZoneInfo) -> ZoneInfo:
    """Return the zone of a person: the own one, else the workspace's."""
    try:
        return ZoneInfo(user.time_zone) if user.time_zone else workspace
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return workspace


def digest_day(user: StaffUser, *, now: datetime, workspace: ZoneInfo, working_days: Collection[int]) -> date | None:
    """Return the day whose digest is due now for `user`; None when none is.

    It is due from 7 to 12 in the morning of the person's zone, on working days (ISO weekdays), weekly ones on Mondays.
    """
    local = now.astimezone(zone_of(user, workspace))
    if not HOUR <= local.time() < LATEST:
        return None
    if user.digest == Digest.DAILY:
        return local.date() if local.isoweekday() in working_days else None
    return local.date() if user.digest == Digest.WEEKLY and local.isoweekday() == 1 else None


def since_day(user: StaffUser, on: date, working_days: Collection[int]) -> date:
    """Return the day that the digest of `on` looks back to: a week before, or the last working day."""
    if user.digest == Digest.WEEKLY:
        return on - timedelta(days=7)
    back = on - timedelta(days=1)
    while working_days and back.isoweekday() not in working_days:
        back -= timedelta(days=1)
    return back


def digest_of(
    user: StaffUser, *, due: Sequence[DueFollowUp], scorecard: str, on: date, since: date, now: datetime, zone: ZoneInfo
) -> DigestPage:
    """Return the digest of a person, from what that person may see. `due` are the workspace's due follow-ups; `on` and
    `since` days of it; `scorecard` is the main one. Five queries."""
    today = day_of(now, zone)
    sections = [
        _follow_ups(_mine(user, due), today),
        _fell(user, scorecard, since),
        _renewals(user, today),
        _news(user, since, zone),
    ]
    return DigestPage(
        greeting=f"Good morning, {user.first_name}.",
        since=f"Since {day(since, today)}.",
        sections=tuple(section for section in sections if section is not None),
    )


def _mine(user: StaffUser, due: Sequence[DueFollowUp]) -> list[DueFollowUp]:
    """Return the follow-ups of `user` about clients that `user` still sees."""
    own = [one for one in due if one.owner_id == user.pk]
    wanted = {one.client_id for one in own}
    seen = set(Client.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    return [one for one in own if one.client_id in seen]


def _section(title: str, lines: Sequence[Line], path: str, total: int | None = None) -> Section | None:
    if not lines:
        return None
    left = (len(lines) if total is None else total) - SHOWN
    return Section(title, tuple(lines[:SHOWN]), f"and {left:,} more" if left > 0 else "", path)


def _follow_ups(mine: Sequence[DueFollowUp], today: date) -> Section | None:
    lines = [
        Line(
            f"{one.client_name}: {one.what}",
            f"{plural(one.days_overdue, 'day')} overdue" if one.days_overdue > 0 else f"due {day(one.due_on, today)}",
            reverse("client", args=[one.client_id]),
        )
        for one in sorted(mine, key=lambda one: (one.due_on, one.client_name))
    ]
    late = sum(one.days_overdue > 0 for one in mine)
    title = f"{plural(len(lines), 'follow-up')} due" + (f", {late} overdue" if late else "")
    return _section(title, lines, reverse("follow_ups"))


def _fell(user: StaffUser, scorecard: str, since: date) -> Section | None:
    """Return the clients whose status is worse than on `since`, or whose score fell by 5 points or more."""
    scores = HealthScore.objects.visible_to(user).filter(
        scorecard=scorecard, date=since, overall_score__isnull=False, client__archived_at__isnull=True,
        client__current_health_score__isnull=False, client__scored_on__gt=since,
    )  # fmt: skip
    fields = ("client_id", "client__name", "overall_score", "status", "client__current_health_score",
              "client__health_status")  # fmt: skip
    fell: list[tuple[bool, int, str, UUID, int, int, str]] = []
    for client_id, name, before, status, after, now_status in scores.values_list(*fields):
        crossed = WORSE.get(now_status, 0) > WORSE.get(status, 0)
        if crossed or before - after >= FELL_BY:
            fell.append((not crossed, after - before, name, client_id, before, after, now_status))
    lines = [
        Line(name, f"from {before} to {after}, {HealthStatus(status).label.lower()}", reverse("client", args=[pk]))
        for _, _, name, pk, before, after, status in sorted(fell)
    ]
    return _section(f"{plural(len(lines), 'client')} fell", lines, reverse("portfolio") + "?sort=trend")


def _renewals(user: StaffUser, today: date) -> Section | None:
    coming = Client.objects.visible_to(user).active().filter(renewing_within(RENEWAL_DAYS, today))
    count = coming.count()
    lines = [
        Line(
            one.name,
            f"{day(one.next_renewal_date, today)}, {short_money(one.annual_recurring_revenue)}",
            reverse("client", args=[one.pk]),
        )
        for one in coming.order_by("next_renewal_date", "name")[:SHOWN]
    ]
    title = f"{plural(count, 'renewal')} in {RENEWAL_DAYS} days"
    return _section(title, lines, f"{reverse('portfolio')}?renewal_within={RENEWAL_DAYS}&sort=renewal", count)


def _news(user: StaffUser, since: date, zone: ZoneInfo) -> Section | None:
    start = datetime.combine(since, HOUR, tzinfo=zone_of(user, zone))
    unread = Notification.objects.visible_to(user).unread().filter(created_at__gte=start).exclude(kind="follow_up")
    count = unread.count()
    lines = [
        Line(one.title, one.text, one.href or reverse("notifications"))
        for one in unread.order_by("-created_at")[:SHOWN]
    ]
    return _section(f"{plural(count, 'unread notification')}", lines, reverse("notifications"), count)
