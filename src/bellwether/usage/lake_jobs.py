"""Jobs that look after the lake."""

from datetime import timedelta

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.time import day_of
from bellwether.usage.closed_days import compact_closed_days
from bellwether.usage.erasure import finish_erasures
from bellwether.usage.lake_locks import rollup_lock
from bellwether.usage.models import Erasure, ErasureState
from bellwether.usage.workspace import workspace_lake

PATIENCE_SECONDS = 600.0


@job("erasure", every=timedelta(minutes=1))
def finish_cut_off_erasures(context: JobContext) -> Counts:
    """Finish erasures of people that were cut off."""
    if not Erasure.objects.filter(state=ErasureState.WAITING).exists():
        return {}
    with rollup_lock(workspace_lake(), wait_seconds=PATIENCE_SECONDS):
        return {"erasures": finish_erasures(workspace_lake(), now=context.now, progress=context)}


@job("compact", cron="47 1 * * *", requestable=True)
def compact(context: JobContext) -> Counts:
    """Merge the parts of each closed day into one; every night."""
    lake = workspace_lake()
    done = compact_closed_days(lake, today=day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE), progress=context)
    lake.tidy_copies()
    return done.as_dict()
