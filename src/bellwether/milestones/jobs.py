"""The job that finds milestones: once an hour, and soon after a definition was changed."""

import time
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.models import JobRun, JobState
from bellwether.health.models import HealthScore
from bellwether.milestones.models import MilestoneDefinition
from bellwether.portfolio.models import Client

AT_LEAST_EVERY = timedelta(hours=1)
WHOLE_EVERY = timedelta(hours=23)


@job("milestones", every=timedelta(minutes=2), requestable=True)
def milestones(context: JobContext) -> Counts | None:
    """Find the milestones of all clients, an hour after the last time or when a definition changed since."""
    from bellwether.milestones.services import counts_of, detect_milestones  # Polars only where it runs

    started = time.perf_counter()
    asked, whole = context.run is not None, _whole_is_due(context.now)
    if not asked and not (_is_due(context.now) and Client.objects.exists()):
        return None
    done = detect_milestones(now=context.now, progress=context, whole=asked or whole)
    return counts_of(done, started) | {"whole": int(asked or whole)}


def _is_due(now: datetime) -> bool:
    """Return whether an hour has passed or a definition changed since the last run. The first waits for scores, so
    that not everything is found twice over."""
    last = _runs().aggregate(last=Max("started_at"))["last"]
    if last is None:
        return HealthScore.objects.exists()
    return bool(_changed_since(last) or now - last >= AT_LEAST_EVERY)


def _whole_is_due(now: datetime) -> bool:
    """Return whether all scores are to be looked at: once a day, and after a definition was changed."""
    last = _runs().filter(counts__whole=1).aggregate(last=Max("started_at"))["last"]
    return last is None or now - last >= WHOLE_EVERY or _changed_since(last)


def _runs() -> QuerySet[JobRun]:
    found: QuerySet[JobRun] = JobRun.objects.filter(name="milestones", state=JobState.DONE)
    return found


def _changed_since(instant: datetime) -> bool:
    """Return whether somebody changed a definition; those made from a preset are nobody's change."""
    found: bool = MilestoneDefinition.objects.filter(updated_at__gt=instant, updated_by__isnull=False).exists()
    return found
