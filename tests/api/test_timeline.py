"""The timeline through the staff API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bellwether.portfolio.models import Activity, Client, Note, SupportTicket
from bellwether.staff.models import AuditEvent
from tests.api.conftest import BASE, Caller
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db
CallerOf = Callable[..., Caller]


@pytest.fixture
def busy(clients: Clients, staff: Staff) -> Client:
    now = timezone.now()
    for days in (2, 4, 70):
        at = now - timedelta(days=days)
        Activity.objects.create(
            client=clients.sturdy, activity_type="CALL", subject=f"Talk {days}", occurred_at=at, completed_at=at
        )
    SupportTicket.objects.create(client=clients.sturdy, subject="Export fails", opened_at=now - timedelta(days=3))
    Note.objects.create(client=clients.sturdy, content="Secret", is_private=True, created_by=staff.ada)
    return clients.sturdy


def get(caller: Caller, client: Client, query: str = "") -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"}
    return caller.browser.get(f"{BASE}/clients/{client.pk}/timeline{query}", headers=headers)


class TestTimeline:
    def test_returns_the_stream_with_counts(self, busy: Client, staff: Staff, caller_of: CallerOf) -> None:
        answer = get(caller_of(staff.vera), busy).json()
        assert [(one["type"], one["title"]) for one in answer["data"]] == [
            ("activity", "Call: Talk 2"),
            ("ticket", "Ticket opened"),
            ("activity", "Call: Talk 4"),
            ("activity", "Call: Talk 70"),
        ]
        assert answer["counts"] == {"activity": 3, "ticket": 1}
        assert answer["pagination"] == {"page": 1, "limit": 50, "total": 4, "pages": 1}
        assert (answer["next_cursor"], answer["days_without_contact"]) == (None, 2)
        assert answer["data"][0]["record_id"] == str(Activity.objects.get(subject="Talk 2").pk)
        event = AuditEvent.objects.get(action="client.timeline")
        assert (event.client_id, event.detail["count"]) == (busy.pk, 4)

    def test_private_notes_are_their_authors(self, busy: Client, staff: Staff, caller_of: CallerOf) -> None:
        assert get(caller_of(staff.ada), busy, "?type=note").json()["pagination"]["total"] == 1
        assert get(caller_of(staff.ben), busy, "?type=note").json()["data"] == []

    @pytest.mark.parametrize("walk", ["page", "cursor"])
    def test_walks_by_page_and_by_cursor(self, busy: Client, staff: Staff, caller_of: CallerOf, walk: str) -> None:
        caller = caller_of(staff.vera)
        seen, cursor = [], ""
        for number in (1, 2, 3, 4):
            where = {"page": f"page={number}", "cursor": f"cursor={cursor.replace('+', '%2B')}"}[walk]
            answer = get(caller, busy, f"?limit=1&{where}").json()
            seen += [one["title"] for one in answer["data"]]
            cursor = answer["next_cursor"] or ""
        assert seen == ["Call: Talk 2", "Ticket opened", "Call: Talk 4", "Call: Talk 70"]
        assert cursor == ""

    def test_filters_by_types_words_and_days(self, busy: Client, staff: Staff, caller_of: CallerOf) -> None:
        caller = caller_of(staff.vera)
        since = (timezone.now() - timedelta(days=5)).date().isoformat()
        found = get(caller, busy, f"?type=activity&type=ticket&from={since}&search=talk").json()["data"]
        assert [one["title"] for one in found] == ["Call: Talk 2", "Call: Talk 4"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [("?type=calls", "type"), ("?from=soon", "from"), ("?cursor=x", "cursor"), ("?page=9999&limit=200", "page")],
        ids=["type", "from", "cursor", "page"],
    )
    def test_names_the_field_that_cannot_be_used(
        self, busy: Client, staff: Staff, caller_of: CallerOf, query: str, field: str
    ) -> None:
        answer = get(caller_of(staff.vera), busy, query)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_of_others_clients_is_not_there(self, busy: Client, staff: Staff, caller_of: CallerOf) -> None:
        assert get(caller_of(staff.cleo), busy).status_code == 404
