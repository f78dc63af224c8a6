"""The users of a client over the API: list, filters, pages, the link to a contact."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import pytest

from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from bellwether.usage.people import SEGMENTS, SORTS
from bellwether.usage.people_api import Segment, SortWord
from tests.api.conftest import BASE, Caller
from tests.conftest import TODAY, Clients, Staff
from tests.usage.people_cast import cast_days, key, put_days, put_events

pytestmark = pytest.mark.django_db
Callers = Callable[..., Caller]
TOP, AWAY, GONE = key(0x4C19), key(0xB3F7), key(0x5E1F)


@pytest.fixture
def busy(clients: Clients, lake: Lake) -> Client:
    """The sturdy client with the cast's people, one of whom made cases."""
    put_days(lake, cast_days("sturdy", TODAY))
    put_events(lake, [("sturdy", TOP, TODAY, "Case Created", "Case Management")])
    return clients.sturdy


def path(client: Client, user: str = "") -> str:
    return f"/clients/{client.pk}/usage/users" + (f"/{user}/contact" if user else "")


def contact(client: Client, **fields: Any) -> Contact:
    made: Contact = Contact.objects.create(client=client, name="Mara Lindqvist", role="CHAMPION", **fields)
    return made


def delete(caller: Caller, address: str) -> Any:
    return caller.browser.delete(BASE + address, headers={"Authorization": f"Bearer {caller.secret}"})


class TestList:
    def test_gives_everything_known_of_a_user(self, staff: Staff, busy: Client, caller_of: Callers) -> None:
        mara = contact(busy, user_key=GONE)
        body = caller_of(staff.ada, "read").get(path(busy)).json()
        assert body["pagination"] == {"page": 1, "limit": 50, "total": 6, "pages": 1}
        assert body["segments"] == {
            "all": 6, "stakeholders": 1, "inactive": 2, "champions": 1, "potential": 1, "declining": 1,
        }  # fmt: skip
        first = body["data"][0]
        assert first["activity"] == [0, 5] * 15
        del first["activity"]
        assert first == {
            "id": TOP,
            "name": "User 4C19",
            "role": "Investigator",
            "last_login": "2026-06-30T12:00:00Z",
            "days_since_login": 0,
            "first_seen": (TODAY - timedelta(days=58)).isoformat(),
            "total_sessions": 15,
            "total_actions": 150,
            "previous_actions": 150,
            "active_days": 15,
            "primary_activities": ["Case Management"],
            "status": "active",
            "is_inactive": False,
            "is_stakeholder_inactive": False,
            "is_champion": True,
            "is_potential_champion": False,
            "is_power_user": True,
            "contact": None,
        }
        linked = next(row for row in body["data"] if row["id"] == GONE)
        assert linked["name"] == "Mara Lindqvist"
        assert linked["contact"] == {"id": str(mara.pk), "name": "Mara Lindqvist", "role": "CHAMPION"}
        assert linked["is_stakeholder_inactive"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"segment": "inactive"}, [GONE, AWAY]),
            ({"status": "declining"}, [key(0x71E5)]),
            ({"search": "4c19"}, [TOP]),
            ({"sort": "last_login", "limit": 2}, [GONE, AWAY]),
            ({"sort": "-actions", "limit": 1, "page": 2}, [key(0x9A02)]),
            ({"page": 2}, []),
        ],
        ids=str,
    )
    def test_can_be_narrowed_sorted_and_paged(
        self, staff: Staff, busy: Client, caller_of: Callers, query: dict[str, Any], found: list[str]
    ) -> None:
        body = caller_of(staff.ada, "read").get(path(busy), query).json()
        assert [row["id"] for row in body["data"]] == found

    @pytest.mark.parametrize("name", ["segment", "status", "sort", "page", "limit"])
    def test_a_wrong_value_names_its_field(self, staff: Staff, busy: Client, caller_of: Callers, name: str) -> None:
        response = caller_of(staff.ada, "read").get(path(busy), {name: "nonsense"})
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [name]

    def test_words_are_those_of_the_list(self) -> None:
        assert get_args(Segment) == SEGMENTS
        assert {word.removeprefix("-") for word in get_args(SortWord)} == set(SORTS)

    def test_another_csm_gets_404(self, staff: Staff, busy: Client, caller_of: Callers) -> None:
        assert caller_of(staff.cleo, "read").get(path(busy)).status_code == 404

    def test_is_written_down(self, staff: Staff, busy: Client, caller_of: Callers) -> None:
        caller_of(staff.ada, "read").get(path(busy), {"limit": 2})
        event = AuditEvent.objects.get(action="client.people")
        assert (event.client_id, event.detail) == (busy.pk, {"count": 2, "total": 6})

    def test_a_client_without_usage_has_nobody(
        self, staff: Staff, clients: Clients, lake: Lake, caller_of: Callers
    ) -> None:
        body = caller_of(staff.ada, "read").get(path(clients.newborn)).json()
        assert (body["data"], body["pagination"]["total"]) == ([], 0)


class TestLink:
    def test_names_the_user_and_can_be_repeated(self, staff: Staff, busy: Client, caller_of: Callers) -> None:
        mara, caller = contact(busy), caller_of(staff.ada)
        for _ in range(2):
            response = caller.put(path(busy, GONE), {"contact_id": str(mara.pk)})
            assert response.status_code == 200
            assert response.json()["contact"]["id"] == str(mara.pk)
        assert AuditEvent.objects.filter(action="contact.linked").count() == 1
        for _ in range(2):
            assert delete(caller, path(busy, GONE)).json()["contact"] is None
        assert AuditEvent.objects.filter(action="contact.unlinked").count() == 1

    def test_needs_a_token_that_may_write(self, staff: Staff, busy: Client, caller_of: Callers) -> None:
        mara, caller = contact(busy), caller_of(staff.ada, "read")
        assert caller.put(path(busy, GONE), {"contact_id": str(mara.pk)}).status_code == 403
        assert delete(caller, path(busy, GONE)).status_code == 403

    def test_what_is_not_there_is_404(self, staff: Staff, busy: Client, caller_of: Callers) -> None:
        mara = contact(busy)
        body = {"contact_id": str(mara.pk)}
        assert caller_of(staff.ada).put(path(busy, key(0xDEAD)), body).status_code == 404
        assert caller_of(staff.cleo).put(path(busy, GONE), body).status_code == 404
        assert delete(caller_of(staff.cleo), path(busy, GONE)).status_code == 404

    def test_a_contact_of_another_client_names_the_field(
        self, staff: Staff, busy: Client, clients: Clients, caller_of: Callers
    ) -> None:
        other = contact(clients.elsewhere)
        for contact_id in (other.pk, uuid4(), "x"):
            response = caller_of(staff.ada).put(path(busy, GONE), {"contact_id": str(contact_id)})
            assert response.status_code == 422
            assert [error["field"] for error in response.json()["errors"]] == ["contact_id"]
        assert not Contact.objects.exclude(user_key="").exists()

    def test_an_archived_client_is_left_alone(
        self, staff: Staff, clients: Clients, lake: Lake, caller_of: Callers
    ) -> None:
        put_days(lake, cast_days("gone", TODAY - timedelta(days=60)))
        mara = contact(clients.gone)
        response = caller_of(staff.ada).put(path(clients.gone, TOP), {"contact_id": str(mara.pk)})
        assert response.status_code == 409
