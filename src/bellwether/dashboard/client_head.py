"""The head of a client's pages: name, status, place in the list the reader came from, and the tabs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.addresses import Address
from bellwether.portfolio.listing import ClientQuery
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.portfolio.reason_codes import said
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import Status, full_day, number, status_of

TABS = {
    "client": "Overview",
    "client_usage": "Usage",
    "client_adoption": "Adoption",
    "client_churn": "Churn",
    "client_timeline": "Timeline",
    "client_contacts": "Contacts",
    "client_contract": "Contract",
    "client_support": "Support",
    "client_notes": "Notes",
}
"""The tabs by the name of their address."""


@dataclass(frozen=True)
class Place:
    """Where the client stands in the list that the reader came from."""

    text: str
    previous: str
    next: str
    back: str


@dataclass(frozen=True)
class Tab:
    """A tab of the client's pages."""

    text: str
    href: str
    current: bool


@dataclass(frozen=True)
class ClientHead:
    """What stands above the tabs, as text."""

    client_id: UUID
    name: str
    status: Status
    facts: list[str]
    notice: str
    archived: bool
    place: Place
    tabs: list[Tab]


def client_head(
    client: Client,
    *,
    user: StaffUser,
    tab: str,
    listed: str,
    query: ClientQuery,
    today: date,
    zone: ZoneInfo,
    outcomes: Sequence[ClientOutcome] | None = None,
    status: Status | None = None,
    kept: Mapping[str, str] | None = None,
) -> ClientHead:
    """Return the head of a client that `user` may see, with `tab` (a key of TABS) as the current one.

    `listed` is the query string of the list that the reader came from and `query` what it asks for. `outcomes` and
    `status` are read where they are not given. `kept` are choices that go along to the next client.
    """
    ends = list(ClientOutcome.objects.filter(client=client).order_by("date")) if outcomes is None else outcomes
    return ClientHead(
        client_id=client.pk,
        name=client.name,
        status=status or status_of(client.health_status),
        facts=header_facts(client),
        notice=ending(client, ends, today, zone),
        archived=client.archived_at is not None,
        place=_place(read.neighbours(user, client.pk, query, today=today), tab, listed, kept or {}),
        tabs=[Tab(text, _address(name, client.pk, listed), name == tab) for name, text in TABS.items()],
    )


def header_facts(client: Client) -> list[str]:
    """Return the line under the name: tier, industry, employees, location, CSM, account executive."""
    return [
        text
        for text in (
            str(client.get_contract_tier_display()),
            client.industry,
            f"{number(client.employee_count)} employees" if client.employee_count else "",
            client.location or client.region,
            f"CSM {client.csm_user.name}" if client.csm_user else "No CSM",
            f"AE {client.ae_user.name}" if client.ae_user else "",
        )
        if text
    ]


def ending(client: Client, outcomes: Sequence[ClientOutcome], today: date, zone: ZoneInfo) -> str:
    """Return what must be said first about a client that has left or is archived; empty for others."""
    left = [outcome for outcome in outcomes if outcome.outcome == "CHURNED" and outcome.date <= today]
    text = ""
    if left:
        why = said(left[-1].reason_code, left[-1].reason)
        reason = f": {why}" if why else ""
        text = f"This client left on {full_day(left[-1].date)}{reason}."
    if client.archived_at:
        on = full_day(day_of(client.archived_at, zone))
        text = f"{text} Archived on {on}; its history is kept, no new scores are made.".strip()
    return text


def _place(found: read.Neighbours, tab: str, listed: str, kept: Mapping[str, str]) -> Place:
    def page(client_id: UUID | None) -> str:
        return _address(tab, client_id, listed, kept) if client_id else ""

    return Place(
        text=f"{number(found.position)} of {number(found.total)}" if found.position else "",
        previous=page(found.previous),
        next=page(found.next),
        back=reverse("portfolio") + (f"?{listed}" if listed else ""),
    )


def _address(tab: str, client_id: UUID, listed: str, kept: Mapping[str, str] | None = None) -> str:
    return Address(reverse(tab, args=[client_id]), {"from": listed, **(kept or {})}).with_()
