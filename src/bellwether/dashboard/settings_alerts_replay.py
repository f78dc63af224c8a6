"""The replay of a rule over the past year, as a part of the page of the rule."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.alerts.defaults import rule_words
from bellwether.alerts.rule_replays import replay_rule
from bellwether.alerts.settings_changes import Place
from bellwether.alerts.settings_explaining import explain
from bellwether.alerts.settings_reading import read_settings
from bellwether.alerts.settings_resolving import with_drafts
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_alerts_form import RuleForm, read_form, setting_from
from bellwether.dashboard.settings_alerts_page import checked, type_of
from bellwether.dashboard.settings_alerts_replay_view import ReplayView, replay_view
from bellwether.dashboard.settings_alerts_view import asked_place
from bellwether.staff import audit
from bellwether.staff.models import StaffUser


@require_GET
@login_required
def replay_part(request: HttpRequest, kind: str) -> HttpResponse:
    """Return what the rule would have raised over the past year: as typed, against the one in force; without the
    fields of the form, the one in force."""
    user = cast(StaffUser, request.user)
    alert_type, place = type_of(kind), asked_place(request, user)
    typed = "enabled" in request.GET
    form = read_form(alert_type, request.GET) if typed else None
    values: dict[str, Any] = {"replay": None, "problems": []}
    if form is not None and form.asked is not None:
        form = checked(form, read_settings(), place, alert_type)
    if form is not None and form.asked is None:
        values["problems"] = list(form.errors.values())
    else:
        values["replay"] = replay_of(user, place, alert_type, form)
    return answer(request, "dashboard/settings_alert_replay.html", values)


def replay_of(user: StaffUser, place: Place, alert_type: str, form: RuleForm | None) -> ReplayView:
    """Return the replay of what the form says (which can be read), or of the rule in force."""
    now = timezone.now()
    draft = setting_from(form, (place.scope.value, place.value, place.client_hex)) if form else None
    found = replay_rule(user, place, alert_type, [draft] if draft else [], now=now)
    audit.record(
        actor=user, action="alert.replay", object_type="alertsetting",
        client_id=place.client.pk if place.client else None,
        detail={"alert_type": alert_type, "clients": found.clients}, now=now,
    )  # fmt: skip
    settings = read_settings()
    rule = ""
    if alert_type:
        wanted = with_drafts(settings, [draft]) if draft else settings
        rule = rule_words(alert_type, explain(wanted, alert_type, place.view).numbers)[0]
    return replay_view(found, asked=draft is not None, rule=rule)
