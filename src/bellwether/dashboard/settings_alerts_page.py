"""Settings of alerts: the kinds as they hold for all clients, a tier, a segment or a client, and the page of one."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.alerts.choices import AlertSeverity, SettingScope
from bellwether.alerts.defaults import KIND, MEDIA
from bellwether.alerts.settings_changes import ALL_TYPES, WHY_NOT, Place, may_change, reset, save
from bellwether.alerts.settings_checking import check_asked, limits_of
from bellwether.alerts.settings_explaining import Explained, explain, without
from bellwether.alerts.settings_reading import read_settings
from bellwether.alerts.settings_resolving import Setting
from bellwether.alerts.settings_selectors import muted_clients, own_settings
from bellwether.alerts.settings_words import hours_words, media_words
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_alerts_form import RuleForm, T, form_of, read_form
from bellwether.dashboard.settings_alerts_view import (
    ALL,
    LEVEL_WORDS,
    SEVERITY_ICON,
    SEVERITY_STATUS,
    asked_place,
    kind_row,
    kind_rows,
    muted_rows,
    own_rows,
    query_of,
    rule_address,
    scope_tabs,
    source_of,
)
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.delivery.choices import Medium
from bellwether.portfolio.choices import AlertLevel
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import done

SAVED = "It holds from the next look at the clients, within minutes."


@require_GET
@login_required
def alerts(request: HttpRequest) -> HttpResponse:
    """Show the kinds of alerts as they hold for the place that the address names, and who has own settings."""
    user = cast(StaffUser, request.user)
    place, now = asked_place(request, user), timezone.now()
    zone = zone_of(user)
    settings, own = read_settings(), own_settings(user)
    _note(user, place, "alert.settings.list")
    general = _own(settings, place, "")
    values = {
        **_common(user, place),
        "scopes": scope_tabs(user, place, own),
        "rows": kind_rows(settings, place),
        "general": general,
        "level": LEVEL_WORDS[AlertLevel(place.client.alert_level)] if place.client else "",
        "general_href": rule_address(place, ""),
        "own": own_rows(own) if place.scope == SettingScope.WORKSPACE else [],
        "muted": muted_rows(
            [one for one in muted_clients(user, now) if place.client in (None, one.client)], day_of(now, zone), zone
        ),
        "severity_status": SEVERITY_STATUS,
        "severity_icon": SEVERITY_ICON,
    }
    return answer(request, "dashboard/settings_alerts.html", values)


@require_http_methods(["GET", "POST"])
@login_required
def alert(request: HttpRequest, kind: str) -> HttpResponse:
    """Show and save what a kind of alert does for the place that the address names; "all" is all kinds at once.

    A GET with `preview` shows the form as it was filled in, with the replay of it.
    """
    user = cast(StaffUser, request.user)
    alert_type, place = type_of(kind), asked_place(request, user)
    if request.method == "GET":
        settings = read_settings()
        _note(user, place, "alert.settings.read")
        asked = "preview" in request.GET
        form = read_form(alert_type, request.GET) if asked else form_of(_own(settings, place, alert_type))
        if asked and form.asked is not None:
            form = checked(form, settings, place, alert_type)
        return _rule(request, user, place, alert_type, form, settings, replay=asked and form.asked is not None)
    if not may_change(user, place):
        raise PermissionDenied(WHY_NOT)
    form = read_form(alert_type, request.POST)
    if form.asked is None:
        return _rule(request, user, place, alert_type, form, read_settings(), status=422)
    try:
        made = save(place, [form.asked], actor=user, now=timezone.now())
    except InvalidInputError as error:
        form = RuleForm(form.values, error.errors)
        return _rule(request, user, place, alert_type, form, read_settings(), status=422)
    except ConflictError as error:
        return done(request, rule_address(place, alert_type), str(error), failed=True)
    if made.change is None:
        return done(request, back_of(place), "Nothing was different, so nothing was changed.")
    said = f"{name_of(alert_type)} saved for {place.words}. {SAVED}"
    return done(request, back_of(place), said, undo=made.undo)


@require_POST
@login_required
def reset_alert(request: HttpRequest, kind: str) -> HttpResponse:
    """Let the wider scope hold again for a kind in the place that the address names."""
    user = cast(StaffUser, request.user)
    alert_type, place = type_of(kind), asked_place(request, user)
    if not may_change(user, place):
        raise PermissionDenied(WHY_NOT)
    try:
        made = reset(place, [alert_type], actor=user, now=timezone.now())
    except ConflictError as error:
        return done(request, rule_address(place, alert_type), str(error), failed=True)
    said = f"{name_of(alert_type)}: {_wider(place)} again for {place.words}." if made.change else "Nothing was changed."
    return done(request, back_of(place), said, undo=made.undo)


def type_of(kind: str) -> str:
    """Return the alert type that an address names in lower case; "" for "all". Http404 for what there is not."""
    if kind == ALL:
        return ""
    if kind.upper() not in KIND or kind != kind.lower():
        raise Http404
    return kind.upper()


def name_of(alert_type: str) -> str:
    """Return the name of a kind, that of all kinds for ""."""
    return KIND[alert_type].name if alert_type else ALL_TYPES


def back_of(place: Place) -> str:
    """Return the address of the list for the place."""
    return reverse("settings_alerts") + query_of(place)


def checked(form: RuleForm, settings: list[Setting], place: Place, alert_type: str) -> RuleForm:
    """Return the form with the errors that saving would find, and nothing asked for where there are some."""
    if form.asked is None:
        return form
    wider = _wider_view(settings, place, alert_type).numbers if alert_type else {}
    errors = check_asked(form.asked, scope=place.scope, wider=wider, kept={}, now=timezone.now())
    return RuleForm(form.values, errors) if errors else form


def _rule(
    request: HttpRequest,
    user: StaffUser,
    place: Place,
    alert_type: str,
    form: RuleForm,
    settings: list[Setting],
    *,
    replay: bool = False,
    status: int = 200,
) -> HttpResponse:
    own = _own(settings, place, alert_type)
    values: dict[str, Any] = {
        **_common(user, place),
        "form": form,
        "name": name_of(alert_type),
        "alert_type": alert_type,
        "action": rule_address(place, alert_type),
        "reset": rule_address(place, alert_type, "settings_alert_reset") if own is not None else "",
        "replay_address": rule_address(place, alert_type, "settings_alert_replay"),
        "back": back_of(place),
        "severities": AlertSeverity.choices,
        "media": [(medium.value, medium.label) for medium in Medium if medium.value in MEDIA],
        "wider": _wider(place),
        "replay": None,
        "problems": [],
        "hidden": [(name, value) for name, value in request.GET.items() if name in ("tier", "segment", "client")],
    }
    if alert_type:
        wide = _wider_view(settings, place, alert_type)
        now = explain(settings, alert_type, place.view)
        values |= {
            "row": kind_row(now, place),
            "thresholds": [
                (T + one.name, one, wide.thresholds[one.name].value, source_of(wide.thresholds[one.name], place),
                 limits_of(one), f"thresholds.{one.name}")
                for one in KIND[alert_type].thresholds
            ],
            "as_wider": {
                "enabled": ("on" if wide.enabled.value else "off", source_of(wide.enabled, place)),
                "severity": (str(AlertSeverity(wide.severity.value).label).lower(), source_of(wide.severity, place)),
                "media": (_within(media_words(wide.media.value)), source_of(wide.media, place)),
                "respond": (
                    hours_words(wide.respond_within_hours.value),
                    str(wide.respond_within_hours.value),
                    source_of(wide.respond_within_hours, place),
                ),
            },
        }  # fmt: skip
    if replay:
        from bellwether.dashboard.settings_alerts_replay import replay_of

        values["replay"] = replay_of(user, place, alert_type, form)
    elif form.errors:
        values["problems"] = list(form.errors.values())
    response = answer(request, "dashboard/settings_alert.html", values)
    response.status_code = status
    return response


def _common(user: StaffUser, place: Place) -> dict[str, Any]:
    return {
        "tabs": settings_tabs("settings_alerts"),
        "may_edit": may_change(user, place) and not (place.client and place.client.archived_at),
        "why_not": "This client is archived; archived clients are not changed."
        if place.client and place.client.archived_at
        else WHY_NOT,
        "place": place,
        "whom": place.words,
    }


def _wider(place: Place) -> str:
    return "the default holds" if place.scope == SettingScope.WORKSPACE else "the wider scope holds"


def _own(settings: list[Setting], place: Place, alert_type: str) -> Setting | None:
    wanted = (place.scope.value, place.value, place.client_hex, alert_type)
    return next((one for one in settings if one.place == wanted and not _mute_only(one)), None)


def _wider_view(settings: list[Setting], place: Place, alert_type: str) -> Explained:
    own = (place.scope.value, place.value, place.client_hex, alert_type)
    return explain(without(settings, own), alert_type, place.view)


def _within(words: str) -> str:
    return words[:1].lower() + words[1:]


def _mute_only(one: Setting) -> bool:
    said = (one.is_enabled, one.severity, one.media, one.respond_within_hours)
    return not one.thresholds and all(value is None for value in said)


def _note(user: StaffUser, place: Place, action: str) -> None:
    audit.record(
        actor=user, action=action, object_type="alertsetting", client_id=place.client.pk if place.client else None,
        now=timezone.now(),
    )  # fmt: skip
