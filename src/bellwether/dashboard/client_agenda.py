"""The card of a client's planned activities and open follow-ups."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.follow_ups_page import Row, make_row
from bellwether.portfolio.agenda import Phase, by_phase
from bellwether.portfolio.follow_ups import AgendaQuery, agenda
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

SHOWN = 5


@dataclass(frozen=True)
class ClientAgenda:
    """The items that are due first, how many there are, and where all of them are listed."""

    rows: list[Row]
    total: int
    href: str


def client_agenda(client: Client, user: StaffUser, *, now: datetime) -> ClientAgenda:
    """Return what is open about a client that `user` may see, whoever has to see to it; two queries."""
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    items = agenda(user, AgendaQuery(mine=False, client_id=client.pk), now=now, done=False)
    held = by_phase(items, today)
    in_order = [item for phase in Phase for item in held[phase]]
    address = Address(reverse("follow_ups"), {"whose": "all", "search": client.name})
    return ClientAgenda(
        [make_row(item, now, today, zone_of(user)) for item in in_order[:SHOWN]], len(in_order), str(address)
    )
