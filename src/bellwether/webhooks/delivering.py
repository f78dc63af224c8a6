"""Sweeps over what is due: post, note the answer, decide when to try again."""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from bellwether.common.encryption import UnreadableSecretError, decrypt
from bellwether.staff import audit
from bellwether.webhooks.addresses import RefusedAddressError, target_of
from bellwether.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookEvent
from bellwether.webhooks.retrying import given_up, next_attempt
from bellwether.webhooks.sending import Answer, post
from bellwether.webhooks.signing import signed_headers

AT_MOST = 200
SWEEP_SECONDS = 45.0
LEASE = timedelta(minutes=2)
KEPT = timedelta(days=30)
GONE = 410
BUSY = (429, 502, 503, 504)

Send = Callable[[WebhookEndpoint, WebhookEvent, datetime], Answer]


@dataclass
class Swept:
    """What one sweep did."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that sign now: the current one and, within its day, the one before."""
    found = [decrypt(endpoint.secret)]
    until = endpoint.previous_secret_until
    if endpoint.previous_secret is not None and until is not None and now < until:
        found.append(decrypt(endpoint.previous_secret))
    return found


def send_to(endpoint: WebhookEndpoint, event: WebhookEvent, now: datetime) -> Answer:
    """Post one event to one endpoint and return the answer."""
    try:
        target = target_of(endpoint.url, allowed_hosts=settings.BELLWETHER_WEBHOOK_HOSTS)
        headers = signed_headers(secrets_of(endpoint, now), event_id=str(event.pk), at=now, body=event.body)
    except (RefusedAddressError, UnreadableSecretError) as error:
        return Answer(None, 0, error=str(error)[:300])
    return post(target, event.body, headers, now=now)


def deliver_due(
    now: datetime, *, clock: Callable[[], datetime], send: Send = send_to, chance: Callable[[], float] = random.random
) -> Swept:
    """Post what is due at `now`, oldest first, for at most 45 seconds, and return what came of it.

    A delivery is leased before it is posted: when the worker dies meanwhile it is due again after two minutes, and the
    receiver knows it by its `webhook-id`. After a failure the endpoint's other deliveries wait for the next sweep.
    """
    swept = Swept()
    started = time.monotonic()
    stopped: set[Any] = set()
    due = (
        WebhookDelivery.objects.filter(
            state=DeliveryState.PENDING, due_at__lte=now, endpoint__is_enabled=True, endpoint__removed_at__isnull=True
        )
        .select_related("endpoint", "event")
        .order_by("id")
    )
    for delivery in due[:AT_MOST]:
        if delivery.endpoint_id in stopped or time.monotonic() - started > SWEEP_SECONDS:
            continue
        leased = WebhookDelivery.objects.filter(
            pk=delivery.pk, state=DeliveryState.PENDING, due_at=delivery.due_at
        ).update(due_at=clock() + LEASE)
        if not leased:
            continue
        at = clock()
        answer = send(delivery.endpoint, delivery.event, at)
        if _note(delivery, answer, at, chance, swept):
            stopped.add(delivery.endpoint_id)
    return swept


def _note(delivery: WebhookDelivery, answer: Answer, now: datetime, chance: Callable[[], float], swept: Swept) -> bool:
    """Store what came back; return whether the endpoint is left alone for this sweep."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
        delivery.attempts += 1
        delivery.last_attempt_at, delivery.last_status = now, answer.status
        delivery.last_ms, delivery.last_error, delivery.last_answer = answer.milliseconds, answer.error, answer.text
        if answer.accepted:
            delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
            endpoint.failing_since = None
            swept.delivered += 1
        else:
            again = next_attempt(delivery.attempts, now=now, retry_after=answer.retry_after, random=chance)
            if again is None:
                delivery.state = DeliveryState.FAILED
                swept.given_up += 1
            else:
                delivery.due_at = again
                swept.failed += 1
            endpoint.failing_since = endpoint.failing_since or now
        delivery.save()
        if answer.status == GONE:
            switch_off(endpoint, "The receiver answered 410: it no longer wants these events.", now)
        elif given_up(endpoint.failing_since, now):
            switch_off(endpoint, "It has failed for five days without a break.", now)
        else:
            endpoint.save(update_fields=["failing_since"])
    return not answer.accepted and (answer.status is None or answer.status in BUSY or not endpoint.is_enabled)


def switch_off(endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    """Switch an endpoint off, leave a line in the access log and write to who made it."""
    endpoint.is_enabled, endpoint.disabled_reason = False, reason
    endpoint.save(update_fields=["is_enabled", "disabled_reason", "failing_since"])
    detail = {"reason": reason}
    audit.record(
        actor=None, action="webhook.disabled", object_type="webhook", object_id=endpoint.pk, detail=detail, now=now
    )
    owner = endpoint.created_by
    if owner is not None and owner.is_active:
        transaction.on_commit(lambda: _write_to_owner(owner.email, endpoint, reason))


def _write_to_owner(address: str, endpoint: WebhookEndpoint, reason: str) -> None:
    text = (
        f"The webhook to {endpoint.url} was switched off.\n\n{reason}\n\nEvents since then are kept for 30 days. "
        f"Mend the receiver, then switch it on under {settings.BELLWETHER_BASE_URL}/settings/webhooks/ and replay "
        "what it missed.\n"
    )
    send_mail("A webhook was switched off", text, settings.DEFAULT_FROM_EMAIL, [address], fail_silently=True)


def forget_old(now: datetime, *, kept: timedelta = KEPT) -> int:
    """Delete events that are older than 30 days with their deliveries, in batches; return how many events."""
    gone = 0
    while True:
        old: Collection[Any] = list(
            WebhookEvent.objects.filter(created_at__lt=now - kept).order_by().values_list("pk", flat=True)[:1000]
        )
        if not old:
            return gone
        WebhookEvent.objects.filter(pk__in=old).delete()
        gone += len(old)
