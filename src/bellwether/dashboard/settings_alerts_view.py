"""What the pages of alert settings show: for whom, the rows of kinds, where a value comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest
from django.urls import reverse

from bellwether.alerts.choices import SettingScope
from bellwether.alerts.defaults import KINDS, AlertKind, rule_words
from bellwether.alerts.models import AlertSetting
from bellwether.alerts.settings_changes import ALL_TYPES, Place, place_of
from bellwether.alerts.settings_explaining import DEFAULT, Explained, Said, explain
from bellwether.alerts.settings_reading import setting_of
from bellwether.alerts.settings_resolving import Setting, after_level
from bellwether.alerts.settings_selectors import Muted
from bellwether.alerts.settings_words import (
    SOURCE_WORDS,
    by_default,
    difference,
    hours_words,
    media_words,
    setting_words,
)
from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.choices import AlertLevel, ContractTier
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, number

ALL = "all"
"""How addresses name the setting of all kinds."""
SEVERITY_STATUS = {"CRITICAL": "critical", "HIGH": "critical", "MEDIUM": "risk", "LOW": "monitor"}
SEVERITY_ICON = {"CRITICAL": "octagon-alert", "HIGH": "chevrons-up", "MEDIUM": "chevron-up", "LOW": "chevron-down"}


@dataclass(frozen=True)
class ScopeTab:
    """For whom one may look; `count`: the clients of the reader there, as text; `group` begins a group of them."""

    group: str
    text: str
    href: str
    count: str
    current: bool


@dataclass(frozen=True)
class KindRow:
    """A kind of alert as it holds for the place, as text."""

    kind: AlertKind
    href: str
    fires: str
    clears: str
    enabled: bool
    severity: str
    media: str
    respond: str
    source: str
    own: bool
    differs: list[str]


@dataclass(frozen=True)
class OwnRow:
    """A setting of a tier, a segment or a client that says something of its own, as text."""

    whom: str
    scope: str
    kind: str
    says: str
    by: str
    href: str


@dataclass(frozen=True)
class MutedRow:
    """A mute that holds, as text."""

    client: Client
    kind: str
    alert_type: str
    until: str
    reason: str
    by: str


def asked_place(request: HttpRequest, user: StaffUser) -> Place:
    """Return the place that the address names with `tier`, `segment` or `client`; none is all clients. Http404 for
    one that there is not or that the reader may not see."""
    tier, segment, client = (request.GET.get(name, "") for name in ("tier", "segment", "client"))
    try:
        if client:
            return place_of(user, client_id=UUID(client))
        if segment:
            return place_of(user, scope=SettingScope.SEGMENT, value=segment)
        if tier:
            return place_of(user, scope=SettingScope.TIER, value=tier)
    except (InvalidInputError, ValueError):
        raise Http404 from None
    return place_of(user)


def query_of(place: Place) -> str:
    """Return the query string that names the place: "?tier=ENTERPRISE"; empty for all clients."""
    if place.client is not None:
        return "?" + urlencode({"client": place.client.pk})
    if place.scope == SettingScope.WORKSPACE:
        return ""
    return "?" + urlencode({place.scope.lower(): place.value})


def rule_address(place: Place, alert_type: str, name: str = "settings_alert") -> str:
    """Return the address of a kind's page for the place; "" is the setting of all kinds."""
    return reverse(name, args=[alert_type.lower() or ALL]) + query_of(place)


def scope_tabs(user: StaffUser, place: Place, own: Sequence[AlertSetting]) -> list[ScopeTab]:
    """Return all clients, the tiers and segments of the reader's clients, and the client that is looked at."""
    pairs = list(Client.objects.visible_to(user).active().order_by().values_list("contract_tier", "segment"))
    places = [Place(SettingScope.WORKSPACE)]
    tiers, segments = {tier for tier, _ in pairs}, {segment for _, segment in pairs if segment}
    places += [Place(SettingScope.TIER, tier) for tier in ContractTier.values if tier in tiers]
    with_own = {row.scope_value for row in own if row.scope == SettingScope.SEGMENT}
    places += [Place(SettingScope.SEGMENT, segment) for segment in sorted(segments | with_own)]
    if place not in places:
        places.append(place)
    tabs, before = [], SettingScope.WORKSPACE
    for one in places:
        group = str(one.scope).capitalize() if one.scope != before else ""
        before = one.scope
        tabs.append(
            ScopeTab(
                group, _tab_text(one), reverse("settings_alerts") + query_of(one), _count(one, pairs), one == place
            )
        )
    return tabs


