"""The quality of the workspace's data, as page, API and command show it: composed here, above health's measures."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import BaseCache

from bellwether.health.models import CustomMeasure
from bellwether.health.score_faults import fault_findings
from bellwether.usage.quality import Quality, assess
from bellwether.usage.quality_facts import Use
from bellwether.usage.quality_reading import matches, read_facts
from bellwether.usage.workspace import workspace_lake


def data_quality(*, now: datetime, cache: BaseCache) -> Quality:
    """Return the quality of the data at `now`. What needs a scan of facts or users is at most a minute old."""
    facts = read_facts(
        now=now,
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
        lake=workspace_lake(),
        cache=cache,
        extra_uses=list(_measures()),
    )
    return assess(facts, more=list(fault_findings()))


def _measures() -> Iterator[Use]:
    """Yield what the custom measures read: every event that their definitions name."""
    for name, definition in CustomMeasure.objects.filter(archived_at=None).values_list("name", "definition"):
        yield Use(label=name, matches=matches(sorted(set(_events(definition)))))


def _events(data: Any) -> Iterator[str]:
    if isinstance(data, list):
        for one in data:
            yield from _events(one)
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "event" and isinstance(value, str):
                yield value
            elif key == "events" and isinstance(value, list):
                yield from (one for one in value if isinstance(one, str))
            else:
                yield from _events(value)
