"""Jobs that keep the scores: days that owe scores, and today at least every hour."""

import time
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.health import (
    backtest_jobs,  # noqa: F401 (declares the job that makes back-tests)
    usage_jobs,  # noqa: F401 (declares the job that keeps what usage is compared with)
)
from bellwether.health.portfolio_reading import keep_portfolio_use
from bellwether.health.retention import apply_retention
from bellwether.health.score_faults import verify_nightly
from bellwether.health.scorecards_in_use import scorecards_in_use
from bellwether.health.services import ScoreCounts, score_client_today, score_dates
from bellwether.portfolio.models import Client
from bellwether.usage.dirty import pending, settle
from bellwether.usage.models import DirtyScore

KEPT_DAYS = 1_095
AT_LEAST_EVERY = timedelta(hours=1)
DAYS_AT_ONCE = 180
SWEEP_EVERY = timedelta(seconds=5)
PAUSE_TIMES, LONGEST_PAUSE = 10, timedelta(seconds=60)
"""A run starts no sooner than ten times as long as the last one took after that one's start, or after a minute."""


@job("score", every=SWEEP_EVERY, requestable=True)
def score(context: JobContext) -> Counts | None:
    """Score the days that owe scores (of the last 1,095, if so many are kept) and today, at least once an hour.

    Marks are settled after each 180 days, when their scores are stored: a run that is killed goes on where it was.
    Today is scored with each 180 days, so that a long run over the past does not keep what happens now waiting. With
    events coming in all the time a run takes a tenth of one core at most, unless it takes more than six seconds.
    """
    started = time.perf_counter()
    today = day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE)
    owed = {day: version for day, version in pending(DirtyScore).items() if day <= today}
    too_old = {day: version for day, version in owed.items() if (today - day).days >= _kept_days()}
    settle(DirtyScore, too_old)
    due = {day: version for day, version in owed.items() if day not in too_old}
    asked = context.run is not None
    wanted = asked or _hour_has_passed(context.now) or (bool(due) and not _too_soon(context.now))
    if not wanted or not Client.objects.exists():
        return None
    days = sorted({*due, today})
    total = ScoreCounts()
    for start in range(0, len(days), DAYS_AT_ONCE):
        part = days[start : start + DAYS_AT_ONCE]
        total += score_dates({*part, today}, now=context.now, progress=context, scorecards=scorecards_in_use())
        settle(DirtyScore, {day: due[day] for day in part if day in due})
    return total.as_dict() | {"milliseconds": round(1000 * (time.perf_counter() - started))}


def _kept_days() -> int:
    """Return how far back scores are made again: no score that is not kept, none of days whose facts are not."""
    kept = (settings.BELLWETHER_KEEP_USAGE_DAYS, settings.BELLWETHER_KEEP_SCORES_DAYS)
    return min([KEPT_DAYS, *(days for days in kept if days)])


@job("peers", every=timedelta(minutes=1), requestable=True)
def peers(context: JobContext) -> Counts:
    """Make the use of all clients, with which pages compare one, if facts or scores were made since the last time."""
    return {"clients": keep_portfolio_use(now=context.now)}


@job("retention", cron="17 2 * * *", requestable=True)
def retention(context: JobContext) -> Counts:
    """Remove what is older than the settings keep; every night."""
    return apply_retention(now=context.now, progress=context).counts


@job("verify_scores", cron="23 3 * * *", requestable=True)
def verify(context: JobContext) -> Counts:
    """Check a draw of stored scores, and those that did not hold before, against their inputs; every night."""
    found = verify_nightly(today=day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE), now=context.now)
    return {"checked": found.checked, "without_seal": found.without_seal, "faulty": len(found.faults)}


def _too_soon(now: datetime) -> bool:
    """Return whether the last run was so long, and so short a time ago, that the next one should wait."""
    last = JobRun.objects.filter(name="score", state=JobState.DONE, started_at__lte=now).order_by("-started_at").first()
    if last is None or last.started_at is None:
        return False
    pause = min(PAUSE_TIMES * timedelta(milliseconds=last.counts.get("milliseconds", 0)), LONGEST_PAUSE)
    return pause > SWEEP_EVERY and now - last.started_at < pause


def _hour_has_passed(now: datetime) -> bool:
    return not JobRun.objects.filter(name="score", state=JobState.DONE, started_at__gt=now - AT_LEAST_EVERY).exists()


@job("health_refresh", requestable=True)
def health_refresh(context: JobContext) -> Counts:
    """Score the client of the argument `client_id` today. Raises InvalidInputError for an id that is no client's."""
    given = str(context.arguments.get("client_id", ""))
    try:
        client_id = UUID(given)
    except ValueError:
        raise InvalidInputError(
            f"health_refresh needs client_id, the id of a client; it was given {given!r}."
        ) from None
    if not Client.objects.filter(pk=client_id).exists():
        raise InvalidInputError(f"There is no client with the id {client_id}.")
    return score_client_today(client_id, now=context.now, progress=context).as_dict()
