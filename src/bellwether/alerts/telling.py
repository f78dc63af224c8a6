"""How events for the outside name an alert, and those about what staff do with one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bellwether.alerts.models import Alert
from bellwether.portfolio.telling import client_data
from bellwether.staff.models import StaffUser
from bellwether.webhooks.kinds import CLIENT, declare
from bellwether.webhooks.outbox import Told, tell

ALERT = {
    "id": "0b8f6e0a-6d3c-4d6a-a3f4-5b0a1c9f7e21",
    "alert_type": "HEALTH_DROP",
    "severity": "HIGH",
    "title": "Health fell 11 points in 7 days",
    "status": "ACKNOWLEDGED",
    "created_at": "2026-02-12T14:05:00+00:00",
}
ACKNOWLEDGED, RESOLVED = "alert.acknowledged", "alert.resolved"


def declare_events() -> None:
    """Declare the types of events about what staff do."""
    person = {"name": "Jane Okafor", "email": "jane.okafor@larkfield.example"}
    declare(ACKNOWLEDGED, "Somebody took an alert on.", {"client": CLIENT, "alert": ALERT, "by": person})
    resolved = {**ALERT, "status": "RESOLVED"}
    declare(
        RESOLVED,
        "An alert was resolved.",
        {"client": CLIENT, "alert": resolved, "by": person, "note": "Export fixed, usage is back."},
    )


def alert_data(alert: Alert) -> dict[str, Any]:
    """Return how events name an alert."""
    return {
        "id": str(alert.pk),
        "alert_type": alert.alert_type,
        "severity": alert.severity,
        "title": alert.title,
        "status": alert.status,
        "created_at": alert.created_at.isoformat(),
    }


def tell_handled(event_type: str, alerts: Iterable[Alert], actor: StaffUser | None, *, now: datetime) -> int:
    """Tell that alerts (with their clients) were taken on or resolved; return how many events are new."""
    person = {"name": actor.name, "email": actor.email} if actor else None
    told = []
    for alert in alerts:
        data: dict[str, Any] = {"client": client_data(alert.client), "alert": alert_data(alert), "by": person}
        if event_type == RESOLVED:
            data["note"] = alert.resolution_notes
        told.append(Told(data, alert.client_id, f"{event_type}:{alert.pk}:{now.isoformat()}"))
    return tell(event_type, told, now=now)
