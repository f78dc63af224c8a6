"""Words for activities that a workspace chooses itself: its preset's labels over the types, and tags used before."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from bellwether.portfolio.models import Activity
from bellwether.presets import load_preset
from bellwether.staff.models import StaffUser

LOOKED_AT = 400
TAGS_FOR = timedelta(days=365)


def labels_of() -> dict[str, list[str]]:
    """Return the labels of the workspace's preset by type, such as {"CALL": ["check-in"]}."""
    found: dict[str, list[str]] = {}
    for entry in load_preset(settings.BELLWETHER_PRESET).get("activities", {}).get("labels", []):
        found.setdefault(entry["type"], []).append(entry["label"])
    return found


def suggested_tags(user: StaffUser, *, now: datetime, at_most: int = 8) -> list[str]:
    """Return tags to choose from: those most used in the newest activities of the clients that `user` sees, then the
    preset's. One query."""
    newest = (
        Activity.objects.visible_to(user)
        .filter(archived_at__isnull=True, created_at__gte=now - TAGS_FOR)
        .exclude(tags=[])
        .order_by("-created_at")
        .values_list("tags", flat=True)[:LOOKED_AT]
    )
    return _most_used(newest, first_tags(), at_most)


def first_tags() -> list[str]:
    """Return the tags of the workspace's preset."""
    return list(load_preset(settings.BELLWETHER_PRESET).get("activities", {}).get("tags", []))


def _most_used(lists: Iterable[list[str]], otherwise: list[str], at_most: int) -> list[str]:
    counts = Counter(tag for tags in lists for tag in tags)
    ranked = [tag for tag, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    return (ranked + [tag for tag in otherwise if tag not in counts])[:at_most]
