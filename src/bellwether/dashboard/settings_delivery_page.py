"""How somebody is told: over which media, and when. The own page, and what holds for who says nothing."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bellwether.common.errors import ConflictError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_delivery_form import QuietForm, start_values, table, wanted
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.delivery.channels import channels_of
from bellwether.delivery.choices import MEDIUM_OF, ChannelKind, Medium, MessageState
from bellwether.delivery.handling import try_mail
from bellwether.delivery.outbox import workspace_preferences
from bellwether.delivery.planning import Preferences, plans, preferences_of
from bellwether.delivery.preferences import has_own, save_preferences, save_workspace_preferences
from bellwether.delivery.unsubscribing import refusal, subscribe_again
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import clock, day

TAB = "settings_delivery"
SAVED = "Saved. It holds for what happens from now on."


@require_http_methods(["GET", "POST"])
@login_required
def delivery(request: HttpRequest) -> HttpResponse:
    """Show and keep how the reader wants to be told."""
    user, now = cast(StaffUser, request.user), timezone.now()
    before = preferences_of(user.preferences, workspace_preferences())
    form = QuietForm(request.POST or None, initial=start_values(before))
    if request.method == "POST" and form.is_valid():
        changed = save_preferences(user, wanted(request.POST, form, before), now=now)
        messages.success(request, SAVED if changed else "Nothing was changed.")
        return redirect(TAB)
    own = {MEDIUM_OF[ChannelKind(one.kind)] for one in channels_of(user) if one.user_id == user.pk and one.is_enabled}
    values = {
        "own": has_own(user),
        "zone": str(zone_of(user)).replace("_", " "),
        "missing": [Medium(medium) for medium in (Medium.SLACK, Medium.TEAMS, Medium.WEBHOOK) if medium not in own],
        "example": _example(user, before, own, now),
        "refused": refusal(user.email, "alert") or refusal(user.email, "playbook"),
        "everybody": False,
    }
    return _shown(request, form, before, values)


@require_http_methods(["GET", "POST"])
@login_required
def everybody(request: HttpRequest) -> HttpResponse:
    """Show and keep what holds for people who have not said how they want to be told; administrators only."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if not user.may_configure:
        raise PermissionDenied("Only administrators change what holds for everybody.")
    before = workspace_preferences()
    form = QuietForm(request.POST or None, initial=start_values(before))
    if request.method == "POST" and form.is_valid():
        changed = save_workspace_preferences(wanted(request.POST, form, before), actor=user, now=now)
        messages.success(request, SAVED if changed else "Nothing was changed.")
        return redirect("settings_delivery_everybody")
    return _shown(request, form, before, {"everybody": True, "missing": [], "own": False, "refused": ""})


@require_POST
@login_required
def act(request: HttpRequest, action: str) -> HttpResponse:
    """Do one thing: `reset` to what holds for everybody, `test` a mail, or let mail come again (`again`)."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if action == "reset":
        save_preferences(user, None, now=now)
        messages.success(request, "You are told as everybody is who has not chosen.")
    elif action == "again":
        subscribe_again(user.email, now=now)
        messages.success(request, "Mail comes to you again.")
    elif action == "test":
        try:
            sent = try_mail(user, actor=user, now=now)
        except ConflictError as error:
            messages.error(request, str(error))
            return redirect(TAB)
        if sent.state == MessageState.SENT:
            messages.success(request, f"A test is on its way to {user.email}: the mail server took it.")
        else:
            messages.error(request, f"The test was not sent. {sent.last_error}")
    return redirect(TAB)


def _shown(request: HttpRequest, form: QuietForm, before: Preferences, values: dict[str, object]) -> HttpResponse:
    media = [(medium, str(medium.label)) for medium in Medium]
    page = {"tabs": settings_tabs(TAB), "form": form, "rows": table(before), "media": media, **values}
    response = answer(request, "dashboard/settings_delivery.html", page)
    response.status_code = 422 if request.method == "POST" else 200
    return response


def _example(user: StaffUser, preferences: Preferences, own: set[Medium], now: datetime) -> list[str]:
    """Return in words how a high alert would come that opened now."""
    zone = zone_of(user)
    found = []
    for plan in plans(preferences, topic="alert", severity="HIGH", now=now, zone=zone):
        medium = Medium(plan.medium)
        if medium in {Medium.IN_APP, Medium.EMAIL} or medium in own:
            on, today = day_of(plan.due_at, zone), day_of(now, zone)
            at = clock(plan.due_at, zone)
            when = "at once" if not plan.held else f"at {at}" if on == today else f"{day(on, today)} at {at}"
            found.append(f"{medium.label}: {when}")
    return found
