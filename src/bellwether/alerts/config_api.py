"""Settings of alerts through the staff API: for all clients, a tier, a segment or a client."""

from django.utils import timezone
from ninja import Query, Router

from bellwether.alerts.choices import AlertSeverity, AlertType
from bellwether.alerts.config_schemas import (
    AlertConfigIn,
    AlertConfigOut,
    AlertConfigQuery,
    AlertConfigSources,
    AlertRuleOut,
    AlertThreshold,
)
from bellwether.alerts.defaults import IN_APP, KINDS, rule_words
from bellwether.alerts.settings_changes import Place, may_change, place_of, save
from bellwether.alerts.settings_checking import Asked
from bellwether.alerts.settings_explaining import Explained, explain
from bellwether.alerts.settings_reading import read_settings
from bellwether.alerts.settings_words import by_default, difference
from bellwether.common.errors import InvalidInputError
from bellwether.common.problems import ProblemError
from bellwether.delivery.choices import Medium
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.staff.api_auth import StaffRequest, need_scope
from bellwether.staff.audit import record
from bellwether.staff.tokens import Scope as TokenScope

router = Router(tags=["configuration"])
PATH = "/config/alerts"


@router.get(PATH, response=AlertConfigOut, operation_id="getAlertConfig", summary="Get the settings of alerts")
def settings(request: StaffRequest, query: Query[AlertConfigQuery]) -> AlertConfigOut:
    """Return each kind of alert as it holds for all clients, a tier, a segment or a client that you see, with whose
    word each field is."""
    place = _place(request, query)
    record(
        actor=request.user, action="alert.settings.read", object_type="alertsetting",
        client_id=place.client.pk if place.client else None, now=timezone.now(),
    )  # fmt: skip
    return _out(request, place)


@router.put(PATH, response=AlertConfigOut, operation_id="setAlertConfig", summary="Change the settings of alerts")
def change(request: StaffRequest, given: AlertConfigIn, query: Query[AlertConfigQuery]) -> AlertConfigOut:
    """Change settings in one place, all or nothing, and return what holds there now. The same again changes nothing.

    All clients, a tier or a segment need a VP or an administrator and, with a token, the scope admin. A client needs
    somebody who sees it; a mute needs a reason.
    """
    place = _place(request, query)
    if not given.model_fields_set & {"settings", "alert_level"}:
        raise ProblemError(422, "Give settings to change.", errors={"settings": "no setting is given"})
    if place.client is None and request.token is not None:
        need_scope(request.token, TokenScope.ADMIN)
    if given.alert_level is not None and place.client is None:
        raise InvalidInputError("Only clients have an alert level.", {"alert_level": "goes with client_id."})
    asked = [
        Asked(one.alert_type, {name: getattr(one, name) for name in one.model_fields_set if name != "alert_type"})
        for one in given.settings
    ]
    try:
        save(
            place, asked, actor=request.user, now=timezone.now(), level=given.alert_level, path="settings",
        )  # fmt: skip
    except NotAllowedError as error:
        raise ProblemError(403, str(error)) from error
    return _out(request, _place(request, query))


def _place(request: StaffRequest, query: AlertConfigQuery) -> Place:
    return place_of(request.user, scope=query.scope, value=query.value, client_id=query.client_id)


def _out(request: StaffRequest, place: Place) -> AlertConfigOut:
    known = read_settings()
    level = AlertLevel(place.client.alert_level) if place.client is not None else None
    return AlertConfigOut(
        scope=place.scope,
        value=place.value,
        client_id=place.client.pk if place.client else None,
        alert_level=level,
        may_change=may_change(request.user, place),
        data=[_rule(explain(known, kind.alert_type, place.view), level) for kind in KINDS],
    )


def _rule(one: Explained, level: AlertLevel | None) -> AlertRuleOut:
    fires, clears = rule_words(one.kind.alert_type, one.numbers)
    media = [Medium(medium) for medium in one.media.value]
    return AlertRuleOut(
        alert_type=AlertType(one.kind.alert_type),
        name=one.kind.name,
        fires=fires,
        clears=clears,
        is_enabled=one.enabled.value,
        severity=AlertSeverity(one.severity.value),
        media=media,
        told_by=None if level is None else [medium for medium in media if _leaves(level, medium)],
        respond_within_hours=one.respond_within_hours.value,
        thresholds=[
            AlertThreshold(
                name=spec.name,
                label=spec.label,
                unit=spec.unit,
                value=one.thresholds[spec.name].value,
                source=one.thresholds[spec.name].scope,
                default=spec.default,
                least=spec.least,
                most=spec.most,
                whole=spec.whole,
            )
            for spec in one.kind.thresholds
        ],
        muted_until=one.muted.value if one.muted else None,
        sources=AlertConfigSources(
            is_enabled=one.enabled.scope,
            severity=one.severity.scope,
            media=one.media.scope,
            respond_within_hours=one.respond_within_hours.scope,
        ),
        differs=difference(one, by_default(one.kind.alert_type)),
    )


def _leaves(level: AlertLevel, medium: str) -> bool:
    return level == AlertLevel.PROACTIVE or (level == AlertLevel.DASHBOARD_ONLY and medium == IN_APP)
