"""Where a playbook is started for a client by hand, with the one chosen that is about the matter at hand."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from bellwether.playbooks.models import Playbook
from bellwether.playbooks.selectors import startable


def start_address(client_id: UUID, alert_types: Sequence[str]) -> str:
    """Return the address that starts a playbook for the client, with the first chosen that alerts of these types
    start."""
    found = about(startable(client_id), alert_types)
    return reverse("playbook_start", args=[client_id]) + (f"?playbook={found.key}" if found else "?playbook=")


def about(playbooks: Sequence[Playbook], alert_types: Sequence[str]) -> Playbook | None:
    """Return the first playbook that alerts of these types start; None where there is none."""
    for playbook in playbooks:
        trigger = playbook.version.definition.get("trigger", {}) if playbook.version else {}
        if trigger.get("kind") == "alert" and set(alert_types) & set(trigger.get("types") or ()):
            return playbook
    return None
