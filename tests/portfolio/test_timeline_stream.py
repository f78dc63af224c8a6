"""The stream of a client: pages without gap or overlap, filters, words, silences, what may not be seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from auditlog.context import set_actor

from bellwether.common.errors import InvalidInputError
from bellwether.health.models import HealthScore
from bellwether.portfolio.client_changes import ClientChange, change_client
from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    Note,
    SupportTicket,
    SurveyResponse,
)
from bellwether.portfolio.timeline_reading import asked_of, people_of, to_come, with_silences
from bellwether.portfolio.timeline_stream import Asked, Place, count_kinds, place_of, read_all, read_page
from bellwether.staff.models import StaffUser
from tests.conftest import NOW, Clients, Staff

ZONE = ZoneInfo("UTC")


def at(days: float) -> datetime:
    return NOW - timedelta(days=days)


def activity(client: Client, days: float, subject: str = "Check-in", **fields: Any) -> Activity:
    when = at(days)
    values: dict[str, Any] = {"activity_type": "CALL", "completed_at": when, "subject": subject, "occurred_at": when}
    return Activity.objects.create(client=client, **(values | fields))


def ask(client: Client, user: StaffUser, **fields: Any) -> Asked:
    return asked_of(client, user, now=NOW, zone=ZONE, **fields)


def titles(asked: Asked) -> list[str]:
    return [item.entry.title for item in read_page(asked).items]


@pytest.fixture
def lived(staff: Staff, clients: Clients) -> Client:
    """A client with an entry of each kind."""
    client = clients.sturdy
    mara = Contact.objects.create(client=client, name="Mara Lind", role="CHAMPION", left_company_at=at(20))
    met = activity(
        client, 3, "Roadmap", performed_by=staff.ada, outcome_notes="They like the export", next_steps="Demo"
    )
    met.client_contacts.add(mara)
    activity(client, 60, "Kick-off", activity_type="QBR", performed_by=staff.ben)
    SupportTicket.objects.create(
        client=client, subject="Export fails", external_id="4821", opened_at=at(10), solved_at=at(8), contact=mara
    )
    SurveyResponse.objects.create(client=client, kind="NPS", score=4, comment="Too slow", answered_at=at(5))
    Note.objects.create(client=client, title="Plan", content="Win the sponsor", created_by=staff.ada)
    Note.objects.create(client=client, content="Secret doubts", is_private=True, created_by=staff.ada)
    Note.objects.update(created_at=at(4))
    ContractPeriod.objects.create(client=client, start_date=date(2025, 7, 1), annual_recurring_revenue=100_000)
    ClientOutcome.objects.create(client=client, outcome="DOWNGRADED", date=date(2026, 6, 1), reason="budget")
    for day in range(40):
        HealthScore.objects.create(
            client=client,
            scorecard="prd-015",
            date=(NOW - timedelta(days=day)).date(),
            overall_score=58 if day < 12 else 72,
            coverage=1,
            weights_version="prd-015 v2" if day < 6 else "prd-015 v1",
            created_at=NOW,
        )
    with set_actor(staff.vera):
        change_client(client, ClientChange(segment="Growth", ae_id=None), actor=staff.vera, now=NOW)
    from auditlog.models import LogEntry

    LogEntry.objects.update(timestamp=at(2))
    client.refresh_from_db()
    return client


class TestStream:
    def test_holds_every_kind_newest_first(self, lived: Client, staff: Staff) -> None:
        asked = ask(lived, staff.ada)
        page = read_page(asked)
        assert [item.place for item in page.items] == sorted((item.place for item in page.items), reverse=True)
        assert page.next is None
        found = [(item.kind, item.entry.title) for item in page.items]
        assert sorted(found[2:4]) == [("note", "Note"), ("note", "Note: Plan")]
        assert found[:2] + found[4:] == [
            ("change", "2 fields of the record changed"),
            ("activity", "Call: Roadmap"),
            ("score", "Health fell 14 points in 7 days, from 72 to 58"),
            ("survey", "NPS answer: 4"),
            ("configuration", "Version 2 of the health score came into force"),
            ("ticket", "Ticket 4821 solved"),
            ("ticket", "Ticket 4821 opened"),
            ("contact", "Champion Mara Lind left"),
            ("contract", "Contract reduced"),
            ("activity", "Quarterly business review: Kick-off"),
            ("contract", "Contract started"),
        ]

    def test_counts_each_kind_once(self, lived: Client, staff: Staff) -> None:
        assert count_kinds(ask(lived, staff.ada)) == {
            "activity": 2,
            "ticket": 2,
            "score": 1,
            "contract": 2,
            "survey": 1,
            "contact": 1,
            "note": 2,
            "change": 1,
            "configuration": 1,
        }

    def test_private_notes_are_the_authors_alone(self, lived: Client, staff: Staff) -> None:
        assert count_kinds(ask(lived, staff.vera))["note"] == 1
        assert titles(ask(lived, staff.vera, kinds=["note"], search="doubts")) == []
        assert titles(ask(lived, staff.ada, kinds=["note"], search="doubts")) == ["Note"]

    @pytest.mark.parametrize("size", [1, 2, 5])
    def test_pages_follow_each_other_without_gap_or_overlap(self, lived: Client, staff: Staff, size: int) -> None:
        asked = ask(lived, staff.ada, limit=size)
        whole, more = read_all(ask(lived, staff.ada), at_most=1_000)
        assert not more
        seen, cursor = [], None
        for _ in range(20):
            page = read_page(replace(asked, before=cursor, kept={}))
            seen += [item.place for item in page.items]
            if page.next is None:
                break
            cursor = place_of(str(page.next))
        assert seen == [item.place for item in whole]

    def test_what_comes_on_top_does_not_move_the_next_page(self, lived: Client, staff: Staff) -> None:
        first = read_page(ask(lived, staff.ada, limit=3))
        expected = titles(ask(lived, staff.ada, limit=3, cursor=str(first.next)))
        activity(lived, 0.1, "New")
        assert titles(ask(lived, staff.ada, limit=3, cursor=str(first.next))) == expected

    def test_entries_of_one_instant_are_told_apart(self, clients: Clients, staff: Staff) -> None:
        for number in range(5):
            activity(clients.sturdy, 1, f"Call {number}")
            SupportTicket.objects.create(client=clients.sturdy, external_id=f"T{number}", opened_at=at(1))
        whole = [item.place for item in read_page(ask(clients.sturdy, staff.ada)).items]
        seen: list[Place] = []
        cursor = ""
        for _ in range(4):
            page = read_page(ask(clients.sturdy, staff.ada, limit=3, cursor=cursor))
            seen += [item.place for item in page.items]
            cursor = str(page.next)
        assert seen == whole
        assert len(set(seen)) == 10

    def test_takes_as_many_queries_however_much_there_is(
        self, lived: Client, staff: Staff, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        read_page(ask(lived, staff.ada))
        with django_assert_max_num_queries(20) as few:
            read_page(ask(lived, staff.ada))
        for number in range(60):
            activity(lived, number + 0.5, performed_by=staff.ada)
        with django_assert_max_num_queries(len(few)):
            assert len(read_page(ask(lived, staff.ada)).items) == 50


class TestFilters:
    def test_by_several_kinds(self, lived: Client, staff: Staff) -> None:
        assert titles(ask(lived, staff.ada, kinds=["survey", "contact"])) == [
            "NPS answer: 4",
            "Champion Mara Lind left",
        ]

    def test_by_days_both_included(self, lived: Client, staff: Staff) -> None:
        on = at(5).date().isoformat()
        found = titles(ask(lived, staff.ada, first=on, last=on))
        assert found[1:] == ["NPS answer: 4", "Version 2 of the health score came into force"]

    def test_by_a_member_of_staff_or_a_contact(self, lived: Client, staff: Staff) -> None:
        mara = Contact.objects.get(name="Mara Lind")
        assert titles(ask(lived, staff.ada, person=f"contact:{mara.pk}")) == [
            "Call: Roadmap",
            "Ticket 4821 solved",
            "Ticket 4821 opened",
            "Champion Mara Lind left",
        ]
        assert titles(ask(lived, staff.ada, person=f"staff:{staff.ben.pk}")) == ["Quarterly business review: Kick-off"]
        named = [(name, group) for _, name, group in people_of(lived, staff.ada)]
        assert named == [("Ada Example", "Staff"), ("Ben Example", "Staff"), ("Mara Lind", "Contacts")]

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("export", ["Call: Roadmap", "Ticket 4821 solved", "Ticket 4821 opened"]),
            ("exp demo", ["Call: Roadmap"]),
            ("growth", ["2 fields of the record changed"]),
            ("ed example", ["2 fields of the record changed"]),
            ("version", ["Version 2 of the health score came into force"]),
            ("budget", ["Contract reduced"]),
            ("slow", ["NPS answer: 4"]),
            ("nothing-like-this", []),
        ],
        ids=["records", "two words", "change", "name", "configuration", "reason", "comment", "none"],
    )
    def test_by_words(self, lived: Client, staff: Staff, typed: str, found: list[str]) -> None:
        assert titles(ask(lived, staff.ada, search=typed)) == found
        assert sum(count_kinds(ask(lived, staff.ada, search=typed)).values()) == len(found)

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"kinds": ["nonsense"]}, "type"),
            ({"person": "me"}, "person"),
            ({"person": "staff:1"}, "person"),
            ({"first": "soon"}, "from"),
            ({"first": "2026-02-02", "last": "2026-01-01"}, "from"),
            ({"last": "2026-02-30"}, "to"),
            ({"cursor": "x~y~z"}, "cursor"),
            ({"cursor": "2026-01-01T00:00:00+00:00~activity~x"}, "cursor"),
        ],
        ids=str,
    )
    def test_what_cannot_be_used_names_its_field(
        self, clients: Clients, staff: Staff, given: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInputError) as raised:
            ask(clients.sturdy, staff.ada, **given)
        assert list(raised.value.errors) == [field]


class TestSilences:
    def shown(self, asked: Asked) -> list[str]:
        return [item.entry.title for item in with_silences(asked, read_page(asked).items)]

    def test_stand_below_the_contact_that_ended_them_and_the_current_on_top(
        self, clients: Clients, staff: Staff
    ) -> None:
        activity(clients.sturdy, 62, "Newer")
        activity(clients.sturdy, 112, "Older")
        expected = ["No contact for 62 days", "Call: Newer", "No contact for 50 days", "Call: Older"]
        assert self.shown(ask(clients.sturdy, staff.ada)) == expected
        first = read_page(ask(clients.sturdy, staff.ada, limit=1))
        assert self.shown(ask(clients.sturdy, staff.ada, limit=1)) == expected[:3]
        assert self.shown(ask(clients.sturdy, staff.ada, limit=1, cursor=str(first.next))) == expected[3:]

    def test_are_left_out_where_contacts_are(self, clients: Clients, staff: Staff) -> None:
        activity(clients.sturdy, 62, "Newer")
        assert self.shown(ask(clients.sturdy, staff.ada, search="newer")) == ["Call: Newer"]
        assert self.shown(ask(clients.sturdy, staff.ada, kinds=["ticket"])) == []

    def test_internal_talks_and_plans_are_no_contact(self, clients: Clients, staff: Staff) -> None:
        activity(clients.sturdy, 62, "Newer")
        activity(clients.sturdy, 5, "Ours", activity_type="INTERNAL_DISCUSSION")
        activity(clients.sturdy, 4, "Planned", completed_at=None)
        assert self.shown(ask(clients.sturdy, staff.ada))[0] == "No contact for 62 days"


def test_what_is_still_to_come_stands_apart(clients: Clients, staff: Staff) -> None:
    activity(clients.sturdy, -2, "Talk", completed_at=None)
    activity(clients.sturdy, 9, follow_up_required=True, follow_up_date=at(3).date(), follow_up_text="Send the offer")
    found = [(one.what, one.when, one.late) for one in to_come(clients.sturdy, now=NOW, zone=ZONE)]
    assert found == [
        ("Follow-up: Send the offer", "27 Jun, 3 days ago", True),
        ("Call: Talk", "2 Jul, 12:00", False),
        ("Renewal", "30 Sep, in 92 days", False),
    ]
    assert titles(ask(clients.sturdy, staff.ada)) == ["Call: Check-in"]
