"""What staff are told about: the kinds of notifications, each of which a person may turn off. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFERENCE = "notifications"
OFF = "off"


@dataclass(frozen=True)
class Kind:
    """A kind of notification: its key, how it reads, when it comes, and its icon."""

    key: str
    label: str
    when: str
    icon: str


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("follow_up", "Follow-ups", "A follow-up of yours is due or overdue.", "calendar-clock"),
        Kind("scheduled", "Appointments", "A call or meeting of yours starts within the hour.", "calendar-check"),
        Kind("assigned", "Assignments", "A client is assigned to you.", "user-round-plus"),
        Kind("contact_left", "Contacts who left", "A key contact of a client of yours leaves.", "user-round-x"),
        Kind("milestone", "Milestones", "A client of yours reaches a milestone.", "trophy"),
        Kind("alert", "Alerts", "An alert about a client of yours opens or gets worse.", "siren"),
        Kind("playbook", "Playbooks", "A playbook has something for you to do or to know.", "list-checks"),
        Kind("import", "Imports", "An import that you started ends.", "file-up"),
        Kind("shared_view", "Shared views", "Somebody shares a view with you.", "bookmark"),
        Kind("webhook", "Webhooks", "A webhook cannot be delivered any more.", "webhook"),
        Kind(
            "channel", "Channels", "A channel of yours was switched off, or messages could not be delivered.", "unplug"
        ),
        Kind("report", "Exports and reports", "A file that you asked for is ready.", "file-down"),
        Kind("workspace", "Workspace", "Something about the workspace needs you.", "settings"),
    )
}


def kind_of(key: str) -> Kind:
    """Return the kind `key`; a plain one for a kind that this version does not know any more."""
    return KINDS.get(key) or Kind(key, key.replace("_", " ").capitalize(), "", "bell")


def turned_off(preferences: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of the kinds that a person does not want, from StaffUser.preferences."""
    kept = preferences.get(PREFERENCE)
    off = kept.get(OFF) if isinstance(kept, Mapping) else None
    return frozenset(key for key in off if isinstance(key, str)) if isinstance(off, list) else frozenset()


def with_off(preferences: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the preferences with `keys` as the kinds that are turned off."""
    return {**preferences, PREFERENCE: {OFF: sorted(set(keys) & KINDS.keys())}}
