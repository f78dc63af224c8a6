"""The scorecard of CSMs as one reader may see it, and the figures of one CSM."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.http import Http404

from bellwether.analytics import reading, scorecard
from bellwether.analytics.alert_response import alert_responses
from bellwether.analytics.book import Records, book_on
from bellwether.analytics.churn_reading import churn_book
from bellwether.analytics.executive import Asked, Workspace, records_for, trend_days
from bellwether.analytics.executive_churn import at_stake_by_csm
from bellwether.analytics.figures import EMPTY, Movements, TrendPoint, level_of, levels_by, movements, trend
from bellwether.analytics.keeping import kept
from bellwether.analytics.periods import months_before
from bellwether.analytics.reading import Scope
from bellwether.analytics.retention import by_csm, cohort, retention_of
from bellwether.analytics.scorecard import NO_NPS, CsmRow, Sight, Spread
from bellwether.analytics.workload import workloads
from bellwether.common.time import end_of, start_of
from bellwether.portfolio.models import Activity
from bellwether.staff.models import Role, StaffUser

MOST_FOLLOW_UPS = 20


def may_see_scorecard(user: StaffUser) -> bool:
    """Return whether the role has a scorecard of CSMs at all: account executives have none."""
    return user.is_active and (user.sees_all_clients or user.role in reading.CSM_ROLES)


def known_csms(user: StaffUser, csms: Sequence[StaffUser]) -> list[StaffUser]:
    """Return the CSMs whose figures `user` sees by name: all for who sees all clients, the team for a senior, oneself
    for a CSM."""
    if not may_see_scorecard(user):
        return []
    if user.sees_all_clients:
        return list(csms)
    leads = user.role == Role.SENIOR_CSM and user.team_id is not None
    return [one for one in csms if one.pk == user.pk or (leads and one.team_id == user.team_id)]


def csm_rows(asked: Asked, space: Workspace) -> list[CsmRow]:
    """Return the figures of every active CSM over all of their clients, by name. For sums and veils only: what a reader
    may see of them is `csm_sight`'s matter."""
    key = ("csm-rows", asked.period, space.today, space.scorecard, space.limits)
    return kept(key, lambda: _rows(asked, space), seconds=reading.KEPT_SECONDS, since=space.since)


def _rows(asked: Asked, space: Workspace) -> list[CsmRow]:
    period, since = asked.period, space.since
    found = records_for(Scope(None), asked, space)
    today = book_on(found, space.today)
    levels = levels_by(today, "csm")
    cohort_rows = cohort(found, period.last)
    kept_by = by_csm(cohort_rows, period.last)
    nobody = retention_of(cohort_rows.clear(), period.last)
    changes = _health_changes(found, period.before, period.last)
    work = workloads(today)
    nps = reading.nps_by_csm(period.last, since=since)
    done = reading.activity_counts(period.first, period.last, since=since)
    overdue = reading.overdue_counts(today=space.today, since=since)
    people = reading.csms(since=since)
    stakes = at_stake_by_csm(churn_book(Scope(None), today=space.today, since=since))
    waited = alert_responses([one.pk.hex for one in people], period.first, period.last)
    return [
        CsmRow(
            key=(hexed := one.pk.hex),
            name=one.name,
            team=one.team.name if one.team else "",
            now=levels.get(hexed, EMPTY),
            retention=kept_by.get(hexed, nobody),
            nps=nps.get(hexed, NO_NPS),
            health_change=changes.get(hexed),
            activities=done.get(hexed, {}),
            overdue=overdue.get(hexed, 0),
            workload=work.get(hexed, 0.0),
            alerts=waited.get(hexed) if waited is not None else None,
            at_stake=stakes.get(hexed),
        )
        for one in people
    ]


def _health_changes(found: Records, before: date, last: date) -> dict[str, float]:
    then = book_on(found, before).filter(pl.col("score").is_not_null()).select("key", pl.col("score").alias("then"))
    both = book_on(found, last).filter(pl.col("score").is_not_null()).join(then, on="key")
    rows = both.group_by("csm").agg((pl.col("score").mean() - pl.col("then").mean()).alias("change"))
    return {str(csm): change for csm, change in rows.select("csm", "change").iter_rows() if csm}


