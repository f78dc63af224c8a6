"""What people do with channels: add, change, switch, try, remove. Every act is in the access log, no secret is.

Administrators look after the channels of the workspace, everybody after the own ones. What is stored of a secret is
never shown again, with one exception: the signing secret of a webhook, once, when it is made.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from bellwether.common.encryption import decrypt, encrypt
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.delivery.choices import ChannelKind, MessageState
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.planning import SEVERITIES, TOPICS
from bellwether.delivery.teams import HOSTS as TEAMS_HOSTS
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.webhooks.addresses import checked_url
from bellwether.webhooks.signing import new_secret

MOST = 50
SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
SWITCHED_OFF = "Its channel was switched off."


@dataclass(frozen=True, kw_only=True)
class ChannelForm:
    """A channel as it is typed in. `secret` is the webhook's address or the bot's token; empty keeps what is stored."""

    name: str
    secret: str = ""
    target: str = ""
    region: str = ""
    topics: Sequence[str] = ()
    least_severity: str = "LOW"


def channels_of(user: StaffUser) -> QuerySet[Channel]:
    """Return the channels that `user` looks after: the own ones, for administrators those of the workspace too."""
    own = Q(user=user)
    seen = own | Q(user__isnull=True) if user.may_configure else own
    return Channel.objects.filter(seen, removed_at__isnull=True).select_related("user", "created_by")


def channel_or_404(user: StaffUser | None, channel_id: UUID) -> Channel:
    """Return a channel that `user` looks after (None: any); Http404 otherwise."""
    known = Channel.objects.filter(removed_at__isnull=True) if user is None else channels_of(user)
    found: Channel = get_object_or_404(known, pk=channel_id)
    return found


def add_channel(kind: str, given: ChannelForm, *, own: bool, actor: StaffUser, now: datetime) -> tuple[Channel, str]:
    """Return a new channel, the actor's `own` or the workspace's, and the signing secret of a webhook, else "".

    InvalidInputError names `kind`, `name`, `secret`, `target`, `topics` or `least_severity`; Http404 for a channel of
    the workspace that somebody else than an administrator adds.
    """
    if not own and not actor.may_configure:
        raise Http404
    if kind not in ChannelKind.values:
        sentence = f"There is no {kind!r}; there are {', '.join(ChannelKind.values)}."
        raise InvalidInputError(f"The channel cannot be stored. {sentence}", {"kind": sentence})
    stored = _stored(ChannelKind(kind), given, {})
    if Channel.objects.filter(removed_at__isnull=True, user=actor if own else None).count() >= MOST:
        raise ConflictError(f"There are {MOST} channels already. Remove one first.")
    with transaction.atomic():
        channel = Channel(kind=kind, user=actor if own else None, created_by=actor, created_at=now)
        _fill(channel, given, stored)
        channel.save()
        _log(actor, "channel.added", channel, now, kind=kind, name=channel.name)
    return channel, stored.get("signing", "")


def change_channel(channel: Channel, given: ChannelForm, *, actor: StaffUser, now: datetime) -> Channel:
    """Change a channel; what waits for it goes to where it leads now. Errors are those of `add_channel`."""
    stored = _stored(ChannelKind(channel.kind), given, secret_of(channel) if not given.secret else {})
    with transaction.atomic():
        _fill(channel, given, stored)
        channel.save()
        _log(actor, "channel.changed", channel, now, name=channel.name, secret=bool(given.secret))
    return channel


def secret_of(channel: Channel) -> dict[str, str]:
    """Return the address, token and signing secret of a channel in clear, for sending. UnreadableSecretError when no
    key fits."""
    found: dict[str, str] = json.loads(decrypt(channel.secret))
    return found


def switch(channel: Channel, *, on: bool, actor: StaffUser | None, now: datetime) -> None:
    """Switch a channel on or off by hand. What waits for one that is off is given up, to be sent again on request."""
    with transaction.atomic():
        channel.is_enabled, channel.disabled_reason, channel.failing_since = on, "", None
        channel.save(update_fields=["is_enabled", "disabled_reason", "failing_since"])
        if not on:
            give_up_waiting(channel, SWITCHED_OFF)
        _log(actor, "channel.enabled" if on else "channel.disabled", channel, now, name=channel.name)


def remove(channel: Channel, *, actor: StaffUser | None, now: datetime) -> None:
    """Take a channel away and forget its secret; the log of its messages stays until they are forgotten."""
    with transaction.atomic():
        channel.is_enabled, channel.removed_at, channel.secret = False, now, encrypt("{}")
        channel.save(update_fields=["is_enabled", "removed_at", "secret"])
        waiting = Message.objects.filter(channel=channel, state__in=[MessageState.PENDING, MessageState.HELD])
        waiting.update(state=MessageState.CANCELLED, last_error="Its channel was removed.")
        _log(actor, "channel.removed", channel, now, name=channel.name)


def give_up_waiting(channel: Channel, reason: str) -> int:
    """Give up what waits for a channel, so that it stands among what somebody must look at; return how much."""
    waiting = Message.objects.filter(
        channel=channel, state__in=[MessageState.PENDING, MessageState.HELD], claimed_at__isnull=True
    )
    return waiting.update(state=MessageState.FAILED, last_error=reason)


def _stored(kind: ChannelKind, given: ChannelForm, kept: Mapping[str, str]) -> dict[str, str]:
    """Return what is stored of a secret after checking the whole form; `kept` is what was stored before."""
    wrong: dict[str, str] = {}
    if not given.name.strip() or len(given.name.strip()) > 120:
        wrong["name"] = "Give it a name of at most 120 characters."
    if kind == ChannelKind.SLACK_BOT and not given.target.strip():
        wrong["target"] = "Give the channel's id, such as C012AB3CD: it stands at the end of the channel's details."
    if unknown := sorted(set(given.topics) - set(TOPICS)):
        wrong["topics"] = f"There is no {', '.join(unknown)}; there are {', '.join(TOPICS)}."
    if given.least_severity not in SEVERITIES:
        wrong["least_severity"] = f"Choose one of {', '.join(SEVERITIES)}."
    stored = dict(kept)
    if given.secret.strip() or not kept:
        try:
            stored = _secret(kind, given.secret.strip())
        except InvalidInputError as error:
            wrong["secret"] = error.errors.get("secret") or error.errors.get("url") or str(error)
    if wrong:
        raise InvalidInputError(f"The channel cannot be stored. {' '.join(wrong.values())}", wrong)
    return stored


def _secret(kind: ChannelKind, text: str) -> dict[str, str]:
    def refuse(sentence: str) -> InvalidInputError:
        return InvalidInputError(sentence, {"secret": sentence})

    inside: Sequence[str] = settings.BELLWETHER_WEBHOOK_HOSTS
    if kind == ChannelKind.SLACK_BOT:
        if not text.startswith(("xoxb-", "xoxe.xoxb-")) or any(character.isspace() for character in text):
            raise refuse("Give the bot's token. It begins with xoxb-.")
        return {"token": text}
    _, host, _, path = checked_url(text, allowed_hosts=inside)
    slack_webhook = host in SLACK_HOSTS and path.startswith("/services/")
    if kind == ChannelKind.SLACK_WEBHOOK and not slack_webhook and host not in inside:
        raise refuse("Give the address of an incoming webhook. It begins with https://hooks.slack.com/services/.")
    if kind == ChannelKind.TEAMS_WORKFLOW and host not in inside and not host.endswith(TEAMS_HOSTS):
        raise refuse(f"Give the address of a workflow. Its host ends in {', '.join(TEAMS_HOSTS)}.")
    return {"url": text, "signing": new_secret()} if kind == ChannelKind.WEBHOOK else {"url": text}


def leads_to(channel: Channel) -> str:
    """Return the host that a channel leads to, which is no secret; "" where the secret cannot be read."""
    try:
        return urlsplit(secret_of(channel).get("url", "")).hostname or ""
    except Exception:  # a page about channels is where a lost key is noticed, so it must open
        return ""


def _fill(channel: Channel, given: ChannelForm, stored: Mapping[str, str]) -> None:
    if channel.kind == ChannelKind.WEBHOOK and channel.secret and given.secret:
        stored = {**stored, "signing": secret_of(channel)["signing"]}
    channel.name, channel.target = given.name.strip(), given.target.strip()[:120]
    channel.secret = encrypt(json.dumps(dict(stored)))
    if channel.user_id is None:
        channel.region, channel.topics = given.region.strip()[:100], sorted(set(given.topics))
        channel.least_severity = given.least_severity
    if given.secret:
        channel.is_enabled, channel.disabled_reason, channel.failing_since = True, "", None


def _log(actor: StaffUser | None, action: str, channel: Channel, now: datetime, **detail: Any) -> None:
    audit.record(actor=actor, action=action, object_type="channel", object_id=channel.pk, detail=detail, now=now)
