"""What staff do with activities and follow-ups, and what follows for clients."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio import activities as act
from bellwether.portfolio.activity_drafts import ActivityDraft, draft_of
from bellwether.portfolio.changes import undo
from bellwether.portfolio.models import Activity, Change, Client, Contact, SupportTicket
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, TODAY, Clients, Staff

YESTERDAY = NOW - timedelta(days=1)


def draft(**fields: Any) -> ActivityDraft:
    values: dict[str, Any] = {"activity_type": "CALL", "subject": "Check-in with Mara", "occurred_at": YESTERDAY}
    return ActivityDraft(**(values | fields))


def last(client: Client) -> datetime | None:
    return Client.objects.values_list("last_csm_contact_at", flat=True).get(pk=client.pk)


def errors_of(user: StaffUser, client: Client, given: ActivityDraft, **more: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        act.log(user, client, given, now=NOW, **more)
    assert not Activity.objects.exists()
    return caught.value.errors


@pytest.fixture
def mara(clients: Clients) -> Contact:
    return Contact.objects.create(client=clients.fading, name="Mara Lindqvist", is_primary=True)


class TestLog:
    def test_stores_everything(self, staff: Staff, clients: Clients, mara: Contact) -> None:
        done = act.log(
            staff.ada,
            clients.fading,
            draft(
                label="check-in", duration_minutes=30, contact_ids=(mara.pk,), outcome="RISK_IDENTIFIED",
                tags=("renewal", "Renewal"), next_steps="Send the summary", follow_up_date=date(2026, 7, 7),
                follow_up_text="Send the  summary", follow_up_contact_id=mara.pk,
                follow_up_remind_on=date(2026, 7, 6),
            ),
            now=NOW,
        )  # fmt: skip
        kept = Activity.objects.get()
        assert kept.pk == done.activity.pk
        assert (kept.performed_by, kept.completed_at, kept.scheduled_for) == (staff.ada, YESTERDAY, None)
        assert (kept.tags, kept.label, kept.duration_minutes) == (["renewal"], "check-in", 30)
        assert (kept.follow_up_required, kept.follow_up_text) == (True, "Send the summary")
        assert list(kept.client_contacts.all()) == [mara]
        assert Change.objects.get().summary == "Check-in with Fading logged"
        [event] = AuditEvent.objects.all()
        assert (event.action, event.client_id, event.object_id) == ("activity.logged", clients.fading.pk, str(kept.pk))

    def test_without_a_subject_is_called_by_its_type(self, staff: Staff, clients: Clients) -> None:
        act.log(staff.ada, clients.fading, draft(subject=" "), now=NOW)
        assert Activity.objects.get().subject == "Call"

    def test_sent_twice_is_stored_once(self, staff: Staff, clients: Clients) -> None:
        key = uuid4()
        first = act.log(staff.ada, clients.fading, draft(), now=NOW, key=key)
        again = act.log(staff.ada, clients.fading, draft(), now=NOW, key=key)
        assert (Activity.objects.count(), again.change) == (1, first.change)
        with pytest.raises(ConflictError):
            act.log(staff.ada, clients.sturdy, draft(), now=NOW, key=key)

    def test_sent_twice_at_once_is_stored_once(
        self, staff: Staff, clients: Clients, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, look = uuid4(), act._made_before
        first = act.log(staff.ada, clients.fading, draft(), now=NOW, key=key)
        blind = iter([True])  # the second request looks before the first has stored anything
        monkeypatch.setattr(act, "_made_before", lambda *given: None if next(blind, False) else look(*given))
        assert act.log(staff.ada, clients.fading, draft(), now=NOW, key=key).change == first.change
        assert (Activity.objects.count(), Change.objects.count()) == (1, 1)

    def test_archived_clients_are_left_alone(self, staff: Staff, clients: Clients) -> None:
        with pytest.raises(ConflictError, match="Gone is archived"):
            act.log(staff.ada, clients.gone, draft(), now=NOW)

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"activity_type": "CHAT"}, "activity_type"),
            ({"outcome": "FINE"}, "outcome"),
            ({"occurred_at": NOW + timedelta(hours=1)}, "occurred_at"),
            ({"occurred_at": datetime(2026, 6, 1)}, "occurred_at"),  # noqa: DTZ001
            ({"duration_minutes": 0}, "duration_minutes"),
            ({"subject": "x" * 301}, "subject"),
            ({"tags": ("x" * 61,)}, "tags"),
            ({"details": {"topic": "x"}}, "details.topic"),
            ({"contact_ids": (uuid4(),)}, "client_contacts"),
            ({"participant_ids": (uuid4(),)}, "participants"),
            ({"performed_by_id": uuid4()}, "performed_by_id"),
            ({"ticket_id": uuid4()}, "ticket_id"),
            ({"follow_up_required": True}, "follow_up_date"),
            ({"follow_up_date": date(2026, 6, 28)}, "follow_up_date"),
            ({"follow_up_date": TODAY, "follow_up_remind_on": date(2026, 7, 1)}, "follow_up_remind_on"),
            ({"follow_up_date": TODAY, "follow_up_contact_id": uuid4()}, "follow_up_contact_id"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_bad_input_is_named(self, staff: Staff, clients: Clients, fields: dict[str, Any], named: str) -> None:
        assert list(errors_of(staff.ada, clients.fading, draft(**fields))) == [named]

    def test_contacts_and_tickets_of_others_are_refused(self, staff: Staff, clients: Clients) -> None:
        other = Contact.objects.create(client=clients.sturdy, name="Other")
        ticket = SupportTicket.objects.create(client=clients.sturdy, opened_at=NOW)
        given = draft(contact_ids=(other.pk,), ticket_id=ticket.pk)
        assert errors_of(staff.ada, clients.fading, given) == {
            "client_contacts": "Choose contacts of Fading.",
            "ticket_id": "Choose a ticket of Fading.",
        }


class TestLastContact:
    def test_moves_forward_and_back(self, staff: Staff, clients: Clients, mara: Contact) -> None:
        done = act.log(staff.ada, clients.fading, draft(contact_ids=(mara.pk,)), now=NOW)
        mara.refresh_from_db()
        assert (last(clients.fading), mara.last_csm_contact) == (YESTERDAY, YESTERDAY)
        assert done.change is not None
        undo(staff.ada, done.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert (last(clients.fading), mara.last_csm_contact) == (None, None)

    def test_falls_back_to_the_one_before(self, staff: Staff, clients: Clients) -> None:
        act.log(staff.ada, clients.fading, draft(occurred_at=NOW - timedelta(days=9)), now=NOW)
        newer = act.log(staff.ada, clients.fading, draft(), now=NOW)
        act.archive(staff.ada, newer.activity, now=NOW)
        assert last(clients.fading) == NOW - timedelta(days=9)

    def test_keeps_what_another_system_states(self, staff: Staff, clients: Clients) -> None:
        stated = NOW - timedelta(days=4)
        Client.objects.filter(pk=clients.fading.pk).update(stated_contact_at=stated, last_csm_contact_at=stated)
        act.log(staff.ada, clients.fading, draft(occurred_at=NOW - timedelta(days=9)), now=NOW)
        assert last(clients.fading) == stated
        newer = act.log(staff.ada, clients.fading, draft(), now=NOW)
        assert last(clients.fading) == YESTERDAY
        assert newer.change is not None
        undo(staff.ada, newer.change.pk, today=TODAY, now=NOW)
        assert last(clients.fading) == stated

    def test_internal_and_planned_are_none(self, staff: Staff, clients: Clients) -> None:
        act.log(staff.ada, clients.fading, draft(activity_type="INTERNAL_DISCUSSION"), now=NOW)
        act.schedule(staff.ada, clients.fading, draft(occurred_at=NOW + timedelta(days=2)), now=NOW)
        assert last(clients.fading) is None


class TestPlanned:
    @pytest.fixture
    def planned(self, staff: Staff, clients: Clients) -> Activity:
        return act.schedule(staff.ada, clients.fading, draft(occurred_at=NOW + timedelta(days=2)), now=NOW).activity

    def test_is_not_completed(self, planned: Activity) -> None:
        assert (planned.completed_at, planned.scheduled_for) == (None, NOW + timedelta(days=2))

    def test_moves_to_a_time_to_come(self, staff: Staff, planned: Activity) -> None:
        to = NOW + timedelta(days=5)
        moved = act.reschedule(staff.ada, planned, to, now=NOW).activity
        assert (moved.scheduled_for, moved.occurred_at) == (to, to)
        with pytest.raises(InvalidInputError):
            act.reschedule(staff.ada, planned, NOW - timedelta(hours=1), now=NOW)

    def test_is_completed_once(self, staff: Staff, clients: Clients, planned: Activity) -> None:
        later = NOW + timedelta(days=2, hours=1)
        given = ActivityDraft(activity_type="CALL", occurred_at=NOW + timedelta(days=2), outcome="ISSUE_IDENTIFIED")
        done = act.complete(staff.ada, planned, given, now=later)
        assert (done.activity.completed_at, last(clients.fading)) == (NOW + timedelta(days=2), NOW + timedelta(days=2))
        with pytest.raises(ConflictError, match="completed already"):
            act.complete(staff.ada, planned, given, now=later)
        with pytest.raises(ConflictError, match="took place already"):
            act.reschedule(staff.ada, planned, later + timedelta(days=1), now=later)
        assert done.change is not None
        undo(staff.ada, done.change.pk, today=TODAY + timedelta(days=2), now=later)
        planned.refresh_from_db()
        assert (planned.completed_at, planned.outcome, last(clients.fading)) == (None, None, None)


class TestEdit:
    def test_is_kept_with_its_history(self, staff: Staff, clients: Clients, mara: Contact) -> None:
        made = act.log(staff.ada, clients.fading, draft(contact_ids=(mara.pk,)), now=NOW).activity
        act.edit(staff.vera, made, draft(subject="Renewal talk", outcome="RISK_IDENTIFIED"), now=NOW)
        made.refresh_from_db()
        assert (made.subject, made.performed_by, list(made.client_contacts.all())) == ("Renewal talk", staff.ada, [])
        changes = LogEntry.objects.get_for_object(made).filter(action=LogEntry.Action.UPDATE)
        assert {"subject", "outcome"} <= {name for entry in changes for name in entry.changes}

    def test_the_same_again_leaves_no_trace(self, staff: Staff, clients: Clients, mara: Contact) -> None:
        given = draft(contact_ids=(mara.pk,), details={}, follow_up_date=TODAY, follow_up_contact_id=mara.pk)
        made = act.log(staff.ada, clients.fading, given, now=NOW).activity
        assert act.edit(staff.vera, made, draft_of(made), now=NOW).change is None
        assert AuditEvent.objects.count() == 1

    def test_keeps_people_who_left(self, staff: Staff, clients: Clients, mara: Contact) -> None:
        given = draft(activity_type="MEETING", contact_ids=(mara.pk,), participant_ids=(staff.ben.pk,))
        made = act.log(staff.ada, clients.fading, given, now=NOW).activity
        Contact.objects.update(archived_at=NOW)
        StaffUser.objects.filter(pk__in=(staff.ben.pk, staff.ada.pk)).update(is_active=False)
        act.edit(staff.vera, made, draft_of(made), now=NOW)
        assert list(made.client_contacts.all()) == [mara]

    def test_archived_ones_are_left_alone(self, staff: Staff, clients: Clients) -> None:
        made = act.log(staff.ada, clients.fading, draft(), now=NOW).activity
        act.archive(staff.ada, made, now=NOW)
        with pytest.raises(ConflictError, match="is archived"):
            act.edit(staff.ada, made, draft(subject="New"), now=NOW)


class TestFollowUp:
    @pytest.fixture
    def open_one(self, staff: Staff, clients: Clients) -> Activity:
        given = draft(follow_up_date=date(2026, 7, 7), follow_up_remind_on=date(2026, 7, 5))
        return act.log(staff.ada, clients.fading, given, now=NOW).activity

    def test_is_ticked_off_and_opened_again(self, staff: Staff, open_one: Activity) -> None:
        assert act.complete_follow_up(staff.ada, open_one, now=NOW).activity.follow_up_completed_at == NOW
        assert act.complete_follow_up(staff.ada, open_one, now=NOW + timedelta(days=1)).change is None
        with pytest.raises(ConflictError, match="open it again"):
            act.move_follow_up(staff.ada, open_one, date(2026, 7, 9), now=NOW)
        assert act.reopen_follow_up(staff.ada, open_one, now=NOW).activity.follow_up_completed_at is None

    def test_moves_with_its_reminder(self, staff: Staff, open_one: Activity) -> None:
        moved = act.move_follow_up(staff.ada, open_one, date(2026, 7, 14), now=NOW).activity
        assert (moved.follow_up_date, moved.follow_up_remind_on) == (date(2026, 7, 14), date(2026, 7, 12))
        with pytest.raises(InvalidInputError):
            act.move_follow_up(staff.ada, open_one, date(2026, 6, 29), now=NOW)

    def test_needs_one(self, staff: Staff, clients: Clients) -> None:
        made = act.log(staff.ada, clients.fading, draft(), now=NOW).activity
        with pytest.raises(ConflictError, match="no follow-up"):
            act.complete_follow_up(staff.ada, made, now=NOW)


class TestLogMany:
    def test_is_one_change_that_is_undone_whole(self, staff: Staff, clients: Clients) -> None:
        given = draft(activity_type="EMAIL", participant_ids=(staff.ben.pk,), follow_up_date=date(2026, 7, 1))
        change = act.log_many(staff.ada, [clients.fading, clients.sturdy], given, now=NOW)
        assert change.summary == "E-mail logged for 2 clients"
        assert {(one.client_id, one.completed_at) for one in Activity.objects.all()} == {
            (clients.fading.pk, YESTERDAY),
            (clients.sturdy.pk, YESTERDAY),
        }
        assert last(clients.sturdy) == YESTERDAY
        undo(staff.ada, change.pk, today=TODAY, now=NOW)
        assert not Activity.objects.exists()
        assert (last(clients.sturdy), last(clients.fading)) == (None, None)

    def test_needs_no_query_a_client(self, staff: Staff, clients: Clients, django_assert_max_num_queries: Any) -> None:
        many = [
            Client.objects.create(organization_id=f"o{n}", name=f"Client {n}", csm_user=staff.ada) for n in range(30)
        ]
        with django_assert_max_num_queries(25):
            act.log_many(staff.ada, many, draft(), now=NOW)
        assert Activity.objects.count() == 30

    def test_refuses_what_belongs_to_one_client(self, staff: Staff, clients: Clients, mara: Contact) -> None:
        with pytest.raises(InvalidInputError) as caught:
            act.log_many(staff.ada, [clients.fading], draft(contact_ids=(mara.pk,)), now=NOW)
        assert list(caught.value.errors) == ["client_contacts"]
        with pytest.raises(InvalidInputError):
            act.log_many(staff.ada, [], draft(), now=NOW)
        with pytest.raises(ConflictError, match="Gone is archived"):
            act.log_many(staff.ada, [clients.fading, clients.gone], draft(), now=NOW)
        assert not Activity.objects.exists()


def test_planned_ones_of_the_past_may_be_scheduled(staff: Staff, clients: Clients) -> None:
    made = act.schedule(staff.ada, clients.fading, draft(occurred_at=datetime(2026, 6, 1, tzinfo=UTC)), now=NOW)
    assert made.activity.completed_at is None
