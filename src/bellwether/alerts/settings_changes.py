"""Changes of the settings of alerts: save, mute, unmute, back to the wider scope. Each can be undone.

A row that says nothing any more stays, empty: undoing puts its values back into the same row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.http import Http404

from bellwether.alerts.choices import SettingScope
from bellwether.alerts.defaults import KIND, MEDIA
from bellwether.alerts.models import AlertSetting
from bellwether.alerts.settings_checking import FIELDS, Asked, check_asked
from bellwether.alerts.settings_explaining import View, explain, without
from bellwether.alerts.settings_reading import read_settings
from bellwether.alerts.settings_resolving import Setting
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.portfolio.changes import Changing, changing
from bellwether.portfolio.choices import AlertLevel, ContractTier
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.portfolio.models import Client
from bellwether.portfolio.record_changes import Made, locked_client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.models import Role, StaffUser

RULE_ROLES = frozenset({Role.VP_CLIENT_SUCCESS, Role.VP_SALES, Role.ADMIN})
WHY_NOT = "Only the VPs and administrators change alerts for all clients, a tier or a segment."
ALL_TYPES = "All alerts"


@dataclass(frozen=True)
class Place:
    """Where settings hold: all clients, a tier, a segment, or a client that somebody may see."""

    scope: SettingScope
    value: str = ""
    client: Client | None = None

    @property
    def words(self) -> str:
        """For whom: "all clients", "tier Enterprise", "segment Growth", "Northwind"."""
        if self.client is not None:
            return str(self.client.name)
        if self.scope == SettingScope.TIER:
            return f"tier {ContractTier(self.value).label}"
        return f"segment {self.value}" if self.scope == SettingScope.SEGMENT else "all clients"

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a row of this place."""
        return {"scope": self.scope.value, "scope_value": self.value, "client": self.client}

    @property
    def client_hex(self) -> str | None:
        """The client's id as the pure modules write it."""
        return self.client.pk.hex if self.client else None

    @property
    def view(self) -> View:
        """How one looks at the settings from here."""
        if self.client is not None:
            return View(self.client.contract_tier, self.client.segment, self.client.pk.hex)
        if self.scope == SettingScope.TIER:
            return View(tier=self.value)
        return View(segment=self.value) if self.scope == SettingScope.SEGMENT else View()


def place_of(user: StaffUser, *, scope: str = "", value: str = "", client_id: UUID | None = None) -> Place:
    """Return the place that is named. Http404 for a client that `user` may not see, InvalidInputError naming the field
    for a scope, tier or segment that there is not."""
    scope = scope or (SettingScope.CLIENT if client_id else SettingScope.WORKSPACE)
    if scope not in SettingScope.values:
        raise _wrong("scope", f"{scope!r} is none; there are {', '.join(SettingScope.values)}.")
    if (client_id is not None) != (scope == SettingScope.CLIENT):
        raise _wrong("client_id", "goes with the scope CLIENT, and that with it.")
    if client_id is not None:
        return Place(SettingScope.CLIENT, client=visible_client(user, client_id))
    if scope == SettingScope.WORKSPACE and value:
        raise _wrong("value", "is for a tier or a segment.")
    if scope == SettingScope.TIER and value not in ContractTier.values:
        raise _wrong("value", f"{value!r} is no tier; there are {', '.join(ContractTier.values)}.")
    if scope == SettingScope.SEGMENT and not (value and _segment_known(value)):
        raise _wrong("value", f"no client is in a segment {value!r}.")
    return Place(SettingScope(scope), value)


def may_change(user: StaffUser, place: Place) -> bool:
    """Return whether `user` may set something there; a client is one that the user sees."""
    return place.client is not None or user.role in RULE_ROLES


def save(
    place: Place,
    asked: Sequence[Asked],
    *,
    actor: StaffUser,
    now: datetime,
    level: AlertLevel | None = None,
    summary: str = "",
    path: str = "",
) -> Made[AlertSetting]:
    """Store what is asked for, all or nothing, and return the last row with the change that can be undone.

    Fields that are not given stay. `level` sets the client's alert level in the same change. The same again changes
    nothing. Raises InvalidInputError naming each field (below `path` and its position, where given), NotAllowedError
    for the role, Http404 for a client that the actor does not see, ConflictError for an archived one or when two people
    save the same at once.
    """
    if not may_change(actor, place):
        raise NotAllowedError(WHY_NOT)
    if place.client is not None and not Client.objects.visible_to(actor).filter(pk=place.client.pk).exists():
        raise Http404
    _check(place, asked, now, path)
    today = day_of(now, django_settings.BELLWETHER_WORKSPACE_ZONE)
    told = summary or _summary(place, asked)
    row = None
    try:
        with changing(actor, kind="alert.settings", summary=told, today=today, now=now) as work:
            client = locked_client(place.client) if place.client is not None else None
            if client is not None and level is not None and client.alert_level != level:
                work.keep(client)
                client.alert_level = level
                work.save(client)
            for one in asked:
                row = _store(work, place, one, actor, now)
    except IntegrityError:
        raise ConflictError("Somebody else saved the same settings at this moment. Try again.") from None
    return Made(row, work.change)


