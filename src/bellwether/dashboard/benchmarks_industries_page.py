"""Industries beside each other: health, adoption and churn, how the health went, and the best of each."""

import csv
import io
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.benchmarks.industries import Industry, best_in_class, health_trend, industries
from bellwether.benchmarks.metrics import BY_KEY
from bellwether.benchmarks.night import newest_night, sight_of
from bellwether.benchmarks.percentiles import AT_LEAST
from bellwether.common.spreadsheets import safe
from bellwether.dashboard.benchmarks_trend import trend_of
from bellwether.dashboard.benchmarks_view import text_of
from bellwether.dashboard.client_access import answer
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day, percent

METRICS = ("health", "adoption", "usage_intensity")
COLUMNS = (
    "industry", "clients", "health_average", "health_median", "adoption_median", "usage_intensity_median",
    "churn_rate_12_months", "churn_clients", "hidden",
)  # fmt: skip


@dataclass(frozen=True)
class IndustryRow:
    """An industry as text. `medians` are those of METRICS."""

    name: str
    clients: int
    average: str
    medians: list[str]
    churn: str
    churn_of: str
    hidden: str
    href: str
    current: bool


@require_GET
@login_required
def industries_page(request: HttpRequest) -> HttpResponse:
    """Show the industries of all clients, or with `of=own` of the reader's; `industry` is the one shown in full."""
    user, now = cast(StaffUser, request.user), timezone.now()
    own = request.GET.get("of") == "own"
    night = newest_night()
    sight = sight_of(user, night)
    found = industries(night, sight, now=now, own=own)
    shown = [one for one in found if one.name and one.spreads["health"]]
    wanted = request.GET.get("industry", "")
    chosen = next((one for one in shown if one.name == wanted), shown[0] if shown else None)
    trend, best = None, None
    names: list[str] = []
    if chosen and not own:
        points = health_trend(["", chosen.name])
        whole = points[""] if found[0].spreads["health"] else []
        trend = trend_of(chosen.name, points[chosen.name], whole)
        best, names = best_in_class(night, sight, chosen.name)
    audit.record(actor=user, action="benchmark.industries", detail={"own": own, "count": len(found)}, now=now)
    rows = [_row(one, own=own, current=chosen is one) for one in found]
    return answer(
        request,
        "dashboard/benchmarks_industries.html",
        {
            "tab": "industries",
            "day": full_day(night.day) if night.day else "",
            "own": own,
            "everything": rows[0] if rows else None,
            "rows": rows[1:],
            "chosen": chosen,
            "trend": trend,
            "best": None if best is None else text_of(BY_KEY["health"], best),
            "names": names,
            "sees_all": sight.sees_all,
            "least": AT_LEAST,
            "export": f"{reverse('benchmarks_industries_export')}{'?of=own' if own else ''}",
        },
    )


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the table of industries as CSV; what may not be shown is empty."""
    user, now = cast(StaffUser, request.user), timezone.now()
    own = request.GET.get("of") == "own"
    night = newest_night()
    found = industries(night, sight_of(user, night), now=now, own=own)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for one in found:
        health, adoption, usage = (one.spreads[name] for name in METRICS)
        writer.writerow([
            safe(one.name or "All"), one.clients,
            *(None if value is None else round(value, 4) for value in (
                health.mean if health else None, health.median if health else None,
                adoption.median if adoption else None, usage.median if usage else None,
                one.churn.rate if one.churn else None,
            )),
            one.churn.clients if one.churn else None, one.hidden,
        ])  # fmt: skip
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="industries.csv"'
    response["Cache-Control"] = "private, no-store"
    audit.record(actor=user, action="benchmark.industries.export", detail={"count": len(found)}, now=now)
    return response


def _row(one: Industry, *, own: bool, current: bool) -> IndustryRow:
    health = one.spreads["health"]
    query = {"industry": one.name} | ({"of": "own"} if own else {})
    return IndustryRow(
        name=one.name or "All industries",
        clients=one.clients,
        average=text_of(BY_KEY["health"], health.mean if health else None),
        medians=[text_of(BY_KEY[key], spread.median if (spread := one.spreads[key]) else None) for key in METRICS],
        churn=percent(one.churn.rate, 1) if one.churn else "–",
        churn_of=f"{one.churn.left} of {one.churn.clients}" if one.churn else "",
        hidden=one.hidden,
        href=f"{reverse('benchmarks_industries')}?{urlencode(query)}" if one.name and health and not own else "",
        current=current and not own,
    )
