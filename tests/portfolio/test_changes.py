"""Changes that are kept with what was before, and taken back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import Http404

from bellwether.common.errors import ConflictError
from bellwether.portfolio.changes import changing, undo
from bellwether.portfolio.models import Activity, Change, Client, Contact, SupportTicket, Tag
from bellwether.staff.models import AuditEvent
from tests.conftest import NOW, TODAY, Clients, Staff


def work(staff: Staff):
    return changing(staff.ada, kind="contact.changed", summary="Mara changed", today=TODAY, now=NOW)


@pytest.fixture
def mara(clients: Clients) -> Contact:
    return Contact.objects.create(client=clients.fading, name="Mara Lindqvist", title="CFO", email="m@cobalt.example")


class TestEdit:
    def test_is_put_back(self, staff: Staff, mara: Contact) -> None:
        with work(staff) as change:
            change.keep(mara)
            mara.title, mara.left_company_at = "CEO", NOW
            assert sorted(change.save(mara)) == ["left_company_at", "title"]
        done = undo(staff.ada, change.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert (done.restored, mara.title, mara.left_company_at) == (1, "CFO", None)
        assert list(AuditEvent.objects.values_list("action", flat=True)) == ["contact.changed", "change.undone"]

    def test_without_a_difference_leaves_no_trace(self, staff: Staff, mara: Contact) -> None:
        with work(staff) as change:
            change.keep(mara)
            assert change.save(mara) == []
        assert change.change is None
        assert not Change.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_puts_sets_back(self, staff: Staff, clients: Clients) -> None:
        old, new = Tag.objects.create(name="old"), Tag.objects.create(name="new")
        clients.fading.tags.set([old])
        with work(staff) as change:
            change.keep(clients.fading)
            change.save(clients.fading, many={"tags": [new]})
        undo(staff.ada, change.change.pk, today=TODAY, now=NOW)
        assert list(clients.fading.tags.all()) == [old]

    def test_keeps_a_later_edit_of_another_field(self, staff: Staff, mara: Contact) -> None:
        with work(staff) as change:
            change.keep(mara)
            mara.title = "CEO"
            change.save(mara)
        Contact.objects.filter(pk=mara.pk).update(phone="1234")
        undo(staff.ada, change.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert (mara.title, mara.phone) == ("CFO", "1234")

    def test_is_not_put_back_over_a_later_edit(self, staff: Staff, mara: Contact) -> None:
        with work(staff) as change:
            change.keep(mara)
            mara.title = "CEO"
            change.save(mara)
        Contact.objects.filter(pk=mara.pk).update(title="COO")
        with pytest.raises(ConflictError, match="Mara Lindqvist was changed since"):
            undo(staff.ada, change.change.pk, today=TODAY, now=NOW)
        mara.refresh_from_db()
        assert mara.title == "COO"
        left = undo(staff.ada, change.change.pk, today=TODAY, now=NOW, partial=True)
        assert (left.restored, len(left.left)) == (0, 1)


class TestMadeAndRemoved:
    def test_what_was_made_goes(self, staff: Staff, clients: Clients) -> None:
        with work(staff) as change:
            change.make(Contact(client=clients.fading, name="New"))
        undo(staff.ada, change.change.pk, today=TODAY, now=NOW)
        assert not Contact.objects.filter(name="New").exists()

    def test_what_was_removed_comes_back_whole(self, staff: Staff, clients: Clients) -> None:
        ticket = SupportTicket.objects.create(client=clients.fading, subject="Export fails", opened_at=NOW)
        with work(staff) as change:
            change.remove(SupportTicket.objects.get())
        assert not SupportTicket.objects.exists()
        undo(staff.ada, change.change.pk, today=TODAY, now=NOW)
        back = SupportTicket.objects.get()
        assert (back.pk, back.subject, back.opened_at) == (ticket.pk, "Export fails", NOW)

    def test_brings_the_last_contact_in_step(self, staff: Staff, clients: Clients) -> None:
        with work(staff) as change:
            call = Activity(client=clients.fading, activity_type="CALL", subject="Call", occurred_at=NOW)
            call.completed_at = NOW
            change.make(call)
        assert Client.objects.get(pk=clients.fading.pk).last_csm_contact_at == NOW


class TestWhoAndWhen:
    @pytest.fixture
    def change(self, staff: Staff, mara: Contact) -> Change:
        with work(staff) as made:
            made.keep(mara)
            mara.title = "CEO"
            made.save(mara)
        assert made.change is not None
        return made.change

    def test_only_the_maker_undoes(self, staff: Staff, change: Change) -> None:
        with pytest.raises(Http404):
            undo(staff.vera, change.pk, today=TODAY, now=NOW)

    def test_not_about_clients_that_are_no_longer_seen(self, staff: Staff, clients: Clients, change: Change) -> None:
        Client.objects.filter(pk=clients.fading.pk).update(csm_user=staff.cleo)
        with pytest.raises(Http404):
            undo(staff.ada, change.pk, today=TODAY, now=NOW)
        assert Contact.objects.get().title == "CEO"

    def test_once(self, staff: Staff, change: Change) -> None:
        undo(staff.ada, change.pk, today=TODAY, now=NOW)
        with pytest.raises(ConflictError, match="undone already"):
            undo(staff.ada, change.pk, today=TODAY, now=NOW)

    def test_within_a_week(self, staff: Staff, change: Change) -> None:
        with pytest.raises(ConflictError, match="a week old"):
            undo(staff.ada, change.pk, today=TODAY, now=NOW + timedelta(days=8))

    def test_nothing_unknown(self, staff: Staff) -> None:
        with pytest.raises(Http404):
            undo(staff.ada, uuid4(), today=TODAY, now=NOW)
