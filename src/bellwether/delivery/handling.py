"""What people do with messages: send again, cancel, put away, try a channel."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bellwether.common.errors import ConflictError
from bellwether.delivery.choices import MEDIUM_OF, ChannelKind, Medium, MessageState
from bellwether.delivery.delivering import WAITS, send_one
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.sending import prepared
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

TEST_TIMEOUT = 10.0
TEST = "test"


def resend(messages: QuerySet[Message], *, actor: StaffUser | None, now: datetime) -> int:
    """Put what was given up or cancelled back on its way, with its full number of attempts, and return how many.

    What was sent, waits or went in a digest stays as it is, and so does what a channel that is off would take.
    """
    again = messages.filter(state__in=[MessageState.FAILED, MessageState.CANCELLED]).exclude(medium=Medium.IN_APP)
    again = again.exclude(channel__is_enabled=False).exclude(channel__removed_at__isnull=False).exclude(about=TEST)
    with transaction.atomic():
        ids = list(again.order_by().values_list("pk", flat=True))
        count = Message.objects.filter(pk__in=ids).update(
            state=MessageState.PENDING, attempts=0, due_at=now, claimed_at=None, last_error=""
        )
        if count:
            _log(actor, "message.resent", ids, now)
    return count


def cancel(messages: QuerySet[Message], *, actor: StaffUser | None, now: datetime) -> int:
    """Stop what waits, and put away what was given up; return how many. What is just being sent cannot be stopped."""
    states = [*WAITS, MessageState.FAILED]
    with transaction.atomic():
        found = messages.filter(state__in=states, claimed_at__isnull=True).order_by()
        ids = list(found.values_list("pk", flat=True))
        count = Message.objects.filter(pk__in=ids).update(state=MessageState.CANCELLED)
        if count:
            _log(actor, "message.cancelled", ids, now)
    return count


def try_channel(channel: Channel, *, actor: StaffUser | None, now: datetime) -> Message:
    """Send a test to a channel now, once, also to one that is off, and return the message with the answer."""
    return _try(MEDIUM_OF[ChannelKind(channel.kind)], channel.user, channel, actor=actor, now=now)


def try_mail(user: StaffUser, *, actor: StaffUser | None, now: datetime) -> Message:
    """Send a test by mail to a member of staff now and return the message with the answer."""
    return _try(Medium.EMAIL, user, None, actor=actor, now=now)


def _try(
    medium: Medium, user: StaffUser | None, channel: Channel | None, *, actor: StaffUser | None, now: datetime
) -> Message:
    recent = Message.objects.filter(about=TEST, channel=channel, user=user, created_at__gt=now - timedelta(seconds=2))
    if recent.exists():
        raise ConflictError("A test was sent a moment ago. Wait a little before the next one.")
    message = Message.objects.create(
        key=f"test:{uuid.uuid4().hex}",
        medium=medium,
        topic="workspace",
        user=user,
        channel=channel,
        about=TEST,
        payload={
            "title": "A test from Bellwether",
            "text": "If you can read this, messages arrive here. Nothing else happened.",
            "href": "/settings/channels/",
        },
        due_at=now + timedelta(hours=1),  # the job leaves it alone
        created_at=now,
    )
    send_one(message, clock=timezone.now, prepare=lambda one: prepared(one, timeout=TEST_TIMEOUT))
    message.refresh_from_db()
    _log(actor, "channel.tested", [message.pk], now, channel=channel.name if channel else "mail")
    return message


def _log(actor: StaffUser | None, action: str, ids: list[int], now: datetime, **more: Any) -> None:
    detail = {"messages": ids[:100], "count": len(ids), **more}
    audit.record(actor=actor, action=action, object_type="message", detail=detail, now=now)
