"""The page of one client: shown, narrowed by htmx, its contacts revealed, its score asked for anew."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_POST

import bellwether.health.jobs  # noqa: F401 (declares the job that a reader may ask for)
from bellwether.common.jobs import JOBS, request_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.attention import ANCHORS
from bellwether.dashboard.client_access import answer, client_or_404, list_address
from bellwether.dashboard.client_agenda import client_agenda
from bellwether.dashboard.client_alerts import alerts_card
from bellwether.dashboard.client_cards import CONTACTS_SHOWN, contact_card
from bellwether.dashboard.client_churn import churn_card
from bellwether.dashboard.client_explained import asked_days
from bellwether.dashboard.client_milestones import milestones_card
from bellwether.dashboard.client_overview import ClientPage, View, client_page
from bellwether.dashboard.client_playbooks import playbooks_card
from bellwether.dashboard.client_timeline import FILTERS, SHOWN, STEPS
from bellwether.dashboard.client_trend_reading import read_trend_view, trend_query
from bellwether.dashboard.portfolio_base import asked_by
from bellwether.health.configs import active_config, main_scorecard
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import moment

REFRESH = "health_refresh"
PAGE = "dashboard/client.html"
FRAGMENTS = {
    "trend": "dashboard/client_trend.html",
    "moved": "dashboard/client_trend_day.html",
    "explained": "dashboard/client_explained.html",
    "timeline": "dashboard/client_timeline.html",
    "contacts": "dashboard/client_contacts.html",
}


@dataclass(frozen=True)
class Refresh:
    """How far the asked-for score is: `state` is "" (not asked), queued, running, done or failed.

    `action` is where a score can be asked for, empty where it cannot; `href` says how far it is.
    """

    action: str
    state: str = ""
    text: str = ""
    percent: int | None = None
    href: str = ""


@require_GET
@login_required
def client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the client; for a swap of one card, only that card. Clients that the reader may not see do not exist."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    shown = client_or_404(user, client_id)
    prefetch_related_objects([shown], "milestones")  # for the timeline and their own card
    page = _page(request, shown, user, now)
    target = request.htmx.target if getattr(request, "htmx", None) else None  # type: ignore[attr-defined]
    template = FRAGMENTS.get(target or "", PAGE)
    response = _answer(request, template, page, _refresh(request, shown, now), shown, now)
    audit.record(
        actor=user, action="client.read", object_type="client", object_id=client_id, client_id=client_id, now=now
    )
    return response


@require_POST
@login_required
def reveal_contacts(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show e-mail and phone of the contacts on the page in clear. Who did so, and for whom, is written down first."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    shown = client_or_404(user, client_id)
    everyone = request.POST.get("contacts") == "all"
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    contacts = read.contacts(shown)
    card = contact_card(contacts, today=day_of(now, zone), zone=zone, everyone=everyone)
    ids = [item.contact_id for item in card.items]
    audit.record(
        actor=user,
        action="contact.reveal",
        object_type="contact",
        object_id=ids[0] if len(ids) == 1 else "",
        client_id=client_id,
        detail={"contacts": [str(contact_id) for contact_id in ids], "count": len(ids)},
        now=now,
    )
    template = FRAGMENTS["contacts"] if getattr(request, "htmx", None) else PAGE
    page = _page(request, shown, user, now, revealed=frozenset(ids), everyone=everyone)
    response = _answer(request, template, page, Refresh(refresh_action(shown)), shown, now)
    patch_cache_control(response, no_store=True)
    return response


@require_POST
@login_required
def refresh_score(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Ask for the client's score to be made anew and show how far that is."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    shown = client_or_404(user, client_id)
    if not refresh_action(shown):
        raise Http404
    run = request_job(REFRESH, {"client_id": str(shown.pk)}, requested_by_id=user.pk, now=now)
    audit.record(
        actor=user, action="client.refresh", object_type="client", object_id=client_id, client_id=client_id, now=now
    )
    if getattr(request, "htmx", None):
        return render(request, "dashboard/client_refresh.html", {"refresh": refresh_of(run, shown, now)})
    return redirect(f"{reverse('client', args=[client_id])}?refresh={run.pk}")


@require_GET
@login_required
def refresh_state(request: HttpRequest, client_id: UUID, run_id: UUID) -> HttpResponse:
    """Return how far the asked-for score is; when it is done the page is loaded again."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    shown = client_or_404(user, client_id)
    run = _run_of(shown.pk, run_id)
    if run is None:
        raise Http404
    response = render(request, "dashboard/client_refresh.html", {"refresh": refresh_of(run, shown, now)})
    if run.state == JobState.DONE:
        response["HX-Refresh"] = "true"
    return response