def drafts_of(place: Place, asked: Sequence[Asked], *, now: datetime, path: str = "") -> list[Setting]:
    """Return the settings of the place as they would be with what is asked for, unsaved. Raises InvalidInputError."""
    _check(place, asked, now, path)
    known = {one.place: one for one in read_settings()}
    drafts = []
    for one in asked:
        own = (place.scope.value, place.value, place.client_hex, one.alert_type)
        row = AlertSetting(**place.columns, alert_type=one.alert_type)
        if own in known:
            row.thresholds = dict(known[own].thresholds)
        values = _values(row, one.fields)
        if values.get("media") is not None:
            values["media"] = tuple(values["media"])
        was = known.get(own) or Setting(scope=own[0], scope_value=own[1], client_id=own[2], alert_type=own[3])
        drafts.append(replace(was, **values))
    return drafts


def mute(
    client: Client, *, alert_type: str = "", until: datetime, reason: str, actor: StaffUser, now: datetime
) -> Made[AlertSetting]:
    """Keep alerts of a client, or those of one kind, without telling anybody before `until` (aware).

    Raises what `save` raises; the errors name `muted_until` and `mute_reason`.
    """
    asked = Asked(alert_type, {"muted_until": until, "mute_reason": reason})
    place = Place(SettingScope.CLIENT, client=client)
    return save(place, [asked], actor=actor, now=now, summary=f"{_what(alert_type)} of {client.name} muted")


def unmute(client: Client, *, alert_type: str = "", actor: StaffUser, now: datetime) -> Made[AlertSetting]:
    """Tell alerts of a client again, or those of one kind; what is not muted stays as it is."""
    asked = Asked(alert_type, {"muted_until": None, "mute_reason": ""})
    place = Place(SettingScope.CLIENT, client=client)
    return save(place, [asked], actor=actor, now=now, summary=f"{_what(alert_type)} of {client.name} told again")


def reset(place: Place, alert_types: Sequence[str], *, actor: StaffUser, now: datetime) -> Made[AlertSetting]:
    """Let the wider scope hold again for these kinds ("" is the setting of all kinds). A mute stays."""
    thresholds = {kind: {one.name: None for one in KIND[kind].thresholds} if kind else {} for kind in alert_types}
    nothing = dict.fromkeys(("is_enabled", "severity", "media", "respond_within_hours"))
    asked = [Asked(kind, {**nothing, "thresholds": thresholds[kind]}) for kind in alert_types]
    what = _what(alert_types[0]) if len(alert_types) == 1 else "Alerts"
    return save(place, asked, actor=actor, now=now, summary=f"{what}: the wider scope holds for {place.words} again")


def _check(place: Place, asked: Sequence[Asked], now: datetime, path: str) -> None:
    settings = read_settings()
    errors: dict[str, str] = {}
    seen: set[str] = set()
    for position, one in enumerate(asked):
        wider, kept = {}, {}
        if one.alert_type in KIND:
            own = (place.scope.value, place.value, place.client_hex, one.alert_type)
            wider = explain(without(settings, own), one.alert_type, place.view).numbers
            kept = next((dict(known.thresholds) for known in settings if known.place == own), {})
        found = check_asked(one, scope=place.scope, wider=wider, kept=kept, now=now)
        if one.alert_type in seen:
            found["alert_type"] = f"{one.alert_type or 'all kinds'} is given twice."
        seen.add(one.alert_type)
        before = f"{path}.{position}." if path else ""
        errors |= {before + name: text for name, text in found.items()}
    if errors:
        raise InvalidInputError("The settings cannot be saved; see errors.", errors)


def _store(work: Changing, place: Place, asked: Asked, actor: StaffUser, now: datetime) -> AlertSetting:
    """Write one row in the open transaction; nothing is made for what says nothing."""
    columns = {**place.columns, "alert_type": asked.alert_type}
    row = AlertSetting.objects.select_for_update().filter(**columns).first()
    made = row is None
    row = row or AlertSetting(**columns, created_at=now, updated_at=now)
    values = _values(row, asked.fields)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return row
    if not made:
        work.keep(row)
    for name, value in changed.items():
        setattr(row, name, value)
    row.updated_at, row.updated_by = now, actor
    if not made:
        work.save(row)
    else:
        with transaction.atomic():
            work.make(row)
    return row


def _values(row: AlertSetting, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: given[name] for name in FIELDS if name in given and name != "thresholds"}
    if "mute_reason" in values:
        values["mute_reason"] = storable_text(values["mute_reason"] or "").strip()
    if values.get("muted_until", ...) is None:
        values["mute_reason"] = ""
    if values.get("media") is not None:
        values["media"] = [one for one in MEDIA if one in values["media"]]
    if "thresholds" in given and given["thresholds"] is None:
        values["thresholds"] = {}
    elif given.get("thresholds"):
        merged = {**row.thresholds, **given["thresholds"]}
        values["thresholds"] = {name: _plain(value) for name, value in sorted(merged.items()) if value is not None}
    return values


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _segment_known(value: str) -> bool:
    rows = Client.objects.filter(segment=value)
    return rows.exists() or AlertSetting.objects.filter(scope=SettingScope.SEGMENT, scope_value=value).exists()


def _summary(place: Place, asked: Sequence[Asked]) -> str:
    kinds = ", ".join(_what(one.alert_type) for one in asked[:3]) + (" …" if len(asked) > 3 else "")
    return f"{kinds}: settings for {place.words} changed"


def _what(alert_type: str) -> str:
    return KIND[alert_type].name if alert_type in KIND else ALL_TYPES


def _wrong(field: str, sentence: str) -> InvalidInputError:
    return InvalidInputError(f"The settings cannot be found: {field} {sentence}", {field: sentence})