def csm_sight(user: StaffUser, asked: Asked, space: Workspace, *, team_view: bool = False) -> Sight | None:
    """Return the scorecard as `user` may see it; None for roles without one.

    `team_view`: as a CSM would see it, for those who see names, so that it can be shown in a meeting.
    """
    if not may_see_scorecard(user):
        return None
    rows, days = csm_rows(asked, space), asked.period.days
    if user.sees_all_clients and not team_view:
        return scorecard.by_name(rows, days)
    known = set() if team_view else {one.pk.hex for one in known_csms(user, reading.csms(since=space.since))}
    return scorecard.veiled(rows, known=known, days=days, seed=_seed(user, asked, space.today))


def _seed(user: StaffUser, asked: Asked, today: date) -> str:
    text = f"csm-order:{user.pk}:{asked.period.first}:{asked.period.last}:{today}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class FollowUp:
    """A follow-up that is overdue: the client, what was agreed, when it was due, and for how many days."""

    client_id: UUID
    client: str
    text: str
    due: date
    days: int


@dataclass(frozen=True)
class CsmView:
    """One CSM: the row, where all CSMs are (by rate; empty where too few), the own book's course, and what to look at.

    `months` are the activities of twelve months by type, oldest first. `lost` are (name, key, ARR at start, day).
    `activities_before` are those of the days before the period, as many.
    """

    user: StaffUser
    asked: Asked
    today: date
    row: CsmRow
    spreads: dict[str, Spread]
    hidden: str
    trend: list[TrendPoint]
    months: list[tuple[date, dict[str, int]]]
    moves: Movements
    lost: list[tuple[str, str, float, date | None]]
    follow_ups: list[FollowUp]
    activities_before: dict[str, int]
    average_before: float | None


def csm_view(reader: StaffUser, csm_id: UUID, asked: Asked, space: Workspace) -> CsmView:
    """Return the figures of one CSM whom `reader` sees by name; Http404 for anybody else."""
    people = {one.pk: one for one in known_csms(reader, reading.csms(since=space.since))}
    if csm_id not in people:
        raise Http404
    rows = csm_rows(asked, space)
    row = next((one for one in rows if one.key == csm_id.hex), None)
    if row is None:
        raise Http404
    period = asked.period
    sight = csm_sight(reader, asked, space)
    found = records_for(Scope(None), asked, space).of_csm(csm_id.hex)
    book, earlier = book_on(found, period.last), book_on(found, period.before)
    lost = cohort(found, period.last).filter("lost").sort("lost_on", descending=True, nulls_last=True)
    earlier_counts = reading.activity_counts(period.earlier_first, period.before, since=space.since)
    return CsmView(
        user=people[csm_id],
        asked=asked,
        today=space.today,
        row=row,
        spreads=dict(sight.spreads) if sight else {},
        hidden=sight.hidden if sight else "",
        trend=trend(found, trend_days(period.last)),
        months=_months(csm_id, period.last),
        moves=movements(earlier, book),
        lost=[
            (name, key, arr, on)
            for name, key, arr, on in lost.select("name", "key", "arr_start", "lost_on").iter_rows()
        ],
        follow_ups=_follow_ups(csm_id, space.today),
        activities_before=earlier_counts.get(csm_id.hex, {}),
        average_before=level_of(earlier).average if earlier.height else None,
    )


def _months(csm_id: UUID, last: date) -> list[tuple[date, dict[str, int]]]:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    firsts = [months_before(last.replace(day=1), month) for month in range(11, -1, -1)]
    done = Activity.objects.filter(
        performed_by_id=csm_id, archived_at__isnull=True, completed_at__gte=start_of(firsts[0], zone),
        completed_at__lt=end_of(last, zone),
    )  # fmt: skip
    counted = (
        done.order_by().annotate(month=TruncMonth("completed_at", tzinfo=zone)).values_list("month", "activity_type")
    )
    found: dict[date, dict[str, int]] = {first: {} for first in firsts}
    for month, kind, count in counted.annotate(n=Count("pk")):
        found[month.date()][kind] = count
    return sorted(found.items())


def _follow_ups(csm_id: UUID, today: date) -> list[FollowUp]:
    rows = Activity.objects.filter(reading.overdue(today), client__csm_user_id=csm_id, client__archived_at__isnull=True)
    wanted = rows.order_by("follow_up_date", "pk").values_list(
        "client_id", "client__name", "follow_up_text", "subject", "follow_up_date"
    )
    return [
        FollowUp(client_id, name, text or subject, due, (today - due).days)
        for client_id, name, text, subject, due in wanted[:MOST_FOLLOW_UPS]
        if due is not None
    ]
