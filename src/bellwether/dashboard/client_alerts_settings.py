"""How a client is watched: its alert level, mutes with a reason, and the way to its own rules."""

from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.alerts.choices import SettingScope
from bellwether.alerts.defaults import KIND, KINDS
from bellwether.alerts.models import AlertSetting
from bellwether.alerts.settings_changes import ALL_TYPES, Place, mute, save, unmute
from bellwether.alerts.settings_checking import Asked
from bellwether.alerts.settings_reading import setting_of
from bellwether.alerts.settings_selectors import muted_clients
from bellwether.alerts.settings_words import setting_words
from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of, start_of
from bellwether.dashboard.client_access import answer, client_or_404
from bellwether.dashboard.record_forms import RecordForm, TextField, act, answer_form, day_field
from bellwether.dashboard.settings_alerts_page import name_of, type_of
from bellwether.dashboard.settings_alerts_view import muted_rows, query_of, rule_address
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import full_day

WEEK = timedelta(days=7)
LEVELS = (
    (AlertLevel.PROACTIVE, "Proactive: told by all media of the rules"),
    (AlertLevel.DASHBOARD_ONLY, "Dashboard only: told in the product, nowhere else"),
    (AlertLevel.NONE, "None: kept, and told nobody"),
)
FROM_THEN = "Alerts are told again from this day on."
NAMES = {"muted_until": "until", "mute_reason": "reason"}


def _until(required: bool) -> forms.DateField:
    return day_field("Mute until", required=required, help_text=FROM_THEN)


def _reason(required: bool) -> TextField:
    return TextField(label="Why", required=required, max_length=300)


class MutingForm(RecordForm):
    """A form whose fields of the mute are called otherwise than in the rules."""

    def take(self, error: InvalidInputError) -> None:
        """Put the errors of the rules to their fields."""
        super().take(
            InvalidInputError(str(error), {NAMES.get(name, name): text for name, text in error.errors.items()})
        )


class LevelForm(MutingForm):
    """How a client is watched as a whole."""

    level = forms.ChoiceField(label="Level", choices=LEVELS)
    until = _until(required=False)
    reason = _reason(required=False)
    wide = ("level",)


class MuteForm(MutingForm):
    """What is kept silent, until when, and why."""

    alert_type = forms.ChoiceField(
        label="What", required=False, choices=[("", ALL_TYPES), *((one.alert_type, one.name) for one in KINDS)]
    )
    until = _until(required=True)
    reason = _reason(required=True)
    wide = ("reason",)


@require_http_methods(["GET", "POST"])
@login_required
def client_settings(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show and save the alert level of a client and the mute of all its alerts."""
    user, client, now, zone = _opened(request, client_id)
    rows = list(AlertSetting.objects.filter(client=client))
    general = next((row for row in rows if row.alert_type == ""), None)
    muted_until = general.muted_until if general and general.muted_until and general.muted_until > now else None
    shown = {
        "level": client.alert_level,
        "until": day_of(muted_until, zone) if muted_until else None,
        "reason": general.mute_reason if general and muted_until else "",
    }
    form = LevelForm(request.POST or None, initial=shown)
    place = Place(SettingScope.CLIENT, client=client)

    def store(values: dict[str, Any]) -> Any:
        asked = []
        if values["until"] != shown["until"] or values["reason"] != shown["reason"]:
            asked.append(_mute_asked("", values, zone))
        told = f"Alerts of {client.name} changed"
        return save(place, asked, actor=user, now=now, level=AlertLevel(values["level"]), summary=told)

    audit.record(
        actor=user,
        action="alert.settings.read",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        now=now,
    )
    own = [(name_of(row.alert_type), "; ".join(setting_words(setting_of(row))), rule_address(place, row.alert_type))
           for row in rows if setting_words(setting_of(row))]  # fmt: skip
    mutes = [one for one in muted_clients(user, now) if one.client.pk == client.pk and one.alert_type]
    extra = {
        "template": "dashboard/client_alert_settings.html",
        "own": own,
        "mutes": muted_rows(mutes, day_of(now, zone), zone),
        "rules_address": reverse("settings_alerts") + query_of(place),
    }
    return answer_form(
        request, form, title=f"Alerts of {client.name}", submit="Save",
        said=f"Alerts of {client.name} changed.", back=reverse("client", args=[client.pk]), save=store, extra=extra,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@login_required
def mute_client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Keep the alerts of a client silent, all or those of the kind in `type`, until a day."""
    user, client, now, zone = _opened(request, client_id)
    given = request.GET.get("type", "")
    start = {"alert_type": given if given in KIND else "", "until": day_of(now, zone) + WEEK}
    form = MuteForm(request.POST or None, initial=start)

    def store(values: dict[str, Any]) -> Any:
        until = start_of(values["until"], zone)
        reason, kind = values["reason"], values["alert_type"]
        return mute(client, alert_type=kind, until=until, reason=reason, actor=user, now=now)

    def said(made: Any) -> str:
        until = day_of(made.record.muted_until, zone)
        return f"{name_of(made.record.alert_type)} of {client.name} muted until {full_day(until)}."

    lead = "Alerts are kept meanwhile, and told nobody."
    return answer_form(
        request, form, title=f"Mute {client.name}", submit="Mute", said=said,
        back=reverse("client", args=[client.pk]), save=store, lead=lead,
    )  # fmt: skip


@require_POST
@login_required
def unmute_client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Tell the alerts of a client again, all or those of the posted `alert_type`."""
    user, client, now, _ = _opened(request, client_id)
    given = request.POST.get("alert_type", "")
    kind = type_of(given.lower()) if given else ""
    said = f"{name_of(kind)} of {client.name} are told again."
    return act(request, reverse("alerts_muted"), said, lambda: unmute(client, alert_type=kind, actor=user, now=now))


@require_GET
@login_required
def client_rule(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Lead to the rule of a kind of alert for a client that the reader may see."""
    _, client, _, _ = _opened(request, client_id)
    return redirect(rule_address(Place(SettingScope.CLIENT, client=client), type_of(kind.lower())))


@require_GET
@login_required
def muted(request: HttpRequest) -> HttpResponse:
    """Show the mutes that hold of clients that the reader sees."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone = zone_of(user)
    rows = muted_clients(user, now)
    audit.record(actor=user, action="alert.muted", object_type="alertsetting", detail={"count": len(rows)}, now=now)
    return answer(request, "dashboard/alerts_muted.html", {"muted": muted_rows(rows, day_of(now, zone), zone)})


def _opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, Client, datetime, ZoneInfo]:
    user = cast(StaffUser, request.user)
    return user, client_or_404(user, client_id), timezone.now(), zone_of(user)


def _mute_asked(alert_type: str, values: dict[str, Any], zone: ZoneInfo) -> Asked:
    day: date | None = values["until"]
    until = start_of(day, zone) if day else None
    return Asked(alert_type, {"muted_until": until, "mute_reason": values["reason"] if until else ""})
