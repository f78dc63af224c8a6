"""What is due, and whose it is."""

from datetime import date, timedelta
from typing import Any

import pytest

from bellwether.portfolio.agenda import Kind, Phase
from bellwether.portfolio.follow_ups import AgendaQuery, agenda, counts, due_count, due_follow_ups, owners
from bellwether.portfolio.models import Activity, Client
from bellwether.staff.models import StaffUser
from tests.conftest import NOW, TODAY, Clients, Staff


def promise(client: Client, by: StaffUser | None, on: date | None, **fields: Any) -> Activity:
    at = NOW - timedelta(days=20)
    values: dict[str, Any] = {
        "activity_type": "CALL", "subject": "Call", "occurred_at": at, "completed_at": at, "performed_by": by,
        "follow_up_required": True, "follow_up_date": on, "follow_up_text": f"About {client.name}",
    }  # fmt: skip
    return Activity.objects.create(client=client, **(values | fields))


def plan(client: Client, by: StaffUser, days: float, **fields: Any) -> Activity:
    at = NOW + timedelta(days=days)
    values: dict[str, Any] = {"activity_type": "QBR", "subject": "Review", "occurred_at": at, "scheduled_for": at}
    return Activity.objects.create(client=client, performed_by=by, **(values | fields))


@pytest.fixture
def held(staff: Staff, clients: Clients) -> None:
    """TODAY is a Tuesday. Ada: one overdue, one today, one on Sunday, a review tomorrow, one done; Cleo: one today."""
    promise(clients.fading, staff.ada, TODAY - timedelta(days=3))
    promise(clients.sturdy, staff.ada, TODAY)
    promise(clients.sturdy, staff.ada, TODAY + timedelta(days=5))
    promise(clients.sturdy, staff.ada, TODAY, follow_up_completed_at=NOW - timedelta(days=1))
    promise(clients.sturdy, staff.ada, TODAY, archived_at=NOW)
    promise(clients.gone, staff.ada, TODAY)
    plan(clients.fading, staff.ada, 1)
    promise(clients.elsewhere, staff.cleo, TODAY)


class TestAgenda:
    def test_is_of_open_and_lately_done_items(self, staff: Staff, held: None) -> None:
        found = agenda(staff.ada, AgendaQuery(), now=NOW)
        assert sorted((item.kind.value, item.client_name, item.done_at is not None) for item in found) == [
            ("follow_up", "Fading", False),
            ("follow_up", "Sturdy", False),
            ("follow_up", "Sturdy", False),
            ("follow_up", "Sturdy", True),
            ("planned", "Fading", False),
        ]
        assert {item.owner for item in found} == {"Ada Example"}

    def test_counts_by_phase(self, staff: Staff, held: None) -> None:
        expected = {Phase.OVERDUE: 1, Phase.TODAY: 1, Phase.THIS_WEEK: 2, Phase.LATER: 0}
        assert counts(staff.ada, AgendaQuery(), today=TODAY) == expected
        assert due_count(staff.ada, today=TODAY) == 2
        assert due_count(staff.vera, today=TODAY) == 0

    def test_an_item_of_both_kinds_counts_twice(self, staff: Staff, clients: Clients) -> None:
        plan(clients.fading, staff.ada, -1, follow_up_required=True, follow_up_date=TODAY)
        assert due_count(staff.ada, today=TODAY) == 2
        assert sum(counts(staff.ada, AgendaQuery(), today=TODAY).values()) == 2

    def test_is_limited_to_the_clients_seen(self, staff: Staff, held: None) -> None:
        def open_of(user: StaffUser, **query: Any) -> list[str]:
            return sorted(i.client_name for i in agenda(user, AgendaQuery(**query), now=NOW, done=False))

        assert open_of(staff.vera, mine=False) == ["Elsewhere", "Fading", "Fading", "Sturdy", "Sturdy"]
        assert open_of(staff.ben, mine=False) == ["Fading", "Fading", "Sturdy", "Sturdy"]
        assert open_of(staff.cleo, mine=False) == ["Elsewhere"]
        assert open_of(staff.vera) == []
        assert open_of(staff.vera, mine=False, kind=Kind.PLANNED) == ["Fading"]
        assert open_of(staff.vera, mine=False, search="elsew") == ["Elsewhere"]
        assert open_of(staff.vera, mine=False, owner_id=staff.cleo.pk) == ["Elsewhere"]
        assert owners(staff.vera) == [(staff.ada.pk, "Ada Example"), (staff.cleo.pk, "Cleo Example")]

    def test_needs_a_fixed_number_of_queries(
        self, staff: Staff, clients: Clients, django_assert_max_num_queries: Any
    ) -> None:
        for n in range(20):
            promise(clients.fading, staff.ada, TODAY + timedelta(days=n))
        with django_assert_max_num_queries(4):
            assert len(agenda(staff.ada, AgendaQuery(), now=NOW)) == 20


class TestOwner:
    def test_of_a_client_that_was_handed_over_is_the_new_csm(self, staff: Staff, clients: Clients) -> None:
        promise(clients.fading, staff.ada, TODAY)
        Client.objects.filter(pk=clients.fading.pk).update(csm_user=staff.cleo)
        assert [item.owner for item in agenda(staff.cleo, AgendaQuery(), now=NOW)] == ["Cleo Example"]
        assert agenda(staff.ada, AgendaQuery(), now=NOW) == []

    @pytest.mark.parametrize("name", ["vera", "ben", "ed"])
    def test_is_the_one_who_did_it_while_that_one_sees_the_client(
        self, staff: Staff, clients: Clients, name: str
    ) -> None:
        person = getattr(staff, name)
        promise(clients.sturdy, person, TODAY)
        assert [one.owner_id for one in due_follow_ups(NOW, TODAY)] == [person.pk]

    def test_is_the_csm_when_the_one_who_did_it_left(self, staff: Staff, clients: Clients) -> None:
        promise(clients.sturdy, staff.vera, TODAY)
        promise(clients.fading, None, TODAY)
        StaffUser.objects.filter(pk=staff.vera.pk).update(is_active=False)
        assert [one.owner_id for one in due_follow_ups(NOW, TODAY)] == [staff.ada.pk, staff.ada.pk]

    def test_may_be_nobody(self, staff: Staff, clients: Clients) -> None:
        promise(clients.fading, None, TODAY)
        Client.objects.filter(pk=clients.fading.pk).update(csm_user=None)
        assert [one.owner_id for one in due_follow_ups(NOW, TODAY)] == [None]


class TestDue:
    def test_are_those_whose_day_or_reminder_has_come(self, staff: Staff, held: None, clients: Clients) -> None:
        promise(clients.newborn, staff.ada, TODAY + timedelta(days=2), follow_up_remind_on=TODAY)
        promise(clients.newborn, staff.ada, None)
        found = [(one.client_name, one.days_overdue, one.what) for one in due_follow_ups(NOW, TODAY)]
        assert found[0] == ("Fading", 3, "About Fading")
        assert sorted(found[1:3]) == [("Elsewhere", 0, "About Elsewhere"), ("Sturdy", 0, "About Sturdy")]
        assert found[3:] == [("Newborn", -2, "About Newborn")]
