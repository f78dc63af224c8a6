"""Jobs of alerts: looking for them soon after scores or records changed, what comes due by the clock, and old ones."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Q, QuerySet

from bellwether.alerts.models import Alert, AlertSetting
from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import start_of
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Change, Client, Contact, ContractPeriod, SupportTicket, SurveyResponse

SWEEP_EVERY = timedelta(seconds=5)
AT_LEAST_EVERY = timedelta(hours=1)
PAUSE_TIMES, LONGEST_PAUSE = 5, timedelta(seconds=20)
"""A run starts no sooner than five times as long as the last one took after that one's start, or after 20 seconds."""
READ: tuple[Any, ...] = (Client, Contact, ContractPeriod, SupportTicket, SurveyResponse, AlertSetting)
"""Records that alerts are found in besides scores and use; all know when they were changed."""
AT_ONCE = 1_000


@job("alerts", every=SWEEP_EVERY, requestable=True)
def alerts(context: JobContext) -> Counts | None:
    """Look for alerts when scores, records or settings changed since the last look, and at least once an hour."""
    started = time.perf_counter()
    asked = context.run is not None
    if not asked and not (HealthScore.objects.exists() and _is_due(context.now)):
        return None
    from bellwether.alerts.services import evaluate  # Polars only where it runs

    done = evaluate(now=context.now, progress=context)
    return done.as_counts() | {"milliseconds": max(1, round(1000 * (time.perf_counter() - started)))}


@job("alert_clock", every=timedelta(minutes=1), requestable=True)
def alert_clock(context: JobContext) -> Counts:
    """Bring back alerts whose snooze is over, and tell those above of critical ones that nobody responded to."""
    from bellwether.alerts.escalating import escalate_unanswered
    from bellwether.alerts.waking import wake_snoozed

    return {"returned": wake_snoozed(context.now), "escalated": escalate_unanswered(context.now)}


@job("old_alerts", cron="37 2 * * *", requestable=True)
def old_alerts(context: JobContext) -> Counts:
    """Remove alerts that ended longer ago than BELLWETHER_KEEP_ALERTS_DAYS; every night."""
    return {"removed": remove_old(context.now)}


def remove_old(now: datetime) -> int:
    """Remove alerts, with their events, that ended more than BELLWETHER_KEEP_ALERTS_DAYS before `now`; return how many.

    0 days keeps them for ever. Those that still hold stay however old they are. Doing it again removes nothing more.
    """
    days = settings.BELLWETHER_KEEP_ALERTS_DAYS
    if not days:
        return 0
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    since = (now.astimezone(zone) - timedelta(days=days)).date()
    old = Alert.objects.filter(ended_on__lt=since, created_at__lt=start_of(since, zone)).order_by()
    removed = 0
    while ids := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        Alert.objects.filter(pk__in=ids).delete()
        removed += len(ids)
    return removed


def _is_due(now: datetime) -> bool:
    """Return whether something that alerts are found in changed since the last look, or an hour passed."""
    last = _runs("alerts").order_by("-started_at").first()
    if last is None or last.started_at is None or now - last.started_at >= AT_LEAST_EVERY:
        return True
    pause = min(PAUSE_TIMES * timedelta(milliseconds=last.counts.get("milliseconds", 0)), LONGEST_PAUSE)
    if pause > SWEEP_EVERY and now - last.started_at < pause:
        return False
    since = last.started_at
    scored = _runs("score").aggregate(last=Max("finished_at"))["last"]
    return (
        (scored is not None and scored > since)
        or any(model.objects.filter(updated_at__gt=since).exists() for model in READ)
        or Change.objects.filter(Q(made_at__gt=since) | Q(undone_at__gt=since)).exists()
        or AlertSetting.objects.filter(muted_until__gt=since, muted_until__lte=now).exists()
    )


def _runs(name: str) -> QuerySet[JobRun]:
    found: QuerySet[JobRun] = JobRun.objects.filter(name=name, state=JobState.DONE)
    return found
