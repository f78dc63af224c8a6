"""The job that checks suppliers every morning."""

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.time import day_of
from bellwether.playbooks.supplier_check import check_suppliers


@job("supplier_check", cron="5 6 * * *", requestable=True)
def supplier_check(context: JobContext) -> Counts | None:
    """Write to those who look after suppliers that became critical; every morning."""
    return check_suppliers(day=day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE), now=context.now)
