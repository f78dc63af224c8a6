"""Tells people and the outside what happened to alerts, in the transaction that stores it: each once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from bellwether.alerts.choices import AlertType
from bellwether.alerts.models import Alert
from bellwether.alerts.telling import ALERT, RESOLVED, alert_data
from bellwether.common.time import day_of
from bellwether.delivery.outbox import Draft, send
from bellwether.portfolio.models import Client
from bellwether.portfolio.telling import client_data
from bellwether.web.formatting import money, plural
from bellwether.webhooks.kinds import CLIENT, declare
from bellwether.webhooks.outbox import Told, tell

OPENED, ESCALATED = "alert.opened", "alert.escalated"
TOPIC = "alert"
NAMED = 5
"""How many alerts that had begun earlier are named in the line about them."""


def declare_events() -> None:
    """Declare the types of events about what happens to alerts by itself."""
    opened = {**ALERT, "status": "NEW"}
    declare(
        OPENED,
        "A detector found something at a client.",
        {"client": CLIENT, "alert": opened, "description": "Health fell 11 points in 7 days, from 69 to 58."},
    )
    declare(
        ESCALATED,
        "An alert became more severe, or nobody responded to a critical one in time.",
        {"client": CLIENT, "alert": {**opened, "severity": "CRITICAL"}, "reason": "severity", "from": "HIGH"},
    )


@dataclass(frozen=True)
class News:
    """Something to tell about an alert over `media`. `what` is opened, earlier (opened, but it began long ago),
    escalated or cleared."""

    alert: Alert
    client: Client
    media: tuple[str, ...]
    what: str


def address_of(alert: Alert) -> str:
    """Return the address of an alert in the inbox."""
    return reverse("alert", args=[alert.pk])


def tell_news(news: Sequence[News], *, now: datetime) -> int:
    """Store messages and events about `news`, and return how many are new.

    Who looks after a client is told each alert over its media; of those that began earlier there is one line a person
    and day. Channels of the workspace get what is told over more than the product itself.
    """
    drafts = [draft for one in news if one.what in {"opened", "escalated"} for draft in _drafts(one)]
    drafts += _earlier([one for one in news if one.what == "earlier"], now)
    told = send(drafts, now=now)
    told += tell(OPENED, [_told(OPENED, one) for one in news if one.what == "opened"], now=now)
    told += tell(ESCALATED, [_told(ESCALATED, one) for one in news if one.what == "escalated"], now=now)
    told += tell(RESOLVED, [_told(RESOLVED, one, now) for one in news if one.what == "cleared"], now=now)
    return told


def _drafts(one: News) -> Iterator[Draft]:
    """Yield a draft for who looks after the client, and one for the channels of the workspace."""
    alert, client = one.alert, one.client
    if not one.media:
        return
    said = said_of(alert, client, prefix="Now {severity}: " if one.what == "escalated" else "")
    key = f"alert:{alert.pk}:{one.what}" + (f":{alert.severity}" if one.what == "escalated" else "")
    for user_id in dict.fromkeys((client.csm_user_id, alert.assigned_to_id)):
        if user_id is not None:
            yield Draft(key=key, user_id=user_id, media=one.media, **said)
    if set(one.media) - {"IN_APP", "EMAIL"}:
        yield Draft(key=key, workspace=True, media=one.media, **said)


def said_of(alert: Alert, client: Client, *, prefix: str = "") -> dict[str, Any]:
    """Return what a draft says about an alert; `prefix` may name its {severity}."""
    severity = alert.get_severity_display()
    lines = [f"{severity}, {AlertType(alert.alert_type).label.lower()}."]
    if alert.arr is not None:
        lines.append(f"{money(alert.arr)} ARR.")
    title = f"{client.name}: {prefix.format(severity=severity.lower())}{alert.title}"
    return {
        "topic": TOPIC,
        "title": title[:200],
        "text": alert.description,
        "href": address_of(alert),
        "severity": alert.severity,
        "client_id": client.pk,
        "about": "alert",
        "about_id": str(alert.pk),
        "lines": tuple(lines),
        "data": {"client": client_data(client), "alert": alert_data(alert)},
    }


def _earlier(news: Iterable[News], now: datetime) -> Iterator[Draft]:
    """Yield one line for each person about alerts that began before anybody looked for them."""
    of_person: dict[UUID, list[News]] = defaultdict(list)
    for one in news:
        if one.client.csm_user_id is not None and "IN_APP" in one.media:
            of_person[one.client.csm_user_id].append(one)
    day = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    for user_id, own in of_person.items():
        own.sort(key=lambda one: (one.alert.severity_rank, one.client.name, one.alert.title))
        count = len(own)
        clients = len({one.client.pk for one in own})
        yield Draft(
            key=f"alerts:earlier:{day.isoformat()}:{_digest(own)}",
            topic=TOPIC,
            title=f"{plural(count, 'alert')} of {plural(clients, 'client')} in your inbox",
            text="They began earlier, and the first look at the figures found them. They are not told one by one.",
            href=reverse("alerts"),
            user_id=user_id,
            medium="IN_APP",
            about="alert",
            lines=tuple(f"{one.client.name}: {one.alert.title}" for one in own[:NAMED]),
        )


def _digest(news: Sequence[News]) -> str:
    """Return what tells two such lines of one day apart."""
    return min(one.alert.pk.hex for one in news)


def _told(event_type: str, one: News, now: datetime | None = None) -> Told:
    alert = one.alert
    data: dict[str, Any] = {"client": client_data(one.client), "alert": alert_data(alert)}
    key = f"{event_type}:{alert.pk}"
    if event_type == RESOLVED:
        data |= {"by": None, "note": "It cleared by itself."}
        key += f":{now.isoformat() if now else ''}"
    else:
        data["description"] = alert.description
    if event_type == ESCALATED:
        data["reason"] = "severity"
        key += f":{alert.severity}"
    return Told(data, alert.client_id, key)


def tell_returned(alerts: Iterable[Alert], *, now: datetime) -> int:
    """Tell whoever looks after an alert (with its client) that it is back from being put aside."""
    return send(
        [
            Draft(
                key=f"alert:{alert.pk}:returned:{alert.snoozed_until.isoformat() if alert.snoozed_until else ''}",
                user_id=user_id,
                medium="IN_APP",
                **said_of(alert, alert.client, prefix="back from snooze: "),
            )
            for alert in alerts
            if not alert.is_silent and (user_id := alert.assigned_to_id or alert.client.csm_user_id)
        ],
        now=now,
    )
