"""What playbooks bring, through the API."""

from uuid import uuid4

import pytest
from django.test import Client as Browser

from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff
from tests.playbooks.cast import enrol_many, playbook, version

BASE = "/api/v1/client-success/playbooks"


def get(user: StaffUser, address: str):  # type: ignore[no-untyped-def]
    browser = Browser()
    browser.force_login(user)
    return browser.get(address)


def test_the_list_with_figures_and_sum(clients: Clients, staff: Staff) -> None:
    enrol_many(playbook("quiet"), vars(clients).values(), treated=(60, 80), held_out=(20, 60))
    playbook("fresh")

    found = get(staff.ada, f"{BASE}/results")

    assert found.status_code == 200
    body = found.json()
    quiet = {one["key"]: one for one in body["data"]}["quiet"]
    assert (quiet["unit"], quiet["outcome"], quiet["rank"]) == ("share", "Logs in within 14 days", 1)
    assert quiet["figures"]["treated"] == {
        "enrolled": 80, "known": 80, "waiting": 0, "unknown": 0, "reached": 60, "value": 0.75,
    }  # fmt: skip
    assert quiet["figures"]["uplift"]["value"] == pytest.approx(0.75 - 1 / 3)
    assert quiet["figures"]["evidence"] == "works"
    assert (body["runs"], body["saved_arr"], body["evidence"]) == (140, None, {"works": 1, "not_started": 1})
    assert AuditEvent.objects.filter(action="playbook.results", actor_id=staff.ada.pk).count() == 1


def test_one_with_its_versions(clients: Clients, staff: Staff) -> None:
    made = playbook("quiet")
    enrol_many(made, vars(clients).values(), treated=(60, 80), held_out=(20, 60))
    version(made, hold_out=20)

    body = get(staff.vera, f"{BASE}/{made.pk}/results").json()

    assert [(one["number"], one["hold_out"], one["counts"]) for one in body["versions"]] == [
        (2, 20, True),
        (1, 50, False),
    ]
    assert body["figures"]["evidence"] == "not_started"
    assert body["versions"][1]["figures"]["evidence"] == "works"


def test_unknown_playbooks_answer_404_and_strangers_401(staff: Staff) -> None:
    assert get(staff.vera, f"{BASE}/{uuid4()}/results").status_code == 404
    assert Browser().get(f"{BASE}/results").status_code == 401
