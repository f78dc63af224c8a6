"""What the people of a client mainly do, kept for a while: it is read from the raw events, too slow for every page.

The facts count a user's modules but do not name them. Pages load this after the table is on screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.cache import BaseCache

from bellwether.portfolio.models import Client
from bellwether.presets import load_preset
from bellwether.usage.catalogue import features
from bellwether.usage.lake import Lake
from bellwether.usage.main_activities import main_activities

KEPT_SECONDS = 600
NO_EVENTS = "The events of the last 30 days are not kept here, so what people mainly do is not known."


@dataclass(frozen=True)
class Activities:
    """What the people of a client mainly do, by pseudonym; `reason` says why nothing is known."""

    by_user: Mapping[str, tuple[str, ...]]
    reason: str = ""

    def text(self, user_key: str) -> str:
        """Return "Case Management, Analytics"; an en dash where nothing is known."""
        return ", ".join(self.by_user.get(user_key, ())) or "–"


def kept_activities(client: Client, today: date, *, cache: BaseCache) -> Activities | None:
    """Return what was computed lately, None if nothing was."""
    kept: Activities | None = cache.get(_key(client, today))
    return kept


def activities_of(client: Client, *, lake: Lake, today: date, cache: BaseCache) -> Activities:
    """Return what the people of `client` mainly do, at most KEPT_SECONDS old."""
    kept = kept_activities(client, today, cache=cache)
    if kept is None:
        found = main_activities(
            lake, client.organization_id, today, modules=modules_of_events(), without=sign_in_events()
        )
        kept = Activities(found.by_user, "" if found.events else NO_EVENTS)
        cache.set(_key(client, today), kept, KEPT_SECONDS)
    return kept


def modules_of_events() -> dict[str, str]:
    """Return the module of each event that the catalogue of features names, for events that do not say their own."""
    found: dict[str, str] = {}
    for feature in features():
        for event in feature.events:
            name = event if isinstance(event, str) else event.get("event", "")
            if feature.module and name:
                found.setdefault(name, feature.module)
    return found


def sign_in_events() -> frozenset[str]:
    """Return the events that only say that somebody is there."""
    told = load_preset(settings.BELLWETHER_PRESET)["workspace"].get("login_events", [])
    return frozenset(told) | {"Signed In", "Page Viewed"}


def _key(client: Client, today: date) -> str:
    return f"people-activities:{client.pk}:{today}"
