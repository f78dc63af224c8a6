"""Notes through the staff API. A private note exists for its author alone: 404 for everybody else."""

from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import pagination
from bellwether.common.problems import ProblemError
from bellwether.common.time import day_of
from bellwether.portfolio import notes_changes as changes
from bellwether.portfolio.contacts_schemas import NoteAuthor, NoteChangeIn, NoteFilters, NoteIn, NoteOut, NotePage
from bellwether.portfolio.history import acting
from bellwether.portfolio.models import Note
from bellwether.portfolio.notes_reading import NoteQuery, find_note, notes_of
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.web.markdown import to_html

router = Router(tags=["notes"])
SAME = ("id", "client_id", "content", "note_type", "is_private", "is_pinned", "created_by_id", "created_at",
        "updated_at", "archived_at")  # fmt: skip


@router.get("/clients/{client_id}/notes", response=NotePage, operation_id="listClientNotes", summary="List notes")
def notes(request: StaffRequest, client_id: UUID, filters: Query[NoteFilters]) -> NotePage:
    """Return one page of the notes of a client: the shared ones and your own private ones."""
    now, client = timezone.now(), visible_client(request.user, client_id)
    asked = NoteQuery(scope=filters.scope, note_type=filters.note_type or "", search=filters.search or "")
    found = notes_of(request.user, client, asked)
    total, start = found.count(), (filters.page - 1) * filters.limit
    rows = list(found[start : start + filters.limit])
    record(
        actor=request.user,
        action="client.notes",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"count": len(rows), "total": total},
        now=now,
    )
    return NotePage(
        data=[_out(row) for row in rows],
        pagination=pagination(page=filters.page, limit=filters.limit, total=total),
    )


@router.post(
    "/clients/{client_id}/notes", response={201: NoteOut}, operation_id="createClientNote", summary="Write a note"
)
def add(request: StaffRequest, client_id: UUID, given: NoteIn) -> HttpResponse:
    """Write a note and return it. Takes an Idempotency-Key."""
    now, client = timezone.now(), visible_client(request.user, client_id)

    def make() -> Answer:
        with acting(request.user):
            values = given.dict(exclude_none=True)
            done = changes.add_note(client, values, actor=request.user, today=_today(now), now=now)
        return Answer(201, _out(done.note).model_dump(mode="json"))

    return once(request, make)


@router.put("/notes/{note_id}", response=NoteOut, operation_id="updateNote", summary="Change a note")
def update(request: StaffRequest, note_id: UUID, given: NoteChangeIn) -> NoteOut:
    """Change a note and return it; what is not given stays. With `version`, nobody's words are overwritten unseen."""
    now, found = timezone.now(), find_note(request.user, note_id)
    values = given.dict(exclude_none=True)
    version, restores = values.pop("version", ""), "archived_at" in given.model_fields_set
    if not values and not restores:
        raise InvalidInputError("Give at least one field to change.", {"": "no field is given"})
    try:
        with acting(request.user), transaction.atomic():
            if restores:
                found = changes.restore_note(found, actor=request.user, today=_today(now), now=now).note
            done = changes.change_note(found, values, version=version, actor=request.user, today=_today(now), now=now)
    except changes.EditedMeanwhileError as error:
        detail = f"Somebody changed this note since. It now has the version {changes.version_of(error.stored)}."
        raise ProblemError(409, detail, kind="edited-meanwhile") from error
    return _out(done.note)


@router.delete("/notes/{note_id}", response={204: None}, operation_id="archiveNote", summary="Archive a note")
def archive(request: StaffRequest, note_id: UUID) -> Status[None]:
    """Archive a note. Again changes nothing."""
    now, found = timezone.now(), find_note(request.user, note_id)
    with acting(request.user):
        changes.archive_note(found, actor=request.user, today=_today(now), now=now)
    return Status(204, None)


def _today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


def _out(note: Note) -> NoteOut:
    return NoteOut(
        **{name: getattr(note, name) for name in SAME},
        title=note.title or None,
        content_html=to_html(note.content),
        created_by=NoteAuthor(id=note.created_by_id, name=note.created_by.name),
        version=changes.version_of(note),
    )
