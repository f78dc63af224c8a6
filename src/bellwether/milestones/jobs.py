"""The job that finds milestones: once an hour, and soon after a definition was changed."""

import time
from datetime import datetime, timedelta

from django.db.models import Max

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.models import JobRun, JobState
from bellwether.health.models import HealthScore
from bellwether.milestones.models import MilestoneDefinition
from bellwether.portfolio.models import Client

AT_LEAST_EVERY = timedelta(hours=1)


@job("milestones", every=timedelta(minutes=2), requestable=True)
def milestones(context: JobContext) -> Counts | None:
    """Find the milestones of all clients, an hour after the last time or when a definition changed since."""
    from bellwether.milestones.services import counts_of, detect_milestones  # Polars only where it runs

    started = time.perf_counter()
    asked = context.run is not None
    if not asked and not (_is_due(context.now) and Client.objects.exists()):
        return None
    return counts_of(detect_milestones(now=context.now, progress=context), started)


def _is_due(now: datetime) -> bool:
    """Return whether an hour has passed or a definition changed since the last run. The first waits for scores, so
    that not everything is found twice over."""
    last = JobRun.objects.filter(name="milestones", state=JobState.DONE).aggregate(last=Max("started_at"))["last"]
    if last is None:
        return HealthScore.objects.exists()
    changed = MilestoneDefinition.objects.filter(updated_at__gt=last, updated_by__isnull=False).exists()
    return bool(changed or now - last >= AT_LEAST_EVERY)
