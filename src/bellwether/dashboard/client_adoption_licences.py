"""What a client has licensed and set up, as a form: feature by feature, a module at once, and undone again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, client_or_404, head_of
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.catalogue import features
from bellwether.usage.licence import NOTHING, Licence
from bellwether.usage.licences import LicenceChanges, change_licences, effective_licences, undo_licences
from bellwether.usage.models import Feature
from bellwether.web.formatting import full_day, plural

UNDO = "licence_undo"
BULK = {
    "license": "License all",
    "configure": "Set up all",
    "none": "License none",
}


@dataclass(frozen=True)
class LicenceRow:
    """A feature in the form; dates are as typed, `errors` by column."""

    key: str
    name: str
    is_licensed: bool
    licensed_at: str
    is_configured: bool
    configured_at: str
    errors: Mapping[str, str]


@require_http_methods(["GET", "POST"])
@login_required
def licences(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the form, or save it and go back to the tab. Wrong values stay in the form, each with its error."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    client = client_or_404(user, client_id)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    current = effective_licences(client, now=now)
    catalogue = features()
    if request.method == "GET":
        audit.record(
            actor=user, action="client.licences.read", object_type="client", object_id=client.pk, client_id=client.pk,
            now=now,
        )  # fmt: skip
        return _form(request, client, user, _rows(catalogue, current), today)
    asked, problems = read_form(request.POST, catalogue, current, today)
    if not problems:
        try:
            done = change_licences(client, asked, actor=user, now=now)
        except ConflictError as error:
            messages.error(request, str(error))
            return redirect(_back(request, client))
        except InvalidInputError as error:
            problems = dict(error.errors)
        else:
            _say(request, client, done)
            return redirect(_back(request, client))
    rows = _rows(catalogue, current | asked, request.POST, problems)
    return _form(request, client, user, rows, today, problems)


@require_POST
@login_required
def undo(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Put back what the last change replaced and go back to the tab."""
    user = cast(StaffUser, request.user)
    client = client_or_404(user, client_id)
    try:
        done = undo_licences(client, request.POST.get("undo", ""), actor=user, now=timezone.now())
    except (ConflictError, InvalidInputError) as error:
        messages.error(request, str(error))
    else:
        words = plural(len(done.keys), "feature is", "features are")
        messages.success(request, f"{words} as before." if done.keys else "Nothing had to be put back.")
    return redirect(_back(request, client))


def take_undo(request: HttpRequest, client: Client) -> str:
    """Return the token that undoes the reader's last change of this client, once."""
    kept = request.session.get(UNDO) or {}
    if kept.get("client") != str(client.pk):
        return ""
    del request.session[UNDO]
    return str(kept["token"])


def read_form(
    values: Mapping[str, str], catalogue: list[Feature], current: Mapping[str, Licence], today: date
) -> tuple[dict[str, Licence], dict[str, str]]:
    """Return the licences that the form says by key, and its errors by field ("key.licensed_at").

    `only` limits the form to one feature. `bulk` is "action:module" and applies to all features of the module, with
    the date of `bulk_date` (today if empty), whatever their own fields say.
    """
    only = values.get("only", "")
    wanted = [feature for feature in catalogue if not only or feature.key == only]
    problems: dict[str, str] = {}
    if only and not wanted:
        return {}, {"only": "is no feature of the catalogue."}
    action, _, module = values.get("bulk", "").partition(":")
    if action:
        since = _date(values.get("bulk_date", ""), "bulk_date", problems) or today
        chosen = {f.key: current.get(f.key, NOTHING) for f in wanted if f.module == module}
        if action not in BULK or not chosen:
            problems["bulk"] = "names no action and module."
        return {key: _bulk(action, one, since) for key, one in chosen.items()}, problems
    found = {}
    for feature in wanted:
        key = feature.key
        found[key] = Licence(
            is_licensed=values.get(f"licensed.{key}") == "1",
            licensed_at=_date(values.get(f"licensed_at.{key}", ""), f"{key}.licensed_at", problems),
            is_configured=values.get(f"configured.{key}") == "1",
            configured_at=_date(values.get(f"configured_at.{key}", ""), f"{key}.configured_at", problems),
        )
    return found, problems


def _bulk(action: str, one: Licence, since: date) -> Licence:
    if action == "none":
        return NOTHING
    if action == "configure":
        return one if one.is_configured else replace(one, is_configured=True, configured_at=since)
    return one if one.is_licensed else replace(one, is_licensed=True, licensed_at=since)


def _date(text: str, field: str, problems: dict[str, str]) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        problems[field] = f"{text.strip()!r} is no date; write it like 2026-02-12, or leave it empty."
        return None


def _rows(
    catalogue: list[Feature],
    licences: Mapping[str, Licence],
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> list[tuple[str, list[LicenceRow]]]:
    """Return the rows by module; what was typed stands where it could not be read."""
    typed, problems = typed or {}, problems or {}
    groups: dict[str, list[LicenceRow]] = {}
    for feature in catalogue:
        key, one = feature.key, licences.get(feature.key, NOTHING)
        row = LicenceRow(
            key=key,
            name=feature.name,
            is_licensed=one.is_licensed,
            licensed_at=_typed(one.licensed_at, typed.get(f"licensed_at.{key}")),
            is_configured=one.is_configured,
            configured_at=_typed(one.configured_at, typed.get(f"configured_at.{key}")),
            errors={
                name: problems[f"{key}.{name}"]
                for name in ("licensed_at", "configured_at")
                if f"{key}.{name}" in problems
            },
        )
        groups.setdefault(feature.module, []).append(row)
    return list(groups.items())


def _typed(day: date | None, typed: str | None) -> str:
    return typed if typed is not None else day.isoformat() if day else ""


def _form(
    request: HttpRequest,
    client: Client,
    user: StaffUser,
    groups: list[tuple[str, list[LicenceRow]]],
    today: date,
    problems: Mapping[str, str] | None = None,
) -> HttpResponse:
    values: dict[str, Any] = {
        "head": head_of(request, client, user=user, tab="client_adoption", now=timezone.now()),
        "groups": groups,
        "bulk": BULK,
        "today": today.isoformat(),
        "problems": problems or {},
        "action": reverse("client_licences", args=[client.pk]),
        "back": reverse("client_adoption", args=[client.pk]),
        "archived": client.archived_at is not None,
    }
    response = answer(request, "dashboard/client_licences.html", values)
    if problems:
        response.status_code = 422
    return response


def _back(request: HttpRequest, client: Client) -> str:
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return asked if asked and safe else reverse("client_adoption", args=[client.pk])


def _say(request: HttpRequest, client: Client, done: LicenceChanges) -> None:
    if not done.keys:
        messages.info(request, "Nothing was changed.")
        return
    request.session[UNDO] = {"client": str(client.pk), "token": done.undo}
    saved = plural(len(done.keys), "feature")
    since = full_day(done.due_from)
    messages.success(request, f"Licences of {saved} saved. Scores from {since} on will be made again shortly.")
