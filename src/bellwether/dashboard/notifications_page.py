"""Notifications: the menu of the bell, the page with all of them, and what a person wants to be told."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.notifications.kinds import KINDS, Kind, kind_of, turned_off
from bellwether.notifications.models import Notification
from bellwether.notifications.selectors import (
    STATES,
    NotificationQuery,
    find,
    kind_counts,
    listed,
    newest,
    unread_count,
)
from bellwether.notifications.services import archive, mark_all_read, mark_read, save_choice
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import next_address
from bellwether.web.formatting import clock, day, number, plural

IN_MENU = 10
PER_PAGE = 50
LAST_PAGE = 1_000_000
MENU, LIST = "bell-menu", "notifications"
STATE_LABELS = {"all": "All", "unread": "Unread", "archived": "Archived"}
DAY_NAMES = {0: "Today", 1: "Yesterday"}


@dataclass(frozen=True)
class Item:
    """One notification, ready to be placed. `at` is the time of day, `when` with its day where it is not today."""

    notification_id: UUID
    kind: Kind
    title: str
    text: str
    href: str
    client: str
    at: str
    when: str
    on: date
    read: bool
    archived: bool


@dataclass(frozen=True)
class Asked:
    """What the address of the page asks for."""

    query: NotificationQuery
    page: int = 1

    def link(self, **changes: object) -> str:
        """Return the address with `changes`; back on the first page unless that is what changes."""
        values: dict[str, object] = {"show": self.query.state, "kind": self.query.kind, "page": 1} | changes
        standard = {"show": "all", "kind": "", "page": 1}
        kept = {name: value for name, value in values.items() if value != standard[name]}
        return reverse("notifications") + (f"?{urlencode(kept)}" if kept else "")


@require_GET
@login_required
def menu(request: HttpRequest) -> HttpResponse:
    """Show the newest notifications below the bell; asked for as a page of its own it is the page of all."""
    user = cast(StaffUser, request.user)
    if target_of(request) != MENU:
        return redirect("notifications")
    now = timezone.now()
    items = [_item(one, user, now) for one in newest(user, IN_MENU)]
    _note(user, len(items), now)
    values = {"items": items, "unread": lambda: unread_count(user), "here": reverse("notifications_menu"), "oob": True}
    return answer(request, "dashboard/notifications_menu.html", values)


@require_GET
@login_required
def notifications(request: HttpRequest) -> HttpResponse:
    """Show what the reader was told, by day, newest first."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    asked = _asked(request)
    rows = listed(user, asked.query)
    total = rows.count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(asked.page, pages)
    first = (page - 1) * PER_PAGE
    items = [_item(one, user, now) for one in rows[first : first + PER_PAGE]]
    _note(user, len(items), now)
    counts = kind_counts(user, asked.query.state)
    today = day_of(now, zone_of(user))
    swap = target_of(request) == LIST
    values = {
        "asked": asked,
        "here": asked.link(page=page),
        "days": [
            (DAY_NAMES.get((today - on).days, day(on, today)), list(found))
            for on, found in groupby(items, key=lambda item: item.on)
        ],
        "states": [(STATE_LABELS[state], asked.link(show=state), state == asked.query.state) for state in STATE_LABELS],
        "kinds": [(kind_of(key), number(count)) for key, count in sorted(counts.items())],
        "waiting": unread_count(user),
        "text": _span(first, len(items), total),
        "previous": asked.link(page=page - 1) if page > 1 else "",
        "next": asked.link(page=page + 1) if page < pages else "",
        "oob": swap,
    }
    return answer(request, "dashboard/notifications_list.html" if swap else "dashboard/notifications.html", values)


@require_GET
@login_required
def open_one(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    """Mark a notification as read and go to what it is about."""
    user = cast(StaffUser, request.user)
    found = find(user, notification_id)
    mark_read(user, found, read=True, now=timezone.now())
    return redirect(found.href or "notifications")


@require_POST
@login_required
def act(request: HttpRequest, notification_id: UUID, action: str) -> HttpResponse:
    """Mark one as read or unread, put it away or back, and go on where the reader was."""
    user = cast(StaffUser, request.user)
    found, now = find(user, notification_id), timezone.now()
    if action in {"read", "unread"}:
        mark_read(user, found, read=action == "read", now=now)
    elif action in {"archive", "restore"}:
        archive(user, found, archived=action == "archive", now=now)
    else:
        raise Http404
    return redirect(next_address(request, reverse("notifications")))


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything that waits as read, of one kind if the form names one."""
    user = cast(StaffUser, request.user)
    kind = request.POST.get("kind", "")
    count = mark_all_read(user, kind=kind if kind in KINDS else "", now=timezone.now())
    if not target_of(request):
        messages.success(
            request, f"{plural(count, 'notification')} marked as read." if count else "Nothing was unread."
        )
    return redirect(next_address(request, reverse("notifications")))


@require_http_methods(["GET", "POST"])
@login_required
def choices(request: HttpRequest) -> HttpResponse:
    """Show and keep which kinds of notifications the reader wants."""
    user = cast(StaffUser, request.user)
    if request.method == "POST":
        if save_choice(user, request.POST.getlist("kind")):
            messages.success(request, "Saved. It holds for what happens from now on.")
        else:
            messages.info(request, "Nothing was changed.")
        return redirect("settings_notifications")
    off = turned_off(user.preferences)
    values = {
        "tabs": settings_tabs("settings_notifications"),
        "kinds": [(kind, kind.key not in off) for kind in KINDS.values()],
    }
    return answer(request, "dashboard/settings_notifications.html", values)


def _asked(request: HttpRequest) -> Asked:
    show, kind, page = (request.GET.get(name, "") for name in ("show", "kind", "page"))
    number_of = int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 else 1
    query = NotificationQuery(show if show in STATES else "all", kind if kind in KINDS else "")
    return Asked(query, max(1, min(number_of, LAST_PAGE)))


def _item(one: Notification, user: StaffUser, now: datetime) -> Item:
    zone = zone_of(user)
    on, today = day_of(one.created_at, zone), day_of(now, zone)
    at = clock(one.created_at, zone)
    past = today - on
    when = at if on == today else f"Yesterday, {at}" if past == timedelta(days=1) else f"{day(on, today)}, {at}"
    return Item(
        notification_id=one.pk,
        kind=kind_of(one.kind),
        title=one.title,
        text=one.text,
        href=reverse("notification_open", args=[one.pk]),
        client=one.client.name if one.client else "",
        at=at,
        when=when,
        on=on,
        read=one.read_at is not None,
        archived=one.archived_at is not None,
    )


def _span(first: int, shown: int, total: int) -> str:
    what = plural(total, "notification")
    return what if shown == total else f"{number(first + 1)} to {number(first + shown)} of {what}"


def _note(user: StaffUser, count: int, now: datetime) -> None:
    detail: dict[str, Any] = {"count": count}
    audit.record(actor=user, action="notification.list", object_type="notification", detail=detail, now=now)
