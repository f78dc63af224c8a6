"""Sends the morning's digests."""

from datetime import timedelta

from django.utils import timezone

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.dashboard.digest_mail import send_due_digests


@job("digest", every=timedelta(minutes=5))
def send_digests(context: JobContext) -> Counts:
    """Send the digests whose hour has come."""
    return send_due_digests(context.now, clock=timezone.now, progress=context)
