"""The job that makes the benchmarks of the night."""

from bellwether.benchmarks.nightly import make_night
from bellwether.common.jobs import Counts, JobContext, job


@job("benchmarks", cron="40 2 * * *", requestable=True)
def benchmarks(context: JobContext) -> Counts:
    """Make the metrics and group figures of the newest scored day, and those of past months that have none."""
    return make_night(now=context.now, progress=context)
