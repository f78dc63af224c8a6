"""Telling the outside: events are stored in the transaction of what they tell about, and posted by a job."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from bellwether.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

BATCH = 500
MOST_BYTES = 20_000


@dataclass(frozen=True)
class Told:
    """What one event says: `data` is JSON-ready; `key` makes telling it twice one event."""

    data: Mapping[str, Any]
    client_id: UUID | None = None
    key: str = ""


def wanted(event_type: str) -> list[WebhookEndpoint]:
    """Return the endpoints that want events of a type, in one query."""
    endpoints = WebhookEndpoint.objects.filter(is_enabled=True, removed_at__isnull=True)
    return [one for one in endpoints if not one.event_types or event_type in one.event_types]


def tell(event_type: str, told: Iterable[Told], *, now: datetime) -> int:
    """Store events for every endpoint that wants them and return how many are new. Nobody wants them: nothing is done.

    Call it inside the transaction that stores what is told, so that both are stored or neither.
    """
    endpoints = wanted(event_type)
    if not endpoints:
        return 0
    made = [_event(event_type, one, now) for one in told]
    keys = [event.key for event in made]
    known = set(WebhookEvent.objects.filter(key__in=keys).values_list("key", flat=True)) if keys else set()
    new = list({event.key: event for event in made if event.key not in known}.values())
    WebhookEvent.objects.bulk_create(new, batch_size=BATCH)
    WebhookDelivery.objects.bulk_create(
        [WebhookDelivery(endpoint=endpoint, event=event, due_at=now) for event in new for endpoint in endpoints],
        batch_size=BATCH,
    )
    return len(new)


def body_of(event_type: str, data: Mapping[str, Any], at: datetime) -> str:
    """Return the text that is signed and sent: type, time in UTC and data, without blanks, of at most 20 KB."""
    text = _text(event_type, data, at)
    if len(text.encode()) <= MOST_BYTES:
        return text
    kept = {name: value for name, value in data.items() if name == "client"}
    return _text(event_type, {**kept, "truncated": True}, at)


def _text(event_type: str, data: Mapping[str, Any], at: datetime) -> str:
    message = {"type": event_type, "timestamp": at.astimezone(UTC).isoformat(), "data": dict(data)}
    return json.dumps(message, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False)


def _event(event_type: str, told: Told, now: datetime) -> WebhookEvent:
    event_id = uuid.uuid4()
    return WebhookEvent(
        id=event_id,
        event_type=event_type,
        key=(told.key or str(event_id))[:200],
        client_id=told.client_id,
        body=body_of(event_type, told.data, now),
        created_at=now,
    )
