"""One client on the operations console: score, alerts, usage, features, what happened lately, the past scores."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

import bellwether.health.jobs  # noqa: F401 (declares the job that a reader may ask for)
from bellwether.common.errors import BellwetherError
from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, target_of
from bellwether.dashboard.client_adoption import flag_groups
from bellwether.dashboard.client_head import header_facts
from bellwether.dashboard.client_page import REFRESH, Refresh, refresh_of
from bellwether.dashboard.client_trend import Choice
from bellwether.dashboard.client_usage_cards import activity_card
from bellwether.dashboard.console_cards import LIGHTS, console_card
from bellwether.dashboard.console_page import need
from bellwether.dashboard.trend_chart import Band, draw, in_words
from bellwether.health import scored_clients as read
from bellwether.health.adoption_reading import read_adoption
from bellwether.health.scorecard import Scorecard
from bellwether.health.scored_clients import OPERATIONS, ScoredClient
from bellwether.health.usage_reading import last_day_of, usage_of
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.client_changes import ClientChange, change_client
from bellwether.portfolio.models import Client
from bellwether.portfolio.recent import recent_activity
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.periods import CUSTOM, Period
from bellwether.web.formatting import day, moment, signed

USAGE = "usage"
USAGE_DAYS = 30
SPANS = (30, 90, 180)
UNDO = "console_alert_undo"
ALERT_TEXTS = {
    AlertLevel.PROACTIVE: ("Proactive", "Told by all media that the rules of alerts name."),
    AlertLevel.DASHBOARD_ONLY: (
        "Dashboard only",
        "Told in the product and nowhere else: for small or product-led accounts.",
    ),
    AlertLevel.NONE: ("None", "Alerts are kept, and told nobody."),
}


@dataclass(frozen=True)
class PastScore:
    """A day of the history, as text."""

    iso: str
    day: str
    score: str
    change: str
    light: str


@require_GET
@login_required
def console_client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show one client; for a swap of the bars, only these. Clients that the reader may not see do not exist."""
    user, client, now = _opened(request, client_id)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = last_day_of(client, day_of(now, zone))
    span = int(request.GET.get("days", "")) if request.GET.get("days", "") in {str(n) for n in SPANS} else SPANS[0]
    show = request.GET.get("show", "")[:40]
    address = Address(
        reverse("console_client", args=[client.pk]), {"days": "" if span == SPANS[0] else str(span), "show": show}
    )
    activity = _activity(client, user, show, address, today, now)
    _note(user, client, "client.read", now)
    if target_of(request) == USAGE:
        return answer(request, "dashboard/console_usage.html", {"page": activity})
    found = read.scored_client(client, OPERATIONS)
    card = read.card_of(OPERATIONS, found.row)
    days = read.score_days(client, OPERATIONS, days=span, today=today)
    line = [one.score for one in days][-30:]
    features = read_adoption(client, user=user, now=now, cache=caches["memory"]).adoption.lines
    values = {
        "client": client,
        "card": console_card(found, card, line, today=today, zone=zone),
        "found": found,
        "scored_on": day(found.row.date, today) if found.row else "",
        "facts": header_facts(client),
        "alerts": [(level, *ALERT_TEXTS[level], level == client.alert_level) for level in ALERT_TEXTS],
        "undo": _take_undo(request, client),
        "page": activity,
        "history": _history(days, card, first=today - timedelta(days=span - 1), last=today),
        "spans": [Choice(f"{n} d", address.with_(days=n) + "#history", n == span) for n in SPANS],
        "flags": flag_groups(features, _feature_address(client), today, zone),
        "adopted": sum(one.adopted for one in features),
        "tracked": len(features),
        "lately": [(one, moment(one.at, now, zone)) for one in recent_activity(client, now=now)],
        "refresh": _refresh(request, client, now),
    }
    return answer(request, "dashboard/console_client.html", values)


