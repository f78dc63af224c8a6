"""The page of one CSM: for those who lead and for the CSM."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.analytics.alert_response import NO_ALERTS
from bellwether.analytics.csms import CsmView, csm_view
from bellwether.analytics.executive import workspace
from bellwether.analytics.periods import KINDS
from bellwether.analytics.scorecard import FEWEST_ANSWERS, rates_of
from bellwether.analytics.workload import FORMULA, HIGH
from bellwether.common.rounding import half_up
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.executive_charts import median_trend
from bellwether.dashboard.executive_query import read_address
from bellwether.portfolio.choices import ActivityType
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import MONTHS, Delta, change, full_day, number, percent, plural, short_money, signed

TYPES = dict(ActivityType.choices) | {
    "QBR": "QBR",
    "SUPPORT_ESCALATION": "Escalation",
    "EXECUTIVE_TOUCHPOINT": "Executive",
    "INTERNAL_DISCUSSION": "Internal",
}


@dataclass(frozen=True)
class Figure:
    """A figure of the CSM beside the middle of all CSMs ("" where that is not shown)."""

    label: str
    value: str | None
    note: str
    middle: str
    change: Delta | None = None
    reason: str = ""


@require_GET
@login_required
def csm(request: HttpRequest, csm_id: UUID) -> HttpResponse:
    """Show one CSM; for who may not see that one by name the page does not exist."""
    user, now = cast(StaffUser, request.user), timezone.now()
    address = read_address(request.GET.dict(), today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE))  # type: ignore[arg-type]
    view = csm_view(user, csm_id, address.asked, workspace(user, now))
    detail = {"filters": address.given}
    audit.record(actor=user, action="executive.csm", object_type="staffuser", object_id=csm_id, detail=detail, now=now)
    kinds = [kind for kind in TYPES if any(counts.get(kind) for _, counts in view.months)]
    values: dict[str, Any] = {
        "view": view,
        "address": address,
        "you": view.user == user,
        "subtitle": f"{view.asked.period.in_words}.",
        "periods": [(kind, label, kind == view.asked.period.kind) for kind, label in KINDS.items()],
        "figures": figures(view),
        "trend": median_trend(view.trend),
        "kinds": [TYPES[kind] for kind in kinds],
        "months": [
            (f"{MONTHS[first.month - 1]} {first.year}", [counts.get(kind, 0) for kind in kinds], sum(counts.values()))
            for first, counts in reversed(view.months)
        ],
        "lost": [
            (name, reverse("client", args=[UUID(hex=key)]), short_money(arr), full_day(on) if on else "")
            for name, key, arr, on in view.lost
        ],
        "workload_formula": FORMULA,
        "back": reverse("executive") + address.link() + "#csms",
        "clients_href": f"{reverse('portfolio')}?csm_id={view.user.pk}",
    }
    return answer(request, "dashboard/executive_csm.html", values)


def figures(view: CsmView) -> list[Figure]:
    """Return the figures of one CSM with those of the middle."""
    row, days = view.row, view.asked.period.days
    rates = rates_of(row, days)
    before = sum(view.activities_before.values())
    return [
        Figure("Clients", f"{row.now.clients:,}", short_money(row.now.arr) if row.now.with_arr else "no ARR", ""),
        Figure("Average health", None if row.now.average is None else str(half_up(row.now.average)),
               "same clients", _middle(view, "health_change", "change "),
               None if row.health_change is None else change(half_up(row.health_change), better="up"),
               "None of the clients has a score."),
        Figure("Gross retention", None if rates["gross"] is None else percent(rates["gross"], 1), "12 months",
               _middle(view, "gross"), None, "Fewer than 5 of the clients had an ARR twelve months ago."),
        Figure("Clients kept", None if rates["stayed"] is None else percent(rates["stayed"], 1),
               f"{row.retention.lost} of {row.retention.clients} lost", _middle(view, "stayed"), None,
               "Fewer than 5 of the clients had an ARR twelve months ago."),
        Figure("NPS", None if rates["nps"] is None else signed(half_up(rates["nps"])), f"{row.nps.answers} answers",
               _middle(view, "nps"), None, f"{row.nps.answers} answers in a year; {FEWEST_ANSWERS} are needed."),
        Figure("Activities", f"{row.activity_volume:,}", f"{number(rates['per_client'])} per client and 30 days",
               _middle(view, "per_client"), change(row.activity_volume - before)),
        Figure("Workload", percent(row.workload), "above 110%" if row.workload > HIGH else "of a full book",
               _middle(view, "workload")),
        Figure("Alert response", None if row.alerts is None or row.alerts.median_hours is None else
               f"{number(row.alerts.median_hours)} h",
               f"median of {plural(row.alerts.alerts, 'alert')}" if row.alerts else "", "", None, NO_ALERTS),
    ]  # fmt: skip


def _middle(view: CsmView, name: str, prefix: str = "") -> str:
    spread = view.spreads.get(name)
    if spread is None:
        return ""
    value = spread.median
    if name in {"gross", "stayed"}:
        return f"{prefix}{percent(value, 1)}"
    if name == "workload":
        return percent(value)
    return f"{prefix}{signed(half_up(value)) if name in {'nps', 'health_change'} else number(value)}"
