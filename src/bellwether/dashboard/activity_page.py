"""One activity with everything about it: what was said, its follow-up, and who changed what."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.activity_pages import activity_or_404
from bellwether.dashboard.client_access import answer, client_or_404, head_of
from bellwether.portfolio.activity_fields import DETAILS, TYPES
from bellwether.portfolio.activity_history import history_of
from bellwether.portfolio.agenda import Item, phase_of
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.follow_ups import follow_up_item
from bellwether.portfolio.models import Activity
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import clock, day, full_day, plural


@dataclass(frozen=True)
class Fact:
    """A line of the activity: a name and its value; `long` ones keep their lines."""

    label: str
    value: str
    long: bool = False


@require_GET
@login_required
def activity(request: HttpRequest, client_id: UUID, activity_id: UUID) -> HttpResponse:
    """Show the activity. One that the reader may not see does not exist."""
    user, now = cast(StaffUser, request.user), timezone.now()
    shown = activity_or_404(user, client_id, activity_id)
    client, zone = client_or_404(user, client_id), zone_of(user)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    follow_up = _follow_up(shown) if shown.follow_up_required else None
    values = {
        "head": head_of(request, client, user=user, tab="client_timeline", now=now),
        "activity": shown,
        "title": shown.subject or _capital(activity_label(shown)),
        "icon_name": TYPES[shown.activity_type].icon,
        "state": _state(shown, now),
        "facts": facts(shown, zone),
        "texts": texts(shown),
        "follow_up": follow_up,
        "follow_up_due": due_words(follow_up.on, today) if follow_up else "",
        "follow_up_phase": phase_of(follow_up, today).value if follow_up else "",
        "history": history_of(shown, zone=zone),
        "zone": zone,
        "now": now,
        "today": today,
        "editable": shown.archived_at is None and client.archived_at is None,
    }
    audit.record(
        actor=user, action="activity.read", object_type="activity", object_id=shown.pk, client_id=client.pk, now=now
    )
    return answer(request, "dashboard/activity.html", values)


def _follow_up(shown: Any) -> Item:
    shown.owner_id = shown.performed_by_id or shown.client.csm_user_id
    return follow_up_item(shown)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _state(shown: Activity, now: datetime) -> str:
    if shown.archived_at is not None:
        return "archived"
    if shown.completed_at is not None:
        return "done"
    return "planned" if shown.occurred_at > now else "late"


def facts(shown: Activity, zone: ZoneInfo) -> list[Fact]:
    """Return the short facts that are known. Two queries."""
    kind, label = str(shown.get_activity_type_display()), activity_label(shown)
    local = shown.occurred_at.astimezone(zone)
    when = f"{full_day(local.date())}, {clock(local, zone)}"
    contacts = ", ".join(shown.client_contacts.values_list("name", flat=True))
    colleagues = ", ".join(one.name for one in shown.participants.all())
    texts = [
        ("Type", kind if label == kind else f"{_capital(label)} ({kind.lower()})"),
        ("When" if shown.completed_at else "Planned for", when),
        ("Length", plural(shown.duration_minutes, "minute") if shown.duration_minutes else ""),
        ("By", shown.performed_by.name if shown.performed_by else ""),
        ("With", contacts),
        ("Colleagues", colleagues),
        ("Outcome", str(shown.get_outcome_display()) if shown.outcome else ""),
        ("Ticket", str(shown.ticket) if shown.ticket else ""),
    ]
    texts += [
        (d.label, d.text(str(shown.details[d.name]))) for d in DETAILS if not d.long and shown.details.get(d.name)
    ]
    return [Fact(name, value) for name, value in texts if value]


def texts(shown: Activity) -> list[Fact]:
    """Return the long texts that were written."""
    long = [(d.label, str(shown.details.get(d.name) or "")) for d in DETAILS if d.long]
    held = [
        ("Notes", shown.description),
        ("What came of it", shown.outcome_notes),
        *long,
        ("Next steps", shown.next_steps),
    ]
    return [Fact(name, value, long=True) for name, value in held if value.strip()]


def due_words(on: date | None, today: date) -> str:
    """Return when something is due: "3 days overdue", "today", "tomorrow", "12 Feb"."""
    if on is None:
        return "No date"
    days = (on - today).days
    if days < 0:
        return f"{plural(-days, 'day')} overdue"
    if days < 2:
        return ("Today", "Tomorrow")[days]
    return f"{on:%a} {day(on, today)}" if days < 7 else day(on, today)
