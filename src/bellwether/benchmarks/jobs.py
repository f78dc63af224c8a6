"""The job that makes the benchmarks of the night."""

from datetime import timedelta

from bellwether.benchmarks.models import ClientMetrics
from bellwether.benchmarks.nightly import make_night
from bellwether.common.jobs import Counts, JobContext, job


@job("benchmarks", cron="40 2 * * *", requestable=True)
def benchmarks(context: JobContext) -> Counts:
    """Make the metrics and group figures of the newest scored day, and those of past months that have none."""
    return make_night(now=context.now, progress=context)


@job("first_benchmarks", every=timedelta(minutes=5))
def first_benchmarks(context: JobContext) -> Counts | None:
    """Make them for the first time as soon as there are scores, so that nobody waits for the night."""
    return None if ClientMetrics.objects.exists() else make_night(now=context.now)
