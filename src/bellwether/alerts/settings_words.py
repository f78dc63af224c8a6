"""The settings of alerts in words for people. Pure."""

from collections.abc import Collection, Mapping

from bellwether.alerts.defaults import IN_APP, KIND, MEDIA
from bellwether.alerts.settings_explaining import DEFAULT, Explained, View, explain
from bellwether.alerts.settings_resolving import CLIENT, SEGMENT, TIER, WORKSPACE, Setting

MEDIUM_WORDS: Mapping[str, str] = {
    IN_APP: "in the product",
    "EMAIL": "e-mail",
    "SLACK": "Slack",
    "TEAMS": "Teams",
    "WEBHOOK": "webhook",
}
SOURCE_WORDS: Mapping[str, str] = {
    DEFAULT: "Default",
    WORKSPACE: "All clients",
    TIER: "Tier",
    SEGMENT: "Segment",
    CLIENT: "Client",
}
HOURS_A_DAY = 24


def media_words(media: Collection[str]) -> str:
    """Return the media as a sentence has them: "In the product, e-mail"; "Nobody is told" where there are none."""
    words = ", ".join(MEDIUM_WORDS[one] for one in MEDIA if one in media)
    return words[:1].upper() + words[1:] if words else "Nobody is told"


def hours_words(hours: int) -> str:
    """Return a time to respond: "8 h", "7 d" for whole days from two on."""
    return f"{hours // HOURS_A_DAY} d" if hours % HOURS_A_DAY == 0 and hours > HOURS_A_DAY else f"{hours} h"


def setting_words(one: Setting) -> list[str]:
    """Return what a setting says, without a mute: ["off"], ["drop of at least 15 points", "severity high"]."""
    found = [] if one.is_enabled is None else ["on" if one.is_enabled else "off"]
    known = {spec.name: spec for spec in KIND[one.alert_type].thresholds} if one.alert_type else {}
    found += [
        f"{known[name].label.lower()} {value:g} {known[name].unit}".strip()
        for name, value in one.thresholds.items()
        if name in known
    ]
    if one.severity is not None:
        found.append(f"severity {one.severity.lower()}")
    if one.media is not None:
        words = media_words(one.media)
        found.append("nobody is told" if not one.media else f"told by: {words[:1].lower()}{words[1:]}")
    if one.respond_within_hours is not None:
        found.append(f"respond within {hours_words(one.respond_within_hours)}")
    return found


def difference(one: Explained, other: Explained) -> list[str]:
    """Return what differs from `other` for the same kind, with the other's value in brackets."""
    found = []
    if one.enabled.value != other.enabled.value:
        found.append("on (off)" if one.enabled.value else "off (on)")
    for spec in one.kind.thresholds:
        value, was = one.thresholds[spec.name].value, other.thresholds[spec.name].value
        if value != was:
            found.append(f"{spec.label.lower()} {value:g} {spec.unit}".strip() + f" ({was:g})")
    if one.severity.value != other.severity.value:
        found.append(f"severity {one.severity.value.lower()} ({other.severity.value.lower()})")
    if set(one.media.value) != set(other.media.value):
        found.append(f"{media_words(one.media.value).lower()} ({media_words(other.media.value).lower()})")
    if one.respond_within_hours.value != other.respond_within_hours.value:
        was = hours_words(other.respond_within_hours.value)
        found.append(f"respond within {hours_words(one.respond_within_hours.value)} ({was})")
    return found


def by_default(alert_type: str) -> Explained:
    """Return what holds for a kind of alert while nobody set anything."""
    return explain([], alert_type, View())
