"""One attempt to send a message. Everything that can be prepared is, before the message is claimed: a claim is followed
by the request and nothing else, so that little is left in doubt when a worker dies."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse

from bellwether.common.encryption import UnreadableSecretError
from bellwether.delivery import slack, teams
from bellwether.delivery.channels import secret_of
from bellwether.delivery.choices import ChannelKind, Medium, MessageState
from bellwether.delivery.content import Content, Item, absolute, item_of
from bellwether.delivery.mail import mail_of, send_mail
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.results import Outcome, Result, from_answer
from bellwether.delivery.unsubscribing import refusal
from bellwether.portfolio.models import Client
from bellwether.webhooks.addresses import RefusedAddressError, Target, target_of
from bellwether.webhooks.outbox import MOST_BYTES
from bellwether.webhooks.sending import Answer, post
from bellwether.webhooks.signing import signed_headers

TIMEOUT = 20.0
KEPT_BYTES = 65_536
SHOWN_PARTS = 100
GONE = 410
JSON = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Bellwether"}

Request = Callable[[datetime], Result]
"""What sends a prepared message when it is called with the time, and returns what came of it."""


@dataclass(frozen=True)
class NotSent:
    """Why a message is not sent at all; `state` is what becomes of it."""

    state: MessageState
    reason: str


def prepared(message: Message, *, timeout: float = TIMEOUT) -> Request | NotSent:
    """Return what sends `message`, or why it is not sent: nobody there any more, or nobody who may or wants to have it.

    A digest is made of its parts as they are now. The message's user, contact, client and channel are read with it.
    """
    reason = _unwanted(message)
    if reason:
        return NotSent(MessageState.CANCELLED, reason)
    content = content_of(message)
    if content is None:
        return NotSent(MessageState.CANCELLED, "Nothing of it is left to tell.")
    if message.channel is None:
        made = mail_of(message, content, _address(message))
        return lambda at: send_mail(made)
    try:
        return _to_channel(message, message.channel, content, timeout)
    except UnreadableSecretError as error:
        return _always(Result(Outcome.FAILED, error=str(error)[:300]))
    except RefusedAddressError as error:
        return _always(Result(Outcome.AGAIN, error=str(error)[:300]))


def content_of(message: Message) -> Content | None:
    """Return what a message says; None for a digest of which nothing may be told its reader any more."""
    base = settings.BELLWETHER_BASE_URL
    item = item_of(message.payload, message.severity, base)
    if message.about != "digest":
        return Content(item)
    found = Message.objects.filter(digest=message).exclude(state=MessageState.CANCELLED).order_by("id")
    rows = list(found.values_list("payload", "severity", "client_id"))
    if message.user is not None and not message.user.sees_all_clients:
        ids = {client_id for _, _, client_id in rows if client_id}
        seen = set(Client.objects.visible_to(message.user).filter(pk__in=ids).values_list("pk", flat=True))
        rows = [row for row in rows if row[2] is None or row[2] in seen]
    if not rows:
        return None
    parts = [item_of(payload, severity, base) for payload, severity, _ in rows]
    parts.sort(key=lambda part: -slackest(part.severity))
    heading = Item(item.title, href=absolute(reverse("alerts" if message.topic == "alert" else "notifications"), base))
    return Content(heading, tuple(parts[:SHOWN_PARTS]), len(parts))


def slackest(severity: str) -> int:
    """Return how grave a severity is, for sorting: the more the graver."""
    return ("", "LOW", "MEDIUM", "HIGH", "CRITICAL").index(severity) if severity else 0


def webhook_id(message: Message) -> str:
    """Return how the receiver of a webhook knows the message: the same at every attempt."""
    return f"msg_{sha256(message.key.encode()).hexdigest()[:32]}"


def webhook_body(message: Message, content: Content) -> str:
    """Return the JSON that is signed and posted: type, time in UTC and data, of at most 20 KB."""
    client = message.client
    data: dict[str, Any] = {
        "topic": message.topic,
        "severity": message.severity or None,
        "about": message.about or None,
        "about_id": message.about_id or None,
        "client": {"id": str(client.pk), "organization_id": client.organization_id, "name": client.name}
        if client
        else None,
        **_said(content.item),
        "data": message.payload.get("data") or {},
    }
    if content.parts:
        data |= {
            "messages": [_said(part) | {"severity": part.severity} for part in content.parts],
            "count": content.total,
        }
    body = _json(message, data)
    while len(body.encode()) > MOST_BYTES and data.get("messages"):
        data["messages"] = data["messages"][: len(data["messages"]) // 2]
        body = _json(message, data)
    if len(body.encode()) <= MOST_BYTES:
        return body
    return _json(message, {**data, "text": data["text"][:1_000], "lines": [], "data": {}, "truncated": True})


def _json(message: Message, data: dict[str, Any]) -> str:
    kind = "message.test" if message.about == "test" else "message.sent"
    told = {"type": kind, "timestamp": message.created_at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(told, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False)


def _said(item: Item) -> dict[str, Any]:
    return {"title": item.title, "text": item.text, "href": item.href, "lines": list(item.lines)}


def _to_channel(message: Message, channel: Channel, content: Content, timeout: float) -> Request:
    kind, secret = ChannelKind(channel.kind), secret_of(channel)
    inside = settings.BELLWETHER_WEBHOOK_HOSTS
    url = f"{settings.BELLWETHER_SLACK_API_URL}/chat.postMessage" if kind == ChannelKind.SLACK_BOT else secret["url"]
    target = target_of(url, allowed_hosts=inside)
    if kind == ChannelKind.WEBHOOK:
        return _signed(message, target, webhook_body(message, content), secret["signing"], timeout)
    given = teams.message_of(content) if kind == ChannelKind.TEAMS_WORKFLOW else slack.message_of(content)
    headers = JSON
    if kind == ChannelKind.SLACK_BOT:
        given = {"channel": channel.target, "unfurl_links": False, **given}
        headers = {**JSON, "Authorization": f"Bearer {secret['token']}"}
    body = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    meaning = {
        ChannelKind.SLACK_WEBHOOK: slack.answer_of_webhook,
        ChannelKind.SLACK_BOT: slack.answer_of_bot,
        ChannelKind.TEAMS_WORKFLOW: teams.answer_of,
    }[kind]
    return lambda at: meaning(post(target, body, headers, now=at, timeout=timeout, kept=KEPT_BYTES))


def _signed(message: Message, target: Target, body: str, signing: str, timeout: float) -> Request:
    identity = webhook_id(message)

    def request(at: datetime) -> Result:
        headers = signed_headers([signing], event_id=identity, at=at, body=body)
        return _answer_of_webhook(post(target, body, headers, now=at, timeout=timeout), identity)

    return request


def _answer_of_webhook(answer: Answer, identity: str) -> Result:
    if answer.accepted:
        return from_answer(answer, Outcome.SENT, remote_id=identity)
    if answer.status == GONE:
        return from_answer(answer, Outcome.DEAD, "The receiver answered 410: it wants no more messages.")
    return from_answer(answer, Outcome.AGAIN)


def _unwanted(message: Message) -> str:
    """Return why a message is not sent to its receiver, "" when it may be."""
    user, contact, client = message.user, message.contact, message.client
    if user is not None:
        if not user.is_active:
            return "The receiver does not work here any more."
        if client is not None and not Client.objects.visible_to(user).filter(pk=client.pk).exists():
            return "The receiver does not see the client any more."
    if message.medium != Medium.EMAIL:
        return "" if message.channel is not None else "Its channel is gone."
    if user is None and (contact is None or contact.archived_at is not None or contact.left_company_at is not None):
        return "The contact is not there any more."
    address = _address(message)
    return refusal(address, message.topic) if address else "No mail address is known."


def _address(message: Message) -> str:
    receiver = message.user or message.contact
    return receiver.email if receiver is not None else ""


def _always(result: Result) -> Request:
    return lambda at: result
