"""The job that keeps ready what the usage of a client is compared with."""

from datetime import timedelta

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.time import day_of
from bellwether.health.usage_cohort_keeping import store_cohort
from bellwether.portfolio.models import Client
from bellwether.usage.periods import RANGES, period_of
from bellwether.usage.workspace import workspace_lake


@job("usage_cohort", every=timedelta(seconds=60), requestable=True)
def usage_cohort(context: JobContext) -> Counts | None:
    """Make the figures of all clients anew for each of the usual ranges up to today whose facts have changed."""
    if not Client.objects.exists():
        return None
    today = day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE)
    made = 0
    for name in RANGES:
        period = period_of(name, last=today)
        made += store_cohort(workspace_lake(), period.first, period.last, working_days=settings.BELLWETHER_WORKING_DAYS)
    return {"ranges": made} if context.run is not None else None
