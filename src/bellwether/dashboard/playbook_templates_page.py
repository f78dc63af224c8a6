"""Templates of messages: the list, and one with its preview on a sample client."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.playbooks import selectors as read
from bellwether.playbooks import templates as store
from bellwether.playbooks.choices import StepKind
from bellwether.playbooks.models import MessageTemplate, Playbook
from bellwether.playbooks.receivers import contacts_of, receiver, template_values
from bellwether.playbooks.rendering import EXAMPLE, VARIABLES
from bellwether.playbooks.services import WHY_NOT, may_define
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done
from bellwether.web.formatting import full_day

SAMPLES = 30
FIELDS = ("name", "kind", "subject", "body")


@require_GET
@login_required
def templates(request: HttpRequest) -> HttpResponse:
    """Show the templates with the playbooks that use each."""
    user = cast(StaffUser, request.user)
    archived = request.GET.get("show") == "archived"
    rows = read.templates(archived=True)
    used = _used()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    values = {
        "rows": [
            (row, used.get(row.key, []), full_day(day_of(row.updated_at, zone)))
            for row in rows
            if archived or row.archived_at is None
        ],
        "archived": sum(row.archived_at is not None for row in rows),
        "shows_archived": archived,
        "may_define": may_define(user),
        "why_not": WHY_NOT,
    }
    return answer(request, "dashboard/message_templates.html", values)


def _used() -> dict[str, list[Playbook]]:
    found: dict[str, list[Playbook]] = {}
    for playbook in read.playbooks():
        steps = playbook.version.definition.get("steps", []) if playbook.version else []
        for key in {step.get("template") for step in steps if isinstance(step, dict)} - {None, ""}:
            found.setdefault(str(key), []).append(playbook)
    return found


@require_http_methods(["GET", "POST"])
@login_required
def template(request: HttpRequest, key: str = "") -> HttpResponse:
    """Show a template with its preview; POST tries or saves it. Without a key a new one."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = store.find_template(key) if key else None
    may = may_define(user)
    if request.method == "GET":
        if found is None and not may:
            raise PermissionDenied(WHY_NOT)
        first = {"kind": StepKind.EMAIL.value, "name": "", "subject": "", "body": ""}
        stored = {name: getattr(found, name) for name in FIELDS} if found else first
        return _form(request, user, found, stored | {"sample": request.GET.get("sample", "")}, {})
    values = {name: str(request.POST.get(name, "")).replace("\r\n", "\n") for name in (*FIELDS, "sample")}
    if "preview" in request.POST:
        return _form(request, user, found, values, {})
    if not may:
        raise PermissionDenied(WHY_NOT)
    try:
        row, change = store.save_template(
            name=values["name"],
            body=values["body"],
            subject=values["subject"],
            kind=values["kind"],
            key=found.key if found else "",
            actor=user,
            now=now,
        )
    except InvalidInputError as error:
        return _form(request, user, found, values, error.errors)
    except ConflictError as error:
        return _form(request, user, found, values, {"": str(error)})
    text = f"{row.name} saved. Messages made from now on use it." if change else "Nothing was changed."
    return done(request, reverse("message_template", args=[row.key]), text, undo=change.pk if change else None)


def _form(
    request: HttpRequest,
    user: StaffUser,
    found: MessageTemplate | None,
    values: Mapping[str, str],
    errors: Mapping[str, str],
) -> HttpResponse:
    shown = {
        "found": found,
        "values": values,
        "errors": errors,
        "may_define": may_define(user),
        "why_not": WHY_NOT,
        "kinds": [(kind.value, str(kind.label)) for kind in store.KINDS],
        "variables": list(VARIABLES.items()),
        "samples": samples(user),
        "used": _used().get(found.key, []) if found else [],
        "action": reverse("message_template", args=[found.key]) if found else reverse("message_template_new"),
        **_preview(user, values),
    }
    response = answer(request, "dashboard/message_template.html", shown)
    response.status_code = 422 if errors else 200
    return response


@require_POST
@login_required
def preview(request: HttpRequest) -> HttpResponse:
    """Show what the posted template makes of the chosen client; a part of the page, asked for while typing."""
    user = cast(StaffUser, request.user)
    return answer(request, "dashboard/message_preview.html", _preview(user, request.POST.dict()))  # type: ignore[arg-type]


def _preview(user: StaffUser, values: Mapping[str, str]) -> dict[str, Any]:
    subject, body = values.get("subject", ""), values.get("body", "")
    if not subject.strip() and not body.strip():
        return {"preview": None, "preview_errors": {}, "sample_name": ""}
    name, known = _sample(user, values.get("sample", ""))
    try:
        return {"preview": store.preview(subject, body, known), "preview_errors": {}, "sample_name": name}
    except InvalidInputError as error:
        return {"preview": None, "preview_errors": error.errors, "sample_name": name}


def samples(user: StaffUser) -> list[tuple[UUID, str]]:
    """Return clients of the reader to try a template on: those with the lowest scores, by name."""
    rows = Client.objects.visible_to(user).active().order_by("current_health_score", "name")
    return sorted(rows.values_list("pk", "name")[:SAMPLES], key=lambda row: row[1].lower())


def _sample(user: StaffUser, client_id: str) -> tuple[str, Mapping[str, Any]]:
    """Return the name and values of the chosen client that the reader sees, else of the invented one."""
    try:
        wanted = UUID(client_id)
    except ValueError:
        wanted = None
    client = Client.objects.visible_to(user).select_related("csm_user").filter(pk=wanted).first() if wanted else None
    if client is None:
        return str(EXAMPLE["client"]["name"]), EXAMPLE
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    contact = receiver(contacts_of([client.pk]).get(client.pk, []), "")
    today = day_of(timezone.now(), zone)
    reason = str(EXAMPLE["reason"])
    return client.name, template_values(client, contact, facts=None, reason=reason, today=today, zone=zone)


@require_POST
@login_required
def act(request: HttpRequest, key: str, action: str) -> HttpResponse:
    """Put a template away."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = store.find_template(key)
    if action != "archive":
        raise Http404
    address = reverse("message_templates")
    try:
        row, change = store.archive_template(found, actor=user, now=now)
    except ConflictError as error:
        return done(request, reverse("message_template", args=[key]), str(error), failed=True)
    return done(request, address, f"{row.name} is archived.", undo=change.pk if change else None)
