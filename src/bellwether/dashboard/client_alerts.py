"""The card of a client's open alerts."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from bellwether.alerts.choices import AlertStatus
from bellwether.alerts.selectors import InboxQuery, open_of
from bellwether.dashboard.alerts_query import Asked
from bellwether.dashboard.alerts_view import AlertRow, row_of
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

SHOWN = 5


@dataclass(frozen=True)
class AlertsCard:
    """The open alerts that weigh the most with whether somebody may still take each on, how many there are, where all
    are listed, where the client's alerts are set, and where those that are done stand."""

    rows: list[tuple[AlertRow, bool]]
    total: int
    href: str
    settings_href: str
    done_href: str


def alerts_card(client: Client, user: StaffUser, *, now: datetime) -> AlertsCard:
    """Return the card of a client that `user` may see; one query."""
    asked, zone = Asked(InboxQuery(client_id=client.pk)), zone_of(user)
    found = open_of(client)
    for alert in found[:SHOWN]:
        alert.client = client
    return AlertsCard(
        rows=[(row_of(alert, asked, now, zone), alert.status == AlertStatus.NEW) for alert in found[:SHOWN]],
        total=len(found),
        href=asked.link(),
        settings_href=reverse("client_alert_settings", args=[client.pk]),
        done_href=asked.link(tab="done"),
    )
