"""Telling people outside the product as well as in it: messages are stored once each, and sent by a job.

    draft = Draft(key=f"alert:{alert.pk}:opened", topic="alert", title="…", text="…", href="/alerts/…", severity="HIGH",
                  user_id=alert.assigned_to_id, client_id=alert.client_id, about="alert", about_id=str(alert.pk))
    send([draft], now=now)

A member of staff gets it over the media that he or she wants for the topic and severity, when it is wanted; a contact
by mail; a channel of the workspace whatever fits its topics, severity and region. Call it inside the transaction that
stores what is told, so that both are stored or neither.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction

from bellwether.common.text import storable_text
from bellwether.delivery.choices import MEDIUM_OF, ChannelKind, Medium, MessageState
from bellwether.delivery.models import Channel, DeliveryDefaults, Message
from bellwether.delivery.planning import DEFAULTS, Plan, Preferences, at_least, plan_for, plans, preferences_of
from bellwether.notifications import services as notifications
from bellwether.notifications.kinds import KINDS, turned_off
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

BATCH = 500
LONGEST_KEY = 200
MOST_LINES = 40


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One message to be. `key` is its natural key (at most 200 characters): to one receiver over one medium it is sent
    once, so the same key may be used for several receivers.

    The receiver is exactly one of `user_id`, `contact_id`, `channel_id` or `workspace` (all channels of the workspace
    that fit). For a user and the workspace, `media` limits what is considered, empty for all. `medium` is for who has
    decided already: exactly this one, whatever the user prefers, though not in quiet hours. `at`: not before then.

    `topic` is a key of planning.TOPICS, and of notifications.KINDS for what is told in the product. `severity` is one
    of planning.SEVERITIES or empty. `href` is an address of this site. `lines` are further facts, one sentence each.
    `data` is what a webhook gets besides (JSON-ready).
    """

    key: str
    topic: str
    title: str
    text: str = ""
    href: str = ""
    severity: str = ""
    user_id: UUID | None = None
    contact_id: UUID | None = None
    channel_id: UUID | None = None
    workspace: bool = False
    medium: str = ""
    media: Collection[str] = ()
    client_id: UUID | None = None
    about: str = ""
    about_id: str = ""
    lines: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


def send(drafts: Sequence[Draft], *, now: datetime) -> int:
    """Store what is new of `drafts` and return how many messages that is; a fixed number of queries for each 500.

    What is told in the product is there at once, as a notification; the rest is due for the job `deliver`. Who is
    inactive gets nothing, nor does a channel that is switched off. Raises ValueError for a draft that names no
    receiver or several, an unknown topic or medium, an address elsewhere, or a key that is empty or too long.
    """
    for draft in drafts:
        _check(draft)
    return sum(_store(drafts[start : start + BATCH], now) for start in range(0, len(drafts), BATCH))


def plan_for_user(
    user: StaffUser, topic: str, severity: str, now: datetime, *, workspace: Preferences | None = None
) -> tuple[Plan, ...]:
    """Return over which media and when `user` would be told something of a topic and severity now. Media for which the
    user has no channel are among them; `workspace` saves the query for what holds for everybody."""
    preferences = preferences_of(user.preferences, workspace or workspace_preferences())
    return plans(preferences, topic=topic, severity=severity, now=now, zone=zone_of(user))


def workspace_preferences() -> Preferences:
    """Return what holds for people who said nothing."""
    kept = DeliveryDefaults.objects.filter(pk=1).values_list("preferences", flat=True).first()
    return preferences_of(kept or {}, DEFAULTS)


def key_of(key: str, medium: str, receiver_id: UUID) -> str:
    """Return the stored key of the message that a draft with `key` becomes for one receiver over one medium."""
    whole = f"{key}:{medium}:{receiver_id.hex}"
    return whole if len(whole) <= LONGEST_KEY else f"{sha256(key.encode()).hexdigest()}:{medium}:{receiver_id.hex}"


def _store(drafts: Sequence[Draft], now: datetime) -> int:
    ids = {draft.user_id for draft in drafts if draft.user_id}
    users = {user.pk: user for user in StaffUser.objects.filter(pk__in=ids, is_active=True)} if ids else {}
    channels = _Channels(drafts)
    standard = workspace_preferences() if users else DEFAULTS
    made: dict[str, Message] = {}
    for draft in drafts:
        for message in _messages(draft, users, channels, standard, now):
            made.setdefault(message.key, message)
    known = set(Message.objects.filter(key__in=made).values_list("key", flat=True)) if made else set()
    new = [message for key, message in made.items() if key not in known]
    if not new:
        return 0
    with transaction.atomic():
        Message.objects.bulk_create(new, ignore_conflicts=True)
        notifications.notify_all(
            [_notification(one, one.user_id) for one in new if one.user_id and one.medium == Medium.IN_APP], now=now
        )
    return len(new)


