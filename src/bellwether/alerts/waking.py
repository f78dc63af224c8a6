"""Brings back alerts that were put aside, when their time has come."""

from datetime import datetime

from django.db import transaction

from bellwether.alerts.choices import AlertEventKind, AlertStatus
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.news import tell_returned


def wake_snoozed(now: datetime) -> int:
    """Bring back the alerts whose time has come: as new, or as acknowledged if somebody had; return how many.

    Whoever looks after one is told. Instants are compared, so that a change of clocks in between moves nothing.
    """
    with transaction.atomic():
        due = Alert.objects.filter(status=AlertStatus.SNOOZED, snoozed_until__lte=now, ended_on__isnull=True)
        rows = list(due.select_for_update(of=("self",)).select_related("client"))
        for row in rows:
            row.status = AlertStatus.ACKNOWLEDGED if row.acknowledged_at else AlertStatus.NEW
        events = [
            AlertEvent(
                alert=row,
                kind=AlertEventKind.RETURNED,
                at=now,
                detail={"until": row.snoozed_until.isoformat() if row.snoozed_until else ""},
            )
            for row in rows
        ]
        tell_returned(rows, now=now)
        for row in rows:
            row.snoozed_until, row.updated_at = None, now
        Alert.objects.bulk_update(rows, ["status", "snoozed_until", "updated_at"], batch_size=200)
        AlertEvent.objects.bulk_create(events, batch_size=500)
    return len(rows)