def _tab_text(place: Place) -> str:
    if place.client is not None:
        return str(place.client.name)
    if place.scope == SettingScope.TIER:
        return str(ContractTier(place.value).label)
    return place.value or "All clients"


def _count(place: Place, pairs: Sequence[tuple[str, str]]) -> str:
    if place.client is not None:
        return "1"
    if place.scope == SettingScope.TIER:
        return number(sum(tier == place.value for tier, _ in pairs))
    if place.scope == SettingScope.SEGMENT:
        return number(sum(segment == place.value for _, segment in pairs))
    return number(len(pairs))


def kind_rows(settings: Sequence[Setting], place: Place) -> list[KindRow]:
    """Return the kinds of alerts as they hold for the place."""
    return [kind_row(explain(settings, kind.alert_type, place.view), place) for kind in KINDS]


def kind_row(one: Explained, place: Place) -> KindRow:
    """Return one kind of alert as text."""
    fires, clears = rule_words(one.kind.alert_type, one.numbers)
    return KindRow(
        kind=one.kind,
        href=rule_address(place, one.kind.alert_type),
        fires=fires,
        clears=clears,
        enabled=one.enabled.value,
        severity=one.severity.value,
        media=media_words(after_level(one.media.value, place.client.alert_level) if place.client else one.media.value),
        respond=hours_words(one.respond_within_hours.value),
        source=_source(one, place),
        own=place.scope.value in one.scopes,
        differs=difference(one, by_default(one.kind.alert_type)),
    )


LEVEL_WORDS = {
    AlertLevel.PROACTIVE: "Proactive: told by all media of the rules.",
    AlertLevel.DASHBOARD_ONLY: "Dashboard only: told in the product, whatever else the rules say.",
    AlertLevel.NONE: "Level none: alerts are kept, and told nobody.",
}


def _source(one: Explained, place: Place) -> str:
    if place.scope.value in one.scopes:
        return "Set here"
    said = [scope for scope in ("SEGMENT", "TIER", "WORKSPACE") if scope in one.scopes]
    return SOURCE_WORDS[said[0]] if said else SOURCE_WORDS[DEFAULT]


def source_of(said: Said, place: Place) -> str:
    """Return where a value comes from, in words: "by default", "as all clients", "as tier Enterprise"."""
    if said.scope == DEFAULT:
        return "by default"
    if said.scope == place.scope:
        return "set here"
    if said.scope == SettingScope.TIER and place.client is not None:
        return f"as tier {ContractTier(place.client.contract_tier).label}"
    if said.scope == SettingScope.SEGMENT and place.client is not None:
        return f"as segment {place.client.segment}"
    return f"as {SOURCE_WORDS[said.scope].lower()}"


def own_rows(own: Sequence[AlertSetting]) -> list[OwnRow]:
    """Return the settings of tiers, segments and clients as text."""
    found = []
    for row in own:
        if row.scope == SettingScope.WORKSPACE:
            continue
        place = Place(SettingScope(row.scope), row.scope_value, row.client)
        kind = next((one.name for one in KINDS if one.alert_type == row.alert_type), ALL_TYPES)
        says = "; ".join(setting_words(setting_of(row)))
        found.append(
            OwnRow(
                _tab_text(place), str(SettingScope(row.scope).label), kind, says[:1].upper() + says[1:],
                row.updated_by.name if row.updated_by else "", rule_address(place, row.alert_type),
            )
        )  # fmt: skip
    return found


def muted_rows(muted: Sequence[Muted], today: date, zone: ZoneInfo) -> list[MutedRow]:
    """Return mutes as text; days are those of `zone`."""
    names = {kind.alert_type: kind.name for kind in KINDS}
    return [
        MutedRow(
            client=one.client,
            kind=names.get(one.alert_type, ALL_TYPES),
            alert_type=one.alert_type,
            until=day(day_of(one.until, zone), today),
            reason=one.reason,
            by=one.by.name if one.by else "",
        )
        for one in muted
    ]
