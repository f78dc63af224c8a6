"""The editor of playbooks: a form or a text, with a dry run on today's portfolio beside it. Saving makes a version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.toml_text import toml_text
from bellwether.dashboard import playbook_editor_form as forms
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.playbook_editor_choices import choices
from bellwether.dashboard.playbooks_dry import dry_view, prospect_lines
from bellwether.dashboard.playbooks_view import told
from bellwether.playbooks import selectors as read
from bellwether.playbooks import services
from bellwether.playbooks.choices import PlaybookState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Playbook
from bellwether.playbooks.vocabulary import END
from bellwether.playbooks.wording import Words, in_words
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done

EDITOR = "editor"


@dataclass
class Draft:
    """What the editor holds: name and the like, the data as typed, what is wrong by field, and the checked definition
    once nothing is."""

    about: dict[str, str]
    data: dict[str, Any]
    text: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    definition: Definition | None = None

    @property
    def words(self) -> Words | None:
        """The definition in sentences."""
        return in_words(self.definition) if self.definition else None


@require_http_methods(["GET", "POST"])
@login_required
def editor(request: HttpRequest, key: str = "") -> HttpResponse:
    """Show the editor of a playbook, or of a new one; POST changes its lists, tries it, or saves a version."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_playbook(key) if key else None
    if not services.may_define(user):
        raise PermissionDenied(services.WHY_NOT)
    posted = request.method == "POST"
    as_text = (request.POST if posted else request.GET).get("as") == "text"
    if not posted:
        draft = _stored(found, request.GET.get("from", ""), user)
        return _answer(request, user, found, draft, as_text=as_text, now=now)
    draft = read_draft(request.POST, found, as_text=as_text)
    button = request.POST.get("do", "")
    if button == "save" and not draft.errors:
        saved = _save(draft, found, user, now)
        if isinstance(saved, str):
            place = reverse("playbook", args=[found.key if found else draft.about["key"]])
            return done(request, place, saved)
        draft.errors = saved
    elif button not in {"save", "preview", "switch"}:
        draft.data = forms.change(draft.data, button)
        draft.errors, draft.definition = {}, None  # the reader is still at it
    if button == "switch":
        as_text = not as_text
    show = button in {"preview", "save"}
    return _answer(request, user, found, draft, as_text=as_text, now=now, dry=show, focus=_focus(draft, button))


def _stored(found: Playbook | None, copied: str, user: StaffUser) -> Draft:
    """Return what the editor begins with: the version in force, a copy of another playbook, or an empty one."""
    source = found or (read.find_playbook(copied) if copied else None)
    about = {
        "name": found.name if found else f"Copy of {source.name}" if source else "",
        "description": source.description if source else "",
        "owner": str(source.owner_id or "") if found and source else str(user.pk),
        "note": "",
    }
    data = dict(source.version.definition) if source and source.version else forms.first_data()
    return _checked(Draft(about, data), [])


def read_draft(values: QueryDict, found: Playbook | None, *, as_text: bool) -> Draft:
    """Return what was posted, checked; errors stand under the names of fields."""
    about = {name: str(values.get(name, "")).strip() for name in ("name", "description", "owner", "note")}
    names = list(values.keys())
    if not as_text:
        return _checked(Draft(about, forms.read_form(names, values.getlist)), names)
    text = str(values.get("text", ""))
    try:
        data = forms.read_text(text)
    except InvalidInputError as error:
        data = dict(found.version.definition) if found and found.version else forms.first_data()
        return Draft(about, data, text, {"text": forms.sentence(error.errors["text"])})
    draft = _checked(Draft(about, data, text), ["text", "name"])
    if "" in draft.errors:
        draft.errors["text"] = draft.errors.pop("")
    return draft


def _checked(draft: Draft, names: list[str]) -> Draft:
    try:
        draft.definition = definition_from_data(draft.data)
    except InvalidInputError as error:
        if names:
            draft.errors = forms.by_field(error.errors, [*names, *LISTS])
    return draft


LISTS = ("steps", "conditions", "trigger.types", "trigger.severities", "trigger.bands", "trigger.milestones")
"""Fields that show an error though nothing was posted under their name."""


