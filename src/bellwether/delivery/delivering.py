"""Sweeps over what is due: merge, claim, send, note the answer, decide when to try again.

A message is claimed before its request goes out, and the claim is lifted with the answer. A claim that nobody lifted
means that the worker died in between, and that nobody knows whether the message arrived. What the receiver can tell
from a second one by its id (webhooks by `webhook-id`, mails to staff by Message-ID) goes again; Slack, Teams and mails
to contacts do not: they are given up with that reason, for somebody to look.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from bellwether.delivery.channels import give_up_waiting
from bellwether.delivery.choices import Medium, MessageState
from bellwether.delivery.mail import is_unknown_address
from bellwether.delivery.merging import merge_due
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.results import Outcome, Result
from bellwether.delivery.retrying import next_attempt
from bellwether.delivery.sending import NotSent, Request, prepared
from bellwether.delivery.unsubscribing import BOUNCED, digest_of, unsubscribe
from bellwether.notifications.services import notify
from bellwether.staff import audit

AT_MOST = 500
SWEEP_SECONDS = 45.0
LEASE = timedelta(minutes=2)
APART = timedelta(seconds=1)
KEPT = timedelta(days=180)
WAITS = (MessageState.PENDING, MessageState.HELD)
IN_DOUBT = "The worker stopped while this was being sent, so it may have arrived. Look there, and send it again if not."
PATIENT = (Medium.SLACK, Medium.TEAMS)

Prepare = Callable[[Message], Request | NotSent]


@dataclass
class Swept:
    """What one sweep did; `stopped`: channels, or EMAIL, that are left alone until the next one."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    cancelled: int = 0
    stopped: set[UUID | str] = field(default_factory=set)


def deliver_due(
    now: datetime,
    *,
    clock: Callable[[], datetime],
    prepare: Prepare = prepared,
    chance: Callable[[], float] = random.random,
) -> Swept:
    """Send what is due at `now`, the gravest first, for at most 45 seconds, and return what came of it.

    A channel of Slack or Teams gets one message a second at most. After a failure the rest for a channel waits for the
    next sweep, or as long as the receiver asks.
    """
    swept = Swept()
    settle_claims(now, swept)
    due = list(_with_receivers(_due(now)).order_by("due_at", "id")[:AT_MOST])
    if not due:
        return swept
    started = time.monotonic()
    last = _last_attempts({message.channel_id for message in due if message.channel_id})
    for message in merge_due(due, now):
        if time.monotonic() - started > SWEEP_SECONDS:
            break
        channel_id = message.channel_id
        if (channel_id or message.medium) in swept.stopped:
            continue
        if channel_id and message.medium in PATIENT:
            if channel_id in last and clock() - last[channel_id] < APART:
                continue
            last[channel_id] = clock()
        send_one(message, clock=clock, prepare=prepare, chance=chance, swept=swept)
    return swept


def send_one(
    message: Message,
    *,
    clock: Callable[[], datetime],
    prepare: Prepare = prepared,
    chance: Callable[[], float] = random.random,
    swept: Swept | None = None,
) -> Result | None:
    """Send one message now and note what came of it; None when it is not sent, or somebody else is at it."""
    swept = swept or Swept()
    request = prepare(message)
    if isinstance(request, NotSent):
        gone = Message.objects.filter(pk=message.pk, state__in=WAITS, claimed_at__isnull=True)
        swept.cancelled += gone.update(state=request.state, last_error=request.reason[:300])
        return None
    at = clock()
    mine = Message.objects.filter(pk=message.pk, state__in=WAITS, claimed_at__isnull=True)
    if not mine.update(claimed_at=at, last_attempt_at=at, attempts=F("attempts") + 1):
        return None
    result = request(at)
    note(message.pk, result, now=clock(), chance=chance, swept=swept)
    return result


def note(pk: int, result: Result, *, now: datetime, chance: Callable[[], float], swept: Swept) -> None:
    """Store what came of the attempt on a message that was claimed."""
    with transaction.atomic():
        message = Message.objects.select_for_update().get(pk=pk)
        message.claimed_at = None
        message.last_status, message.last_error = result.status, result.error[:300]
        if result.outcome == Outcome.SENT:
            message.state, message.sent_at, message.remote_id = MessageState.SENT, now, result.remote_id
            swept.sent += 1
            if message.about == "digest":
                message.parts.update(sent_at=now)
        else:
            _failed(message, result, now, chance, swept)
        message.save()
        if message.channel_id:
            _note_channel(message, message.channel_id, result, now, swept)
        elif result.outcome == Outcome.AGAIN and result.status is None:
            swept.stopped.add(Medium.EMAIL)
        elif is_unknown_address(result):
            receiver = message.user or message.contact
            if receiver is not None:
                unsubscribe(digest_of(receiver.email), "", reason=BOUNCED, now=now)


