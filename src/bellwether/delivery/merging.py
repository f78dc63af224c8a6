"""Several messages to one receiver become one digest: what was held, and what comes in a burst."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bellwether.delivery.choices import Medium, MessageState
from bellwether.delivery.content import digest_title
from bellwether.delivery.models import Message
from bellwether.delivery.outbox import key_of
from bellwether.delivery.planning import rank
from bellwether.delivery.retrying import WINDOW, Burst, Waiting, burst

ALONE = ("digest", "test")
Receiver = tuple[str, UUID]


def merge_due(due: Sequence[Message], now: datetime) -> list[Message]:
    """Return what is to be sent of the `due` messages: some single, some as parts of digests made here, some later.

    A contact's mails, tests, digests and what was tried before stay by themselves. Two queries, and two for each
    receiver whose messages are merged or put off.
    """
    groups: dict[Receiver, list[Message]] = defaultdict(list)
    single = [message for message in due if not _may_merge(message)]
    for message in due:
        if _may_merge(message):
            groups[receiver_of(message)].append(message)
    sent = _recently_sent(groups, now)
    for receiver, messages in groups.items():
        waiting = [Waiting(one.severity, one.state == MessageState.HELD) for one in messages]
        what, until = burst(waiting, sent[receiver], now)
        if what == Burst.MERGE:
            single.append(_digest(messages, now))
        elif what == Burst.WAIT:
            ids = [message.pk for message in messages]
            Message.objects.filter(pk__in=ids).update(state=MessageState.HELD, due_at=until)
        else:
            single += messages
    return sorted(single, key=lambda message: (-rank(message.severity), message.pk))


def receiver_of(message: Message) -> Receiver:
    """Return who or what gets a message: the channel, else the person."""
    found = message.channel_id or message.user_id or message.contact_id
    if found is None:
        raise ValueError(f"The message {message.key} has no receiver.")
    return message.medium, found


def _may_merge(message: Message) -> bool:
    personal = message.contact_id is not None or (message.channel_id is None and message.user_id is None)
    return not personal and message.about not in ALONE and message.attempts == 0


def _recently_sent(groups: Iterable[Receiver], now: datetime) -> dict[Receiver, list[datetime]]:
    """Return when each receiver last got something."""
    found: dict[Receiver, list[datetime]] = {receiver: [] for receiver in groups}
    if not found:
        return found
    rows = Message.objects.filter(created_at__gt=now - WINDOW * 6, sent_at__gt=now - WINDOW, state=MessageState.SENT)
    rows = rows.exclude(medium=Medium.IN_APP).exclude(about="test")
    for medium, channel_id, user_id, at in rows.values_list("medium", "channel_id", "user_id", "sent_at"):
        times = found.get((medium, channel_id or user_id))
        if times is not None and at is not None:
            times.append(at)
    return found


def _digest(messages: Sequence[Message], now: datetime) -> Message:
    """Return the digest of messages to one receiver, stored with its parts pointing to it, all or nothing."""
    first = messages[0]
    medium, receiver_id = receiver_of(first)
    topics = {message.topic for message in messages}
    with transaction.atomic():
        digest = Message.objects.create(
            key=key_of(f"digest:{min(message.pk for message in messages)}", medium, receiver_id),
            medium=medium,
            topic=topics.pop() if len(topics) == 1 else "alert",
            user=first.user,
            channel=first.channel,
            about="digest",
            severity=max((message.severity for message in messages), key=rank),
            payload={"title": digest_title([one.topic for one in messages], [one.severity for one in messages])},
            due_at=now,
            created_at=now,
        )
        ids = [message.pk for message in messages]
        Message.objects.filter(pk__in=ids).update(state=MessageState.DIGEST, digest=digest)
    return digest