class _Channels:
    """The enabled channels that drafts may go to, and the regions of their clients."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        wanted = any(draft.workspace or draft.user_id or draft.channel_id for draft in drafts)
        enabled = Channel.objects.filter(is_enabled=True, removed_at__isnull=True) if wanted else ()
        self.all = list(enabled)
        clients = {draft.client_id for draft in drafts if draft.workspace and draft.client_id}
        regional = clients and any(channel.region for channel in self.all)
        rows = Client.objects.filter(pk__in=clients).values_list("pk", "region") if regional else ()
        self.regions: dict[UUID, str] = dict(rows)

    def of_user(self, user_id: UUID, medium: str) -> list[Channel]:
        """Return a person's own channels of a medium."""
        return [one for one in self.all if one.user_id == user_id and MEDIUM_OF[ChannelKind(one.kind)] == medium]

    def of_workspace(self, draft: Draft) -> list[Channel]:
        """Return the channels of the workspace that a draft fits."""
        region = self.regions.get(draft.client_id) if draft.client_id else None
        return [
            one
            for one in self.all
            if one.user_id is None
            and (not one.topics or draft.topic in one.topics)
            and at_least(draft.severity, one.least_severity)
            and (not one.region or one.region == region)
            and (not draft.media or MEDIUM_OF[ChannelKind(one.kind)] in draft.media)
        ]


def _messages(
    draft: Draft, users: Mapping[UUID, StaffUser], channels: _Channels, standard: Preferences, now: datetime
) -> Iterator[Message]:
    """Yield the messages that a draft becomes."""
    start = max(now, draft.at) if draft.at else now
    if draft.user_id:
        user = users.get(draft.user_id)
        if user is not None:
            yield from _to_user(draft, user, channels, standard, start, now)
    elif draft.contact_id:
        yield _message(draft, Plan(Medium.EMAIL, start), draft.contact_id, now, contact_id=draft.contact_id)
    else:
        one = [channel for channel in channels.all if channel.pk == draft.channel_id]
        for channel in channels.of_workspace(draft) if draft.workspace else one:
            yield _to_channel(draft, channel, Plan(MEDIUM_OF[ChannelKind(channel.kind)], start), now)


def _to_user(
    draft: Draft, user: StaffUser, channels: _Channels, standard: Preferences, start: datetime, now: datetime
) -> Iterator[Message]:
    preferences, zone = preferences_of(user.preferences, standard), zone_of(user)
    found: Iterable[Plan]
    if draft.medium:
        found = [plan_for(preferences, draft.medium, severity=draft.severity, now=start, zone=zone)]
    else:
        given = {"topic": draft.topic, "severity": draft.severity}
        found = plans(preferences, **given, now=start, zone=zone, media=draft.media)
    for plan in found:
        if plan.medium == Medium.IN_APP:
            if draft.topic not in turned_off(user.preferences):
                yield _message(draft, Plan(plan.medium, now), user.pk, now, user_id=user.pk)
        elif plan.medium == Medium.EMAIL:
            yield _message(draft, plan, user.pk, now, user_id=user.pk)
        else:
            for channel in channels.of_user(user.pk, plan.medium):
                yield _to_channel(draft, channel, plan, now)


def _to_channel(draft: Draft, channel: Channel, plan: Plan, now: datetime) -> Message:
    return _message(draft, plan, channel.pk, now, channel_id=channel.pk, user_id=channel.user_id)


def _message(draft: Draft, plan: Plan, receiver_id: UUID, now: datetime, **receiver: UUID | None) -> Message:
    in_app = plan.medium == Medium.IN_APP
    waiting = MessageState.HELD if plan.held else MessageState.PENDING
    return Message(
        key=key_of(draft.key, plan.medium, receiver_id),
        medium=plan.medium,
        topic=draft.topic,
        client_id=draft.client_id,
        about=draft.about,
        about_id=draft.about_id,
        severity=draft.severity,
        payload=_payload(draft),
        state=MessageState.SENT if in_app else waiting,
        due_at=plan.due_at,
        created_at=now,
        sent_at=now if in_app else None,
        **receiver,
    )


def _payload(draft: Draft) -> dict[str, Any]:
    """Return what is said, in the form of delivery.content."""
    said: dict[str, Any] = {"title": storable_text(draft.title, 300), "text": storable_text(draft.text, 20_000)}
    lines = [storable_text(line, 1_000) for line in draft.lines][:MOST_LINES]
    further = {"href": draft.href, "lines": lines, "data": dict(draft.data)}
    return said | {name: value for name, value in further.items() if value}


def _notification(message: Message, user_id: UUID) -> notifications.Draft:
    said = message.payload
    return notifications.Draft(
        user_id=user_id,
        kind=message.topic,
        key=message.key,
        title=said["title"],
        text=said["text"],
        href=said.get("href", ""),
        client_id=message.client_id,
    )


def _check(draft: Draft) -> None:
    receivers = [draft.user_id, draft.contact_id, draft.channel_id, draft.workspace or None]
    if sum(one is not None for one in receivers) != 1:
        raise ValueError("A message goes to a user, a contact, a channel or the workspace's channels: exactly one.")
    if draft.topic not in KINDS:
        raise ValueError(f"There is no topic {draft.topic!r}; there are {', '.join(KINDS)}.")
    unknown = {draft.medium, *draft.media} - {"", *Medium.values}
    if unknown:
        raise ValueError(f"There is no medium {', '.join(sorted(unknown))}; there are {', '.join(Medium.values)}.")
    if not draft.key or len(draft.key) > LONGEST_KEY:
        raise ValueError(f"The key of a message has 1 to {LONGEST_KEY} characters, not {len(draft.key)}.")
    if draft.href and (not draft.href.startswith("/") or draft.href.startswith("//") or len(draft.href) > 500):
        raise ValueError(f"{draft.href!r} is no address of this site.")
