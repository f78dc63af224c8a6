"""The expansion list: which clients could grow, why, and what to propose."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.analytics import reading
from bellwether.analytics.churn_answers import csm_name
from bellwether.analytics.expansion_reading import Opening, Openings, openings
from bellwether.analytics.reading import Scope
from bellwether.churn.expansion import BROAD, GROWTH, LABELS, NEEDS, Signal
from bellwether.common.time import day_of
from bellwether.dashboard.churn_page import book_of, choices, head_values
from bellwether.dashboard.churn_query import Asked, read_asked
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.records_export import Sheet, export_response
from bellwether.health.room_to_grow import SEATS_FULL
from bellwether.portfolio.choices import ContractTier
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, Status, days_short, full_day, percent, plural, short_money, status_of

LIST = "expansion-list"
TIERS = dict(ContractTier.choices)
PICKS = ("tier", "industry", "csm_id", "renewal_within")
COLUMNS = (
    "organization_id", "client", "contract_tier", "csm", "annual_recurring_revenue", "health_score", "churn_category",
    "next_renewal_date", "strength", "signals", "reasons", "propose",
)  # fmt: skip
RULES = (
    f"Seats nearly full: {percent(SEATS_FULL)} of them used in 30 days. More daily users: the 30-day average is "
    f"{percent(GROWTH - 1)} or more above the 90-day average. Everything in use: every licensed module in 30 days. "
    f"Broad adoption ({percent(BROAD)}), promoters and high health add strength. In the order of strength × ARR."
)


@dataclass(frozen=True)
class Row:
    """A client that could grow, ready to be placed; `filled` of five dots show its strength."""

    id: str
    href: str
    name: str
    sub: str
    arr: str
    score: int | None
    status: Status
    signals: tuple[Signal, ...]
    propose: str
    strength: int
    renewal: str
    renewal_title: str
    csm: str


@require_GET
@login_required
def expansion(request: HttpRequest) -> HttpResponse:
    """Show the expansion list; for a swap of the list only the list."""
    user = cast(StaffUser, request.user)
    asked, sign = _asked(request)
    book = book_of(user)
    found = _openings(user)
    ranked = found.ranked(asked.query, sign=sign)
    pages = max(1, -(-len(ranked) // asked.query.limit))
    page = min(asked.query.page, pages)
    first = (page - 1) * asked.query.limit
    shown = ranked[first : first + asked.query.limit]
    offered = choices(user, asked)
    values: dict[str, Any] = {
        "expansion": True,
        "asked": asked,
        "sign": sign,
        "signs": [(one.value, LABELS[one]) for one in NEEDS],
        "picks": [pick for pick in offered["picks"] if pick[0] in PICKS],
        "filtered": bool(asked.given or sign),
        "rows": [_row(one, book.today) for one in shown],
        "text": plural(len(ranked), "client")
        if pages == 1
        else f"{first + 1:,} to {first + len(shown):,} of {plural(len(ranked), 'client')}",
        "arr": short_money(sum(one.facts.arr or 0 for one in ranked)),
        "total": len(ranked),
        "held": [(one.row["name"], _href(one), one.trouble) for one in found.held_back(asked.query)],
        "signal": {"signal": sign or None},
        "previous": asked.link(page=page - 1, signal=sign) if page > 1 else "",
        "next": asked.link(page=page + 1, signal=sign) if page < pages else "",
        "exports": [
            (kind, asked.link(reverse("churn_expansion_export", args=[kind]), signal=sign)) for kind in ("csv", "xlsx")
        ],
        "rules": RULES,
        "anything": bool(found.found) or book.predicted_on is not None,
    }
    values |= head_values(request, user, book)
    detail = {"count": len(shown), "total": len(ranked), "filters": asked.given | ({"signal": sign} if sign else {})}
    audit.record(actor=user, action="expansion.list", object_type="client", detail=detail, now=timezone.now())
    swap = target_of(request) == LIST
    return answer(request, f"dashboard/churn_expansion{'_list' if swap else ''}.html", values)


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the list that the filters let through, all pages, as CSV or XLSX."""
    user, now = cast(StaffUser, request.user), timezone.now()
    asked, sign = _asked(request)
    found = _openings(user)
    rows = [_cells(one) for one in found.ranked(asked.query, sign=sign)]
    response = export_response(f"expansion-{found.today.isoformat()}", kind, [Sheet("expansion", COLUMNS, rows)])
    detail = {"count": len(rows), "filters": asked.given, "format": kind}
    audit.record(actor=user, action="expansion.export", object_type="client", detail=detail, now=now)
    return response


def _asked(request: HttpRequest) -> tuple[Asked, str]:
    values: dict[str, str] = request.GET.dict()  # type: ignore[assignment]
    for other in ("category", "sort"):
        values.pop(other, None)
    sign = values.get("signal", "")
    known = {one.value for one in NEEDS}
    return read_asked(values, reverse("churn_expansion")), sign if sign in known else ""


def _openings(user: StaffUser) -> Openings:
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    return openings(Scope(user), today=today, since=reading.last_change(user))


def _href(one: Opening) -> str:
    return reverse("client", args=[UUID(hex=one.row["key"])])


def _row(one: Opening, today: date) -> Row:
    row = one.row
    renewal = row["renewal"]
    return Row(
        id=str(UUID(hex=row["key"])),
        href=_href(one),
        name=row["name"],
        sub=str(TIERS.get(row["tier"], row["tier"])),
        arr=short_money(row["arr"]),
        score=row["score"],
        status=status_of(row["status"]),
        signals=one.growth.signals,
        propose=one.growth.propose,
        strength=round(100 * one.growth.strength),
        renewal=days_short((renewal - today).days) if renewal else DASH,
        renewal_title=full_day(renewal) if renewal else "No renewal date",
        csm=csm_name(row),
    )


def _cells(one: Opening) -> list[Any]:
    row = one.row
    return [
        row["organization_id"], row["name"], row["tier"], csm_name(row), row["arr"], row["score"], row["category"],
        row["renewal"], round(one.growth.strength, 3), ", ".join(signal.label for signal in one.growth.signals),
        "; ".join(signal.reason for signal in one.growth.signals), one.growth.propose,
    ]  # fmt: skip
