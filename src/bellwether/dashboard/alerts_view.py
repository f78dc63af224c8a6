"""The rows of the inbox as the page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.alerts.choices import AlertStatus
from bellwether.alerts.defaults import KIND
from bellwether.alerts.inbox_order import Phase
from bellwether.alerts.models import Alert
from bellwether.alerts.selectors import Entry, Tab
from bellwether.dashboard.alerts_query import Asked
from bellwether.web.formatting import clock, day, moment, plural

HOUR, DAY = 3600, 86_400
SOON = 4 * HOUR
PHASES = {
    Phase.OVERDUE: "Overdue",
    Phase.TODAY: "Due today",
    Phase.LATER: "Later",
    Phase.ACKNOWLEDGED: "Acknowledged",
}
LOOKS = {"CRITICAL": "critical", "HIGH": "critical", "MEDIUM": "risk", "LOW": "monitor"}
"""How a severity looks: the word of data-status."""
ICONS = {"CRITICAL_HEALTH": "octagon-alert", "KEY_USER_INACTIVE": "user-round-x", "CHAMPION_RISK": "user-round-minus"}


@dataclass(frozen=True)
class Due:
    """By when somebody has to react, or what was done, in a few words with a status."""

    text: str
    status: str | None = None


@dataclass(frozen=True)
class AlertRow:
    """An alert in a list. `read`: somebody took it on, or it is of the lowest severity."""

    id: UUID
    href: str
    client: str
    text: str
    icon: str
    status: str
    severity: str
    type_text: str
    when: str
    when_full: str
    due: Due | None
    read: bool
    answered: str = ""
    silent: bool = False
    assigned: str = ""
    """Who sees to it, where that is not the client's CSM."""


@dataclass(frozen=True)
class RowGroup:
    """A row with the others of the same cause, and how many there are in words."""

    row: AlertRow
    others: list[AlertRow]
    text: str


@dataclass(frozen=True)
class Section:
    """Rows under a heading; "" for none."""

    heading: str
    groups: list[RowGroup]


def icon_of(alert_type: str) -> str:
    """Return the icon of a type of alert."""
    return ICONS.get(alert_type) or KIND[alert_type].icon


def due_of(alert: Alert, now: datetime, zone: ZoneInfo) -> Due | None:
    """Return by when somebody has to react, or what was done about the alert; None where nothing is asked for."""
    today = now.astimezone(zone).date()
    if alert.status == AlertStatus.SNOOZED:
        return Due(f"Back {moment(alert.snoozed_until, now, zone)}")
    if alert.status == AlertStatus.RESOLVED:
        who = f" by {alert.resolved_by.name}" if alert.resolved_by else " by itself"
        return Due(f"Resolved{who}", "healthy")
    if alert.status == AlertStatus.DISMISSED:
        return Due(f"Dismissed by {alert.dismissed_by.name}" if alert.dismissed_by else "Dismissed")
    if alert.status == AlertStatus.ACKNOWLEDGED:
        return Due(f"Taken on by {alert.acknowledged_by.name}" if alert.acknowledged_by else "Taken on")
    if alert.first_response_at is not None:
        return None
    if alert.respond_by is None:
        return None
    left = (alert.respond_by - now).total_seconds()
    if left <= 0:
        return Due(f"Overdue {span(-left)}", "critical")
    if left <= SOON:
        return Due(f"Respond in {span(left)}", "risk")
    local = alert.respond_by.astimezone(zone)
    ahead = (local.date() - today).days
    if ahead == 0:
        return Due(f"Respond by {clock(alert.respond_by, zone)}")
    return Due("Tomorrow" if ahead == 1 else day(local.date(), today))


def span(seconds: float) -> str:
    """Return a time in its largest unit: "20 min", "3 h", "2 d"."""
    if seconds < HOUR:
        return f"{max(1, round(seconds / 60))} min"
    return f"{round(seconds / HOUR)} h" if seconds < 2 * DAY else f"{round(seconds / DAY)} d"


def answered_in(alert: Alert) -> str:
    """Return how long the alert waited for the first reaction; "" while nobody reacted."""
    if alert.first_response_at is None:
        return ""
    return f"Answered in {span(max(0.0, (alert.first_response_at - alert.created_at).total_seconds()))}"


def when_of(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return when something was: "14:05" today, "Yesterday", else the day."""
    today, local = now.astimezone(zone).date(), instant.astimezone(zone)
    days = (today - local.date()).days
    return clock(instant, zone) if days == 0 else "Yesterday" if days == 1 else day(local.date(), today)


def row_of(alert: Alert, asked: Asked, now: datetime, zone: ZoneInfo) -> AlertRow:
    """Return an alert as lists show it, times in `zone`."""
    when = when_of(alert.created_at, now, zone)
    return AlertRow(
        id=alert.pk,
        href=asked.opens(alert.pk),
        client=alert.client.name,
        text=alert.description.strip() or alert.title,
        icon=icon_of(alert.alert_type),
        status=LOOKS[alert.severity],
        severity=alert.get_severity_display(),
        type_text=alert.get_alert_type_display(),
        when=when,
        when_full=moment(alert.created_at, now, zone),
        due=due_of(alert, now, zone),
        read=alert.status != AlertStatus.NEW,
        answered=answered_in(alert),
        silent=alert.is_silent,
        assigned=alert.assigned_to.name
        if alert.assigned_to and alert.assigned_to_id != alert.client.csm_user_id
        else "",
    )


def sections(entries: Sequence[Entry], asked: Asked, now: datetime, zone: ZoneInfo) -> list[Section]:
    """Return the entries of a page under their headings, in their order."""
    found: list[Section] = []
    for entry in entries:
        heading = PHASES[entry.phase] if entry.phase else {Tab.SNOOZED: "Put aside"}.get(asked.query.tab, "Done")
        if not found or found[-1].heading != heading:
            found.append(Section(heading, []))
        others = [row_of(alert, asked, now, zone) for alert in entry.others]
        text = f"{plural(len(others) + 1, 'alert')}, one cause" if others else ""
        found[-1].groups.append(RowGroup(row_of(entry.alert, asked, now, zone), others, text))
    return found
