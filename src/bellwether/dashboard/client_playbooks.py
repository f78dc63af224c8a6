"""The card with a client's playbooks: those under way with the next step, and what was done lately."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard.interventions_view import InterventionRow, row_of
from bellwether.dashboard.playbook_page import EnrolmentRow, enrolment_row
from bellwether.playbooks import selectors as read
from bellwether.playbooks.selectors import InterventionQuery
from bellwether.playbooks.services import may_act
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

SHOWN = 4


@dataclass(frozen=True)
class PlaybooksCard:
    """The card: enrolments under way, the newest interventions, the address of all of them and of the dialog."""

    under_way: list[EnrolmentRow]
    latest: list[InterventionRow]
    more: bool
    all_href: str
    start: str


def playbooks_card(client: Client, user: StaffUser, *, now: datetime) -> PlaybooksCard:
    """Return the card of a client that `user` may see; two queries."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    rows = read.busy(user, client.pk)
    query = InterventionQuery(client_id=client.pk, days=0)
    found = list(read.interventions(user, query, today=today, zone=zone)[: SHOWN + 1])
    return PlaybooksCard(
        under_way=[enrolment_row(one, user, now=now, today=today, zone=zone) for one in rows],
        latest=[row_of(one, now=now, zone=zone) for one in found[:SHOWN]],
        more=len(found) > SHOWN,
        all_href=f"{reverse('interventions')}?client={client.pk}&days=0",
        start=reverse("playbook_start", args=[client.pk]) if may_act(user) and client.archived_at is None else "",
    )
