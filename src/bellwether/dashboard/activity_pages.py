"""Logging, planning, completing and changing activities: one form over the page, or on a page of its own."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.activity_form import (
    ActivityForm,
    Choices,
    choices_of,
    first_values,
    preset_days,
    stored_values,
)
from bellwether.dashboard.client_access import client_or_404
from bellwether.portfolio import activities as act
from bellwether.portfolio.activity_fields import DETAILS, TYPES, types_with
from bellwether.portfolio.activity_words import labels_of
from bellwether.portfolio.models import Activity, Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import UNDO, done, in_dialog, next_address, show_form

FORM = "dashboard/activity_form.html"
ORIGINS = re.compile(r"[a-z_]{1,20}:[0-9a-f-]{1,40}")
FIELDS = ("duration_minutes", "client_contacts", "participants", "ticket_id", *(detail.name for detail in DETAILS))


@dataclass(frozen=True)
class Asked:
    """What the address of a new form asks for: the type, whether it is planned, a contact, where it comes from."""

    kind: str
    planned: bool
    contact: str
    origin: str

    def query(self, **changes: object) -> str:
        """Return the address's query with `changes` made."""
        values: dict[str, object] = {
            "type": self.kind,
            "schedule": "1" if self.planned else "",
            "contact": self.contact,
            "from": self.origin,
        }
        return urlencode({name: value for name, value in (values | changes).items() if value})


def read_asked(request: HttpRequest) -> Asked:
    """Return what the address asks for; what cannot be used is left out."""
    values = request.GET
    kind = values.get("type", "").upper()
    origin = values.get("from", "")
    return Asked(
        kind if kind in TYPES else "CALL",
        values.get("schedule") == "1",
        values.get("contact", ""),
        origin if ORIGINS.fullmatch(origin) else "",
    )


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the form of a new activity of the client, or store what was sent."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client, zone = client_or_404(user, client_id), zone_of(user)
    asked = read_asked(request)
    choices = choices_of(user, client, now=now)
    first = first_values(
        kind=asked.kind, planned=asked.planned, choices=choices, contact=asked.contact, now=now, zone=zone
    )
    form = ActivityForm(request.POST if request.method == "POST" else None, choices=choices, zone=zone, initial=first)
    refused = client.archived_at is not None and f"{client.name} is archived; nothing is written to archived clients."
    if request.method == "GET" or refused or not form.is_valid():
        return _form(request, form, client, asked=asked, refused=refused or "", invalid=request.method == "POST")
    make = act.schedule if asked.planned else act.log
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    try:
        made = make(user, client, form.draft(today=today), now=now, key=form.cleaned_data["key"], origin=asked.origin)
    except InvalidInputError as error:
        form.refuse(error)
        return _form(request, form, client, asked=asked, invalid=True)
    except ConflictError as error:
        return _form(request, form, client, asked=asked, refused=str(error), invalid=True)
    text = _said(made)
    if "another" in request.POST:
        return _another(request, client, asked, choices, text, made, now)
    return done(request, reverse("client", args=[client.pk]), text, undo=made.change.pk if made.change else None)


def _said(made: act.Done) -> str:
    return f"{made.change.summary}." if made.change else "Nothing was changed."


def _another(
    request: HttpRequest, client: Client, asked: Asked, choices: Choices, text: str, made: act.Done, now: datetime
) -> HttpResponse:
    """Return the next empty form: in the dialog with a word about the one before, else by a redirect."""
    address = reverse("client_activity_new", args=[client.pk])
    if not in_dialog(request):
        query = asked.query(next=next_address(request, ""))
        _tell(request, text, made)
        return redirect(f"{address}?{query}")
    _tell(request, text, made)
    zone = zone_of(cast(StaffUser, request.user))
    kind = made.activity.activity_type
    first = first_values(kind=kind, planned=asked.planned, choices=choices, contact=asked.contact, now=now, zone=zone)
    form = ActivityForm(None, choices=choices, zone=zone, initial=first)
    return _form(request, form, client, asked=asked, saved=text)


def _tell(request: HttpRequest, text: str, made: act.Done) -> None:
    """Say `text` with its Undo button on the next whole page."""
    messages.success(request, text, extra_tags=f"{UNDO}{made.change.pk}" if made.change else "")


@require_http_methods(["GET", "POST"])
@login_required
def change(request: HttpRequest, client_id: UUID, activity_id: UUID, action: str) -> HttpResponse:
    """Show the form of a stored activity, to be changed (`edit`) or to say what came of it (`complete`), or store."""
    user, now = cast(StaffUser, request.user), timezone.now()
    activity = activity_or_404(user, client_id, activity_id)
    client, zone, completing = activity.client, zone_of(user), action == "complete"
    choices = choices_of(user, client, now=now, known=activity)
    first = stored_values(activity, complete=completing, now=now, zone=zone)
    form = ActivityForm(request.POST if request.method == "POST" else None, choices=choices, zone=zone, initial=first)
    planned = activity.completed_at is None and not completing
    refused = ""
    if activity.archived_at is not None:
        refused = "This activity is archived. Undo that first."
    elif completing and activity.completed_at is not None:
        refused = "This activity was completed already."
    shown: dict[str, Any] = {"activity": activity, "planned": planned, "completing": completing}
    if request.method == "GET" or refused or not form.is_valid():
        return _form(request, form, client, refused=refused, invalid=request.method == "POST", **shown)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    draft = form.draft(today=today, known=activity)
    try:
        made = (act.complete if completing else act.edit)(user, activity, draft, now=now)
    except InvalidInputError as error:
        form.refuse(error)
        return _form(request, form, client, invalid=True, **shown)
    except ConflictError as error:
        return _form(request, form, client, refused=str(error), invalid=True, **shown)
    address = reverse("client_activity", args=[client.pk, activity.pk])
    return done(request, address, _said(made), undo=made.change.pk if made.change else None)


