"""The job that lets clients follow their contracts as days pass."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.time import day_of
from bellwether.portfolio.importing.effects import refresh_contracts
from bellwether.portfolio.models import ContractPeriod

EVERY, LOOK_BACK = timedelta(hours=1), timedelta(days=7)


@job("contracts", every=EVERY, requestable=True)
def follow_terms(context: JobContext) -> Counts:
    """Copy the term that counts today to the clients for whom another one has come to count in the last seven days."""
    today = day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE)
    return {"clients": len(begin_terms(today=today, now=context.now))}


def begin_terms(*, today: date, now: datetime) -> Collection[UUID]:
    """Bring the columns of clients in step whose term began or ended within a week up to `today`; return their ids.

    Others are left alone: a record that somebody made to differ from its terms is for people to mend.
    """
    since = today - LOOK_BACK
    passed = Q(start_date__gt=since, start_date__lte=today) | Q(end_date__gte=since, end_date__lt=today)
    found = ContractPeriod.objects.filter(passed, client__archived_at__isnull=True).order_by()
    ids = sorted(set(found.values_list("client_id", flat=True)))
    with transaction.atomic():
        refresh_contracts(ids, today=today, now=now)
    return ids
