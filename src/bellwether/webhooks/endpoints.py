"""What administrators do with webhooks: add, change, rotate, try, replay, remove. Every act is in the access log."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.shortcuts import get_object_or_404

from bellwether.common.encryption import decrypt, encrypt
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.webhooks.addresses import checked_url
from bellwether.webhooks.kinds import KINDS, TEST
from bellwether.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookEvent
from bellwether.webhooks.outbox import body_of
from bellwether.webhooks.signing import new_secret

OVERLAP = timedelta(days=1)
MOST = 20


def endpoints() -> list[WebhookEndpoint]:
    """Return the endpoints that were not removed, oldest first."""
    return list(WebhookEndpoint.objects.filter(removed_at__isnull=True).select_related("created_by"))


def endpoint_or_404(endpoint_id: UUID) -> WebhookEndpoint:
    """Return an endpoint that was not removed; Http404 otherwise."""
    found: WebhookEndpoint = get_object_or_404(WebhookEndpoint, pk=endpoint_id, removed_at__isnull=True)
    return found


def add_endpoint(
    url: str, *, event_types: Sequence[str], description: str, actor: StaffUser | None, now: datetime
) -> WebhookEndpoint:
    """Return a new endpoint with a secret of its own. InvalidInputError names `url` or `event_types`."""
    _check(url, event_types)
    if WebhookEndpoint.objects.filter(removed_at__isnull=True).count() >= MOST:
        raise ConflictError(f"There are {MOST} webhooks already. Remove one first.")
    with transaction.atomic():
        made = WebhookEndpoint.objects.create(
            url=url.strip(),
            description=description.strip(),
            event_types=sorted(set(event_types)),
            secret=encrypt(new_secret()),
            created_by=actor,
            created_at=now,
        )
        _log(actor, "webhook.added", made, now, url=made.url, event_types=made.event_types)
    return made


def change_endpoint(
    endpoint: WebhookEndpoint,
    *,
    url: str,
    event_types: Sequence[str],
    description: str,
    actor: StaffUser | None,
    now: datetime,
) -> WebhookEndpoint:
    """Change address, description or types; what waits goes to the new address."""
    _check(url, event_types)
    with transaction.atomic():
        before = {"url": endpoint.url, "event_types": endpoint.event_types}
        endpoint.url, endpoint.description = url.strip(), description.strip()
        endpoint.event_types = sorted(set(event_types))
        endpoint.save()
        _log(actor, "webhook.changed", endpoint, now, before=before, url=endpoint.url, event_types=endpoint.event_types)
    return endpoint


def secret_of(endpoint: WebhookEndpoint, *, actor: StaffUser | None, now: datetime) -> str:
    """Return the signing secret in clear. Who asked is written down."""
    _log(actor, "webhook.secret_shown", endpoint, now)
    return decrypt(endpoint.secret)


def rotate(endpoint: WebhookEndpoint, *, actor: StaffUser | None, now: datetime) -> str:
    """Return a new secret; the old one signs beside it for a day, so that the receiver can change in its own time."""
    secret = new_secret()
    with transaction.atomic():
        endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, now + OVERLAP
        endpoint.secret = encrypt(secret)
        endpoint.save()
        _log(actor, "webhook.rotated", endpoint, now)
    return secret


def switch(endpoint: WebhookEndpoint, *, on: bool, actor: StaffUser | None, now: datetime) -> None:
    """Switch an endpoint on or off. What happens while it is off is not sent to it."""
    with transaction.atomic():
        endpoint.is_enabled, endpoint.disabled_reason, endpoint.failing_since = on, "", None
        endpoint.save()
        _log(actor, "webhook.enabled" if on else "webhook.disabled", endpoint, now)


def remove(endpoint: WebhookEndpoint, *, actor: StaffUser | None, now: datetime) -> None:
    """Take an endpoint away; its log stays until the events are forgotten."""
    with transaction.atomic():
        endpoint.is_enabled, endpoint.removed_at = False, now
        endpoint.save()
        _log(actor, "webhook.removed", endpoint, now, url=endpoint.url)


def try_out(endpoint: WebhookEndpoint, *, actor: StaffUser | None, now: datetime) -> WebhookDelivery:
    """Send a test event to one endpoint with the next sweep and return its delivery."""
    with transaction.atomic():
        data = {"message": "This is a test. Nothing happened."}
        event = WebhookEvent(event_type=TEST, body=body_of(TEST, data, now), created_at=now)
        event.key = str(event.pk)
        event.save()
        delivery = WebhookDelivery.objects.create(endpoint=endpoint, event=event, due_at=now)
        _log(actor, "webhook.tested", endpoint, now)
    return delivery


def replay(endpoint: WebhookEndpoint, *, delivery_id: int | None = None, actor: StaffUser | None, now: datetime) -> int:
    """Send again, with the same `webhook-id`: one delivery, or without `delivery_id` all that did not arrive.

    Returns how many are on their way. ConflictError while the endpoint is switched off.
    """
    if not endpoint.is_enabled:
        raise ConflictError("Switch the webhook on first.")
    rows = WebhookDelivery.objects.filter(endpoint=endpoint)
    rows = rows.exclude(state=DeliveryState.DELIVERED) if delivery_id is None else rows.filter(pk=delivery_id)
    with transaction.atomic():
        again = rows.update(state=DeliveryState.PENDING, attempts=0, due_at=now)
        if delivery_id is not None and not again:
            get_object_or_404(WebhookDelivery, pk=delivery_id, endpoint=endpoint)
        _log(actor, "webhook.replayed", endpoint, now, count=again)
    return again


def _check(url: str, event_types: Sequence[str]) -> None:
    checked_url(url, allowed_hosts=settings.BELLWETHER_WEBHOOK_HOSTS)
    unknown = sorted(set(event_types) - set(KINDS))
    if unknown:
        sentence = f"There is no {', '.join(unknown)}; there are {', '.join(KINDS)}."
        raise InvalidInputError(f"The webhook cannot be stored. {sentence}", {"event_types": sentence})


def _log(actor: StaffUser | None, action: str, endpoint: WebhookEndpoint, now: datetime, **detail: Any) -> None:
    audit.record(actor=actor, action=action, object_type="webhook", object_id=endpoint.pk, detail=detail, now=now)
