"""One alert as the page shows it: what changed, what to do, the rule behind it, who was told, what happened since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from bellwether.alerts import selectors as read
from bellwether.alerts.advice import Advice, advise
from bellwether.alerts.advice import Place as Source
from bellwether.alerts.advice_reading import facts_of
from bellwether.alerts.choices import OPEN, AlertEventKind, AlertStatus, SettingScope
from bellwether.alerts.defaults import KIND, rule_words
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.settings_changes import Place
from bellwether.alerts.settings_reading import read_rules
from bellwether.common.time import day_of
from bellwether.dashboard.alerts_changed import Changed, changed_of
from bellwether.dashboard.alerts_query import Asked
from bellwether.dashboard.alerts_view import AlertRow, row_of, when_of
from bellwether.dashboard.playbook_starting import start_address
from bellwether.dashboard.settings_alerts_view import rule_address
from bellwether.delivery.choices import MessageState
from bellwether.delivery.models import Message
from bellwether.playbooks.services import may_act
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import clock, full_day, moment, plural

LOG_TYPES = {
    "CALL": ("phone", "Call"),
    "EMAIL": ("mail", "E-mail"),
    "MEETING": ("users", "Meeting"),
    "INTERNAL_DISCUSSION": ("sticky-note", "Note"),
}
MOST_EVENTS = 12
MOST_MESSAGES = 8
MEDIA = {"IN_APP": "in app", "EMAIL": "e-mail", "SLACK": "Slack", "TEAMS": "Teams", "WEBHOOK": "webhook"}
TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True)
class Delivery:
    """Where the alert was told in a sentence, and how that went: a word with its status."""

    text: str
    state: str
    status: str | None


@dataclass(frozen=True)
class Happened:
    """Something that happened to the alert."""

    text: str
    when: str


@dataclass(frozen=True)
class Detail:
    """One alert. Addresses are "" where the page that they lead to does not exist in this workspace or for the
    reader."""

    alert: Alert
    row: AlertRow
    changed: Changed
    advice: Advice
    points: list[tuple[str, str, str]]
    is_open: bool
    is_new: bool
    is_snoozed: bool
    may_reopen: bool
    cleared: str
    following: str
    here: str
    next: str
    back: str
    rule: str
    rule_clears: str
    rule_href: str
    fired: str
    deliveries: Delivery | None
    mute_href: str
    playbook_href: str
    mail_href: str
    events: list[Happened]
    others: list[AlertRow]
    log_types: dict[str, tuple[str, str]]
    log_key: UUID
    zone_name: str
    soonest: str


def detail_of(
    alert: Alert, user: StaffUser, asked: Asked, now: datetime, *, following: UUID | None, others: Sequence[Alert] = ()
) -> Detail:
    """Return the alert as its part of the page shows it. `following` is the one to open when this one leaves."""
    zone = zone_of(user)
    changed = changed_of(alert, now)
    advice = advise(facts_of(alert, now=now, drivers=changed.drivers))
    fires, clears = _rule(alert)
    here = asked.opens(alert.pk)
    person = advice.person
    mail = f"mailto:?subject={quote(advice.mail_subject)}&body={quote(advice.mail_text)}"
    return Detail(
        alert=alert,
        row=row_of(alert, asked, now, zone),
        changed=changed,
        advice=advice,
        points=[(point.text, point.source, _place(alert, point.place, point.object_id)) for point in advice.points],
        is_open=alert.status in OPEN,
        is_new=alert.status == AlertStatus.NEW,
        is_snoozed=alert.status == AlertStatus.SNOOZED,
        may_reopen=alert.status not in OPEN and alert.ended_on is None,
        cleared=f"The condition cleared on {full_day(alert.ended_on)}." if alert.ended_on else "",
        following=str(following or ""),
        here=here,
        next=asked.opens(following) if following else asked.here(),
        back=asked.here(),
        rule=fires,
        rule_clears=clears,
        rule_href=rule_address(Place(SettingScope.CLIENT, client=alert.client), alert.alert_type),
        fired=_fired(alert, now),
        deliveries=_deliveries(alert, now, zone),
        mute_href=reverse("client_alert_mute", args=[alert.client_id]) + f"?type={alert.alert_type}",
        playbook_href=start_address(alert.client_id, [alert.alert_type])
        if may_act(user) and alert.client.archived_at is None
        else "",
        mail_href=mail if person is not None else "",
        events=[_happened(event, now, zone) for event in _events(alert)],
        others=[row_of(one, asked, now, zone) for one in others],
        log_types=LOG_TYPES,
        log_key=uuid4(),
        zone_name=str(zone),
        soonest=f"{(now + timedelta(days=1)).astimezone(zone):%Y-%m-%dT%H:%M}",
    )


def _place(alert: Alert, place: Source, object_id: str) -> str:
    client = alert.client_id
    if place is Source.SUPPORT and object_id:
        return reverse("ticket", args=[client, object_id])
    names = {
        Source.SCORE: "client",
        Source.USAGE: "client_usage",
        Source.ADOPTION: "client_adoption",
        Source.PEOPLE: "client_contacts",
        Source.SUPPORT: "client_support",
        Source.CONTRACT: "client_contract",
        Source.TIMELINE: "client_timeline",
    }
    return reverse(names[place], args=[client])


def _rule(alert: Alert) -> tuple[str, str]:
    """Return when alerts of this type fire at this client and when they clear, in sentences; two queries."""
    rules = read_rules(Client.objects.filter(pk=alert.client_id))
    row = next((one for one in rules.iter_rows(named=True) if one["alert_type"] == alert.alert_type), None)
    kind = KIND[alert.alert_type]
    held = (row or {}).get("thresholds") or {}
    thresholds = {name: held[name] if held.get(name) is not None else value for name, value in kind.defaults.items()}
    return rule_words(alert.alert_type, thresholds)


def _fired(alert: Alert, now: datetime) -> str:
    count = read.fired_lately(alert, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE))
    if count == 0:
        return f"Did not fire for this client in the last {read.FIRED_DAYS} days"
    return f"Fired {TIMES.get(count, f'{count} times')} for this client in {read.FIRED_DAYS} days"


def _deliveries(alert: Alert, now: datetime, zone: ZoneInfo) -> Delivery | None:
    """Return where the alert was told; None where nobody was."""
    rows = Message.objects.filter(about="alert", about_id__in=(str(alert.pk), alert.pk.hex))
    found = list(rows.select_related("channel", "user").order_by("id"))
    if not found:
        return None
    parts = []
    for one in found[:MOST_MESSAGES]:
        who = one.channel.name if one.channel else one.user.name if one.user else ""
        name = f"{MEDIA[one.medium]} {who}".strip() if len(found) > 1 or one.channel else MEDIA[one.medium]
        at = one.sent_at or one.due_at
        parts.append(f"{name} {_short(at, now, zone)}" if one.sent_at else f"{name} {_waits(one, now, zone)}")
    if len(found) > MOST_MESSAGES:
        parts.append(f"and {len(found) - MOST_MESSAGES} more")
    text = ", ".join(parts)
    failed = sum(one.state == MessageState.FAILED for one in found)
    on_its_way = {MessageState.PENDING, MessageState.HELD, MessageState.DIGEST}
    waiting = sum(one.state in on_its_way and one.sent_at is None for one in found)
    state, status = ("Delivered", "healthy")
    if failed:
        state, status = f"{failed} failed", "critical"
    elif waiting:
        state, status = "On its way", "info"
    return Delivery(text[:1].upper() + text[1:], state, status)


def _waits(message: Message, now: datetime, zone: ZoneInfo) -> str:
    if message.state == MessageState.HELD:
        return f"after quiet hours, {_short(message.due_at, now, zone)}"
    return {
        MessageState.DIGEST: "in a digest",
        MessageState.FAILED: "failed",
        MessageState.CANCELLED: "cancelled",
    }.get(MessageState(message.state), "on its way")


def _short(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    return clock(instant, zone) if when_of(instant, now, zone) == clock(instant, zone) else moment(instant, now, zone)


def _events(alert: Alert) -> list[AlertEvent]:
    return list(alert.events.select_related("actor").order_by("-at", "-id")[:MOST_EVENTS])


def _happened(event: AlertEvent, now: datetime, zone: ZoneInfo) -> Happened:
    text = event.get_kind_display()
    detail = event.detail or {}
    if event.kind == AlertEventKind.SNOOZED and detail.get("until"):
        text += f" until {moment(datetime.fromisoformat(detail['until']), now, zone)}"
    elif event.kind == AlertEventKind.ASSIGNED:
        text = f"Assigned to {detail['name']}" if detail.get("name") else "Assigned to nobody in particular"
    elif event.kind == AlertEventKind.ACKNOWLEDGED and (detail.get("activity") or detail.get("activities")):
        text += " by logging an activity"
    elif note := (detail.get("note") or detail.get("reason")):
        text += f": {note}"
    who = f", {event.actor.name}" if event.actor else ""
    return Happened(f"{text}{who}", moment(event.at, now, zone))


def subtitle(open_count: int, new_count: int, response: Any) -> str:
    """Return the sentence under the heading: how many are open, and how quickly they were answered this month."""
    parts = [f"{open_count:,} open" + (f", {new_count:,} new" if 0 < new_count < open_count else "") + "."]
    if response.median_hours is not None:
        target = f", target {hours(response.target_hours)}" if response.target_hours is not None else ""
        parts.append(f"Median time to first response this month is {hours(response.median_hours)}{target}.")
    elif response.alerts:
        parts.append(f"None of the {plural(response.alerts, 'alert')} of this month has been answered yet.")
    return " ".join(parts)


def hours(value: float) -> str:
    """Return hours as "20 min", "5 h" or "3 d"."""
    if value < 1:
        return f"{round(value * 60)} min"
    return f"{round(value)} h" if value < 72 else f"{round(value / 24)} d"
