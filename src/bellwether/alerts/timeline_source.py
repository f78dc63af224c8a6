"""What alerts add to the stream of a client."""

from typing import Any

from django.db.models import QuerySet

from bellwether.alerts.choices import AlertSeverity, AlertStatus, AlertType
from bellwether.alerts.defaults import KIND
from bellwether.alerts.models import Alert
from bellwether.alerts.words import CAUSES
from bellwether.common.time import day_of
from bellwether.portfolio.timeline import Entry, Group
from bellwether.portfolio.timeline_stream import Asked, Made, ManyRows, add_source
from bellwether.web.formatting import full_day, moment

STATUSES = {
    AlertSeverity.CRITICAL: "critical",
    AlertSeverity.HIGH: "risk",
    AlertSeverity.MEDIUM: "monitor",
    AlertSeverity.LOW: "",
}


def register() -> None:
    """Add the source of this package; called once when Django starts."""
    add_source(ManyRows("alert", "alert", "created_at", _rows, _show))


def _rows(asked: Asked) -> QuerySet[Any] | None:
    if asked.person is not None and asked.person.who != "contact":
        return None
    rows: QuerySet[Any] = Alert.objects.filter(client=asked.client, is_silent=False).select_related(
        "resolved_by", "dismissed_by", "acknowledged_by"
    )
    if asked.person is not None:
        rows = rows.filter(related_entity_type="contact", related_entity_id__in=[asked.person.id, asked.person.id.hex])
    for word in asked.words:
        rows = rows.filter(description__icontains=word)
    return rows


def _show(rows: list[Alert], asked: Asked) -> list[Made]:
    return [Made(_entry(row, asked), _details(row, asked), object_id=str(row.pk), by=_by(row)) for row in rows]


def _entry(row: Alert, asked: Asked) -> Entry:
    state = AlertStatus(row.status).label
    if row.status == AlertStatus.RESOLVED and row.resolved_by_id is None:
        state = "Cleared by itself"
    ended = f" {state}." if row.status not in (AlertStatus.NEW, AlertStatus.SNOOZED) else ""
    return Entry(
        key=f"alert-{row.pk}",
        on=day_of(row.created_at, asked.zone),
        group=Group.OTHER,
        icon=KIND[row.alert_type].icon,
        title=f"Alert: {row.title}",
        detail=f"{row.description}{ended}",
        status=STATUSES[AlertSeverity(row.severity)],
        rank=1.6,
    )


def _details(row: Alert, asked: Asked) -> tuple[tuple[str, str], ...]:
    found = [
        ("Type", AlertType(row.alert_type).label),
        ("Severity", AlertSeverity(row.severity).label),
        ("Status", AlertStatus(row.status).label),
        ("Began", full_day(row.opened_on)),
        ("Ended", full_day(row.ended_on) if row.ended_on else ""),
        ("Fired", f"{row.times_fired} times" if row.times_fired > 1 else ""),
        ("Part of", CAUSES.get(row.root_cause, "")),
        ("Note", row.resolution_notes),
    ]
    if row.first_response_at is not None:
        found.append(("First response", moment(row.first_response_at, asked.now, asked.zone)))
    return tuple((label, text) for label, text in found if text)


def _by(row: Alert) -> str:
    person = row.resolved_by or row.dismissed_by or row.acknowledged_by
    return person.name if person else ""
