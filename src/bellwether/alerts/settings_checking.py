"""Checks what somebody wants to set for a kind of alert. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bellwether.alerts.defaults import KIND, MEDIA, SEVERITIES, Threshold, Thresholds
from bellwether.alerts.settings_resolving import CLIENT

FIELDS = (
    "is_enabled", "thresholds", "severity", "media", "respond_within_hours", "muted_until", "mute_reason",
)  # fmt: skip
"""What can be set, by the names of the API and of the model."""

LONGEST_REASON = 300
MOST_HOURS = 24 * 90
LONGEST_MUTE = timedelta(days=730)
RENEWAL_STEPS = ("first_days", "second_days", "third_days")


@dataclass(frozen=True)
class Asked:
    """What is to be set for one kind ("" for all): the given fields alone. None takes back to the wider scope.

    `thresholds` is a mapping by name; names left out stay as they are, None takes one back.
    """

    alert_type: str
    fields: Mapping[str, Any]


def check_asked(asked: Asked, *, scope: str, wider: Thresholds, kept: Thresholds, now: datetime) -> dict[str, str]:
    """Return what is wrong, by field path ("thresholds.points"); empty where all of it can be saved.

    `wider` are the thresholds that hold where nothing is set here, `kept` those set here before.
    """
    if asked.alert_type and asked.alert_type not in KIND:
        return {"alert_type": f"{asked.alert_type!r} is no kind of alert; there are {', '.join(KIND)}."}
    given = asked.fields
    errors = {name: f"is not known; there are {', '.join(FIELDS)}." for name in given if name not in FIELDS}
    if given.get("is_enabled") is not None and not isinstance(given["is_enabled"], bool):
        errors["is_enabled"] = "is true, false or null."
    if given.get("severity") is not None and given["severity"] not in SEVERITIES:
        errors["severity"] = f"{given['severity']!r} is none; there are {', '.join(SEVERITIES)}."
    errors |= _media(given.get("media"))
    errors |= _hours(given.get("respond_within_hours"))
    errors |= _mute(given, scope, now)
    errors |= _thresholds(asked.alert_type, given.get("thresholds"), wider, kept)
    return errors


def _media(media: Any) -> dict[str, str]:
    if media is None:
        return {}
    if not isinstance(media, (list, tuple)) or not all(isinstance(one, str) for one in media):
        return {"media": "is a list of media."}
    wrong = [one for one in media if one not in MEDIA]
    return {"media": f"{wrong[0]!r} is none; there are {', '.join(MEDIA)}."} if wrong else {}


def _hours(hours: Any) -> dict[str, str]:
    if hours is None:
        return {}
    whole = isinstance(hours, int) and not isinstance(hours, bool)
    if not whole or not 1 <= hours <= MOST_HOURS:
        return {"respond_within_hours": f"Give whole hours from 1 to {MOST_HOURS:,}."}
    return {}


def _mute(given: Mapping[str, Any], scope: str, now: datetime) -> dict[str, str]:
    errors = {}
    until, reason = given.get("muted_until"), given.get("mute_reason", "")
    if until is not None:
        if scope != CLIENT:
            errors["muted_until"] = "Only clients are muted; switch the kind off instead."
        elif until <= now:
            errors["muted_until"] = "Give a day after today."
        elif until > now + LONGEST_MUTE:
            errors["muted_until"] = "Give a day within two years."
        if not str(reason or "").strip():
            errors["mute_reason"] = "Say why, for your colleagues."
    if len(str(reason or "")) > LONGEST_REASON:
        errors["mute_reason"] = f"Give at most {LONGEST_REASON} letters."
    return errors


def _thresholds(alert_type: str, given: Any, wider: Thresholds, kept: Thresholds) -> dict[str, str]:
    if given is None or given == {}:
        return {}
    if not isinstance(given, Mapping):
        return {"thresholds": "is an object of numbers by name."}
    if not alert_type:
        return {"thresholds": "belong to one kind of alert; give its alert_type."}
    known = {one.name: one for one in KIND[alert_type].thresholds}
    errors = {}
    for name, value in given.items():
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "it has none"
            errors[f"thresholds.{name}"] = f"is no threshold of {alert_type}; {there}."
        elif value is not None and not _fits(known[name], value):
            errors[f"thresholds.{name}"] = f"Give {limits_of(known[name])}."
    if not errors and alert_type == "RENEWAL_APPROACHING":
        days = {**wider, **kept, **{name: value for name, value in given.items() if value is not None}}
        days |= {name: wider[name] for name, value in given.items() if value is None}
        first, second, third = (days[name] for name in RENEWAL_STEPS)
        if not first > second > third:
            at = "second_days" if not first > second else "third_days"
            errors[f"thresholds.{at}"] = f"Give fewer days than the one before: {first:g}, {second:g}, {third:g}."
    return errors


def limits_of(one: Threshold) -> str:
    """Return what may be given: "a whole number from 1 to 60"."""
    return f"a {'whole ' if one.whole else ''}number from {one.least:g} to {one.most:g}"


def _fits(one: Threshold, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return one.least <= value <= one.most and (not one.whole or value == int(value))
