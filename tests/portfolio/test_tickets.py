"""Changes to tickets and answers to surveys: refused by field, stored once, taken back, and read by the score."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.progress import NoProgress
from bellwether.health.models import HealthScore
from bellwether.health.services import score_client_today
from bellwether.portfolio.changes import undo
from bellwether.portfolio.models import Change, Client, Contact, SupportTicket, SurveyResponse
from bellwether.portfolio.surveys import AnswerValues, add_answer, asked_score, change_answer, values_of
from bellwether.portfolio.ticket_reading import TicketQuery, list_tickets
from bellwether.portfolio.tickets import (
    TicketValues,
    add_ticket,
    change_ticket,
    escalate,
    remove_ticket,
    reopen,
    solve,
)
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
UTC_ZONE = ZoneInfo("UTC")
EARLIER = NOW - timedelta(days=2)


@pytest.fixture
def by(staff: Staff) -> dict[str, Any]:
    return {"actor": staff.ada, "today": TODAY, "now": NOW}


def ticket(**values: Any) -> TicketValues:
    return TicketValues(**({"subject": "Export fails", "opened_at": EARLIER} | values))


class TestTickets:
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"subject": " "}, "subject"),
            ({"subject": "x" * 301}, "subject"),
            ({"priority": "grave"}, "priority"),
            ({"status": "lost"}, "status"),
            ({"opened_at": NOW + timedelta(hours=1)}, "opened_at"),
            ({"opened_at": datetime(1026, 1, 1, tzinfo=UTC)}, "opened_at"),
            ({"status": "solved", "solved_at": EARLIER - timedelta(hours=1)}, "solved_at"),
            ({"status": "open", "solved_at": NOW}, "solved_at"),
            ({"first_response_minutes": -1}, "first_response_minutes"),
            ({"contact_id": uuid4()}, "contact_id"),
        ],
        ids=["empty", "long", "priority", "status", "ahead", "ago", "order", "waits", "minutes", "contact"],
    )
    def test_what_is_wrong_is_named_by_field(
        self, clients: Clients, by: dict[str, Any], values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            add_ticket(clients.sturdy, ticket(**values), **by)
        assert list(caught.value.errors) == [field]
        assert not SupportTicket.objects.exists()

    def test_solved_reopened_escalated_removed_and_each_undone(self, clients: Clients, by: dict[str, Any]) -> None:
        made = add_ticket(clients.sturdy, ticket(priority="urgent"), **by).record

        def now() -> tuple[str, object, bool]:
            one = SupportTicket.objects.get(pk=made.pk)
            return one.status, one.solved_at, one.is_escalated

        solved = solve(made, **by)
        assert now() == ("solved", NOW, False)
        assert solve(solved.record, **by).change is None
        undo(by["actor"], solved.undo, today=TODAY, now=NOW)
        assert now() == ("open", None, False)
        reopened = reopen(solve(made, **by).record, **by)
        assert now() == ("open", None, False)
        escalate(reopened.record, True, **by)
        assert now()[2] is True
        removed = remove_ticket(made, **by)
        assert not SupportTicket.objects.exists()
        undo(by["actor"], removed.undo, today=TODAY, now=NOW)
        assert now() == ("open", None, True)
        assert set(Change.objects.values_list("kind", flat=True)) == {
            "ticket.added", "ticket.solved", "ticket.reopened", "ticket.escalated", "ticket.removed",
        }  # fmt: skip

    def test_an_imported_ticket_closed_without_a_time_keeps_none(self, clients: Clients, by: dict[str, Any]) -> None:
        known = SupportTicket.objects.create(
            client=clients.sturdy, external_id="T-1", status="closed", opened_at=EARLIER
        )
        change_ticket(known, ticket(subject="", status="closed", priority="high"), **by)
        known.refresh_from_db()
        assert (known.priority, known.solved_at) == ("high", None)

    def test_a_natural_key_twice_changes_nothing_or_names_what_is_there(
        self, clients: Clients, by: dict[str, Any]
    ) -> None:
        first = add_ticket(clients.sturdy, ticket(status="solved"), external_id="T-1", **by)
        again = add_ticket(clients.sturdy, ticket(status="solved"), external_id="T-1", **by)
        assert (again.repeated, again.record.pk) == (True, first.record.pk)
        with pytest.raises(ConflictError, match=str(first.record.pk)):
            add_ticket(clients.sturdy, ticket(priority="low"), external_id="T-1", **by)

    def test_archived_clients_take_none(self, clients: Clients, by: dict[str, Any]) -> None:
        with pytest.raises(ConflictError, match="archived"):
            add_ticket(clients.gone, ticket(), **by)

    def test_reach_the_score(self, clients: Clients, by: dict[str, Any], lake: Lake) -> None:
        add_ticket(clients.sturdy, ticket(priority="urgent"), **by)
        add_ticket(clients.sturdy, ticket(priority="low"), **by)
        score_client_today(clients.sturdy.pk, now=NOW, progress=NoProgress())
        inputs = HealthScore.objects.get(client=clients.sturdy, scorecard="prd-015").inputs
        assert inputs["ticket_points_30d"] == 9  # urgent 8 and low 1


class TestLists:
    @pytest.fixture
    def four(self, clients: Clients) -> Client:
        for days, priority, status, escalated in (
            (1, "low", "open", False),
            (9, "urgent", "pending", True),
            (3, "high", "solved", False),
            (40, "normal", "open", False),
        ):
            at = NOW - timedelta(days=days)
            SupportTicket.objects.create(
                client=clients.sturdy, subject=f"Fault {days}", priority=priority, status=status, opened_at=at,
                solved_at=at + timedelta(hours=days) if status == "solved" else None, is_escalated=escalated,
            )  # fmt: skip
        return clients.sturdy

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ({}, [9, 40, 1, 3]),
            ({"status": "waiting"}, [9, 40, 1]),
            ({"status": "done"}, [3]),
            ({"priority": "urgent"}, [9]),
            ({"escalated": True}, [9]),
            ({"period": 7, "sort": "opened"}, [3, 1]),
            ({"search": "FAULT 4"}, [40]),
            ({"sort": "-age"}, [40, 9, 1, 3]),
            ({"sort": "priority"}, [1, 40, 3, 9]),
            ({"limit": 3, "page": 9}, [3]),
        ],
        ids=["urgency", "waiting", "done", "priority", "escalated", "period", "search", "age", "rank", "page"],
    )
    def test_narrow_sort_and_page(self, four: Client, query: dict[str, Any], days: list[int]) -> None:
        found = list_tickets(SupportTicket.objects.all(), TicketQuery(**query), now=NOW, zone=UTC_ZONE)
        assert [one.subject for one in found.rows] == [f"Fault {day}" for day in days]


def answer(**values: Any) -> AnswerValues:
    return AnswerValues(**({"kind": "CSAT", "score": 4, "scale": "1-5", "answered_at": EARLIER} | values))


class TestSurveys:
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"score": 6}, "score"),
            ({"kind": "NPS", "score": 11}, "score"),
            ({"scale": "", "score": -1}, "score"),
            ({"score": float("nan")}, "score"),
            ({"scale": "bad"}, "scale"),
            ({"kind": "CES"}, "kind"),
            ({"answered_at": NOW + timedelta(days=1)}, "answered_at"),
            ({"respondent": "mara@cobalt.example"}, "respondent"),
            ({"contact_id": uuid4()}, "contact_id"),
        ],
        ids=["csat", "nps", "negative", "nan", "scale", "kind", "ahead", "mail", "contact"],
    )
    def test_what_is_wrong_is_named_by_field(
        self, clients: Clients, by: dict[str, Any], values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            add_answer(clients.sturdy, answer(**values), **by)
        assert list(caught.value.errors) == [field]

    def test_a_score_is_stored_of_100_and_shown_as_asked(self, clients: Clients, by: dict[str, Any]) -> None:
        mara = Contact.objects.create(client=clients.sturdy, name="Mara Lindqvist")
        made = add_answer(clients.sturdy, answer(contact_id=mara.pk), **by).record
        stored = SurveyResponse.objects.get()
        assert (stored.score, stored.scale, asked_score(stored), stored.contact) == (75.0, "1-5", 4.0, mara)
        changed = change_answer(made, answer(score=5), **by)
        assert SurveyResponse.objects.get().score == 100.0
        undo(by["actor"], changed.undo, today=TODAY, now=NOW)
        assert values_of(SurveyResponse.objects.get()) == answer(contact_id=mara.pk)

    def test_a_natural_key_twice_changes_nothing(self, clients: Clients, by: dict[str, Any]) -> None:
        add_answer(clients.sturdy, answer(), external_id="s-1", **by)
        assert add_answer(clients.sturdy, answer(), external_id="s-1", **by).repeated
        with pytest.raises(ConflictError, match="says something else"):
            add_answer(clients.sturdy, answer(score=1), external_id="s-1", **by)
