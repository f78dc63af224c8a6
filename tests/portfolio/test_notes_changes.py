"""What staff do to notes: whose they are, two editors at once, how they came to say what they say."""

from typing import Any

import pytest
from auditlog.context import set_actor
from django.http import Http404

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio.changes import undo
from bellwether.portfolio.models import Change, Note
from bellwether.portfolio.notes_changes import (
    EditedMeanwhileError,
    add_note,
    archive_note,
    change_note,
    restore_note,
    version_of,
)
from bellwether.portfolio.notes_reading import NoteQuery, edited_at, find_note, history_of, notes_of
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(staff: Staff) -> dict[str, Any]:
    return {"actor": staff.ada, "today": TODAY, "now": NOW}


@pytest.fixture
def plan(clients: Clients, staff: Staff) -> Note:
    return Note.objects.create(client=clients.fading, title="Plan", content="Renew in May.", created_by=staff.ada)


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("content", " \n", "Write something"),
            ("content", "x" * 20_001, "at most 20,000"),
            ("title", "x" * 201, "at most 200"),
            ("note_type", "DIARY", "GENERAL"),
        ],
        ids=["blank", "long", "title", "type"],
    )
    def test_errors_name_the_field(
        self, clients: Clients, by: dict[str, Any], field: str, value: str, says: str
    ) -> None:
        with pytest.raises(InvalidInputError) as told:
            add_note(clients.fading, {"content": "x", field: value}, **by)
        assert says in told.value.errors[field]
        assert not Note.objects.exists()

    def test_only_the_author_makes_a_note_private(self, staff: Staff, plan: Note, by: dict[str, Any]) -> None:
        with pytest.raises(InvalidInputError) as told:
            change_note(plan, {"is_private": True}, **by | {"actor": staff.vera})
        assert list(told.value.errors) == ["is_private"]
        assert change_note(plan, {"is_private": True}, **by).note.is_private


class TestTwoEditors:
    def test_the_second_is_told_and_nothing_is_lost(self, staff: Staff, plan: Note, by: dict[str, Any]) -> None:
        began = version_of(plan)
        change_note(plan, {"content": "Renew in June."}, version=began, **by | {"actor": staff.vera})
        with pytest.raises(EditedMeanwhileError) as told:
            change_note(plan, {"content": "Renew in July."}, version=began, **by)
        assert told.value.stored.content == "Renew in June."
        plan.refresh_from_db()
        assert plan.content == "Renew in June."
        change_note(plan, {"content": "Renew in July."}, version=version_of(plan), **by)
        plan.refresh_from_db()
        assert plan.content == "Renew in July."

    def test_a_pin_is_no_other_text_and_the_same_text_no_conflict(self, plan: Note, by: dict[str, Any]) -> None:
        began = version_of(plan)
        change_note(plan, {"is_pinned": True}, **by)
        change_note(plan, {"content": "Same."}, version=began, **by)
        again = change_note(plan, {"content": "Same."}, version=began, **by)
        assert again.change is None


class TestPrivate:
    @pytest.fixture
    def secret(self, clients: Clients, staff: Staff, by: dict[str, Any]) -> Note:
        return add_note(clients.fading, {"title": "Doubts", "content": "Hush.", "is_private": True}, **by).note

    def test_is_its_authors_alone(self, clients: Clients, staff: Staff, secret: Note) -> None:
        assert find_note(staff.ada, secret.pk) == secret
        for other in (staff.vera, staff.adam, staff.ben, staff.cleo):
            with pytest.raises(Http404):
                find_note(other, secret.pk)
        assert list(notes_of(staff.vera, clients.fading, NoteQuery(search="hush"))) == []

    def test_leaves_no_word_in_what_others_may_read(self, secret: Note) -> None:
        assert [change.summary for change in Change.objects.all()] == ["Private note added"]

    def test_what_it_said_while_private_stays_private(self, staff: Staff, secret: Note, by: dict[str, Any]) -> None:
        with set_actor(staff.ada):
            change_note(secret, {"content": "Softer."}, **by)
            change_note(secret, {"content": "For all.", "is_private": False}, **by)
            change_note(secret, {"content": "For all of us."}, **by)
        shared = find_note(staff.vera, secret.pk)
        assert [[f[0] for f in edit.fields] for edit in history_of(shared, staff.vera)] == [["content"]]
        assert history_of(shared, staff.vera)[0].fields == [("content", "For all.", "For all of us.")]
        assert len(history_of(shared, staff.ada)) == 3


class TestHistory:
    def test_tells_who_changed_what(self, staff: Staff, plan: Note, by: dict[str, Any]) -> None:
        assert edited_at([plan]) == {}
        with set_actor(staff.vera):
            change_note(plan, {"title": "Plan B"}, **by | {"actor": staff.vera})
        edit = history_of(plan, staff.ada)[0]
        assert (edit.actor, edit.fields) == ("Vera Example", [("title", "Plan", "Plan B")])
        assert list(edited_at([plan])) == [plan.pk]

    def test_archive_restore_and_undo(self, staff: Staff, clients: Clients, plan: Note, by: dict[str, Any]) -> None:
        done = archive_note(plan, **by)
        with pytest.raises(ConflictError, match="archived"):
            change_note(plan, {"title": "x"}, **by)
        assert list(notes_of(staff.ada, clients.fading, NoteQuery())) == []
        assert list(notes_of(staff.ada, clients.fading, NoteQuery(scope="archived"))) == [plan]
        undo(staff.ada, done.change.pk, today=TODAY, now=NOW)
        assert list(notes_of(staff.ada, clients.fading, NoteQuery())) == [plan]
        archive_note(plan, **by)
        assert restore_note(plan, **by).note.archived_at is None

    def test_pinned_first_then_the_newest(self, staff: Staff, clients: Clients, plan: Note, by: dict[str, Any]) -> None:
        newer = add_note(clients.fading, {"content": "Later."}, **by).note
        assert list(notes_of(staff.ada, clients.fading, NoteQuery())) == [newer, plan]
        change_note(plan, {"is_pinned": True}, **by)
        assert list(notes_of(staff.ada, clients.fading, NoteQuery())) == [plan, newer]
