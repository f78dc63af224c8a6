"""The job of playbooks: every minute, enrol, take steps, let go."""

from dataclasses import asdict
from datetime import timedelta

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.playbooks import supplier_jobs  # noqa: F401 (declares the daily check of suppliers)
from bellwether.playbooks.models import Intervention, Playbook


@job("playbooks", every=timedelta(minutes=1), requestable=True)
def playbooks(context: JobContext) -> Counts | None:
    """Run the playbooks that are running, as of now."""
    from bellwether.playbooks.library import load_library  # Polars only where it runs
    from bellwether.playbooks.running import run

    loaded = load_library(now=context.now)
    if not (Playbook.objects.filter(started_at__isnull=False).exists() or Intervention.objects.exists()):
        return {"loaded": loaded}
    return asdict(run(context.now, progress=context)) | {"loaded": loaded}
