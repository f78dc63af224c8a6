"""Jobs of the usage pipeline.

What counts (Ibis, DuckDB) is imported by the jobs that need it: a web server declares the jobs to ask for them, and
would hold a hundred megabytes for nothing.
"""

from datetime import timedelta

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.usage import (
    custom_jobs,  # noqa: F401 (declares the job that counts the past)
    import_jobs,  # noqa: F401 (declares the jobs of imports in the browser)
    lake_jobs,  # noqa: F401 (declares the jobs that look after the lake)
    people_jobs,  # noqa: F401 (declares the job that keeps contacts in step with their users)
)
from bellwether.usage.flush import flush
from bellwether.usage.workspace import workspace_lake


@job("flush", every=timedelta(seconds=2))
def flush_spool(context: JobContext) -> Counts:
    """Bring the accepted events from the spool to the lake."""
    done = flush(
        lake=workspace_lake(),
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
        now=context.now,
        progress=context,
    )
    return {"batches": done.batches, "events": done.events, "duplicates": done.duplicates, "rejected": done.rejected}


@job("rollup", every=timedelta(seconds=2), requestable=True)
def rollup(context: JobContext) -> dict[str, int]:
    """Bring the facts of marked days up to date; the scores that follow from them are marked in turn."""
    from bellwether.usage.services import roll_up_dirty

    done = roll_up_dirty(now=context.now, progress=context)
    return {
        "days": done.days,
        "events": done.events,
        "repeats": done.repeats,
        "unassigned": done.unassigned,
        "files": done.files,
    }


@job("warehouse", every=timedelta(minutes=5), requestable=True)
def warehouse(context: JobContext) -> dict[str, int]:
    """Count the changed days of the tables in warehouses; argument `source`: of that one only, all of its days."""
    from bellwether.usage.warehouse_sweep import read_sources

    name = context.arguments.get("source")
    done = read_sources(now=context.now, progress=context, name=name, is_whole=bool(name))
    return {"days": done.days, "events": done.events, "failed": done.failed}
