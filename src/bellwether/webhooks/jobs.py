"""Posts what is due, and forgets what is old."""

from datetime import timedelta

from django.utils import timezone

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.webhooks.delivering import deliver_due, forget_old


@job("webhooks", every=timedelta(seconds=2))
def post_webhooks(context: JobContext) -> Counts:
    """Post the events that are due to the endpoints that want them."""
    swept = deliver_due(context.now, clock=timezone.now)
    return {"delivered": swept.delivered, "failed": swept.failed, "given up": swept.given_up}


@job("webhook_retention", cron="40 2 * * *")
def forget_events(context: JobContext) -> Counts:
    """Delete webhook events older than 30 days."""
    return {"events": forget_old(context.now)}
