"""How contracts ended: retention by quarter, why clients left, and each outcome of clients that the reader sees."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.client_contract_view import OUTCOME_STATUS, Figure
from bellwether.dashboard.records_export import export_response, outcome_sheet
from bellwether.portfolio.choices import OutcomeKind, OutcomeReason
from bellwether.portfolio.models import ClientOutcome
from bellwether.portfolio.reason_codes import label_of, said
from bellwether.portfolio.retention_figures import End, Quarter, Reason, quarters, reasons, total
from bellwether.portfolio.terms import years_later
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, full_day, money, percent, plural, short_money

PAGE = 50
MOST_REASONS = 10


@dataclass(frozen=True)
class Asked:
    """Which outcomes are listed: of one kind, for one reason code, of one quarter (year, quarter), which page."""

    kind: str
    reason: str
    quarter: tuple[int, int] | None
    page: int
    address: Address


@require_GET
@login_required
def outcomes(request: HttpRequest) -> HttpResponse:
    """Show how contracts ended."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    asked = _asked(request)
    own = ClientOutcome.objects.visible_to(user)
    fields = ("outcome", "date", "reason", "arr_before", "arr_after", "reason_code")
    ends = [End(*row) for row in own.filter(date__lte=today).order_by("date").values_list(*fields)]
    year = [one for one in ends if one.day > years_later(today, -1)]
    found = _narrowed(own, asked)
    count = found.count()
    pages = max(1, -(-count // PAGE))
    page = min(asked.page, pages)
    rows = list(found.select_related("client", "client__csm_user").order_by("-date", "-created_at", "pk")[
        (page - 1) * PAGE : page * PAGE
    ])  # fmt: skip
    audit.record(
        actor=user, action="outcome.list", object_type="clientoutcome", detail={"count": len(rows), "total": count},
        now=now,
    )  # fmt: skip
    query = request.GET.urlencode()
    address = reverse("outcomes_export", args=["csv"]).removesuffix("csv")
    values = {
        "figures": _figures(total(year, "12 months")),
        "quarters": [(one, _quarter_link(one, asked)) for one in quarters(ends, today=today)],
        "reasons": [(one, _reason_link(one, asked)) for one in reasons(year)[:MOST_REASONS]],
        "reason": label_of(asked.reason),
        "all_reasons": asked.address.with_(reason=None, page=None),
        "rows": [_row(one, today) for one in rows],
        "kinds": [
            (text, asked.address.with_(kind=word or None, page=None), word == asked.kind)
            for word, text in (("", "All"), *OutcomeKind.choices)
        ],
        "quarter": f"Q{asked.quarter[1]} {asked.quarter[0]}" if asked.quarter else "",
        "all_quarters": asked.address.with_(quarter=None, page=None),
        "text": plural(count, "outcome")
        if pages == 1
        else f"{(page - 1) * PAGE + 1:,} to {(page - 1) * PAGE + len(rows):,} of {plural(count, 'outcome')}",
        "previous": asked.address.with_(page=page - 1 if page > 2 else None) if page > 1 else "",
        "next": asked.address.with_(page=page + 1) if page < pages else "",
        "exports": [(kind.upper(), address + kind + (f"?{query}" if query else "")) for kind in ("csv", "xlsx")],
        "any": bool(ends) or count > 0,
        "percent": percent,
        "short_money": short_money,
    }
    return answer(request, "dashboard/outcomes.html", values)


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the outcomes that the filters let through as CSV or XLSX."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    rows = list(
        _narrowed(ClientOutcome.objects.visible_to(user), _asked(request)).select_related("client").order_by("-date")
    )
    audit.record(actor=user, action="outcome.export", object_type="clientoutcome", detail={"count": len(rows)}, now=now)
    day = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    return export_response(f"outcomes-{day}", kind, [outcome_sheet((one.client, one) for one in rows)])


def _asked(request: HttpRequest) -> Asked:
    kind, page = request.GET.get("kind", ""), request.GET.get("page", "")
    kind = kind if kind in OutcomeKind.values else ""
    reason = request.GET.get("reason", "")
    reason = reason if reason in OutcomeReason.values else ""
    year, _, quarter = request.GET.get("quarter", "").partition("-")
    known = year.isascii() and year.isdigit() and len(year) == 4 and quarter in ("1", "2", "3", "4") and int(year) > 0
    written = f"{year}-{quarter}" if known else ""
    return Asked(
        kind=kind,
        reason=reason,
        quarter=(int(year), int(quarter)) if known else None,
        page=int(page) if page.isascii() and page.isdigit() and int(page[:6]) > 0 else 1,
        address=Address(reverse("outcomes"), {"kind": kind, "reason": reason, "quarter": written}),
    )


def _narrowed(own: QuerySet[Any], asked: Asked) -> QuerySet[Any]:
    found: QuerySet[Any] = own.filter(outcome=asked.kind) if asked.kind else own
    found = found.filter(reason_code=asked.reason) if asked.reason else found
    if asked.quarter is None:
        return found
    year, quarter = asked.quarter
    months = (3 * quarter - 2, 3 * quarter)
    narrowed: QuerySet[Any] = found.filter(date__year=year, date__month__range=months)
    return narrowed


def _quarter_link(one: Quarter, asked: Asked) -> str:
    quarter, _, year = one.label.removeprefix("Q").partition(" ")
    return asked.address.with_(quarter=f"{year}-{quarter}", page=None)


def _reason_link(one: Reason, asked: Asked) -> str:
    """Return the address of the outcomes with this code, empty for words without one, which no filter knows."""
    return asked.address.with_(reason=one.code, page=None) if one.code else ""


def _figures(year: Quarter) -> list[Figure]:
    nothing = "No term with a known ARR ended in 12 months."
    known = f"of {short_money(year.arr_before)} that ended, {plural(year.with_arr, 'term')}"
    return [
        Figure("Terms ended", f"{year.ended:,}", "in 12 months"),
        Figure(
            "Clients kept",
            percent(year.clients_kept, 1) if year.clients_kept is not None else None,
            f"{year.churned:,} left, {year.downgraded:,} took less" if year.ended else "",
            reason="No term ended in 12 months.",
        ),
        Figure(
            "Gross retention",
            percent(year.gross, 1) if year.gross is not None else None,
            known if year.with_arr else "",
            reason=nothing,
        ),
        Figure(
            "Net retention",
            percent(year.net, 1) if year.net is not None else None,
            "increases counted" if year.with_arr else "",
            reason=nothing,
        ),
        Figure(
            "ARR lost",
            short_money(year.lost) if year.with_arr else None,
            "by churn and downgrades" if year.with_arr else "",
            reason=nothing,
        ),
    ]


def _row(one: ClientOutcome, today: date) -> dict[str, Any]:
    return {
        "client": one.client.name,
        "href": reverse("client_contract", args=[one.client_id]),
        "csm": one.client.csm_user.name if one.client.csm_user else DASH,
        "on": full_day(one.date),
        "ahead": one.date > today,
        "kind": one.get_outcome_display(),
        "status": OUTCOME_STATUS[one.outcome],
        "reason": said(one.reason_code, one.reason) or DASH,
        "notes": one.notes.strip(),
        "before": money(one.arr_before),
        "after": money(one.arr_after),
        "archived": one.client.archived_at is not None,
    }
