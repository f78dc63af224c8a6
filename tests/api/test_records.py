"""Contracts, outcomes, tickets and surveys through the staff API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.test import Client as Browser

from bellwether.portfolio.models import Change, Client, ClientOutcome, ContractPeriod, SupportTicket, SurveyResponse
from bellwether.staff.models import StaffUser
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, Clients, Staff

pytestmark = pytest.mark.django_db
TERM = {"external_id": "c-1", "start_date": "2026-01-01", "end_date": "2026-12-31", "annual_recurring_revenue": 99000.5,
        "contract_tier": "ENTERPRISE", "licensed_user_count": 70, "licensed_modules": ["Cases"]}  # fmt: skip
TICKET = {"external_id": "T-1", "subject": "Export fails", "priority": "high", "opened_at": "2026-06-29T08:00:00Z"}
ANSWER = {"external_id": "s-1", "kind": "CSAT", "score": 4, "scale": "1-5", "answered_at": "2026-06-29T08:00:00Z"}
OUTCOME = {"external_id": "o-1", "outcome": "RENEWED", "date": "2026-01-01", "arr_before": 90000, "arr_after": 99000}
KINDS = [("contracts", TERM, "contracts"), ("tickets", TICKET, "tickets"), ("surveys", ANSWER, "surveys"),
         ("outcomes", OUTCOME, "outcomes")]  # fmt: skip
each_kind = pytest.mark.parametrize(("path", "body", "objects"), KINDS, ids=[kind[0] for kind in KINDS])
Make = Callable[..., Caller]


@pytest.fixture
def send(client: Browser, caller_of: Make) -> Callable[..., Any]:
    """Return a function that sends a request of a user: `send(ada, "post", "/clients/…/tickets", body)`."""
    callers: dict[StaffUser, Caller] = {}

    def call(user: StaffUser, method: str, path: str, body: Any = None, **headers: str) -> Any:
        caller = callers.setdefault(user, caller_of(user))
        known = {"Authorization": f"Bearer {caller.secret}", **headers}
        if method in ("get", "delete"):
            return getattr(client, method)(BASE + path, headers=known)
        return getattr(client, method)(BASE + path, body, "application/json", headers=known)

    return call


@each_kind
class TestEveryKind:
    def test_is_made_read_changed_and_removed(
        self, send: Any, staff: Staff, clients: Clients, path: str, body: dict[str, Any], objects: str
    ) -> None:
        address = f"/clients/{clients.sturdy.pk}/{path}"
        made = send(staff.ada, "post", address, body)
        assert made.status_code == 201, made.content
        stored = made.json()
        assert [row["id"] for row in send(staff.ada, "get", address).json()["data"]] == [stored["id"]]
        field, value = {"contracts": ("licensed_user_count", 80), "tickets": ("priority", "low"),
                        "surveys": ("comment", "Good"), "outcomes": ("reason", "Price")}[path]  # fmt: skip
        changed = send(staff.ada, "put", f"/{objects}/{stored['id']}", {field: value}).json()
        assert changed == stored | {field: value, "updated_at": changed["updated_at"]}
        assert send(staff.ada, "delete", f"/{objects}/{stored['id']}").status_code == 204
        assert send(staff.ada, "get", address).json()["data"] == []
        assert Change.objects.filter(made_by=staff.ada).count() == 3
        assert set(LogEntry.objects.filter(object_pk=stored["id"]).values_list("actor_id", flat=True)) == {staff.ada.pk}

    def test_its_natural_key_twice_changes_nothing(
        self, send: Any, staff: Staff, clients: Clients, path: str, body: dict[str, Any], objects: str
    ) -> None:
        address = f"/clients/{clients.sturdy.pk}/{path}"
        first = send(staff.ada, "post", address, body).json()
        again = send(staff.ada, "post", address, body)
        assert (again.status_code, again.json()) == (200, first)
        other = {"contracts": {"licensed_user_count": 1}, "tickets": {"priority": "low"}, "surveys": {"score": 1},
                 "outcomes": {"reason": "x"}}[path]  # fmt: skip
        clash = send(staff.ada, "post", address, body | other)
        assert clash.status_code == 409
        assert first["id"] in clash.json()["detail"]
        assert Change.objects.count() == 1

    def test_an_idempotency_key_gets_the_first_answer_again(
        self, send: Any, staff: Staff, clients: Clients, path: str, body: dict[str, Any], objects: str
    ) -> None:
        address, given = f"/clients/{clients.sturdy.pk}/{path}", body | {"external_id": ""}
        key = {"Idempotency-Key": "k-1"}
        first, again = (send(staff.ada, "post", address, given, **key) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert Change.objects.count() == 1

    def test_does_not_exist_for_a_csm_of_others(
        self, send: Any, staff: Staff, clients: Clients, path: str, body: dict[str, Any], objects: str
    ) -> None:
        made = send(staff.ada, "post", f"/clients/{clients.sturdy.pk}/{path}", body).json()
        assert send(staff.cleo, "get", f"/clients/{clients.sturdy.pk}/{path}").status_code == 404
        assert send(staff.cleo, "post", f"/clients/{clients.sturdy.pk}/{path}", body).status_code == 404
        assert send(staff.cleo, "put", f"/{objects}/{made['id']}", {"notes": "x"}).status_code in (404, 422)
        assert send(staff.cleo, "delete", f"/{objects}/{made['id']}").status_code == 404
        assert send(staff.ada, "delete", f"/{objects}/{uuid4()}").status_code == 404
        assert Change.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("contracts", TERM | {"end_date": "2025-01-01"}, "end_date"),
        ("contracts", TERM | {"annual_recurring_revenue": -1}, "term.annual_recurring_revenue"),
        ("contracts", TERM | {"extra": 1}, "term.extra"),
        ("tickets", TICKET | {"opened_at": "2026-06-29T08:00:00"}, "opened_at"),
        ("tickets", TICKET | {"solved_at": "2026-06-28T08:00:00Z", "status": "solved"}, "solved_at"),
        ("surveys", ANSWER | {"score": 9}, "score"),
        ("outcomes", OUTCOME | {"date": "2027-01-01"}, "date"),
    ],
    ids=["order", "negative", "extra", "zone", "solved", "scale", "ahead"],
)
def test_what_is_wrong_is_named_by_field(
    send: Any, staff: Staff, clients: Clients, path: str, body: dict[str, Any], field: str
) -> None:
    answer = send(staff.ada, "post", f"/clients/{clients.sturdy.pk}/{path}", body)
    assert answer.status_code == 422, answer.content
    assert field.rpartition(".")[2] in [error["field"].rpartition(".")[2] for error in answer.json()["errors"]]
    assert not Change.objects.exists()


def test_an_empty_change_is_refused(send: Any, staff: Staff, clients: Clients) -> None:
    ticket = SupportTicket.objects.create(client=clients.sturdy, subject="x", opened_at=NOW)
    assert send(staff.ada, "put", f"/tickets/{ticket.pk}", {}).status_code == 422


def test_a_ticket_is_solved_and_opened_again(send: Any, staff: Staff, clients: Clients) -> None:
    ticket = SupportTicket.objects.create(client=clients.sturdy, subject="x", opened_at=NOW - timedelta(days=1))
    solved = send(staff.ada, "put", f"/tickets/{ticket.pk}", {"status": "solved"}).json()
    assert solved["solved_at"] == "2026-06-30T12:00:00Z"
    assert send(staff.ada, "put", f"/tickets/{ticket.pk}", {"status": "open"}).json()["solved_at"] is None


def test_a_renewal_and_a_churn_are_whole(send: Any, staff: Staff, clients: Clients) -> None:
    address = f"/clients/{clients.sturdy.pk}/contracts"
    send(staff.ada, "post", address, TERM)
    less = {"term": TERM | {"start_date": "2027-01-01", "end_date": "2027-12-31", "annual_recurring_revenue": 90000}}
    renewed = send(staff.ada, "post", f"{address}/renew", less)
    assert (renewed.status_code, renewed.json()["is_current"]) == (201, False)
    assert ClientOutcome.objects.get(client=clients.sturdy).outcome == "DOWNGRADED"
    again = send(staff.ada, "post", f"{address}/renew", less)
    assert again.status_code == 409
    left = send(staff.ada, "post", f"{address}/churn", {"date": "2026-06-30", "reason": "Price", "archive": True})
    assert left.json()["arr_before"] == 99000.5
    assert Client.objects.get(pk=clients.sturdy.pk).archived_at == NOW
    assert ContractPeriod.objects.filter(client=clients.sturdy).count() == 1
    assert send(staff.ada, "post", address, TERM | {"external_id": "c-9"}).status_code == 409


def test_the_list_of_all_tickets_is_limited_to_what_one_sees(
    send: Any, staff: Staff, clients: Clients, django_assert_max_num_queries: Any
) -> None:
    for place, client in enumerate((clients.sturdy, clients.fading, clients.elsewhere, clients.gone) * 5):
        SupportTicket.objects.create(client=client, subject=f"Fault {place}", opened_at=NOW - timedelta(days=place))
    assert send(staff.ada, "get", "/tickets").json()["pagination"]["total"] == 10
    send(staff.vera, "get", "/tickets")
    with django_assert_max_num_queries(24):  # 2 for tickets, the rest for token, counting and access log
        page = send(staff.vera, "get", "/tickets?sort=-opened&limit=3&page=2&status=waiting").json()
    assert [row["subject"] for row in page["data"]] == ["Fault 4", "Fault 5", "Fault 6"]
    assert page["pagination"] == {"page": 2, "limit": 3, "total": 15, "pages": 5}
    assert send(staff.vera, "get", "/tickets?sort=colour").status_code == 422


def test_answers_are_shown_as_stored_and_as_asked(send: Any, staff: Staff, clients: Clients) -> None:
    made = send(staff.ada, "post", f"/clients/{clients.sturdy.pk}/surveys", ANSWER).json()
    assert (made["score"], made["score_asked"], made["scale"]) == (75.0, 4.0, "1-5")
    changed = send(staff.ada, "put", f"/surveys/{made['id']}", {"score": 5}).json()
    assert (changed["score"], SurveyResponse.objects.get().score) == (100.0, 100.0)
    assert send(staff.ada, "get", f"/clients/{clients.sturdy.pk}/surveys?kind=NPS").json()["data"] == []


class TestReasonCodes:
    def test_codes_are_optional_on_write_and_given_on_read(self, send: Any, staff: Staff, clients: Clients) -> None:
        address = f"/clients/{clients.sturdy.pk}/outcomes"
        body = {"outcome": "CHURNED", "date": "2026-01-05", "reason": "Moved abroad"}
        made = send(staff.ada, "post", address, body).json()
        assert (made["reason_code"], made["reason"]) == ("", "Moved abroad")
        assert send(staff.ada, "post", address, body | {"reason_code": "MOOD"}).status_code == 422
        for change, code in (
            ({"reason": "Merger"}, "ACQUIRED"),
            ({"reason": "Their words"}, "ACQUIRED"),
            ({"reason_code": "CLOSED"}, "CLOSED"),
            ({"reason_code": ""}, ""),
        ):
            changed = send(staff.ada, "put", f"/outcomes/{made['id']}", change)
            assert changed.json()["reason_code"] == code
        left = send(
            staff.ada, "post", f"/clients/{clients.fading.pk}/contracts/churn",
            {"date": "2026-06-30", "reason_code": "COMPETITOR"},
        )  # fmt: skip
        assert (left.status_code, left.json()["reason_code"]) == (201, "COMPETITOR")