def settle_claims(now: datetime, swept: Swept) -> None:
    """Take up what was claimed more than two minutes before `now` and never noted: again, or given up as in doubt."""
    left = Message.objects.filter(state__in=WAITS, claimed_at__lte=now - LEASE)
    known_by_id = Q(medium=Medium.WEBHOOK) | Q(medium=Medium.EMAIL, contact__isnull=True)
    swept.given_up += left.exclude(known_by_id).update(state=MessageState.FAILED, claimed_at=None, last_error=IN_DOUBT)
    left.filter(known_by_id).update(claimed_at=None, due_at=now)


def forget_old(now: datetime, *, kept: timedelta = KEPT) -> int:
    """Delete messages older than 180 days that wait for nothing, in batches; return how many."""
    old = Message.objects.filter(created_at__lt=now - kept).exclude(state__in=WAITS).order_by()
    gone = 0
    while ids := list(old.values_list("pk", flat=True)[:1_000]):
        gone += Message.objects.filter(pk__in=ids).delete()[0]
    return gone


def _due(now: datetime) -> QuerySet[Message]:
    waits = Message.objects.filter(state__in=WAITS, due_at__lte=now, claimed_at__isnull=True)
    return waits.filter(Q(channel__isnull=True) | Q(channel__is_enabled=True, channel__removed_at__isnull=True))


def _with_receivers(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.select_related("user", "contact", "channel", "client", "client__csm_user")


def _last_attempts(channels: set[UUID]) -> dict[UUID, datetime]:
    """Return when each channel was last written to."""
    rows = Message.objects.filter(channel_id__in=channels, last_attempt_at__isnull=False).order_by()
    return dict(rows.values_list("channel_id").annotate(last=Max("last_attempt_at"))) if channels else {}


def _failed(message: Message, result: Result, now: datetime, chance: Callable[[], float], swept: Swept) -> None:
    again = None
    if result.outcome == Outcome.AGAIN and message.about != "test":
        again = next_attempt(message.attempts, now=now, retry_after=result.retry_after, random=chance)
    if again is None:
        message.state = MessageState.FAILED
        swept.given_up += 1
    else:
        message.due_at = again
        swept.failed += 1


def _note_channel(message: Message, channel_id: UUID, result: Result, now: datetime, swept: Swept) -> None:
    channel = Channel.objects.select_for_update().get(pk=channel_id)
    if result.outcome == Outcome.SENT:
        if channel.failing_since is not None:
            Channel.objects.filter(pk=channel.pk).update(failing_since=None)
        return
    if message.about == "test":
        return
    if result.outcome == Outcome.DEAD:
        swept.stopped.add(channel.pk)
        swept.given_up += switch_off(channel, result.error, now)
        return
    Channel.objects.filter(pk=channel.pk).update(failing_since=channel.failing_since or now)
    if result.outcome == Outcome.AGAIN:
        swept.stopped.add(channel.pk)
        if result.retry_after:
            later = Message.objects.filter(channel=channel, state__in=WAITS, due_at__lt=message.due_at)
            later.update(due_at=message.due_at)


def switch_off(channel: Channel, reason: str, now: datetime) -> int:
    """Switch a channel off that takes nothing any more, tell whoever looks after it, and give up what waits for it;
    return how much that was."""
    if not channel.is_enabled:
        return 0
    channel.is_enabled, channel.disabled_reason = False, reason[:300]
    channel.save(update_fields=["is_enabled", "disabled_reason"])
    count = give_up_waiting(channel, reason[:300])
    owner = channel.user or channel.created_by
    if owner is not None and owner.is_active:
        title = f"The channel {channel.name} was switched off"
        key = f"{channel.pk}:{now.isoformat()}"
        notify([owner], kind="channel", key=key, title=title, text=reason, href="/settings/channels/", now=now)
        transaction.on_commit(lambda: _write_to(owner.email, channel.name, reason))
    audit.record(
        actor=None,
        action="channel.disabled",
        object_type="channel",
        object_id=channel.pk,
        detail={"name": channel.name, "reason": reason},
        now=now,
    )
    return count


def _write_to(address: str, name: str, reason: str) -> None:
    text = (
        f"The channel {name} was switched off.\n\n{reason}\n\nWhat was on its way is kept. Mend the channel under "
        f"{settings.BELLWETHER_BASE_URL}/settings/channels/, then send again what it missed.\n"
    )
    send_mail("A channel was switched off", text, settings.DEFAULT_FROM_EMAIL, [address], fail_silently=True)
