"""The usage tab of a client: shown, narrowed by htmx, kept fresh while it is open, and as CSV."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, head_of, list_address, target_of
from bellwether.dashboard.client_people import people_card
from bellwether.dashboard.client_usage import UsagePage, usage_page
from bellwether.dashboard.client_usage_export import usage_csv
from bellwether.health.usage_reading import Usage, facts_version, last_day_of, usage_of
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.client_user_days import ClientUserDays
from bellwether.usage.periods import DEFAULT_RANGE, RANGES, Period, custom_period, period_of
from bellwether.usage.workspace import workspace_lake

FIGURES = "usage"
OWN = ("range", "start", "end", "compare", "show")
FIELDS = ("start", "end")
NOTED_AGAIN_SECONDS = 900
"""A page that stays open refreshes itself; that is written down once in this time, not each time."""


@dataclass(frozen=True)
class Asked:
    """What the reader chose: the range, what is wrong with its dates, and the address with all choices."""

    period: Period
    problems: dict[str, str]
    query: dict[str, str]


@require_GET
@login_required
def usage(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the usage of a client that the reader may see; for a swap of the figures, only these."""
    user, now, shown, asked = _opened(request, client_id)
    user_days = ClientUserDays(workspace_lake(), shown.organization_id)
    found = _read(shown, asked, user, now, user_days)
    page = _page(request, shown, asked, found, now)
    _note(user, shown, "client.usage", asked, now)
    if target_of(request) == FIGURES:
        return answer(request, "dashboard/client_usage_figures.html", {"page": page, "client_id": shown.pk})
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    values = {
        "head": head_of(request, shown, user=user, tab="client_usage", now=now),
        "page": page,
        "client_id": shown.pk,
        "people": people_card(
            shown,
            user=user,
            values=request.GET,
            today=day_of(now, zone),
            now=now,
            zone=zone,
            address=_address("client_usage", shown, asked),
            user_days=user_days,
        ),
    }
    return answer(request, "dashboard/client_usage.html", values)


@require_GET
@login_required
def live(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Return the figures if they differ from the `version` that the reader has, else 204 without content.

    While no fact of any client changes (`facts`), nothing is read at all.
    """
    user, now, shown, asked = _opened(request, client_id)
    if request.GET.get("facts") == facts_version(workspace_lake(), asked.period):
        return _nothing_new()
    found = _read(shown, asked, user, now)
    if request.GET.get("version") == found.version:
        return _nothing_new()
    if caches["memory"].add(f"usage-live:{user.pk}:{shown.pk}", True, NOTED_AGAIN_SECONDS):
        _note(user, shown, "client.usage_live", asked, now)
    page = _page(request, shown, asked, found, now)
    return answer(request, "dashboard/client_usage_figures.html", {"page": page, "client_id": shown.pk})


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Return the daily usage of the range as a CSV file. Dates that cannot be used answer 400 with the reason."""
    user, now, shown, asked = _opened(request, client_id)
    if asked.problems:
        return HttpResponse(" ".join(asked.problems.values()), status=400, content_type="text/plain; charset=utf-8")
    found = _read(shown, asked, user, now)
    _note(user, shown, "client.usage_export", asked, now)
    response = HttpResponse(usage_csv(shown.organization_id, found), content_type="text/csv; charset=utf-8")
    name = f"usage-{shown.pk}-{found.period.first}-{found.period.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _nothing_new() -> HttpResponse:
    response = HttpResponse(status=204)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, datetime, Client, Asked]:
    user = cast(StaffUser, request.user)
    now = timezone.now()
    shown = client_or_404(user, client_id)
    return user, now, shown, _asked(request, shown, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE))


def _asked(request: HttpRequest, client: Client, today: date) -> Asked:
    """Return what the address asks for. A range that is none is the usual one; dates that are none are told."""
    given = {name: request.GET.get(name, "").strip()[:40] for name in OWN}
    people: dict[str, str] = {
        name: value for name, value in request.GET.dict().items() if name.startswith("people") and name != "people_undo"
    }
    query: dict[str, str] = {**people, **given, "from": list_address(request)}
    name = given["range"] if given["range"] in RANGES else DEFAULT_RANGE
    period = period_of(name, last=last_day_of(client, today))
    if not given["start"] and not given["end"]:
        return Asked(period, {}, query)
    chosen, problems = custom_period(given["start"], given["end"], today=today, fields=FIELDS)
    return Asked(chosen or period, problems, query)


def _read(
    client: Client, asked: Asked, user: StaffUser, now: datetime, user_days: ClientUserDays | None = None
) -> Usage:
    return usage_of(
        client,
        asked.period,
        user=user,
        now=now,
        cache=caches["memory"],
        user_days=user_days,
    )


def _address(name: str, client: Client, asked: Asked) -> Address:
    return Address(reverse(name, args=[client.pk]), asked.query)


def _page(request: HttpRequest, client: Client, asked: Asked, found: Usage, now: datetime) -> UsagePage:
    return usage_page(
        found,
        address=_address("client_usage", client, asked),
        export=_address("client_usage_export", client, asked),
        live=_address("client_usage_live", client, asked),
        compare=asked.query["compare"],
        show=asked.query["show"],
        problems=asked.problems,
        now=now,
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
    )


def _note(user: StaffUser, client: Client, action: str, asked: Asked, now: datetime) -> None:
    audit.record(
        actor=user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"from": asked.period.first, "to": asked.period.last},
        now=now,
    )
