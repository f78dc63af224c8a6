"""Jobs of notifications: reminders, and the removal of what is old."""

from datetime import datetime, timedelta

from bellwether.common.jobs import Counts, JobContext, job
from bellwether.notifications.models import Notification
from bellwether.notifications.reminders import remind

KEPT_DAYS = 90
AT_ONCE = 2_000


@job("reminders", every=timedelta(minutes=3), requestable=True)
def reminders(context: JobContext) -> Counts:
    """Tell staff about follow-ups, appointments, clients that became theirs and key contacts who left."""
    return remind(context.now)


@job("old_notifications", cron="31 2 * * *")
def old_notifications(context: JobContext) -> Counts:
    """Remove notifications that are older than 90 days; every night."""
    return {"removed": remove_old(context.now)}


def remove_old(now: datetime) -> int:
    """Remove what was told more than KEPT_DAYS before `now`, in batches, and return how many rows went."""
    old = Notification.objects.filter(created_at__lt=now - timedelta(days=KEPT_DAYS)).order_by()
    removed = 0
    while ids := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        removed += Notification.objects.filter(pk__in=ids).delete()[0]
    return removed
