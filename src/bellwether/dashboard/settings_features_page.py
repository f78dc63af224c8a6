"""The catalogue of features: everybody reads it, administrators change it."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.client_adoption import LOOKS, Look
from bellwether.dashboard.settings_features_form import (
    PERIODS,
    TARGETS,
    FeatureForm,
    form_of,
    new_form,
    read_form,
)
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.health.adoption import PortfolioUse
from bellwether.health.catalogue_reading import SEEN_DAYS, Seen, preview, seen_events, unmatched
from bellwether.health.feature_use import Level
from bellwether.health.loading import workspace_settings
from bellwether.health.portfolio_reading import portfolio_use
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.catalogue import as_draft
from bellwether.usage.catalogue import features as stored_features
from bellwether.usage.catalogue_changes import (
    NoSuchFeatureError,
    add_feature,
    archive_feature,
    change_feature,
    find_feature,
    move_feature,
    restore_feature,
)
from bellwether.usage.catalogue_toml import catalogue_toml
from bellwether.usage.models import Feature
from bellwether.web.formatting import number, percent, plural

MOST_UNMATCHED, MOST_SUGGESTED = 12, 80
WHY_NOT = "Only administrators change the catalogue."
SAVED = "Today's scores are due and will be made again shortly; earlier ones keep their inputs."


@dataclass(frozen=True)
class FeatureRow:
    """A feature in the list. `parts` are (status, clients) for the bar of levels, `levels` the same in words."""

    key: str
    name: str
    events: list[str]
    expects: str
    using: str
    parts: list[tuple[str, int]]
    levels: str
    href: str
    is_first: bool
    is_last: bool


@require_GET
@login_required
def features(request: HttpRequest) -> HttpResponse:
    """Show the catalogue by module, what clients do with it, what is archived, and events that no feature counts."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    catalogue = stored_features(archived=True)
    measured = workspace_settings()
    use = portfolio_use(measured, day=today, cache=caches["memory"])
    seen = seen_events(today, cache=caches["memory"])
    current = [feature for feature in catalogue if feature.archived_at is None]
    values = {
        "tabs": settings_tabs("settings_features"),
        "may_edit": user.may_configure,
        "why_not": WHY_NOT,
        "groups": _groups(current, use),
        "archived": [feature for feature in catalogue if feature.archived_at is not None],
        "unmatched": [
            (str(one.match), number(one.events), plural(one.clients, "client"))
            for one in unmatched(seen, measured.features)[:MOST_UNMATCHED]
        ],
        "seen_days": SEEN_DAYS,
        "count": len(current),
    }
    audit.record(actor=user, action="feature.list", object_type="feature", detail={"count": len(current)}, now=now)
    return answer(request, "dashboard/settings_features.html", values)


