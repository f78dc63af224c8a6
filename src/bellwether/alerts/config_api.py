"""Settings of alerts through the staff API: for all clients, a tier, a segment or a client."""

from uuid import UUID

import polars as pl
from django.utils import timezone
from ninja import Query, Router

from bellwether.alerts.choices import AlertSeverity, AlertType
from bellwether.alerts.config_schemas import (
    AlertConfigChange,
    AlertConfigIn,
    AlertConfigOut,
    AlertConfigQuery,
    AlertConfigSources,
    AlertRuleOut,
    AlertThreshold,
)
from bellwether.alerts.defaults import KINDS, rule_words
from bellwether.alerts.replay_schemas import (
    AlertReplayClient,
    AlertReplayIn,
    AlertReplayOut,
    AlertReplayPrecision,
    AlertReplaySide,
    AlertReplayWeek,
)
from bellwether.alerts.replaying import Load
from bellwether.alerts.rule_replays import replay_rule
from bellwether.alerts.settings_changes import Place, drafts_of, may_change, place_of, save
from bellwether.alerts.settings_checking import Asked
from bellwether.alerts.settings_explaining import Explained, explain
from bellwether.alerts.settings_reading import read_settings
from bellwether.alerts.settings_resolving import after_level
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
    asked = [_asked(one) for one in given.settings]
    try:
        save(
            place, asked, actor=request.user, now=timezone.now(), level=given.alert_level, path="settings",
        )  # fmt: skip
    except NotAllowedError as error:
        raise ProblemError(403, str(error)) from error
    return _out(request, _place(request, query))


@router.post(
    PATH + "/replay", response=AlertReplayOut, operation_id="replayAlertRule", summary="Replay a rule over a year"
)  # fmt: skip
def replay(request: StaffRequest, given: AlertReplayIn, query: Query[AlertConfigQuery]) -> AlertReplayOut:
    """Return what a kind of alert came to in the 52 weeks before today, in force and as sent. Nothing is saved.

    The figures are of the clients that you see in the place. Fields that are left out are those in force there.
    """
    now, place = timezone.now(), _place(request, query)
    asked = [_asked(one) for one in given.settings]
    wrong = {
        f"settings.{position}.alert_type": f"is {given.alert_type.value} or empty."
        for position, one in enumerate(asked)
        if one.alert_type not in ("", given.alert_type.value)
    }
    if wrong:
        raise InvalidInputError("Only the kind that is replayed can be tried out.", wrong)
    drafts = drafts_of(place, asked, now=now, path="settings")
    found = replay_rule(request.user, place, given.alert_type.value, drafts, now=now)
    record(
        actor=request.user, action="alert.replay", object_type="alertsetting",
        client_id=place.client.pk if place.client else None, detail={"alert_type": given.alert_type.value}, now=now,
    )  # fmt: skip
    weeks = found.shown.by_week.group_by("week").agg(pl.col("alerts").sum()).sort("week")
    return AlertReplayOut(
        alert_type=given.alert_type,
        first=found.first,
        last=found.last,
        clients=found.clients,
        in_force=_side(found.present.total),
        candidate=_side(found.candidate.total) if found.candidate else None,
        weeks=[AlertReplayWeek(week=week, alerts=alerts) for week, alerts in weeks.iter_rows()],
        data=[
            AlertReplayClient(
                id=UUID(row["client_id"]), name=found.names[row["client_id"]][0], alerts=row["alerts"],
                last_opened_on=row["last_opened_on"], churned_on=row["churned_on"],
            )
            for row in found.shown.by_client.iter_rows(named=True)
            if row["client_id"] in found.names
        ],
    )  # fmt: skip


def _side(load: Load) -> AlertReplaySide:
    return AlertReplaySide(
        alerts=load.alerts,
        clients=load.clients,
        per_week=round(load.per_week, 3),
        per_csm_week=None if load.per_csm_week is None else round(load.per_csm_week, 3),
        precision=[
            AlertReplayPrecision(
                days=one.days,
                decided=one.decided,
                followed=one.followed,
                share=one.share,
                low=one.low,
                high=one.high,
                base=one.base,
            )
            for one in load.precision
        ],
        churns=load.churns,
        warned=load.warned,
        lead_days=load.lead_days,
    )


def _asked(one: AlertConfigChange) -> Asked:
    return Asked(one.alert_type, {name: getattr(one, name) for name in one.model_fields_set if name != "alert_type"})


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
        told_by=None if level is None else [Medium(medium) for medium in after_level(media, level)],
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
