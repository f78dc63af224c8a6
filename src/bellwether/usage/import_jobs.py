"""Jobs of the imports in the browser."""

from datetime import timedelta

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.portfolio.choices import IMPORT_AT_WORK, ImportState
from bellwether.portfolio.models import ImportRun
from bellwether.usage.import_files import drop

KEPT = timedelta(days=7)
LATER = (ImportState.MAPPING, ImportState.CHECKED)


@job("imports", every=timedelta(seconds=2))
def imports(context: JobContext) -> Counts:
    """Check, import and undo what was asked for; what a worker that stopped left half done is gone on with."""
    if not ImportRun.objects.filter(state__in=IMPORT_AT_WORK).exists():
        return {}
    from bellwether.usage.import_work import work_off

    return dict(work_off(context))


@job("clean_imports", cron="41 2 * * *", requestable=True)
def clean_imports(context: JobContext) -> Counts:
    """Remove the files of imports a week after they came, and imports that were never begun."""
    old = ImportRun.objects.filter(created_at__lt=context.now - KEPT).exclude(state__in=IMPORT_AT_WORK)
    files = sum(drop(pk) for pk in old.values_list("pk", flat=True))
    never_begun, _ = old.filter(state__in=LATER, change__isnull=True).delete()
    return {"files": files, "never_begun": never_begun}
