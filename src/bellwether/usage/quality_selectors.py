"""Reads rejected events for the page, the API and the export."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from bellwether.usage.models import RejectedEvent
from bellwether.usage.quality_rejects import Advice, advice


@dataclass(frozen=True)
class ShownReject:
    """A rejected event with what its reason means."""

    row: RejectedEvent
    advice: Advice


def rejected_events(*, source: str = "", reason: str = "") -> "QuerySet[RejectedEvent]":
    """Return the rejected events of `source` whose reason starts with `reason`, newest first; all if not given."""
    found = RejectedEvent.objects.order_by("-received_at", "-id")
    if source:
        found = found.filter(source=source)
    return found.filter(reason__startswith=reason) if reason else found


def explained(rows: "QuerySet[RejectedEvent]") -> Iterator[ShownReject]:
    """Yield the rejected events with what their reasons mean."""
    for row in rows:
        yield ShownReject(row, advice(row.reason))
