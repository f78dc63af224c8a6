"""Retention: what is older than the settings keep goes, every night and on demand."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of, start_of
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Activity
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.lake_locks import rollup_lock
from bellwether.usage.retention_lake import Retained, retain
from bellwether.usage.workspace import workspace_lake

AT_ONCE = 2_000
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Retention:
    """What went or would go: of the lake, scores before `scores_from` and activities before `activities_from`, where
    None means that all are kept."""

    lake: Retained
    scores_from: date | None
    scores: int
    activities_from: date | None
    activities: int

    @property
    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        numbers = {name: value for name, value in asdict(self.lake).items() if isinstance(value, int)}
        return numbers | {"scores": self.scores, "activities": self.activities}


def apply_retention(
    *, now: datetime, actor: StaffUser | None = None, progress: Progress | None = None, dry_run: bool = False
) -> Retention:
    """Remove what is older than the settings keep and return what went; in a dry run only say what would.

    Rows go in batches. Doing it again removes nothing more; one that was cut off is finished by the next. Raises
    RollupBusyError when a rollup does not end within ten minutes.
    """
    progress, lake = progress or NoProgress(), workspace_lake()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    days = settings.BELLWETHER_KEEP_USAGE_DAYS
    if dry_run:
        retained = retain(lake, today=today, keep_days=days, progress=progress, dry_run=True)
    else:
        with rollup_lock(lake, wait_seconds=PATIENCE_SECONDS):
            retained = retain(lake, today=today, keep_days=days, progress=progress)
    scores_from = _since(today, settings.BELLWETHER_KEEP_SCORES_DAYS)
    activities_from = _since(today, settings.BELLWETHER_KEEP_ACTIVITIES_DAYS)
    done = Retention(
        retained,
        scores_from,
        _remove(_old_scores(scores_from), "scores", progress, dry_run),
        activities_from,
        _remove(_old_activities(activities_from), "activities", progress, dry_run),
    )
    if not dry_run and any(done.counts.values()):
        limits = {"events": retained.events_from, "facts": retained.facts_from}
        limits |= {"scores": scores_from, "activities": activities_from}
        detail = done.counts | {f"{name}_kept_from": str(day) for name, day in limits.items() if day}
        record(actor=actor, action="retention.apply", object_type="workspace", detail=detail, now=now)
    return done


def _since(today: date, days: int) -> date | None:
    return today - timedelta(days=days) if days else None


def _old_scores(since: date | None) -> QuerySet[Any]:
    return HealthScore.objects.filter(date__lt=since) if since else HealthScore.objects.none()


def _old_activities(since: date | None) -> QuerySet[Any]:
    """Return activities that ended before `since` and wait for nothing."""
    if since is None:
        return Activity.objects.none()
    begin = start_of(since, settings.BELLWETHER_WORKSPACE_ZONE)
    old = Activity.objects.filter(occurred_at__lt=begin)
    return old.exclude(scheduled_for__gte=begin).exclude(completed_at__gte=begin).exclude(follow_up_date__gte=since)


def _remove(rows: QuerySet[Any], what: str, progress: Progress, dry_run: bool) -> int:
    total = rows.count()
    if dry_run or not total:
        return total
    progress.start(f"Removing {total:,} {what}", total)
    removed = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:AT_ONCE]):
        removed += _remove_batch(rows, ids)
        progress.advance(len(ids))
    return removed


def _remove_batch(rows: QuerySet[Any], ids: Iterable[Any]) -> int:
    with transaction.atomic():
        _, counts = rows.model._default_manager.filter(pk__in=list(ids)).delete()
    return int(counts.get(rows.model._meta.label, 0))