@require_http_methods(["GET", "POST"])
@login_required
def feature(request: HttpRequest, key: str = "") -> HttpResponse:
    """Show the form of a feature (a new one without `key`), preview what it would change, or save it."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    found = _find(key) if key else None
    if request.method == "GET":
        form = form_of(as_draft(found)) if found else new_form(request.GET.get("event", ""))
        return _form(request, user, form, found)
    if not user.may_configure:
        raise PermissionDenied(WHY_NOT)
    form = read_form(request.POST, key=key)
    if form.draft is None:
        return _form(request, user, form, found, status=422)
    if request.POST.get("action") == "preview":
        return _form(request, user, form, found, show=True)
    try:
        if found is None:
            add_feature(form.draft, actor=user, now=now)
            messages.success(request, f"{form.draft.name} added. {SAVED}")
        elif change_feature(key, form.draft, actor=user, now=now):
            messages.success(request, f"{form.draft.name} saved. {SAVED}")
        else:
            messages.info(request, "Nothing was changed.")
    except InvalidInputError as error:
        return _form(request, user, FeatureForm(form.values, error.errors), found, status=422)
    return redirect("settings_features")


@require_POST
@login_required
def feature_action(request: HttpRequest, key: str, action: str) -> HttpResponse:
    """Archive, restore or move a feature and go back to the list."""
    user = cast(StaffUser, request.user)
    if not user.may_configure:
        raise PermissionDenied(WHY_NOT)
    now = timezone.now()
    found = _find(key)
    try:
        if action == "archive" and archive_feature(key, actor=user, now=now):
            messages.success(request, f"{found.name} archived; restore it below at any time. {SAVED}")
        elif action == "restore" and restore_feature(key, actor=user, now=now):
            messages.success(request, f"{found.name} restored. {SAVED}")
        elif action in {"up", "down"}:
            move_feature(key, down=action == "down", actor=user, now=now)
    except ConflictError as error:
        messages.error(request, str(error))
    return redirect(reverse("settings_features") + (f"#{key}" if action in {"up", "down"} else ""))


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the catalogue as TOML, as presets write it and `bellwether features import` reads it."""
    user = cast(StaffUser, request.user)
    text = catalogue_toml(as_draft(one) for one in stored_features())
    response = HttpResponse(text, content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="features.toml"'
    audit.record(actor=user, action="feature.export", object_type="feature", now=timezone.now())
    return response


def _find(key: str) -> Feature:
    try:
        return find_feature(key)
    except NoSuchFeatureError as error:
        raise Http404 from error


def _groups(current: list[Feature], use: PortfolioUse) -> list[tuple[str, list[FeatureRow]]]:
    groups: dict[str, list[FeatureRow]] = {}
    for place, one in enumerate(current):
        counts = use.levels.get(one.key, {})
        total = sum(counts.values())
        using = use.using.get(one.key, 0)
        draft = as_draft(one)
        row = FeatureRow(
            key=one.key,
            name=one.name,
            events=[str(event) for event in draft.events],
            expects=expects(draft.target, draft.expected, draft.period),
            using=f"{number(using)} of {number(total)}" if total else "–",
            parts=[(LOOKS[level].status, counts.get(level.name, 0)) for level in Level],
            levels=", ".join(f"{LOOKS[level].label} {counts[level.name]}" for level in Level if counts.get(level.name)),
            href=reverse("settings_feature", args=[one.key]),
            is_first=place == 0,
            is_last=place == len(current) - 1,
        )
        groups.setdefault(one.module or "No module", []).append(row)
    return list(groups.items())


def expects(target: str, expected: float, period: str) -> str:
    """Return what is expected in a few words: "10 a month", "80% go well", "any use"."""
    if target == "any":
        return "any use"
    return f"{percent(expected)} go well" if target == "share" else f"{number(expected)} a {period}"


def _form(
    request: HttpRequest,
    user: StaffUser,
    form: FeatureForm,
    found: Feature | None,
    *,
    show: bool = False,
    status: int = 200,
) -> HttpResponse:
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    catalogue = stored_features()
    seen = seen_events(today, cache=caches["memory"])
    values: dict[str, Any] = {
        "tabs": settings_tabs("settings_features"),
        "may_edit": user.may_configure,
        "why_not": WHY_NOT,
        "form": form,
        "feature": found,
        "periods": PERIODS,
        "targets": TARGETS,
        "modules": sorted({one.module for one in catalogue if one.module}),
        "categories": sorted({one.category for one in catalogue if one.category}),
        "suggestions": _suggestions(seen, form),
        "seen_days": SEEN_DAYS,
        "changes": _changes(form, today) if show else None,
        "action": reverse("settings_feature", args=[found.key]) if found else reverse("settings_feature_new"),
    }
    response = answer(request, "dashboard/settings_feature.html", values)
    response.status_code = status
    return response


def _suggestions(seen: Seen, form: FeatureForm) -> list[tuple[str, str]]:
    """Return (text of the event, how often it is seen), without those that the form has already."""
    named = set(form.values.get("events", "").splitlines())
    return [
        (str(one.match), f"{number(one.events)} at {plural(one.clients, 'client')}")
        for one in seen.all
        if str(one.match) not in named
    ][:MOST_SUGGESTED]


def _changes(form: FeatureForm, today: date) -> list[tuple[Look, int, int]]:
    if form.draft is None:
        return []
    found = preview(form.draft, workspace_settings(), today, cache=caches["memory"])
    return [(LOOKS[Level[one.level]], one.before, one.after) for one in found]
