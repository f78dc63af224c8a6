"""Sends what is due, and forgets what is old."""

from datetime import timedelta

from django.utils import timezone

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.delivery.delivering import deliver_due, forget_old


@job("deliver", every=timedelta(seconds=2), requestable=True)
def deliver(context: JobContext) -> Counts:
    """Send messages that are due, by mail and to channels."""
    swept = deliver_due(context.now, clock=timezone.now)
    return {
        "sent": swept.sent,
        "failed": swept.failed,
        "given up": swept.given_up,
        "cancelled": swept.cancelled,
    }


@job("delivery_retention", cron="45 2 * * *")
def forget_messages(context: JobContext) -> Counts:
    """Delete messages older than 180 days."""
    return {"messages": forget_old(context.now)}