def activity_or_404(user: StaffUser, client_id: UUID, activity_id: UUID) -> Activity:
    """Return the activity of the client; one of another client, or that `user` may not see, does not exist."""
    activity = act.visible_activity(user, activity_id)
    if activity.client_id != client_id:
        raise Http404
    return activity


def _form(
    request: HttpRequest,
    form: ActivityForm,
    client: Client,
    *,
    asked: Asked | None = None,
    activity: Activity | None = None,
    planned: bool | None = None,
    completing: bool = False,
    refused: str = "",
    saved: str = "",
    invalid: bool = False,
) -> HttpResponse:
    user = cast(StaffUser, request.user)
    zone, now = zone_of(user), timezone.now()
    is_plan = asked.planned if asked else bool(planned)
    action = request.path if activity else f"{request.path}?{asked.query() if asked else ''}"
    switch = ""
    if asked and not saved:
        switch = f"{request.path}?{asked.query(type=form.chosen_type, schedule='' if is_plan else '1')}"
    values = {
        "action": action,
        "form": form,
        "client": client,
        "activity": activity,
        "is_plan": is_plan,
        "completing": completing,
        "switch": switch,
        "refused": refused,
        "saved": saved,
        "types": TYPES,
        "full_names": dict(Activity._meta.get_field("activity_type").choices or ()),
        "labels": _labels(form),
        "with_field": {name: " ".join(types_with(name)) for name in FIELDS},
        "presets": preset_days(now, settings.BELLWETHER_WORKSPACE_ZONE),
        "zone_name": str(zone),
        "today": day_of(now, zone),
    }
    return show_form(request, FORM, values, invalid=invalid)


def _labels(form: ActivityForm) -> list[tuple[str, str]]:
    """Return (type, label) of the workspace's words, and the one that the activity has already."""
    found = [(kind, label) for kind, labels in labels_of().items() for label in labels]
    stored = str(form.initial.get("label") or "")
    if stored and stored not in {label for _, label in found}:
        found.append((form.chosen_type, stored))
    return found


@require_http_methods(["GET", "POST"])
@login_required
def move(request: HttpRequest, client_id: UUID, activity_id: UUID, what: str) -> HttpResponse:
    """Move a planned activity (`what` is "planned") or a follow-up ("follow-up") to another time: the form, or done."""
    user, now = cast(StaffUser, request.user), timezone.now()
    activity, zone = activity_or_404(user, client_id, activity_id), zone_of(user)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            made = _moved(user, activity, what, request, now)
            undo = made.change.pk if made.change else None
            return done(request, reverse("follow_ups"), _said(made), undo=undo)
        except InvalidInputError as error:
            errors = error.errors
        except ConflictError as error:
            errors = {"": str(error)}
    local = activity.occurred_at.astimezone(zone)
    values = {
        "action": request.get_full_path(),
        "activity": activity,
        "client": activity.client,
        "what": what,
        "errors": errors,
        "value": request.POST.get("to") or f"{local:%Y-%m-%dT%H:%M}",
        "day": request.POST.get("date") or (activity.follow_up_date.isoformat() if activity.follow_up_date else ""),
        "presets": preset_days(now, settings.BELLWETHER_WORKSPACE_ZONE),
        "zone_name": str(zone),
    }
    return show_form(request, "dashboard/activity_move.html", values, invalid=bool(errors))


def _moved(user: StaffUser, activity: Activity, what: str, request: HttpRequest, now: datetime) -> act.Done:
    zone = zone_of(user)
    if what == "planned":
        text = request.POST.get("to", "")
        with suppress(ValueError, OverflowError):
            return act.reschedule(user, activity, datetime.fromisoformat(text).replace(tzinfo=zone), now=now)
        raise InvalidInputError("No time.", {"to": "Give a date and a time, such as 2026-02-12 14:30."})
    word = request.POST.get("when", "")
    dates = {preset: day for preset, _, day in preset_days(now, settings.BELLWETHER_WORKSPACE_ZONE)}
    if word in dates:
        return act.move_follow_up(user, activity, dates[word], now=now)
    try:
        to = datetime.strptime(request.POST.get("date", ""), "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise InvalidInputError("No date.", {"follow_up_date": "Give a date, such as 2026-02-12."}) from None
    return act.move_follow_up(user, activity, to, now=now)


@require_POST
@login_required
def act_on(request: HttpRequest, client_id: UUID, activity_id: UUID, action: str) -> HttpResponse:
    """Archive an activity, tick its follow-up off or open it again, and go back."""
    user, now = cast(StaffUser, request.user), timezone.now()
    activity = activity_or_404(user, client_id, activity_id)
    does = {"archive": act.archive, "follow-up-done": act.complete_follow_up, "follow-up-open": act.reopen_follow_up}
    if action not in does:
        raise Http404
    back = reverse("client", args=[client_id])
    try:
        made = does[action](user, activity, now=now)
    except ConflictError as error:
        return done(request, back, str(error), failed=True)
    return done(request, back, _said(made), undo=made.change.pk if made.change else None)
