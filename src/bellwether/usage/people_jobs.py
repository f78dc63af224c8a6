"""The job that keeps linked contacts in step with the use of their platform users."""

from datetime import timedelta

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.models import JobRun, JobState
from bellwether.usage.contact_logins import refresh_contacts
from bellwether.usage.workspace import workspace_lake

SWEEP_EVERY, AT_LEAST_EVERY = timedelta(seconds=60), timedelta(hours=1)
NAME = "contact_logins"


@job(NAME, every=SWEEP_EVERY, requestable=True)
def contact_logins(context: JobContext) -> Counts | None:
    """Bring last logins and engagement of linked contacts up to date after new facts, and once an hour."""
    if context.run is None and not _due(context):
        return None
    changed = refresh_contacts(workspace_lake(), now=context.now, zone=settings.BELLWETHER_WORKSPACE_ZONE)
    context.ensure_run()  # also when nothing changed: the next sweep must know when this one looked
    return {"contacts": changed}


def _due(context: JobContext) -> bool:
    last = JobRun.objects.filter(name=NAME, state=JobState.DONE).order_by("-created_at").first()
    if last is None or last.created_at <= context.now - AT_LEAST_EVERY:
        return True
    return JobRun.objects.filter(name="rollup", state=JobState.DONE, finished_at__gt=last.created_at).exists()
