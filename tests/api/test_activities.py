"""Activities through the API: the sample of PRD-015, filters, changes, who sees what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.staff.models import AuditEvent
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, TODAY, Clients, Staff

Callers = Callable[..., Caller]


def post(caller: Caller, client: Client, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"} | ({"Idempotency-Key": key} if key else {})
    return caller.browser.post(f"{BASE}/clients/{client.pk}/activities", body, "application/json", headers=headers)


def fields(response: Any) -> list[str]:
    assert response.status_code == 422, response.content
    return [error["field"] for error in response.json()["errors"]]


@pytest.fixture
def sarah(clients: Clients) -> Contact:
    return Contact.objects.create(client=clients.fading, name="Sarah Chen", role="CHAMPION")


@pytest.fixture
def sample(sarah: Contact) -> dict[str, Any]:
    return {
        "activity_type": "CALL",
        "subject": "Check-in call with Sarah Chen",
        "description": "Plans to re-engage in January.",
        "occurred_at": "2026-06-29T10:00:00Z",
        "duration_minutes": 30,
        "client_contacts": [str(sarah.pk)],
        "outcome": "SUCCESSFUL_ENGAGEMENT",
        "follow_up_required": True,
        "follow_up_date": "2026-07-15",
    }


class TestLog:
    def test_answers_as_the_requirements_say(
        self, staff: Staff, clients: Clients, sample: dict[str, Any], caller_of: Callers
    ) -> None:
        answer = post(caller_of(staff.ada), clients.fading, sample)
        body = answer.json()
        assert answer.status_code == 201
        expected = sample | {
            "client_id": str(clients.fading.pk),
            "performed_by": {"id": str(staff.ada.pk), "name": "Ada Example"},
            "completed_at": "2026-06-29T10:00:00Z",
            "follow_up_completed": False,
            "ai_summary": None,
            "ai_next_steps": [],
            "outcome_notes": None,
        }
        assert {name: body[name] for name in expected} == expected
        assert answer.headers["Location"] == f"{BASE}/activities/{body['id']}"
        assert Client.objects.get(pk=clients.fading.pk).last_csm_contact_at == NOW - timedelta(days=1, hours=2)
        assert AuditEvent.objects.filter(action="activity.logged").count() == 1

    def test_sent_twice_with_a_key_is_stored_once(
        self, staff: Staff, clients: Clients, sample: dict[str, Any], caller_of: Callers
    ) -> None:
        caller = caller_of(staff.ada)
        first, again = (post(caller, clients.fading, sample, key="k-1") for _ in range(2))
        assert (first.json(), Activity.objects.count()) == (again.json(), 1)
        assert again.headers["Idempotent-Replay"] == "true"

    def test_schedules(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        body = {
            "activity_type": "QBR",
            "scheduled_for": "2026-07-10T09:00:00+02:00",
            "details": {"meeting_type": "review"},
        }
        made = post(caller_of(staff.ada), clients.fading, body).json()
        assert (made["scheduled_for"], made["completed_at"]) == ("2026-07-10T07:00:00Z", None)
        assert made["subject"] == "Quarterly business review"

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"activity_type": "CHAT"}, "activity_type"),
            ({"occurred_at": "2026-07-29T10:00:00Z"}, "occurred_at"),
            ({"occurred_at": "2026-06-29T10:00:00"}, "occurred_at"),
            ({"occurred_at": None}, "occurred_at"),
            ({"scheduled_for": "2026-07-29T10:00:00Z"}, "occurred_at"),
            ({"occurred_at": None, "scheduled_for": "2099-07-29T10:00:00Z"}, "scheduled_for"),
            ({"client_contacts": [str(uuid4())]}, "client_contacts"),
            ({"follow_up_date": "2026-06-01"}, "follow_up_date"),
            ({"details": {"topic": "x"}}, "details.topic"),
            ({"tags": ["x" * 61]}, "tags.0"),
            ({"mood": "good"}, "mood"),
        ],
        ids=["type", "future", "naive", "none", "both", "far", "contacts", "follow-up", "details", "tags", "unknown"],
    )
    def test_names_what_is_wrong(
        self, staff: Staff, clients: Clients, sample: dict[str, Any], caller_of: Callers,
        change: dict[str, Any], named: str,
    ) -> None:  # fmt: skip
        assert named in fields(post(caller_of(staff.ada), clients.fading, sample | change))
        assert not Activity.objects.exists()

    def test_archived_clients_are_a_conflict(
        self, staff: Staff, clients: Clients, sample: dict[str, Any], caller_of: Callers
    ) -> None:
        assert post(caller_of(staff.ada), clients.gone, sample).status_code == 409

    def test_clients_of_others_do_not_exist(
        self, staff: Staff, clients: Clients, sample: dict[str, Any], caller_of: Callers
    ) -> None:
        assert post(caller_of(staff.cleo), clients.fading, sample).status_code == 404
        assert post(caller_of(staff.ada, "read"), clients.fading, sample).status_code == 403


def had(client: Client, days: int, **values: Any) -> Activity:
    at = NOW - timedelta(days=days)
    kept: dict[str, Any] = {"activity_type": "CALL", "subject": f"{days}", "occurred_at": at, "completed_at": at}
    return Activity.objects.create(client=client, **(kept | values))


class TestList:
    @pytest.mark.parametrize(
        ("query", "subjects"),
        [
            ({}, ["-3", "1", "5", "9"]),
            ({"limit": 2, "page": 2}, ["5", "9"]),
            ({"type": "EMAIL"}, ["5"]),
            ({"outcome": "RISK_IDENTIFIED"}, ["9"]),
            ({"from": "2026-06-25", "to": "2026-06-29"}, ["1", "5"]),
            ({"follow_up": "open"}, ["5", "9"]),
            ({"follow_up": "overdue"}, ["9"]),
            ({"state": "planned"}, ["-3"]),
            ({"tag": "Café, talk"}, ["1"]),
            ({"tag": "Café"}, []),
        ],
        ids=["all", "page", "type", "outcome", "days", "open", "overdue", "planned", "tag", "part-of-tag"],
    )
    def test_filters(
        self, staff: Staff, clients: Clients, caller_of: Callers, query: dict[str, Any], subjects: list[str]
    ) -> None:
        had(
            clients.fading,
            9,
            outcome="RISK_IDENTIFIED",
            follow_up_required=True,
            follow_up_date=TODAY - timedelta(days=1),
        )
        had(clients.fading, 5, activity_type="EMAIL", follow_up_required=True, follow_up_date=TODAY)
        had(clients.fading, 1, tags=["Café, talk"])
        had(clients.fading, -3, completed_at=None, scheduled_for=NOW)
        had(clients.fading, 2, archived_at=NOW)
        had(clients.sturdy, 2)
        answer = caller_of(staff.ada).get(f"/clients/{clients.fading.pk}/activities", query)
        assert [row["subject"] for row in answer.json()["data"]] == subjects

    def test_of_a_person(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        had(clients.fading, 1, performed_by=staff.ben)
        had(clients.fading, 2, performed_by=staff.ada)
        path = f"/clients/{clients.fading.pk}/activities"
        answer = caller_of(staff.ada).get(path, {"performed_by": str(staff.ben.pk)})
        assert [row["subject"] for row in answer.json()["data"]] == ["1"]
        assert caller_of(staff.cleo).get(path).status_code == 404

    def test_needs_a_fixed_number_of_queries(
        self, staff: Staff, clients: Clients, caller_of: Callers, django_assert_max_num_queries: Any
    ) -> None:
        for n in range(30):
            had(clients.fading, n).client_contacts.set([Contact.objects.create(client=clients.fading, name=f"C{n}")])
        caller = caller_of(staff.ada)
        with django_assert_max_num_queries(15):  # PostgreSQL takes a lock for the access log
            assert len(caller.get(f"/clients/{clients.fading.pk}/activities").json()["data"]) == 30


class TestChange:
    @pytest.fixture
    def made(self, staff: Staff, clients: Clients, sample: dict[str, Any], caller_of: Callers) -> str:
        return str(post(caller_of(staff.ada), clients.fading, sample).json()["id"])

    def test_keeps_what_is_not_given(self, staff: Staff, made: str, sample: dict[str, Any], caller_of: Callers) -> None:
        body = (
            caller_of(staff.ada).put(f"/activities/{made}", {"outcome": "RISK_IDENTIFIED", "description": None}).json()
        )
        assert (body["outcome"], body["description"]) == ("RISK_IDENTIFIED", None)
        assert body["client_contacts"] == sample["client_contacts"]
        assert caller_of(staff.ada).get(f"/activities/{made}").json()["outcome"] == "RISK_IDENTIFIED"

    def test_of_the_type_takes_its_own_fields_away(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        body = {"activity_type": "TRAINING", "occurred_at": "2026-06-29T10:00:00Z", "details": {"topic": "Reports"}}
        made = post(caller, clients.fading, body).json()["id"]
        assert caller.put(f"/activities/{made}", {"activity_type": "CALL"}).json()["details"] == {}
        assert fields(caller.put(f"/activities/{made}", {"details": {"topic": "x"}})) == ["details.topic"]

    def test_ticks_the_follow_up_off_and_takes_it_away(self, staff: Staff, made: str, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        assert caller.put(f"/activities/{made}", {"follow_up_completed": True}).json()["follow_up_completed"] is True
        gone = caller.put(f"/activities/{made}", {"follow_up_required": False}).json()
        assert (gone["follow_up_required"], gone["follow_up_date"], gone["follow_up_completed"]) == (False, None, False)
        assert caller.put(f"/activities/{made}", {"follow_up_completed": True}).status_code == 409

    def test_completes_what_was_planned(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        planned = {"activity_type": "CALL", "scheduled_for": "2026-06-29T10:00:00Z"}
        made = post(caller, clients.fading, planned).json()["id"]
        moved = caller.put(f"/activities/{made}", {"scheduled_for": "2026-06-30T09:00:00Z"}).json()
        assert moved["scheduled_for"] == "2026-06-30T09:00:00Z"
        done = caller.put(f"/activities/{made}", {"completed": True, "outcome": "ISSUE_IDENTIFIED"}).json()
        assert (done["completed_at"], done["outcome"]) == ("2026-06-30T09:00:00Z", "ISSUE_IDENTIFIED")
        assert fields(caller.put(f"/activities/{made}", {"completed": False})) == ["completed"]
        assert fields(caller.put(f"/activities/{made}", {"scheduled_for": "2026-07-30T09:00:00Z"})) == ["scheduled_for"]

    def test_is_whole_or_not_at_all(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        made = post(caller, clients.fading, {"activity_type": "CALL", "occurred_at": "2026-06-29T10:00:00Z"}).json()
        answer = caller.put(f"/activities/{made['id']}", {"subject": "New", "follow_up_completed": True})
        assert (answer.status_code, Activity.objects.get().subject) == (409, "Call")

    def test_needs_something(self, staff: Staff, made: str, caller_of: Callers) -> None:
        assert fields(caller_of(staff.ada).put(f"/activities/{made}", {})) == [""]

    def test_archives(self, staff: Staff, made: str, clients: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        path = f"{BASE}/activities/{made}"
        answer = caller.browser.delete(path, headers={"Authorization": f"Bearer {caller.secret}"})
        assert answer.json()["archived_at"] == "2026-06-30T12:00:00Z"
        assert caller.put(f"/activities/{made}", {"subject": "New"}).status_code == 409
        assert Client.objects.get(pk=clients.fading.pk).last_csm_contact_at is None

    def test_those_of_others_do_not_exist(self, staff: Staff, made: str, caller_of: Callers) -> None:
        caller = caller_of(staff.cleo)
        assert caller.get(f"/activities/{made}").status_code == 404
        assert caller.put(f"/activities/{made}", {"subject": "Mine"}).status_code == 404
        assert caller.get(f"/activities/{uuid4()}").status_code == 404
