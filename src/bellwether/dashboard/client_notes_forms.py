"""What is done to notes from pages: write, preview, edit, pin, archive, restore."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_POST
from markupsafe import Markup

from bellwether.common.errors import BellwetherError, ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import client_or_404
from bellwether.dashboard.client_notes_view import rendered, saved_by
from bellwether.portfolio import notes_changes as changes
from bellwether.portfolio.choices import NoteType
from bellwether.portfolio.models import Note
from bellwether.portfolio.notes_reading import find_note, history_of
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, show_form
from bellwether.web.text_difference import differences

FORM = "dashboard/client_note_form.html"
PREVIEW = "dashboard/client_note_preview.html"


class NoteForm(forms.Form):
    """What staff give of a note; the rules are those of portfolio.notes_changes."""

    title = forms.CharField(required=False, max_length=None, strip=True)
    note_type = forms.ChoiceField(label="Type", choices=NoteType.choices, initial=NoteType.GENERAL)
    content = forms.CharField(required=False, label="Text", widget=forms.Textarea)
    is_pinned = forms.BooleanField(required=False, label="Pin to the top")
    is_private = forms.BooleanField(required=False, label="Private: only I see it")

    def __init__(self, data: Any, note: Note | None, user: StaffUser) -> None:
        initial = {name: getattr(note, name) for name in self.base_fields} if note else {}  # type: ignore[attr-defined]
        super().__init__(data, initial=initial)
        self.fields["title"].widget.attrs["maxlength"] = changes.LONGEST_TITLE
        if note is not None and note.created_by_id != user.pk:
            del self.fields["is_private"]

    def take(self, error: BellwetherError) -> None:
        """Put the errors of the rules on their fields, others on the form."""
        errors = error.errors if isinstance(error, InvalidInputError) else {"": str(error)}
        for name, text in errors.items():
            self.add_error(name if name in self.fields else None, text)


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the form of a new note, with a preview where that is asked for, and keep the note."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    given = request.POST if request.method == "POST" else None
    form = NoteForm(given, None, user)
    asked = _previewed(request)
    if given is not None and not asked and form.is_valid():
        try:
            made = changes.add_note(client, form.cleaned_data, actor=user, today=_today(now), now=now)
        except (InvalidInputError, ConflictError) as error:
            form.take(error)
        else:
            return _done(request, made, "The note is kept.")
    values = {
        "form": form,
        "client": client,
        "note": None,
        "action": reverse("note_new", args=[client_id]),
        "preview": _preview(request, ""),
    }
    return _form(request, values, invalid=given is not None and not asked)


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, note_id: UUID) -> HttpResponse:
    """Show the form of a note and save it; where somebody else saved it meanwhile, show both texts and keep both."""
    user, now = cast(StaffUser, request.user), timezone.now()
    note = find_note(user, note_id)
    given = request.POST if request.method == "POST" else None
    form = NoteForm(given, note, user)
    asked = _previewed(request)
    values: dict[str, Any] = {
        "client": note.client,
        "note": note,
        "action": reverse("note_edit", args=[note_id]),
        "preview": _preview(request, note.content),
        "version": request.POST.get("version", changes.version_of(note)),
    }
    if given is not None and not asked and form.is_valid():
        try:
            saved = changes.change_note(
                note, form.cleaned_data, version=values["version"], actor=user, today=_today(now), now=now
            )
        except changes.EditedMeanwhileError as conflict:
            values |= _both(conflict.stored, form, user, now)
        except (InvalidInputError, ConflictError) as error:
            form.take(error)
        else:
            return _done(request, saved, "The note is saved." if saved.change else "Nothing was changed.")
    return _form(request, {"form": form, **values}, invalid=given is not None and not asked)


@require_POST
@login_required
def preview(request: HttpRequest) -> HttpResponse:
    """Return the text in `content` as it will look. Nothing is kept."""
    response = render(request, PREVIEW, {"preview": _preview(request, "")})
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_POST
@login_required
def act(request: HttpRequest, note_id: UUID, action: str) -> HttpResponse:
    """Pin, unpin, archive or restore a note."""
    user, now = cast(StaffUser, request.user), timezone.now()
    note = find_note(user, note_id)
    by: dict[str, Any] = {"actor": user, "today": _today(now), "now": now}
    try:
        match action:
            case "pin" | "unpin":
                made = changes.change_note(note, {"is_pinned": action == "pin"}, **by)
                text = "The note is pinned." if action == "pin" else "The note is no longer pinned."
            case "archive":
                made, text = changes.archive_note(note, **by), "The note is archived."
            case "restore":
                made, text = changes.restore_note(note, **by), "The note is restored."
            case _:
                raise Http404
    except ConflictError as error:
        return done(request, reverse("client_notes", args=[note.client_id]), str(error), failed=True)
    return _done(request, made, text)


def _preview(request: HttpRequest, stored: str) -> Markup:
    """Return the text that was sent, or what is stored, as it will look; what is too long to be kept is cut."""
    return rendered(request.POST.get("content", stored)[: changes.LONGEST_CONTENT])


def _previewed(request: HttpRequest) -> bool:
    return "preview" in request.POST


def _both(stored: Note, form: NoteForm, user: StaffUser, now: datetime) -> dict[str, Any]:
    """Return what the form shows when somebody else saved meanwhile: their text, the difference, the new version."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return {
        "theirs": stored,
        "theirs_by": saved_by(stored, history_of(stored, user), now=now, zone=zone),
        "difference": differences(stored.content, form.cleaned_data.get("content", "")),
        "version": changes.version_of(stored),
    }


def _form(request: HttpRequest, values: dict[str, Any], *, invalid: bool) -> HttpResponse:
    usual: dict[str, Any] = {"theirs": None, "theirs_by": "", "difference": [], "version": ""}
    return show_form(request, FORM, {**usual, **values}, invalid=invalid)


def _done(request: HttpRequest, made: changes.Done, text: str) -> HttpResponse:
    back = reverse("client_notes", args=[made.note.client_id])
    return done(request, back, text, undo=made.change.pk if made.change else None)


def _today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
