"""Alerts for tests."""

from datetime import datetime, timedelta
from typing import Any

from bellwether.alerts.choices import AlertSeverity, AlertStatus, AlertType
from bellwether.alerts.models import Alert
from bellwether.portfolio.models import Client
from tests.conftest import NOW, TODAY

RANKS = {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 2, "LOW": 3}


def an_alert(client: Client, alert_type: str = "HEALTH_DROP", **fields: Any) -> Alert:
    """Return a stored alert of two hours ago, to be answered in eight hours."""
    made: datetime = fields.pop("created_at", NOW - timedelta(hours=2))
    severity = fields.pop("severity", AlertSeverity.HIGH)
    values: dict[str, Any] = {
        "client": client,
        "alert_type": AlertType(alert_type),
        "severity": severity,
        "severity_rank": RANKS[severity],
        "title": "Health fell 11 points in 7 days",
        "description": "Health fell from 69 to 58.",
        "trigger_value": "58",
        "arr": client.annual_recurring_revenue,
        "status": AlertStatus.NEW,
        "respond_by": made + timedelta(hours=8),
        "opened_on": TODAY,
        "last_fired_on": TODAY,
        "created_at": made,
        "updated_at": made,
    }
    alert: Alert = Alert.objects.create(**(values | fields))
    return alert
