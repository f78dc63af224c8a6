"""Contacts and notes through the staff API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bellwether.portfolio.models import Contact, Note
from bellwether.staff.models import AuditEvent
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, Clients, Staff

pytestmark = pytest.mark.django_db
CallerOf = Callable[..., Caller]


@pytest.fixture
def ada(staff: Staff, caller_of: CallerOf) -> Caller:
    return caller_of(staff.ada)


@pytest.fixture
def mara(clients: Clients) -> Contact:
    return Contact.objects.create(
        client=clients.fading, name="Mara Lindqvist", email="mara@cobalt.example", phone="+46 555 0142", role="CHAMPION"
    )


def post(caller: Caller, path: str, body: Any, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {caller.secret}", **headers}
    return caller.browser.post(BASE + path, body, "application/json", headers=given)


def delete(caller: Caller, path: str) -> Any:
    return caller.browser.delete(BASE + path, headers={"Authorization": f"Bearer {caller.secret}"})


def reveals() -> list[dict[str, Any]]:
    return list(AuditEvent.objects.filter(action="contact.reveal").values_list("detail", flat=True))


class TestContacts:
    def test_are_masked_until_revealed_which_is_written_down_once(
        self, clients: Clients, ada: Caller, mara: Contact
    ) -> None:
        path = f"/clients/{clients.fading.pk}/contacts"
        row = ada.get(path).json()["data"][0]
        assert (row["email"], row["phone"], row["role"]) == ("m•••@cobalt.example", "••• 42", "CHAMPION")
        assert reveals() == []
        answer = ada.get(path, {"reveal": "true"})
        assert answer.json()["data"][0]["email"] == "mara@cobalt.example"
        assert answer.headers["Cache-Control"] == "no-store"
        assert reveals() == [{"contacts": [str(mara.pk)], "count": 1, "where": "api"}]

    def test_are_made_once_with_a_key(self, clients: Clients, ada: Caller) -> None:
        path, body = f"/clients/{clients.fading.pk}/contacts", {"name": "Tom", "email": "tom@cobalt.example"}
        first = post(ada, path, body, **{"Idempotency-Key": "tom"})
        again = post(ada, path, body, **{"Idempotency-Key": "tom"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert first.json()["email"] == "t•••@cobalt.example"
        assert Contact.objects.count() == 1

    def test_errors_name_the_field(self, clients: Clients, ada: Caller, mara: Contact) -> None:
        wrong = ada.put(f"/contacts/{mara.pk}", {"email": "m•••@cobalt.example", "phone": "none"})
        assert wrong.status_code == 422
        assert [error["field"] for error in wrong.json()["errors"]] == ["email", "phone"]
        assert ada.put(f"/contacts/{mara.pk}", {"colour": "red"}).json()["errors"][0]["field"] == "colour"
        assert ada.put(f"/contacts/{mara.pk}", {"name": None}).json()["errors"][0]["field"] == "name"

    def test_leave_come_back_and_are_archived(self, clients: Clients, ada: Caller, mara: Contact) -> None:
        left = ada.put(f"/contacts/{mara.pk}", {"left_company_at": "2026-06-12", "title": "CFO"}).json()
        assert (left["is_active"], left["left_company_at"][:10], left["title"]) == (False, "2026-06-12", "CFO")
        assert ada.put(f"/contacts/{mara.pk}", {"left_company_at": None}).json()["is_active"] is True
        assert delete(ada, f"/contacts/{mara.pk}").status_code == 204
        assert delete(ada, f"/contacts/{mara.pk}").status_code == 204
        path = f"/clients/{clients.fading.pk}/contacts"
        assert ada.get(path).json()["pagination"]["total"] == 0
        assert ada.get(path, {"state": "archived"}).json()["pagination"]["total"] == 1
        assert ada.put(f"/contacts/{mara.pk}", {"title": "COO"}).status_code == 409
        assert ada.put(f"/contacts/{mara.pk}", {"archived_at": None, "title": "COO"}).json()["title"] == "COO"
        assert ada.get(path).json()["pagination"]["total"] == 1

    def test_both_or_nothing(self, ada: Caller, mara: Contact) -> None:
        wrong = ada.put(f"/contacts/{mara.pk}", {"left_company_at": "2027-01-01", "title": "CFO"})
        assert [error["field"] for error in wrong.json()["errors"]] == ["left_company_at"]
        mara.refresh_from_db()
        assert mara.title == ""

    def test_do_not_exist_for_others(self, clients: Clients, staff: Staff, caller_of: CallerOf, mara: Contact) -> None:
        cleo = caller_of(staff.cleo)
        path = f"/clients/{clients.fading.pk}/contacts"
        answers = [
            cleo.get(path), post(cleo, path, {"name": "X"}), cleo.put(f"/contacts/{mara.pk}", {"name": "X"}),
            delete(cleo, f"/contacts/{mara.pk}"),
        ]  # fmt: skip
        assert [answer.status_code for answer in answers] == [404] * 4

    def test_are_filtered_and_sorted(self, clients: Clients, ada: Caller, mara: Contact) -> None:
        Contact.objects.create(client=clients.fading, name="Tom", role="ADMIN", last_csm_contact=NOW, is_billing=True)
        Contact.objects.create(
            client=clients.fading, name="Una", role="ADMIN", is_active=False, left_company_at=NOW - timedelta(days=3)
        )
        path = f"/clients/{clients.fading.pk}/contacts"

        def names(**query: str) -> list[str]:
            return [row["name"] for row in ada.get(path, query).json()["data"]]

        assert names(sort="-last_contact") == ["Tom", "Mara Lindqvist", "Una"]
        assert names(role="ADMIN", state="there") == ["Tom"]
        assert names(state="left") == ["Una"]
        assert names(part="billing") == ["Tom"]
        assert names(search="mara champion") == ["Mara Lindqvist"]
        assert names(search="mara@cobalt") == []


class TestNotes:
    @pytest.fixture
    def secret(self, clients: Clients, staff: Staff) -> Note:
        return Note.objects.create(client=clients.fading, content="Hush.", is_private=True, created_by=staff.ada)

    def test_private_ones_exist_for_their_author_alone(
        self, clients: Clients, staff: Staff, caller_of: CallerOf, ada: Caller, secret: Note
    ) -> None:
        path = f"/clients/{clients.fading.pk}/notes"
        assert ada.get(path).json()["pagination"]["total"] == 1
        for other in (staff.vera, staff.adam, staff.cleo):
            caller = caller_of(other)
            assert caller.put(f"/notes/{secret.pk}", {"content": "x"}).status_code == 404
            assert delete(caller, f"/notes/{secret.pk}").status_code == 404
        assert caller_of(staff.vera).get(path).json()["data"] == []
        assert caller_of(staff.vera).get(path, {"search": "Hush"}).json()["pagination"]["total"] == 0
        assert caller_of(staff.cleo).get(path).status_code == 404

    def test_are_written_once_read_as_safe_html_and_archived(self, clients: Clients, ada: Caller, staff: Staff) -> None:
        path = f"/clients/{clients.fading.pk}/notes"
        body = {"content": "**Renew** <script>alert(1)</script>", "note_type": "RISK"}
        made = post(ada, path, body, **{"Idempotency-Key": "n1"})
        assert post(ada, path, body, **{"Idempotency-Key": "n1"}).json() == made.json()
        row = made.json()
        assert made.status_code == 201
        assert row["content_html"] == "<p><strong>Renew</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"
        assert (row["note_type"], row["created_by_id"]) == ("RISK", str(staff.ada.pk))
        assert ada.get(path, {"note_type": "STRATEGY"}).json()["data"] == []
        assert delete(ada, f"/notes/{row['id']}").status_code == 204
        assert ada.get(path).json()["data"] == []
        assert ada.put(f"/notes/{row['id']}", {"title": "x"}).status_code == 409
        assert ada.put(f"/notes/{row['id']}", {"archived_at": None}).json()["archived_at"] is None

    def test_the_second_of_two_editors_gets_a_conflict(
        self, clients: Clients, ada: Caller, staff: Staff, caller_of: CallerOf
    ) -> None:
        note = post(ada, f"/clients/{clients.fading.pk}/notes", {"content": "May"}).json()
        path, vera = f"/notes/{note['id']}", caller_of(staff.vera)
        assert vera.put(path, {"content": "June", "version": note["version"]}).status_code == 200
        clash = ada.put(path, {"content": "July", "version": note["version"]})
        assert (clash.status_code, clash.json()["type"]) == (409, "urn:bellwether:problem:edited-meanwhile")
        assert Note.objects.get().content == "June"

    def test_errors_name_the_field(self, clients: Clients, ada: Caller) -> None:
        path = f"/clients/{clients.fading.pk}/notes"
        wrong = post(ada, path, {"content": " ", "title": "x" * 201})
        assert [error["field"] for error in wrong.json()["errors"]] == ["title", "content"]
        assert post(ada, path, {"content": "x", "note_type": "DIARY"}).status_code == 422
