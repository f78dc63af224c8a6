"""The renewals of the reader's clients as a calendar, as a list, and as a calendar file."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_choices import values_of
from bellwether.dashboard.portfolio_query import TIER_LABELS
from bellwether.dashboard.renewals_view import (
    WEEKDAYS,
    Renewal,
    agenda,
    grid,
    grid_bounds,
    month_title,
    month_word,
    months_ahead,
    shifted,
    year_after,
)
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import MONTHS, plural, short_money, status_of

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
SHOWN = ("month", "list")
FIELDS = (
    "name", "next_renewal_date", "current_health_score", "health_status", "annual_recurring_revenue", "auto_renew",
    "csm_user__first_name", "csm_user__last_name",
)  # fmt: skip


@require_GET
@login_required
def renewals(request: HttpRequest) -> HttpResponse:
    """Show the renewals of a month (`month=2026-12`, this one by default), of a CSM or tier where one is asked for."""
    user, now = cast(StaffUser, request.user), timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    first, given = _asked(request, today)
    clients = _clients(user, given)
    low, high = grid_bounds(first)
    shown = _renewals(clients.filter(next_renewal_date__gte=low, next_renewal_date__lte=high))
    of_month = [one for one in shown if month_word(one.on) == month_word(first)]
    sums = _sums(clients, today)
    values = values_of(user)

    def link(**changes: str) -> str:
        words = {"month": month_word(first), **given} | changes
        return "?" + urlencode({name: text for name, text in words.items() if text})

    arr = sum((one.arr or Decimal(0) for one in of_month), Decimal(0))
    context: dict[str, Any] = {
        "first": first,
        "title": month_title(first),
        "weeks": grid(first, shown, today),
        "weekdays": WEEKDAYS,
        "agenda": agenda(of_month),
        "count": len(of_month),
        "summary": f"{plural(len(of_month), 'renewal')}, {short_money(arr)} ARR",
        "months": months_ahead(today.replace(day=1), sums, first),
        "link": link,
        "previous": link(month=month_word(shifted(first, -1))),
        "next": link(month=month_word(shifted(first, 1))),
        "this_month": link(month=month_word(today)),
        "is_this_month": month_word(first) == month_word(today),
        "show": given.get("show", "month"),
        "given": given,
        "csms": sorted(values.csms.items(), key=lambda pair: pair[1].casefold()),
        "tiers": [(tier, label) for tier, label in TIER_LABELS.items() if tier in values.tiers],
        "portfolio_link": f"{reverse('portfolio')}?{urlencode(_list_words(first, given))}",
        "ics": reverse("renewals_ics") + "?" + urlencode({k: v for k, v in given.items() if k != "show"}),
        "month_names": MONTHS,
        "today": today,
    }
    detail = {"filters": given | {"month": month_word(first)}, "count": len(of_month)}
    audit.record(actor=user, action="client.list", object_type="client", detail=detail, now=now)
    return render(request, "dashboard/renewals.html", context)


@require_GET
@login_required
def calendar(request: HttpRequest) -> HttpResponse:
    """Return the renewals of the next twelve months as a calendar file of whole days."""
    user, now = cast(StaffUser, request.user), timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    _, given = _asked(request, today)
    last = year_after(today.replace(day=1))
    found = _renewals(_clients(user, given).filter(next_renewal_date__gte=today, next_renewal_date__lte=last))
    detail = {"filters": given, "count": len(found), "format": "ics"}
    audit.record(actor=user, action="client.export", object_type="client", detail=detail, now=now)
    response = HttpResponse(_file(found, now), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="renewals-{today.isoformat()}.ics"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _asked(request: HttpRequest, today: date) -> tuple[date, dict[str, str]]:
    """Return the first day of the month and the filters in the address; what cannot be used is left out."""
    match = MONTH.fullmatch(request.GET.get("month", ""))
    first = today.replace(day=1)
    if match and 1900 < int(match[1]) < 2200:
        first = date(int(match[1]), int(match[2]), 1)
    given = {}
    if request.GET.get("tier") in TIER_LABELS:
        given["tier"] = request.GET["tier"]
    try:
        given["csm_id"] = str(UUID(request.GET.get("csm_id", "")))
    except ValueError:
        given.pop("csm_id", None)
    if request.GET.get("show") in SHOWN[1:]:
        given["show"] = request.GET["show"]
    return first, given


def _clients(user: StaffUser, given: dict[str, str]) -> QuerySet[Client]:
    found: QuerySet[Client] = Client.objects.visible_to(user).active()
    if "tier" in given:
        found = found.filter(contract_tier=given["tier"])
    if "csm_id" in given:
        found = found.filter(csm_user_id=UUID(given["csm_id"]))
    return found


def _renewals(clients: QuerySet[Client]) -> list[Renewal]:
    rows = clients.order_by("next_renewal_date", "name", "id").only(*FIELDS).select_related("csm_user")
    return [
        Renewal(
            id=str(client.pk),
            href=reverse("client", args=[client.pk]),
            name=client.name,
            on=client.next_renewal_date,
            score=client.current_health_score,
            status=status_of(client.health_status),
            arr=client.annual_recurring_revenue,
            csm=client.csm_user.name if client.csm_user else "",
            auto=bool(client.auto_renew),
        )
        for client in rows
        if client.next_renewal_date
    ]


def _sums(clients: QuerySet[Client], today: date) -> dict[str, tuple[int, Decimal]]:
    start = today.replace(day=1)
    ahead = clients.filter(next_renewal_date__gte=start, next_renewal_date__lte=year_after(start))
    by_month = (
        ahead.order_by()
        .annotate(month=TruncMonth("next_renewal_date"))
        .values_list("month")
        .annotate(count=Count("pk"), arr=Sum("annual_recurring_revenue"))
    )
    return {month_word(month): (count, arr or Decimal(0)) for month, count, arr in by_month}


def _list_words(first: date, given: dict[str, str]) -> dict[str, str]:
    words = {"renewal_month": month_word(first), "view": "all", "sort": "renewal"}
    return words | {name: text for name, text in given.items() if name != "show"}


def _file(found: list[Renewal], now: datetime) -> bytes:
    from icalendar import Calendar, Event  # only where a file is asked for

    book = Calendar()
    book.add("prodid", "-//Bellwether//Renewals//EN")
    book.add("version", "2.0")
    book.add("x-wr-calname", "Renewals")
    for renewal in found:
        event = Event()
        event.add("uid", f"renewal-{renewal.id}@bellwether")
        event.add("dtstamp", now)
        event.add("dtstart", renewal.on)
        event.add("dtend", renewal.on + timedelta(days=1))
        event.add("summary", f"Renewal: {renewal.name}, {renewal.money}")
        health = (
            "no health score" if renewal.score is None else f"health {renewal.score}, {renewal.status.label.lower()}"
        )
        event.add(
            "description", f"CSM {renewal.csm or 'nobody'}; {health}{'; renews by itself' if renewal.auto else ''}."
        )
        event.add("url", f"{settings.BELLWETHER_BASE_URL}{renewal.href}")
        event.add("transp", "TRANSPARENT")
        book.add_component(event)
    text: bytes = book.to_ical()
    return text
