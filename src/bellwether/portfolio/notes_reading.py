"""Reads of notes: filtered, counted by type, one of them, and how it came to say what it says."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Max, Q, QuerySet
from django.shortcuts import get_object_or_404

from bellwether.portfolio.models import Client, Note
from bellwether.staff.models import StaffUser

SCOPES = ("all", "mine", "private", "pinned", "archived")
TOLD = ("title", "content", "note_type", "is_private", "archived_at")


@dataclass(frozen=True)
class NoteQuery:
    """Which notes are wanted: a scope of SCOPES, a type, words of title or text. Archived ones only in their scope."""

    scope: str = "all"
    note_type: str = ""
    search: str = ""


def find_note(user: StaffUser, note_id: UUID) -> Note:
    """Return the note, archived or not, with client and author; Http404 if `user` may not see it."""
    found: Note = get_object_or_404(Note.objects.visible_to(user).select_related("client", "created_by"), pk=note_id)
    return found


def notes_of(user: StaffUser, client: Client, query: NoteQuery) -> QuerySet[Note]:
    """Return the notes of the client that `user` may see and that `query` asks for: pinned first, then the newest."""
    found: QuerySet[Note] = Note.objects.visible_to(user).filter(client=client).select_related("created_by")
    found = found.filter(archived_at__isnull=query.scope != "archived")
    if query.scope == "mine":
        found = found.filter(created_by=user)
    elif query.scope == "private":
        found = found.filter(is_private=True)
    elif query.scope == "pinned":
        found = found.filter(is_pinned=True)
    if query.note_type:
        found = found.filter(note_type=query.note_type)
    for word in query.search.split()[:10]:
        found = found.filter(Q(title__icontains=word) | Q(content__icontains=word))
    return found.order_by("-is_pinned", "-created_at", "pk")


def counts_by_type(notes: QuerySet[Note]) -> dict[str, int]:
    """Return how many of `notes` there are of each type."""
    return dict(notes.order_by().values_list("note_type").annotate(count=Count("pk")))


def edited_at(notes: Collection[Note]) -> dict[UUID, datetime]:
    """Return when the words of each of `notes` were last changed; those that never were are left out. One query."""
    keys = {str(note.pk): note.pk for note in notes}
    changed = Q(changes__has_key="content") | Q(changes__has_key="title")
    rows = _entries(list(keys)).filter(changed).order_by().values_list("object_pk").annotate(at=Max("timestamp"))
    return {keys[key]: at for key, at in rows}


@dataclass(frozen=True)
class Edit:
    """One saving of a note: who ("" when a program did), when, and (field, before, after) of what changed."""

    at: datetime
    actor: str
    fields: list[tuple[str, str, str]]


def history_of(note: Note, user: StaffUser, *, at_most: int = 50) -> list[Edit]:
    """Return the newest changes of the note, newest first.

    What a note said while it was private stays with its author: others see the changes made since it was shared.
    """
    rows = _entries([str(note.pk)]).select_related("actor").order_by("-timestamp", "-pk")[:at_most]
    edits = []
    for row in rows:
        told = [(name, *_pair(row.changes[name])) for name in TOLD if name in (row.changes or {})]
        shared_now = any(name == "is_private" and after == "False" for name, _, after in told)
        if shared_now and note.created_by_id != user.pk:
            break
        if told:
            edits.append(Edit(row.timestamp, row.actor.name if row.actor else "", told))
    return edits


def _entries(keys: list[str]) -> Any:
    kind = ContentType.objects.get_for_model(Note)
    return LogEntry.objects.filter(content_type=kind, object_pk__in=keys, action=LogEntry.Action.UPDATE)


def _pair(values: Any) -> tuple[str, str]:
    before, after = values
    return ("" if before in (None, "None") else str(before)), ("" if after in (None, "None") else str(after))
