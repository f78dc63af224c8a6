"""The job that counts the past for custom measures."""

from datetime import timedelta

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.time import day_of
from bellwether.usage.dirty import mark_scores
from bellwether.usage.models import CustomFact
from bellwether.usage.workspace import workspace_labels, workspace_lake


@job("measure_backfill", every=timedelta(seconds=5), requestable=True)
def measure_backfill(context: JobContext) -> Counts | None:
    """Make the facts of new and changed custom measures of all days, remove others, and score today."""
    if not CustomFact.objects.filter(filled_at=None).exists():
        return None
    from bellwether.usage.custom_keeping import fill  # see usage.jobs

    done = fill(workspace_lake(), labels=workspace_labels(), now=context.now, progress=context)
    mark_scores([day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE)], now=context.now)
    return done.as_dict()
