"""Notes as pages show them: rendered, dated, with their history as differences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from markupsafe import Markup

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.portfolio.choices import NoteType
from bellwether.portfolio.models import Note
from bellwether.portfolio.notes_reading import Edit, NoteQuery
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, full_day, moment
from bellwether.web.markdown import to_html
from bellwether.web.text_difference import Part, differences

SCOPE_LABELS = {
    "all": "All notes",
    "mine": "Written by me",
    "private": "My private notes",
    "pinned": "Pinned",
    "archived": "Archived",
}
TYPE_STATUS = {"RISK": "risk", "OPPORTUNITY": "healthy", "STRATEGY": "info"}
FIELD_LABELS = {
    "title": "Title",
    "content": "Text",
    "note_type": "Type",
    "is_private": "Who sees it",
    "archived_at": "Archive",
}


@dataclass(frozen=True)
class NoteView:
    """A note ready to be placed; `html` is safe."""

    id: UUID
    href: str
    title: str
    html: Markup
    kind: str
    status: str | None
    author: str
    when: str
    iso: str
    edited: str
    private: bool
    pinned: bool
    archived: bool
    mine: bool


@dataclass(frozen=True)
class TypeChoice:
    """A type in the filter, with how many notes there are of it."""

    text: str
    count: int
    href: str
    current: bool


@dataclass(frozen=True)
class NoteFilters:
    """The filters above the notes. `any`: they are narrowed; `reset` widens them."""

    types: list[TypeChoice]
    scopes: list[tuple[str, str]]
    scope: str
    search: str
    hidden: list[tuple[str, str]]
    any: bool
    reset: str


@dataclass(frozen=True)
class EditView:
    """One saving: who and when, and for each field what changed."""

    actor: str
    when: str
    fields: list[tuple[str, Sequence[Part]]]


def rendered(text: str) -> Markup:
    """Return Markdown as HTML that may be placed in a page; web.markdown makes it safe."""
    return Markup(to_html(text))  # noqa: S704


def note_view(note: Note, user: StaffUser, *, edited: datetime | None, now: datetime, zone: ZoneInfo) -> NoteView:
    """Return a note ready to be placed."""
    on = day_of(note.created_at, zone)
    return NoteView(
        id=note.pk,
        href=reverse("client_note", args=[note.client_id, note.pk]),
        title=note.title,
        html=rendered(note.content),
        kind=str(note.get_note_type_display()),
        status=TYPE_STATUS.get(note.note_type),
        author=note.created_by.name,
        when=day(on, day_of(now, zone)),
        iso=on.isoformat(),
        edited=f"edited {moment(edited, now, zone)}" if edited else "",
        private=note.is_private,
        pinned=note.is_pinned,
        archived=note.archived_at is not None,
        mine=note.created_by_id == user.pk,
    )


def note_filters(query: NoteQuery, counts: Mapping[str, int], address: Address) -> NoteFilters:
    """Return the filters of the notes; `counts` are those of the same scope and words, by type."""
    types = [TypeChoice("All", sum(counts.values()), address.with_(type=None, page=None), not query.note_type)]
    types += [
        TypeChoice(str(label), counts.get(value, 0), address.with_(type=value, page=None), value == query.note_type)
        for value, label in NoteType.choices
        if counts.get(value) or value == query.note_type
    ]
    kept = {name: address.query.get(name, "") for name in ("type", "from")}
    return NoteFilters(
        types=types,
        scopes=list(SCOPE_LABELS.items()),
        scope=query.scope,
        search=query.search,
        hidden=[(name, value) for name, value in kept.items() if value],
        any=query.scope != "all" or bool(query.note_type or query.search),
        reset=address.with_(type=None, scope=None, search=None, page=None),
    )


def edit_views(edits: Iterable[Edit], *, now: datetime, zone: ZoneInfo) -> list[EditView]:
    """Return the history of a note, newest first, each saving with what it changed word by word."""
    return [
        EditView(
            actor=edit.actor or "A program",
            when=moment(edit.at, now, zone),
            fields=[(FIELD_LABELS[name], _parts(name, before, after)) for name, before, after in edit.fields],
        )
        for edit in edits
    ]


def _parts(name: str, before: str, after: str) -> Sequence[Part]:
    if name in {"title", "content"}:
        return differences(before, after)
    return [
        Part(kind, text) for kind, text in (("removed", _word(name, before)), ("added", _word(name, after))) if text
    ]


def _word(name: str, value: str) -> str:
    if name == "note_type":
        return str(dict(NoteType.choices).get(value, value))
    if name == "is_private":
        return "Its author alone" if value == "True" else "Everybody who sees the client"
    return "Archived" if value else "Not archived"


def saved_by(note: Note, edits: Sequence[Edit], *, now: datetime, zone: ZoneInfo) -> str:
    """Return who saved the note last and when, for the one who has to compare."""
    if not edits:
        return f"{note.created_by.name}, {full_day(day_of(note.updated_at, zone))}"
    return f"{edits[0].actor or 'A program'}, {moment(edits[0].at, now, zone)}"
