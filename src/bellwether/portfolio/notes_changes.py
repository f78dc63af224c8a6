"""What staff do to notes: write, edit, pin, archive, restore. Each is one change, undoable.

Callers pass notes that the actor may see. Private notes are seen by their author alone; nothing that others can read
names them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.portfolio.changes import changing
from bellwether.portfolio.choices import NoteType
from bellwether.portfolio.contacts_changes import lock_client
from bellwether.portfolio.models import Change, Client, Note
from bellwether.staff.models import StaffUser

LONGEST_TITLE, LONGEST_CONTENT = 200, 20_000
FIELDS = ("title", "content", "note_type", "is_private", "is_pinned")
VERSIONED = ("title", "content", "note_type", "is_private")


class EditedMeanwhileError(ConflictError):
    """Somebody saved the note after the text that is now saved was begun. `stored` is what is there."""

    def __init__(self, stored: Note) -> None:
        super().__init__("Somebody changed this note while you were writing. Compare both texts, then save again.")
        self.stored = stored


@dataclass(frozen=True)
class Done:
    """The note as it is now and the change that undoes it, None when nothing differed."""

    note: Note
    change: Change | None


def version_of(note: Note) -> str:
    """Return the version of what the note says, 16 hexadecimal digits; a pin does not change it."""
    told = "\x1f".join(str(getattr(note, name)) for name in VERSIONED)
    return hashlib.sha256(f"{note.pk}\x1f{told}".encode()).hexdigest()[:16]


def add_note(client: Client, values: Mapping[str, Any], *, actor: StaffUser, today: date, now: datetime) -> Done:
    """Return the new note of the client, by `actor`. Raises InvalidInputError with a sentence for each field,
    ConflictError for an archived client."""
    with transaction.atomic():
        lock_client(client)
        note = Note(client=client, created_by=actor)
        for name, value in checked({"content": "", **values}, note, actor).items():
            setattr(note, name, value)
        with changing(actor, kind="note.added", summary=f"{_named(note)} added", today=today, now=now) as work:
            work.make(note)
    return Done(note, work.change)


def change_note(
    note: Note, values: Mapping[str, Any], *, version: str = "", actor: StaffUser, today: date, now: datetime
) -> Done:
    """Return the note with `values` changed; what is not given stays.

    With `version` (version_of what the writer began with), a note that somebody else saved meanwhile is an
    EditedMeanwhileError, unless it says already what is saved now. Only the author makes a note private. Raises
    InvalidInputError with a sentence for each field, ConflictError for an archived note or client.
    """
    with transaction.atomic():
        held = _locked(note, actor)
        given = checked(values, held, actor)
        differs = any(getattr(held, name) != value for name, value in given.items())
        if version and version != version_of(held) and differs:
            raise EditedMeanwhileError(held)
        with changing(actor, kind="note.changed", summary=f"{_named(held)} changed", today=today, now=now) as work:
            work.keep(held)
            for name, value in given.items():
                setattr(held, name, value)
            work.save(held)
    return Done(held, work.change)


def archive_note(note: Note, *, actor: StaffUser, today: date, now: datetime) -> Done:
    """Return the note, archived. Again changes nothing."""
    with transaction.atomic():
        held = _locked(note, actor, archived=True)
        with changing(actor, kind="note.archived", summary=f"{_named(held)} archived", today=today, now=now) as work:
            work.keep(held)
            held.archived_at = held.archived_at or now
            work.save(held)
    return Done(held, work.change)


def restore_note(note: Note, *, actor: StaffUser, today: date, now: datetime) -> Done:
    """Return the note, back from the archive."""
    with transaction.atomic():
        held = _locked(note, actor, archived=True)
        with changing(actor, kind="note.restored", summary=f"{_named(held)} restored", today=today, now=now) as work:
            work.keep(held)
            held.archived_at = None
            work.save(held)
    return Done(held, work.change)


def checked(values: Mapping[str, Any], note: Note, actor: StaffUser) -> dict[str, Any]:
    """Return `values` ready to be stored on `note`, those of FIELDS that are given; raises InvalidInputError."""
    errors: dict[str, str] = {}
    found = {name: values[name] for name in FIELDS if name in values}
    for name, most in (("title", LONGEST_TITLE), ("content", LONGEST_CONTENT)):
        if name in found:
            text = storable_text(str(found[name] or "")).replace("\r\n", "\n").strip()
            found[name] = " ".join(text.split()) if name == "title" else text
            if len(found[name]) > most:
                errors[name] = f"This is {len(found[name]):,} characters long; at most {most:,} can be kept."
    if "content" in found and not found["content"]:
        errors["content"] = "Write something."
    if "note_type" in found and found["note_type"] not in NoteType.values:
        errors["note_type"] = f"Use one of {', '.join(NoteType.values)}."
    for name in ("is_private", "is_pinned"):
        if name in found and not isinstance(found[name], bool):
            errors[name] = "Give true or false."
    if found.get("is_private") is True and not note.is_private and note.created_by_id != actor.pk:
        errors["is_private"] = "Only the author can make a note private."
    if errors:
        raise InvalidInputError("The note cannot be saved. " + " ".join(errors.values()), errors)
    return found


def _locked(note: Note, actor: StaffUser, *, archived: bool = False) -> Note:
    lock_client(note.client)
    held: Note | None = Note.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=note.pk).first()
    if held is None:
        raise ConflictError("This note is no longer there.")
    if held.archived_at is not None and not archived:
        raise ConflictError("This note is archived. Restore it first.")
    return held


def _named(note: Note) -> str:
    """Return the note in messages; private ones without a word of theirs."""
    if note.is_private:
        return "Private note"
    return f"Note “{note.title}”" if note.title else "Note"