@require_POST
@login_required
def set_alerts(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Set the client's alert level, offer to undo it, and go back to the page."""
    user, client, now = _opened(request, client_id)
    back = redirect("console_client", client_id=client.pk)
    given = request.POST.get("level", "")
    if given not in AlertLevel.values:
        messages.error(request, f"{given[:40]!r} is no alert level; choose one of those shown.")
        return back
    before, level = client.alert_level, AlertLevel(given)
    try:
        change_client(client, ClientChange(alert_level=level), actor=user, now=now)
    except BellwetherError as error:
        messages.error(request, str(error))
        return back
    if before == level:
        messages.info(request, "Nothing was changed.")
        return back
    if request.POST.get("undo") != "1":
        request.session[UNDO] = {"client": str(client.pk), "level": before}
    messages.success(request, f"Alerts of {client.name}: {ALERT_TEXTS[level][0].lower()}.")
    return back


@require_POST
@login_required
def recalculate(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Ask for the client's scores to be made again and show how far that is."""
    user, client, now = _opened(request, client_id)
    if client.archived_at is not None:
        raise Http404
    run = request_job(REFRESH, {"client_id": str(client.pk)}, requested_by_id=user.pk, now=now)
    _note(user, client, "client.refresh", now)
    if getattr(request, "htmx", None):
        return render(request, "dashboard/client_refresh.html", {"refresh": _state(run, client, now)})
    return redirect(f"{reverse('console_client', args=[client.pk])}?refresh={run.pk}")


@require_GET
@login_required
def recalculate_state(request: HttpRequest, client_id: UUID, run_id: UUID) -> HttpResponse:
    """Return how far the asked-for scores are; when they are done the page is loaded again."""
    _, client, now = _opened(request, client_id)
    run = _run_of(client, run_id)
    if run is None:
        raise Http404
    response = render(request, "dashboard/client_refresh.html", {"refresh": _state(run, client, now)})
    if run.state == JobState.DONE:
        response["HX-Refresh"] = "true"
    return response


def _opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, Client, datetime]:
    need(OPERATIONS)
    user = cast(StaffUser, request.user)
    return user, client_or_404(user, client_id), timezone.now()


def _activity(
    client: Client, user: StaffUser, show: str, address: Address, last: date, now: datetime
) -> dict[str, Any]:
    """Return the bars of 30 days with logins, cases and campaigns: those of the usage tab."""
    period = Period(CUSTOM, last - timedelta(days=USAGE_DAYS - 1), last)
    usage = usage_of(client, period, user=user, now=now, cache=caches["memory"])
    activity = activity_card(usage, show)
    choices = [
        Choice(one.label, address.with_(show=one.key) + "#activity", one == activity.chosen) for one in activity.series
    ]
    return {"activity": activity, "activity_choices": choices, "empty": usage.empty}


def _history(days: Sequence[ScoredClient], card: Scorecard, *, first: date, last: date) -> dict[str, Any]:
    """Return the drawing of the past scores, the same in words and as rows, newest first."""
    scores = {one.row.date: one.score for one in days if one.row}
    bands = [Band(LIGHTS[b.word].label, int(b.minimum), LIGHTS[b.word].status) for b in card.bands if b.word in LIGHTS]
    known = any(score is not None for score in scores.values())
    rows = [
        PastScore(
            one.row.date.isoformat(), day(one.row.date, last), "N/A" if one.score is None else str(one.score),
            signed(one.row.trend_change), LIGHTS[one.light].label,
        )
        for one in reversed(days)
        if one.row
    ]  # fmt: skip
    return {
        "chart": draw(first=first, last=last, scores=scores, median={}, bands=bands, events=[]) if known else None,
        "sentence": in_words(first=first, last=last, scores=scores, median={}, cohort=""),
        "rows": rows,
    }


def _feature_address(client: Client) -> Any:
    return lambda key: reverse("client_adoption_feature", args=[client.pk, key])


def _take_undo(request: HttpRequest, client: Client) -> str:
    """Return the alert level before the reader's last change of this client, once."""
    kept = request.session.get(UNDO) or {}
    if kept.get("client") != str(client.pk):
        return ""
    del request.session[UNDO]
    return str(kept["level"])


def _refresh(request: HttpRequest, client: Client, now: datetime) -> Refresh:
    run = None
    with suppress(ValueError):
        run = _run_of(client, UUID(request.GET.get("refresh", "")))
    return _state(run, client, now) if run else Refresh(_action(client))


def _state(run: JobRun, client: Client, now: datetime) -> Refresh:
    """Return the state of a run in words, with the addresses of the console."""
    state = refresh_of(run, client, now)
    href = reverse("console_refresh_state", args=[client.pk, run.pk]) if state.href else ""
    return Refresh(_action(client), state.state, state.text, state.percent, href)


def _action(client: Client) -> str:
    return reverse("console_refresh", args=[client.pk]) if client.archived_at is None else ""


def _run_of(client: Client, run_id: UUID) -> JobRun | None:
    run = JobRun.objects.filter(pk=run_id, name=REFRESH).first()
    return run if run and run.arguments.get("client_id") == str(client.pk) else None


def _note(user: StaffUser, client: Client, action: str, now: datetime) -> None:
    audit.record(
        actor=user, action=action, object_type="client", object_id=client.pk, client_id=client.pk,
        detail={"console": True}, now=now,
    )  # fmt: skip