def _save(draft: Draft, found: Playbook | None, user: StaffUser, now: datetime) -> str | dict[str, str]:
    """Save name and definition together; return what to say, or what is wrong by field."""
    definition, about = draft.definition, draft.about
    if definition is None:
        return {"": "Look at the fields marked below."}
    owner = _owner(about["owner"])
    try:
        with transaction.atomic():
            if found is None:
                made = services.create(
                    name=about["name"],
                    definition=definition,
                    description=about["description"],
                    owner=owner,
                    note=about["note"],
                    actor=user,
                    now=now,
                )
                about["key"] = made.key
                return f"{made.name} is saved as a draft. Nothing is sent before it is started."
            row = services.describe(
                found, name=about["name"], description=about["description"], owner=owner, actor=user, now=now
            )
            version, new = services.save_version(row, definition, note=about["note"], actor=user, now=now)
    except InvalidInputError as error:
        return {name: forms.sentence(text) for name, text in error.errors.items()} or {"": str(error)}
    except ConflictError as error:
        return {"": str(error)}
    if not new:
        return f"{row.name} is saved. What it does has not changed, so that there is no new version."
    rest = (
        " Clients under way finish with the version that they began with." if row.state == PlaybookState.RUNNING else ""
    )
    return f"Version {version.number} of {row.name} is in force.{rest}"


def _owner(text: str) -> StaffUser | None:
    try:
        return StaffUser.objects.filter(pk=UUID(text), is_active=True).first()
    except ValueError:
        return None


def _focus(draft: Draft, button: str) -> str:
    """Return the id of the field that has the focus after a button of a list: the new or moved entry."""
    what, _, rest = button.partition(".")
    place, _, act = rest.partition(".")
    rows = draft.data.get({"step": "steps", "condition": "conditions"}.get(what, ""), [])
    if not rows:
        return "add-" + what if what in {"step", "condition"} else ""
    at = len(rows) - 1
    if place.isascii() and place.isdigit():
        at = min(at, max(0, int(place) + {"up": -1, "down": 1}.get(act, 0)))
    return f"e-{'steps' if what == 'step' else 'conditions'}[{at}].{'title' if what == 'step' else 'field'}"


def _answer(
    request: HttpRequest,
    user: StaffUser,
    found: Playbook | None,
    draft: Draft,
    *,
    as_text: bool,
    now: datetime,
    dry: bool = False,
    focus: str = "",
) -> HttpResponse:
    view = dry_view(draft.definition, user, playbook=found, now=now) if dry and draft.definition else None
    values: dict[str, Any] = {
        "found": found,
        "row": told(found) if found else None,
        "draft": draft,
        "data": shaped(draft.data),
        "text_value": draft.text
        or (toml_text(draft.definition.as_data() if draft.definition else draft.data) if as_text else ""),
        "as_text": as_text,
        "dry": view,
        "prospects": prospect_lines(draft.definition, playbook=found, now=now) if view and draft.definition else None,
        "tried": dry,
        "focus": focus,
        "value_text": forms.value_text,
        "operators_of": forms.operators_of,
        "action": reverse("playbook_edit", args=[found.key]) if found else reverse("playbook_new"),
        "people_options": [(str(one.pk), one.name) for one in StaffUser.objects.filter(is_active=True)],
        "step_targets": step_targets,
        **choices(),
    }
    template = (
        "dashboard/playbook_editor_part.html" if target_of(request) == EDITOR else "dashboard/playbook_editor.html"
    )
    response = answer(request, template, values)
    response.status_code = 422 if draft.errors and request.method == "POST" else 200
    return response


def step_targets(later: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what a step may go on with: the steps after it, and the end."""
    return [*((str(one.get("key", "")), str(one.get("title") or one.get("key"))) for one in later), (END, "End")]


def shaped(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data that a template can walk through whatever was typed: tables are tables, lists of tables are such."""

    def table(value: object) -> dict[str, Any]:
        return dict(value) if isinstance(value, Mapping) else {}

    def tables(value: object) -> list[dict[str, Any]]:
        return [dict(one) for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []

    steps = [one | {"if": table(one.get("if"))} for one in tables(data.get("steps"))]
    return dict(data) | {
        "trigger": table(data.get("trigger")),
        "conditions": tables(data.get("conditions")),
        "steps": steps,
        "exit": table(data.get("exit")),
        "caps": {"running_per_client": 1, "quiet_days": 30} | table(data.get("caps")),
        "outcome": table(data.get("outcome")),
        "hold_out": data.get("hold_out", 10),
        "business_days": data.get("business_days", True),
        "minutes_per_client": data.get("minutes_per_client", 30),
    }
