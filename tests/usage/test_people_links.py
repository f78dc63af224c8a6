"""Links made at the same time: one of them holds, whoever comes last."""

from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import caches
from django.db import connections

from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import StaffUser
from bellwether.usage.lake import Lake
from bellwether.usage.people import Person, people_of
from bellwether.usage.people_links import link_contact
from bellwether.usage.workspace import workspace_lake
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.usage.people_cast import cast_days, key, put_days

GONE = key(0x5E1F)


def somebody(client: Client) -> Person:
    found = people_of(client, lake=workspace_lake(), today=TODAY, zone=ZoneInfo("UTC"), cache=caches["memory"])
    person = found.one(GONE)
    assert person is not None
    return person


def link(client: Client, person: Person, contact: Contact, actor: StaffUser) -> None:
    try:
        link_contact(client, person, contact.pk, actor=actor, now=NOW)
    finally:
        connections.close_all()


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_a_user_never_has_two_contacts(clients: Clients, staff: Staff, lake: Lake) -> None:
    caches["memory"].clear()
    put_days(lake, cast_days("sturdy", TODAY))
    person = somebody(clients.sturdy)
    contacts = [Contact.objects.create(client=clients.sturdy, name=f"Contact {n}", role="USER") for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(link, clients.sturdy, person, contact, staff.ada) for contact in contacts]:
            done.result()
    assert Contact.objects.filter(user_key=GONE).count() == 1
