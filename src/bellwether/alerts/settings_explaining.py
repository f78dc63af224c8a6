"""What holds in a scope or for a client, field by field, with where it comes from. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bellwether.alerts.defaults import KIND, RESPOND_WITHIN, AlertKind
from bellwether.alerts.settings_resolving import (
    CLIENT,
    NARROWEST_FIRST,
    SEGMENT,
    TIER,
    WORKSPACE,
    Setting,
)

DEFAULT = "DEFAULT"


@dataclass(frozen=True)
class View:
    """From where one looks: a client with its tier and segment, or a tier or a segment alone, or the workspace."""

    tier: str = ""
    segment: str = ""
    client_id: str | None = None

    def layers(self) -> list[tuple[str, str, str | None]]:
        """Return the scopes that apply with their values, the narrowest first."""
        own = {CLIENT: ("", self.client_id), SEGMENT: (self.segment, None), TIER: (self.tier, None)}
        found = [(scope, *own[scope]) for scope in NARROWEST_FIRST if scope in own and any(own[scope])]
        return [*found, (WORKSPACE, "", None)]


@dataclass(frozen=True)
class Said:
    """A value and the scope that says it (DEFAULT where none does); `general`: said for all kinds at once."""

    value: Any
    scope: str = DEFAULT
    general: bool = False


@dataclass(frozen=True)
class Explained:
    """What holds for a kind of alert. `muted`: the latest mute that applies, None where there is none."""

    kind: AlertKind
    enabled: Said
    severity: Said
    media: Said
    respond_within_hours: Said
    thresholds: Mapping[str, Said]
    muted: Said | None = None

    @property
    def numbers(self) -> dict[str, float]:
        """The thresholds by name."""
        return {name: said.value for name, said in self.thresholds.items()}

    @property
    def scopes(self) -> set[str]:
        """The scopes that say something here."""
        fields = (self.enabled, self.severity, self.media, self.respond_within_hours, *self.thresholds.values())
        return {said.scope for said in fields}


def explain(settings: Iterable[Setting], alert_type: str, view: View) -> Explained:
    """Return what holds for a kind of alert as `view` looks at it. It is what `effective` says for such a client."""
    kind = KIND[alert_type]
    applying = _applying(settings, alert_type, view)
    severity = _first(applying, "severity", kind.severity)
    hours = _first(applying, "respond_within_hours", None)
    if hours.value is None:
        hours = Said(RESPOND_WITHIN[severity.value], severity.scope, severity.general)
    mutes = [(one.muted_until, one) for one in applying if one.muted_until is not None]
    latest = max(mutes, key=lambda pair: pair[0])[1] if mutes else None
    return Explained(
        kind=kind,
        enabled=_first(applying, "is_enabled", True),
        severity=severity,
        media=_first(applying, "media", kind.media),
        respond_within_hours=hours,
        thresholds={one.name: _threshold(applying, one.name, one.default) for one in kind.thresholds},
        muted=Said(latest.muted_until, latest.scope, not latest.alert_type) if latest else None,
    )


def without(settings: Iterable[Setting], place: tuple[str, str, str | None, str]) -> list[Setting]:
    """Return the settings without the one of `place`: what the wider scopes say."""
    return [one for one in settings if one.place != place]


def _applying(settings: Iterable[Setting], alert_type: str, view: View) -> Sequence[Setting]:
    known = {one.place: one for one in settings}
    places = [(*layer, kind) for layer in view.layers() for kind in (alert_type, "")]
    return [known[place] for place in places if place in known]


def _first(applying: Sequence[Setting], name: str, otherwise: Any) -> Said:
    for one in applying:
        value = getattr(one, name)
        if value is not None:
            return Said(value, one.scope, not one.alert_type)
    return Said(otherwise)


def _threshold(applying: Sequence[Setting], name: str, otherwise: float) -> Said:
    for one in applying:
        if name in one.thresholds:
            return Said(one.thresholds[name], one.scope, not one.alert_type)
    return Said(otherwise)
