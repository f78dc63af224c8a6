"""The endpoints of playbooks: scope, idempotency, errors."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from bellwether.playbooks.models import Enrolment
from bellwether.staff.models import StaffUser
from tests.conftest import Clients, Staff
from tests.playbooks.test_running import MAIL, alert, hello, mara, playbook  # noqa: F401

BASE = "/api/v1/client-success/playbooks"
CALL = {"key": "call", "kind": "call", "title": "Call", "wait_days": 9}


def as_user(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def post(user: StaffUser, address: str, body: Any, **headers: str) -> Any:
    return as_user(user).post(address, body, content_type="application/json", headers=headers)


@pytest.mark.usefixtures("hello", "mara")
def test_list_read_and_try(staff: Staff, clients: Clients) -> None:
    made = playbook(staff, MAIL)
    today = timezone.now().date()
    alert(clients.sturdy, opened_on=today)
    alert(clients.elsewhere, opened_on=today)
    listed = as_user(staff.ada).get(BASE).json()["data"]
    assert [(one["key"], one["state"], one["version"], one["trigger"]) for one in listed] == [
        ("quiet", "RUNNING", 1, "Alert: Key user inactive")
    ]
    read = as_user(staff.ada).get(f"{BASE}/{made.pk}").json()
    assert read["definition"]["steps"] == [MAIL]
    assert read["words"]["steps"] == ["E-mail to the champion: Mail"]
    mine = as_user(staff.ada).get(f"{BASE}/{made.pk}/dry-run").json()
    assert [one["client_name"] for one in mine["enrolled"]] == ["Sturdy"]
    assert mine["enrolled"][0]["first_step"]["subject"] == "How is Sturdy?"
    other = as_user(staff.cleo).get(f"{BASE}/{made.pk}/dry-run").json()
    assert [one["client_name"] for one in other["enrolled"]] == ["Elsewhere"]
    assert as_user(staff.ada).get(f"{BASE}/{clients.sturdy.pk}").status_code == 404


def test_enrolling_is_once_and_for_own_clients_alone(staff: Staff, clients: Clients) -> None:
    made = playbook(staff, CALL, trigger={"kind": "hand"})
    address, body = f"{BASE}/{made.pk}/enrolments", {"client_ids": [str(clients.sturdy.pk)]}
    first = post(staff.ada, address, body, **{"Idempotency-Key": "one"})
    assert first.status_code == 201
    again = post(staff.ada, address, body, **{"Idempotency-Key": "one"})
    assert again.json() == first.json()
    assert first.json()["data"][0]["arm"] == "TREATED"
    assert post(staff.ada, address, body).json()["data"][0]["reason"] == "It is under way in this playbook."
    both = {"client_ids": [str(clients.fading.pk), str(clients.elsewhere.pk)]}
    assert post(staff.ada, address, both).status_code == 404
    assert post(staff.cleo, address, body).status_code == 404
    assert post(staff.ed, address, body).status_code == 403
    assert Enrolment.objects.count() == 1
    wrong = post(staff.ada, address, {"client_ids": []})
    assert wrong.status_code == 422
    draft = playbook(staff, CALL, name="Draft", trigger={"kind": "hand"}, start=False)
    refused = post(staff.ada, f"{BASE}/{draft.pk}/enrolments", body)
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "Draft is not running; only running playbooks enrol.",
    )
