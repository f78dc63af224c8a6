"""What staff do to contacts, and that it is taken back whole."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.changes import undo
from bellwether.portfolio.changes_forgetting import forget_user
from bellwether.portfolio.contacts_changes import (
    Link,
    add_contact,
    archive_contact,
    change_contact,
    come_back,
    mark_left,
    restore_contact,
)
from bellwether.portfolio.contacts_merging import merge_contacts
from bellwether.portfolio.contacts_reading import stakeholders_of
from bellwether.portfolio.models import Activity, Change, Client, Contact, SupportTicket, SurveyResponse
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def by(staff: Staff) -> dict[str, Any]:
    return {"actor": staff.ada, "today": TODAY, "now": NOW}


@pytest.fixture
def mara(clients: Clients) -> Contact:
    return Contact.objects.create(
        client=clients.fading, name="Mara Lindqvist", email="mara@cobalt.example", role="CHAMPION", is_primary=True
    )


def refused(work: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as told:
        work()
    return told.value.errors


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("name", " ", "Give a name"),
            ("name", "x" * 201, "at most 200"),
            ("email", "mara at cobalt", "no e-mail address"),
            ("email", "m•••@cobalt.example", "masked form"),
            ("email", "MARA@cobalt.example", "Mara Lindqvist has this address"),
            ("phone", "call me", "no phone number"),
            ("phone", "••• 42", "masked form"),
            ("title", "x" * 121, "at most 120"),
            ("role", "BOSS", "CHAMPION"),
            ("engagement_status", "KEEN", "DECLINING"),
            ("known_since", date(2026, 7, 1), "still to come"),
            ("notes", "x" * 10_001, "at most 10,000"),
        ],
        ids=lambda value: str(value)[:12].strip() or "blank",
    )
    def test_errors_name_the_field_and_nothing_is_stored(
        self, clients: Clients, mara: Contact, by: dict[str, Any], field: str, value: object, says: str
    ) -> None:
        errors = refused(lambda: add_contact(clients.fading, {"name": "New", field: value}, **by))
        assert list(errors) == [field]
        assert says in errors[field]
        assert Contact.objects.count() == 1
        assert not Change.objects.exists()

    def test_an_address_may_be_used_again_at_another_client_or_after_archiving(
        self, clients: Clients, mara: Contact, by: dict[str, Any]
    ) -> None:
        add_contact(clients.sturdy, {"name": "Mara", "email": "mara@cobalt.example"}, **by)
        archive_contact(mara, **by)
        add_contact(clients.fading, {"name": "Mara", "email": "mara@cobalt.example"}, **by)
        with pytest.raises(ConflictError, match="the same e-mail address"):
            restore_contact(mara, **by)

    def test_an_address_that_was_there_twice_does_not_stop_other_edits(
        self, clients: Clients, mara: Contact, by: dict[str, Any]
    ) -> None:
        twin = Contact.objects.create(client=clients.fading, name="M", email="mara@cobalt.example")
        assert change_contact(twin, {"title": "CFO", "email": "mara@cobalt.example"}, **by).contact.title == "CFO"

    def test_archived_clients_are_not_changed(self, clients: Clients, by: dict[str, Any]) -> None:
        with pytest.raises(ConflictError, match="archived"):
            add_contact(clients.gone, {"name": "New"}, **by)


class TestPrimary:
    def test_is_one_and_moves_in_the_same_change(self, clients: Clients, mara: Contact, by: dict[str, Any]) -> None:
        done = add_contact(clients.fading, {"name": "Tom", "is_primary": True}, **by)
        mara.refresh_from_db()
        assert (done.contact.is_primary, mara.is_primary) == (True, False)
        assert done.change is not None
        assert done.change.entries.count() == 2
        undo(by["actor"], done.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert mara.is_primary
        assert not Contact.objects.filter(name="Tom").exists()

    def test_is_not_taken_back_by_somebody_who_returns(
        self, clients: Clients, mara: Contact, by: dict[str, Any]
    ) -> None:
        mark_left(mara, TODAY, zone=ZONE, **by)
        add_contact(clients.fading, {"name": "Tom", "is_primary": True}, **by)
        Contact.objects.filter(pk=mara.pk).update(is_primary=True)
        assert come_back(mara, **by).contact.is_primary is False


class TestLeaving:
    def test_is_a_day_of_the_workspace_and_undone(self, mara: Contact, by: dict[str, Any]) -> None:
        done = mark_left(mara, date(2026, 6, 12), zone=ZONE, **by)
        mara.refresh_from_db()
        assert day_of(mara.left_company_at, ZONE) == date(2026, 6, 12)
        assert not mara.is_active
        undo(by["actor"], done.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert (mara.is_active, mara.left_company_at) == (True, None)

    def test_is_not_in_the_future_nor_before_the_contact_was_known(self, mara: Contact, by: dict[str, Any]) -> None:
        assert list(refused(lambda: mark_left(mara, TODAY + timedelta(days=1), zone=ZONE, **by))) == ["left_company_at"]
        Contact.objects.filter(pk=mara.pk).update(known_since=TODAY)
        mara.refresh_from_db()
        assert "known since" in str(refused(lambda: mark_left(mara, TODAY - timedelta(days=1), zone=ZONE, **by)))

    def test_a_successor_takes_the_role_and_the_part(self, clients: Clients, mara: Contact, by: dict[str, Any]) -> None:
        tom = Contact.objects.create(client=clients.fading, name="Tom", role="USER")
        mark_left(mara, TODAY, successor_id=tom.pk, zone=ZONE, **by)
        tom.refresh_from_db()
        mara.refresh_from_db()
        assert (tom.role, tom.is_primary, mara.is_primary) == ("CHAMPION", True, False)

    def test_a_successor_is_of_the_client(self, clients: Clients, mara: Contact, by: dict[str, Any]) -> None:
        other = Contact.objects.create(client=clients.sturdy, name="Elsewhere")
        assert list(refused(lambda: mark_left(mara, TODAY, successor_id=other.pk, zone=ZONE, **by))) == ["successor"]


class TestLink:
    def test_no_undo_brings_an_erased_person_back(self, mara: Contact, by: dict[str, Any]) -> None:
        person = "ab" * 16
        Contact.objects.filter(pk=mara.pk).update(user_key=person)
        mara.refresh_from_db()
        done = change_contact(mara, {"title": "CFO"}, link=Link(""), **by)
        Contact.objects.filter(user_key=person).update(user_key="")
        assert forget_user(person, replacement="cd" * 16) == 1
        undo(by["actor"], done.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert (mara.title, mara.user_key) == ("", "")

    def test_a_user_is_one_contact(self, clients: Clients, mara: Contact, by: dict[str, Any]) -> None:
        Contact.objects.filter(pk=mara.pk).update(user_key="ab" * 16)
        tom = Contact.objects.create(client=clients.fading, name="Tom")
        change_contact(tom, {}, link=Link("ab" * 16, NOW), **by)
        mara.refresh_from_db()
        tom.refresh_from_db()
        assert (mara.user_key, tom.user_key, tom.last_platform_login) == ("", "ab" * 16, NOW)


def talk(client: Client, by: StaffUser, days: int, *people: Contact) -> Activity:
    at = NOW - timedelta(days=days)
    made = Activity.objects.create(
        client=client, activity_type="CALL", subject="Call", occurred_at=at, completed_at=at, performed_by=by
    )
    made.client_contacts.set(people)
    return made


class TestMerge:
    @pytest.fixture
    def twin(self, clients: Clients) -> Contact:
        return Contact.objects.create(
            client=clients.fading, name="M. Lindqvist", phone="+46 555 0142", role="USER", is_billing=True,
            user_key="cd" * 16, notes="Likes short calls.", external_id="crm-7", email="ml@cobalt.example",
        )  # fmt: skip

    @pytest.fixture
    def records(self, clients: Clients, staff: Staff, mara: Contact, twin: Contact) -> dict[str, Any]:
        client = clients.fading
        return {
            "alone": talk(client, staff.ada, 3, twin),
            "both": talk(client, staff.ada, 9, twin, mara),
            "follow": Activity.objects.create(
                client=client, activity_type="CALL", subject="Next", occurred_at=NOW, follow_up_contact=twin
            ),
            "ticket": SupportTicket.objects.create(client=client, subject="Export", opened_at=NOW, contact=twin),
            "answer": SurveyResponse.objects.create(client=client, kind="NPS", score=9, answered_at=NOW, contact=twin),
        }

    def test_keeps_everything_of_both(
        self, mara: Contact, twin: Contact, records: dict[str, Any], by: dict[str, Any]
    ) -> None:
        merge_contacts(mara, twin, from_other=["name"], **by)
        mara.refresh_from_db()
        twin.refresh_from_db()
        assert (mara.name, mara.email, mara.phone) == ("M. Lindqvist", "mara@cobalt.example", "+46 555 0142")
        assert (mara.role, mara.is_primary, mara.is_billing) == ("CHAMPION", True, True)
        assert (mara.user_key, mara.notes, mara.last_csm_contact) == (
            "cd" * 16, "Likes short calls.", NOW - timedelta(days=3),
        )  # fmt: skip
        assert (twin.archived_at, twin.merged_into_id, twin.user_key) == (NOW, mara.pk, "")
        for name in ("alone", "both"):
            assert list(records[name].client_contacts.all()) == [mara]
        for name, field in (("follow", "follow_up_contact_id"), ("ticket", "contact_id"), ("answer", "contact_id")):
            records[name].refresh_from_db()
            assert getattr(records[name], field) == mara.pk

    def test_is_undone_whole(
        self, staff: Staff, mara: Contact, twin: Contact, records: dict[str, Any], by: dict[str, Any]
    ) -> None:
        done = merge_contacts(mara, twin, from_other=["name"], **by)
        undo(staff.ada, done.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        twin.refresh_from_db()
        assert (mara.name, mara.phone, mara.user_key, mara.notes) == ("Mara Lindqvist", "", "", "")
        assert (twin.archived_at, twin.merged_into_id, twin.user_key) == (None, None, "cd" * 16)
        assert list(records["alone"].client_contacts.all()) == [twin]
        assert set(records["both"].client_contacts.all()) == {mara, twin}
        records["ticket"].refresh_from_db()
        assert records["ticket"].contact_id == twin.pk
        assert AuditEvent.objects.order_by("-seq").first().action == "change.undone"

    def test_is_within_one_client_and_of_two(
        self, clients: Clients, mara: Contact, twin: Contact, by: dict[str, Any]
    ) -> None:
        other = Contact.objects.create(client=clients.sturdy, name="Elsewhere")
        for wrong in (mara, other):
            assert list(refused(lambda wrong=wrong: merge_contacts(mara, wrong, **by))) == ["other"]  # type: ignore[misc]
        archive_contact(twin, **by)
        assert list(refused(lambda: merge_contacts(mara, twin, **by))) == ["other"]

    def test_the_merged_one_is_not_restored_by_itself(self, mara: Contact, twin: Contact, by: dict[str, Any]) -> None:
        merge_contacts(mara, twin, **by)
        with pytest.raises(ConflictError, match="Undo the merge"):
            restore_contact(twin, **by)


class TestStakeholders:
    def test_coverage_is_that_of_the_score(self, clients: Clients, staff: Staff, mara: Contact) -> None:
        """The champion was met 3 days ago, the sponsor 91 days ago, the admin only in an internal discussion."""
        client = clients.fading
        sponsor = Contact.objects.create(client=client, name="S", role="EXECUTIVE_SPONSOR")
        admin = Contact.objects.create(client=client, name="A", role="ADMIN")
        talk(client, staff.ada, 3, mara)
        talk(client, staff.ada, 91, sponsor)
        Activity.objects.filter(pk=talk(client, staff.ada, 1, admin).pk).update(activity_type="INTERNAL_DISCUSSION")
        found = stakeholders_of(client, now=NOW, zone=ZoneInfo("UTC")).map
        assert found.coverage == pytest.approx(1 / 3)
        assert [one.name for one in found.uncovered] == ["S", "A"]
