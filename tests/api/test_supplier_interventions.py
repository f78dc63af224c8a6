"""Interventions for suppliers through their API: what is made, what is refused, who sees it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bellwether.delivery.models import Message
from bellwether.playbooks.models import Intervention, MessageTemplate
from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.staff.models import AuditEvent
from tests.api.conftest import Caller
from tests.conftest import NOW, Clients, Staff

PATH = "/api/customer-success/interventions"
Make = Callable[..., Caller]


@pytest.fixture
def suppliers(clients: Clients, settings: Any) -> Clients:
    settings.BELLWETHER_PRESET = "suppliers"
    Contact.objects.create(client=clients.sturdy, name="Nia Ferrer", email="nia@sturdy.example", is_primary=True)
    MessageTemplate.objects.create(
        key="tips", name="Tips", subject="Hello {{ contact.first_name }}", body="{{ client.name }}, try the forms.",
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return clients


def post(caller: Caller, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"} | ({"Idempotency-Key": key} if key else {})
    return caller.browser.post(PATH, body, content_type="application/json", headers=headers)


def get(caller: Caller, query: Any = None) -> Any:
    return caller.browser.get(PATH, query, headers={"Authorization": f"Bearer {caller.secret}"})


class TestMaking:
    def test_a_mail_from_a_template_is_on_its_way_to_the_primary_contact(
        self, staff: Staff, suppliers: Clients, caller_of: Make
    ) -> None:
        answer = post(caller_of(staff.ada, "write"), {"supplierId": "sturdy", "type": "email", "template": "tips"})
        assert answer.status_code == 200, answer.content
        body = answer.json()
        row = Intervention.objects.get()
        assert body == {"success": True, "interventionId": str(row.pk), "scheduledFor": body["scheduledFor"]}
        assert (row.subject, row.message) == ("Hello Nia", "Sturdy, try the forms.")
        assert (row.state, row.created_by, row.contact.name) == ("SCHEDULED", staff.ada, "Nia Ferrer")
        message = Message.objects.get()
        assert (message.medium, message.contact, message.about_id) == ("EMAIL", row.contact, row.pk.hex)
        assert AuditEvent.objects.filter(action="intervention.made", client_id=suppliers.sturdy.pk).count() == 1

    def test_a_call_stands_in_the_agenda(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        when = (timezone.now() + timedelta(days=400)).isoformat()
        given = {"supplierId": "sturdy", "type": "call", "message": "Ask about forms.", "scheduledFor": when}
        answer = post(caller_of(staff.ada, "write"), given)
        assert answer.status_code == 422  # further away than a year
        assert answer.json()["errors"][0]["field"].endswith("scheduledFor")
        answer = post(caller_of(staff.ada, "write"), given | {"scheduledFor": None})
        assert answer.status_code == 200, answer.content
        activity = Activity.objects.get(client=suppliers.sturdy, activity_type="CALL", completed_at__isnull=True)
        assert (activity.description, activity.performed_by) == ("Ask about forms.", staff.ada)
        assert answer.json()["scheduledFor"] is not None
        assert Intervention.objects.get().state == "DUE"

    def test_twice_with_one_key_is_once(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        caller = caller_of(staff.ada, "write")
        given = {"supplierId": "sturdy", "type": "email", "template": "tips"}
        first, second = post(caller, given, "k1"), post(caller, given, "k1")
        assert first.json() == second.json()
        assert (Intervention.objects.count(), Message.objects.count()) == (1, 1)

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"type": "email", "template": "none"}, "template"),
            ({"type": "email"}, "message"),
            ({"type": "email", "message": "Hello"}, "subject"),
            ({"type": "in_app", "message": "Hello"}, "type"),  # no webhook takes it
            ({"type": "pigeon", "message": "Hello"}, "type"),
        ],
    )
    def test_what_cannot_be_done_names_the_field(
        self, given: dict[str, str], field: str, staff: Staff, suppliers: Clients, caller_of: Make
    ) -> None:
        answer = post(caller_of(staff.ada, "write"), {"supplierId": "sturdy", **given})
        assert answer.status_code == 422
        assert [error["field"].rpartition(".")[2] for error in answer.json()["errors"]] == [field]
        assert not Intervention.objects.exists()
        assert not Message.objects.exists()

    def test_needs_somebody_to_write_to(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        Contact.objects.update(email="")
        answer = post(caller_of(staff.ada, "write"), {"supplierId": "sturdy", "type": "email", "template": "tips"})
        assert answer.status_code == 422
        assert "no contact" in answer.json()["detail"].lower()

    def test_of_another_csm_does_not_exist(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        given = {"supplierId": "sturdy", "type": "email", "template": "tips"}
        assert post(caller_of(staff.cleo, "write"), given).status_code == 404
        assert post(caller_of(staff.ada, "write"), given | {"supplierId": "nobody"}).status_code == 404
        assert post(caller_of(staff.ada, "read"), given).status_code == 403
        assert post(caller_of(staff.ed, "write"), given).status_code == 403

    def test_archived_is_a_conflict(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        Client.objects.filter(pk=suppliers.sturdy.pk).update(archived_at=NOW)
        given = {"supplierId": "sturdy", "type": "email", "template": "tips"}
        assert post(caller_of(staff.ada, "write"), given).status_code == 409


class TestHistory:
    def test_lists_what_the_caller_sees_the_newest_first(
        self, staff: Staff, suppliers: Clients, caller_of: Make
    ) -> None:
        ada = caller_of(staff.ada, "write")
        post(ada, {"supplierId": "sturdy", "type": "email", "template": "tips"})
        post(ada, {"supplierId": "fading", "type": "call"})
        Intervention.objects.filter(kind="email").update(created_at=NOW - timedelta(days=1))
        found = get(ada).json()
        assert [(one["supplierId"], one["type"], one["status"]) for one in found["data"]] == [
            ("fading", "call", "DUE"),
            ("sturdy", "email", "SCHEDULED"),
        ]
        assert found["pagination"]["total"] == 2
        assert found["data"][0]["createdBy"] == "Ada Example"
        assert [one["type"] for one in get(ada, {"type": "email"}).json()["data"]] == ["email"]
        assert [one["supplierId"] for one in get(ada, {"supplierId": "fading"}).json()["data"]] == ["fading"]
        assert get(caller_of(staff.cleo, "read")).json()["data"] == []
        assert get(ada, {"type": "pigeon"}).status_code == 422

    def test_needs_the_scorecard(self, staff: Staff, clients: Clients, caller_of: Make) -> None:
        assert get(caller_of(staff.ada, "read")).status_code == 409
