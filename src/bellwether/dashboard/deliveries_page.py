"""The log of messages by mail and to channels: how each went, and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.delivery.choices import Medium, MessageState
from bellwether.delivery.delivering import WAITS
from bellwether.delivery.handling import TEST, cancel, resend
from bellwether.delivery.models import Message
from bellwether.delivery.selectors import dead_letters, receiver_name, state_counts, visible_messages
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import done
from bellwether.web.formatting import moment, plural

PER_PAGE = 50
IN_TROUBLE = 20
PAGE = "settings_deliveries"
LOOKS = {
    MessageState.SENT: "healthy",
    MessageState.PENDING: "monitor",
    MessageState.HELD: "info",
    MessageState.DIGEST: "info",
    MessageState.FAILED: "critical",
    MessageState.CANCELLED: "na",
}


@dataclass(frozen=True)
class Letter:
    """One message of the log, as text. `again` and `stop`: whether it may be sent again or stopped."""

    id: int
    title: str
    text: str
    to: str
    medium: str
    client: str
    client_id: UUID | None
    when: str
    state: str
    status: str
    note: str
    error: str
    again: bool
    stop: bool


@require_GET
@login_required
def deliveries(request: HttpRequest) -> HttpResponse:
    """Show the messages that the reader may see; those that were given up come first."""
    user, now = cast(StaffUser, request.user), timezone.now()
    seen = visible_messages(user).exclude(medium=Medium.IN_APP)
    state, medium = request.GET.get("state", ""), request.GET.get("medium", "")
    rows = seen.filter(medium=medium) if medium in Medium.values else seen
    counts = state_counts(rows)
    if state in MessageState.values:
        rows = rows.filter(state=state)
    page = Paginator(rows.select_related("digest"), PER_PAGE).get_page(request.GET.get("page"))
    dead = _dead(seen)
    letters = [_letter(one, user, now) for one in page]
    audit.record(actor=user, action="message.list", object_type="message", detail={"count": len(letters)}, now=now)
    values = {
        "tabs": settings_tabs("settings_channels"),
        "dead": [_letter(one, user, now) for one in dead[:IN_TROUBLE]] if not state and page.number == 1 else [],
        "dead_count": dead.count(),
        "letters": letters,
        "page": page,
        "states": _states(state, medium, counts),
        "media": [(one.value, str(one.label)) for one in Medium if one != Medium.IN_APP],
        "medium": medium,
        "state": state if state in MessageState.values else "",
        "link": lambda number: _address(state=state, medium=medium, page=number),
        "here": request.get_full_path(),
    }
    return answer(request, "dashboard/deliveries.html", values)


@require_POST
@login_required
def act(request: HttpRequest, action: str) -> HttpResponse:
    """Send again or stop: the message in `message`, or without one all that were given up."""
    user, now = cast(StaffUser, request.user), timezone.now()
    seen, given = visible_messages(user).exclude(medium=Medium.IN_APP), request.POST.get("message", "")
    if given:
        rows = seen.filter(pk=int(given)) if given.isdigit() and len(given) < 19 else seen.none()
        if not rows.exists():
            raise Http404
    else:
        rows = _dead(seen)
    if action == "resend":
        count = resend(rows, actor=user, now=now)
        said = f"{plural(count, 'message')} on the way again." if count else "Nothing was sent: is the channel on?"
    elif action == "cancel":
        count = cancel(rows, actor=user, now=now)
        said = f"{plural(count, 'message')} stopped." if count else "Nothing was stopped: it is on its way or gone."
    else:
        raise Http404
    return done(request, reverse(PAGE), said, failed=not count)


def _dead(seen: QuerySet[Message]) -> QuerySet[Message]:
    return seen.filter(pk__in=dead_letters().order_by().values("pk"))


def _states(state: str, medium: str, counts: dict[str, int]) -> Sequence[tuple[str, str, int, bool]]:
    shown = [("", "All", sum(counts.values()))]
    shown += [(one.value, str(one.label), counts.get(one.value, 0)) for one in MessageState]
    return [(_address(state=value, medium=medium), text, count, value == state) for value, text, count in shown]


def _address(**asked: object) -> str:
    kept = {name: value for name, value in asked.items() if value and value != 1}
    return reverse(PAGE) + (f"?{urlencode(kept)}" if kept else "")


def _letter(message: Message, user: StaffUser, now: datetime) -> Letter:
    zone = zone_of(user)
    state = MessageState(message.state)
    notes = [plural(message.attempts, "attempt")] if message.attempts > 1 else []
    if state in WAITS and message.due_at > now:
        notes.append(f"goes {moment(message.due_at, now, zone)}")
    if state == MessageState.DIGEST and message.digest is not None:
        notes.append(f"the digest is {MessageState(message.digest.state).label.lower()}")
    off = message.channel is not None and (not message.channel.is_enabled or message.channel.removed_at is not None)
    title, text = str(message.payload.get("title", "")), str(message.payload.get("text", ""))
    return Letter(
        id=message.pk,
        title=title,
        text="" if message.contact_id else text[:200],
        to=receiver_name(message),
        medium=str(Medium(message.medium).label),
        client=message.client.name if message.client else "",
        client_id=message.client_id,
        when=moment(message.sent_at or message.created_at, now, zone),
        state=str(state.label),
        status=LOOKS[state],
        note=", ".join(notes),
        error=message.last_error if state != MessageState.SENT else "",
        again=state in {MessageState.FAILED, MessageState.CANCELLED} and not off and message.about != TEST,
        stop=state in {*WAITS, MessageState.FAILED} and message.claimed_at is None,
    )