def refresh_action(client: Client) -> str:
    """Return the address that asks for a new score; empty for clients that have left and where no job makes one."""
    able = REFRESH in JOBS and client.archived_at is None
    return reverse("client_refresh", args=[client.pk]) if able else ""


def refresh_of(run: JobRun, client: Client, now: datetime) -> Refresh:
    """Return the state of a run in words."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    action = refresh_action(client)
    href = reverse("client_refresh_state", args=[client.pk, run.pk])
    if run.state == JobState.QUEUED:
        return Refresh(action, run.state, "Waiting for a worker", None, href)
    if run.state == JobState.RUNNING:
        share = round(100 * run.progress_done / run.progress_total) if run.progress_total else None
        return Refresh(action, run.state, run.stage or "Making the score", share, href)
    if run.state == JobState.DONE:
        return Refresh(action, run.state, f"Score made anew, {moment(run.finished_at, now, zone)}.")
    return Refresh(action, run.state, f"The score could not be made: {run.error or 'no reason was left'}. Try again.")


def _page(
    request: HttpRequest,
    shown: Client,
    user: StaffUser,
    now: datetime,
    *,
    revealed: frozenset[UUID] = frozenset(),
    everyone: bool = False,
) -> ClientPage:
    view = read_view(request.GET, today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), everyone=everyone)
    listed = list_address(request)
    address = Address(
        reverse("client", args=[shown.pk]),
        {
            **trend_query(view.trend),
            "show": view.show,
            "timeline": "" if view.entries == SHOWN else str(view.entries),
            "contacts": "all" if view.all_contacts else "",
            "explain": view.explain.day_text,
            "since": view.explain.since_text,
            "from": listed,
        },
    )
    return client_page(
        shown,
        user=user,
        config=active_config(main_scorecard(), now=now),
        view=view,
        query=asked_by(user, QueryDict(listed)).query,  # type: ignore[arg-type]
        address=address,
        now=now,
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
        revealed=revealed,
    )


def read_view(values: QueryDict, *, today: date, everyone: bool = False) -> View:
    """Return what the address asks for; what cannot be used is left out."""
    entries = values.get("timeline", "")
    shows = {group.value for _, group in FILTERS if group}
    return View(
        trend=read_trend_view(values, today=today),
        explain=asked_days(values.get("explain", ""), values.get("since", "")),
        show=values.get("show", "") if values.get("show", "") in shows else "",
        entries=int(entries) if entries in {str(step) for step in STEPS} else SHOWN,
        all_contacts=everyone or values.get("contacts") == "all",
    )


def _refresh(request: HttpRequest, shown: Client, now: datetime) -> Refresh:
    """Return the state of the run that the address names, if it is one of this client."""
    run = None
    with suppress(ValueError):
        run = _run_of(shown.pk, UUID(request.GET.get("refresh", "")))
    return refresh_of(run, shown, now) if run else Refresh(refresh_action(shown))


def _run_of(client_id: UUID, run_id: UUID) -> JobRun | None:
    run = JobRun.objects.filter(pk=run_id, name=REFRESH).first()
    return run if run and run.arguments.get("client_id") == str(client_id) else None


def _answer(
    request: HttpRequest, template: str, page: ClientPage, refresh: Refresh, shown: Client, now: datetime
) -> HttpResponse:
    values: dict[str, object] = {
        "page": page,
        "head": page.head,
        "refresh": refresh,
        "contacts_shown": CONTACTS_SHOWN,
        "anchors": ANCHORS,
    }
    if template == PAGE:
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        values["milestones"] = milestones_card(shown, today)
        values["churn"] = churn_card(shown, page.measures, today=today)
        values["alerts"] = alerts_card(shown, cast(StaffUser, request.user), now=now)
        values["agenda"] = client_agenda(shown, cast(StaffUser, request.user), now=now)
        values["playbooks"] = playbooks_card(shown, cast(StaffUser, request.user), now=now)
    return answer(request, template, values)
