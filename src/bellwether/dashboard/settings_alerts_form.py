"""The form of a kind of alert: what was typed, turned into what is asked for or into errors by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from bellwether.alerts.defaults import KIND, MEDIA, Threshold
from bellwether.alerts.settings_checking import Asked, limits_of
from bellwether.alerts.settings_resolving import Setting

T = "t_"
"""What the fields of thresholds begin with."""
STATES = {"on": True, "off": False, "": None}


@dataclass(frozen=True)
class RuleForm:
    """What the form shows. `errors` by field path; `asked` is None until everything typed can be read."""

    values: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    asked: Asked | None = None


def form_of(setting: Setting | None) -> RuleForm:
    """Return the form filled with what the place says itself; empty where it says nothing."""
    if setting is None:
        return RuleForm({"enabled": "", "severity": "", "media": [], "own_media": "", "respond": ""})
    values: dict[str, Any] = {
        "enabled": next(word for word, value in STATES.items() if value is setting.is_enabled),
        "severity": setting.severity or "",
        "own_media": "" if setting.media is None else "on",
        "media": list(setting.media or ()),
        "respond": str(setting.respond_within_hours or ""),
        **{T + name: f"{value:g}" for name, value in setting.thresholds.items()},
    }
    return RuleForm(values)


def read_form(alert_type: str, sent: QueryDict) -> RuleForm:
    """Return what was typed for a kind ("" for all) with what is asked for, or with its errors."""
    values: dict[str, Any] = {name: str(value).strip() for name, value in sent.dict().items()}
    values["media"] = [one for one in sent.getlist("media") if one in MEDIA]
    errors: dict[str, str] = {}
    state = values.get("enabled", "")
    if state not in STATES:
        errors["is_enabled"] = "Choose one of those shown."
    thresholds = {}
    for one in KIND[alert_type].thresholds if alert_type else ():
        thresholds[one.name] = _number(values.get(T + one.name, ""), one, errors)
    fields: dict[str, Any] = {
        "is_enabled": STATES.get(state),
        "severity": values.get("severity") or None,
        "media": values["media"] if values.get("own_media") else None,
        "respond_within_hours": _hours(values.get("respond", ""), errors),
    }
    if thresholds:
        fields["thresholds"] = thresholds
    return RuleForm(values, errors, None if errors else Asked(alert_type, fields))


def setting_from(form: RuleForm, place: tuple[str, str, str | None]) -> Setting | None:
    """Return the setting that the form would make, for a replay of what is not saved; None where it cannot be read."""
    if form.asked is None:
        return None
    fields = form.asked.fields
    given = {name: value for name, value in fields.get("thresholds", {}).items() if value is not None}
    scope, value, client_id = place
    return Setting(
        scope=scope,
        scope_value=value,
        client_id=client_id,
        alert_type=form.asked.alert_type,
        is_enabled=fields["is_enabled"],
        thresholds=given,
        severity=fields["severity"],
        media=None if fields["media"] is None else tuple(fields["media"]),
        respond_within_hours=fields["respond_within_hours"],
    )


def _number(typed: str, one: Threshold, errors: dict[str, str]) -> float | None:
    if not typed:
        return None
    try:
        value = float(typed.replace(",", "").replace(" ", ""))
    except ValueError:
        errors[f"thresholds.{one.name}"] = f"{typed!r} is no number. Give {limits_of(one)}."
        return None
    if value != value or abs(value) > 1e9:
        errors[f"thresholds.{one.name}"] = f"Give {limits_of(one)}."
        return None
    return int(value) if value == int(value) else value


def _hours(typed: str, errors: dict[str, str]) -> int | None:
    if not typed:
        return None
    try:
        return int(typed)
    except ValueError:
        errors["respond_within_hours"] = f"{typed!r} is no whole number of hours."
        return None
