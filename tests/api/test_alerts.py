"""Alerts through the staff API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bellwether.alerts.models import Alert
from bellwether.staff.models import AuditEvent, StaffUser
from tests.alerts.making import an_alert
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, Clients, Staff


class Calls:
    """Sends requests with a token of one member of staff."""

    def __init__(self, caller: Caller) -> None:
        self.browser, self.headers = caller.browser, {"Authorization": f"Bearer {caller.secret}"}

    def get(self, path: str) -> Any:
        return self.browser.get(BASE + path, headers=self.headers)

    def put(self, path: str, body: Any = None) -> Any:
        return self.browser.put(BASE + path, body or {}, "application/json", headers=self.headers)

    def post(self, path: str, body: Any) -> Any:
        return self.browser.post(BASE + path, body, "application/json", headers=self.headers)


@pytest.fixture
def call(caller_of: Callable[..., Caller]) -> Callable[[StaffUser], Calls]:
    return lambda user: Calls(caller_of(user))


def test_lists_show_what_one_may_see(call: Any, staff: Staff, clients: Clients) -> None:
    high = an_alert(clients.sturdy, arr=10)
    richer = an_alert(clients.fading, arr=99)
    critical = an_alert(clients.fading, "CRITICAL_HEALTH", severity="CRITICAL", status="ACKNOWLEDGED")
    an_alert(clients.fading, "NPS_DETRACTOR", is_silent=True)
    other = an_alert(clients.elsewhere)
    ada = call(staff.ada)

    def ids(path: str, who: Any = ada) -> list[str]:
        answer = who.get(path)
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["data"]]

    assert ids("/alerts") == [str(critical.pk), str(richer.pk), str(high.pk)]
    assert ids("/alerts?status=NEW&severity=HIGH&limit=1&page=2") == [str(high.pk)]
    assert ids("/alerts?alert_type=CRITICAL_HEALTH&alert_type=PAYMENT_ISSUE") == [str(critical.pk)]
    assert ids(f"/alerts?client_id={clients.sturdy.pk}") == [str(high.pk)]
    assert ids(f"/alerts?csm_id={staff.cleo.pk}") == []
    assert ids(f"/alerts?csm_id={staff.cleo.pk}", call(staff.vera)) == [str(other.pk)]
    assert len(ids("/alerts?silent=true")) == 4
    assert ids(f"/clients/{clients.sturdy.pk}/alerts") == [str(high.pk)]
    assert ada.get(f"/clients/{clients.elsewhere.pk}/alerts").status_code == 404
    assert ada.get(f"/alerts/{other.pk}").status_code == 404
    assert ada.get("/alerts?severity=HUGE").status_code == 422
    one = ada.get(f"/alerts/{high.pk}").json()
    assert (one["trigger_value"], one["opened_on"], one["advice"]["contact_id"]) == ("58", "2026-06-30", None)
    assert AuditEvent.objects.filter(action="alert.read", object_id=str(high.pk)).count() == 1


def test_each_act_by_its_address(call: Any, staff: Staff, clients: Clients) -> None:
    ada, alert = call(staff.ada), an_alert(clients.sturdy)
    address = f"/alerts/{alert.pk}"
    assert ada.put(f"{address}/acknowledge").json()["status"] == "ACKNOWLEDGED"
    assert ada.put(f"{address}/acknowledge").json()["acknowledged_by_id"] == str(staff.ada.pk)
    # Ada's day is the workspace's: noon in UTC tomorrow.
    assert ada.put(f"{address}/snooze", {"days": 1}).json()["snoozed_until"] == "2026-07-01T12:00:00Z"
    until = (NOW + timedelta(hours=3)).isoformat()
    assert ada.put(f"{address}/snooze", {"until": until}).json()["snoozed_until"] == "2026-06-30T15:00:00Z"
    assert ada.put(f"{address}/assign", {"assigned_to_id": str(staff.ben.pk)}).json()["assigned_to_id"]
    assert ada.put(f"{address}/resolve", {"resolution_notes": "Done."}).json()["resolution_notes"] == "Done."
    refused = ada.put(f"{address}/dismiss", {})
    assert (refused.status_code, refused.json()["detail"]) == (
        409, "Health drop at Sturdy was resolved. Reopen it first.",
    )  # fmt: skip
    assert ada.put(f"{address}/reopen").json()["status"] == "ACKNOWLEDGED"
    assert ada.put(f"{address}/dismiss", {"reason": "Known."}).json()["status"] == "DISMISSED"
    kinds = [event["kind"] for event in ada.get(address).json()["events"]]
    assert kinds == ["DISMISSED", "REOPENED", "RESOLVED", "ASSIGNED", "SNOOZED", "SNOOZED", "ACKNOWLEDGED"]
    assert call(staff.cleo).put(f"{address}/acknowledge").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        pytest.param("snooze", {}, "", id="neither"),
        pytest.param("snooze", {"days": 2}, "days", id="days"),
        pytest.param("snooze", {"until": "2026-06-30T11:00:00Z"}, "until", id="past"),
        pytest.param("snooze", {"until": "2026-07-30T11:00:00"}, "until", id="no offset"),
        pytest.param(
            "assign", {"assigned_to_id": "00000000-0000-0000-0000-000000000000"}, "assigned_to_id", id="nobody"
        ),
        pytest.param("resolve", {"resolution_notes": "x" * 5000}, "resolution_notes", id="long"),
        pytest.param("dismiss", {"why": "x"}, "why", id="unknown"),
    ],
)
def test_what_cannot_be_used_is_named(
    call: Any, staff: Staff, clients: Clients, path: str, body: Any, field: str
) -> None:
    answer = call(staff.ada).put(f"/alerts/{an_alert(clients.sturdy).pk}/{path}", body)
    assert answer.status_code == 422, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]} or not field
    assert Alert.objects.get().status == "NEW"


def test_many(call: Any, staff: Staff, clients: Clients) -> None:
    ada = call(staff.ada)
    ids = [str(an_alert(clients.sturdy, subject=str(number)).pk) for number in range(3)]
    ids.append(str(an_alert(clients.fading, status="DISMISSED").pk))
    answer = ada.post("/alerts/bulk", {"ids": ids, "action": "snooze", "days": 7})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["changed"], len(body["left"]), len(body["data"])) == (3, 1, 4)
    assert ada.post("/alerts/bulk", {"ids": ids[3:], "action": "acknowledge"}).status_code == 409
    assert ada.post("/alerts/bulk", {"ids": ids, "action": "snooze"}).status_code == 422
    hidden = str(an_alert(clients.elsewhere).pk)
    assert ada.post("/alerts/bulk", {"ids": [*ids[:1], hidden], "action": "dismiss"}).status_code == 404
    assert Alert.objects.filter(status="SNOOZED").count() == 3
