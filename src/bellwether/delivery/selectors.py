"""What was sent and what waits: who may see which messages, and what needs somebody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from bellwether.delivery.choices import Medium, MessageState
from bellwether.delivery.models import Message
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class Delivered:
    """How one message about something went: "E-mail", "Ada Example", its state and when."""

    medium: str
    receiver: str
    state: str
    at: datetime
    error: str


def visible_messages(user: StaffUser) -> QuerySet[Message]:
    """Return the messages that `user` may see, newest first: administrators all, others those to themselves and about
    their clients."""
    rows = Message.objects.select_related("user", "contact", "channel", "client").order_by("-id")
    if not user.is_active:
        return rows.none()
    if user.may_configure:
        return rows
    seen = Client.objects.visible_to(user).order_by().values("pk")
    return rows.filter(Q(user=user) | Q(client__in=seen))


def message_or_404(user: StaffUser | None, message_id: int) -> Message:
    """Return a message that `user` may see (None: any); Http404 otherwise."""
    rows = Message.objects.all() if user is None else visible_messages(user)
    found = rows.filter(pk=message_id).first()
    if found is None:
        raise Http404
    return found


def dead_letters() -> QuerySet[Message]:
    """Return what was given up and neither sent again nor put away since; tests are not among it."""
    return Message.objects.filter(state=MessageState.FAILED).exclude(about="test")


def state_counts(rows: QuerySet[Message]) -> dict[str, int]:
    """Return how many of `rows` are in each state, in one query."""
    return dict(rows.order_by().values_list("state").annotate(count=Count("pk")))


def sent_about(about: str, ids: Collection[object]) -> dict[str, list[Delivered]]:
    """Return for each id how the messages about it went, oldest first, in one query. What went in a digest counts with
    the digest's state and time."""
    rows = Message.objects.filter(about=about, about_id__in=[str(one) for one in ids]).order_by("id")
    found: dict[str, list[Delivered]] = {}
    for message in rows.select_related("user", "contact", "channel", "digest"):
        found.setdefault(message.about_id, []).append(_delivered(message))
    return found


def receiver_name(message: Message) -> str:
    """Return who or what gets a message: a channel's name, else that of a person."""
    return str(message.channel or message.user or message.contact or "")


def _delivered(message: Message) -> Delivered:
    carrier = message.digest or message
    return Delivered(
        medium=str(Medium(message.medium).label),
        receiver=receiver_name(message),
        state=carrier.state,
        at=carrier.sent_at or carrier.due_at,
        error=carrier.last_error,
    )
