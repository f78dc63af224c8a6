"""The executive summary as CSV and Excel: the same figures as the page, as numbers."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.analytics.book import BANDS
from bellwether.analytics.executive import Executive, executive_view, replace_by
from bellwether.analytics.figures import Level
from bellwether.analytics.renewals import BELOW_60
from bellwether.analytics.scorecard import RATES, Sight, rates_of
from bellwether.analytics.values import LABELS, value_name
from bellwether.common.spreadsheets import safe
from bellwether.dashboard.executive_page import read_view, sight_of
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day

Cell = str | int | float | None
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Sheet:
    """A table with its name and heading row."""

    name: str
    head: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the summary of the address as a file of `kind`, csv or xlsx."""
    if kind not in TYPES:
        raise Http404
    user: StaffUser = request.user  # type: ignore[assignment]
    now = timezone.now()
    view, address, space = read_view(user, request.GET.dict(), now)  # type: ignore[arg-type]
    parts = {by: executive_view(user, replace_by(view.asked, by), space) for by in LABELS}
    sheets = sheets_of(view, parts, sight_of(user, view, address, space))
    content = as_csv(sheets).encode() if kind == "csv" else as_xlsx(sheets)
    response = HttpResponse(content, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="executive-summary-{view.asked.period.last}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    audit.record(actor=user, action="executive.export", detail={"filters": address.given, "kind": kind}, now=now)
    return response


def sheets_of(view: Executive, parts: dict[str, Executive], sight: Sight | None) -> list[Sheet]:
    """Return the tables of the summary; `parts` is the view by each dimension."""
    found = [_summary(view), _breakdown(parts), _bins(view), _trend(view), _renewals(view), _rates(view), _moves(view)]
    found += [_quarters(view)] if view.churn else []
    return [*found, _csms(sight, view)] if sight else found


def _summary(view: Executive) -> Sheet:
    now, before, kept, earlier = view.now, view.before, view.retention, view.retention_before
    known = view.retention_known
    pairs: list[tuple[str, Cell, Cell]] = [
        ("Clients", now.clients, before.clients if before else None),
        ("Clients scored", now.scored, before.scored if before else None),
        ("ARR", now.arr, before.arr if before else None),
        ("Average health", now.average, before.average if before else None),
        ("Clients at risk", now.at_risk, before.at_risk if view.scored_before and before else None),
        ("ARR at risk", now.arr_at_risk, before.arr_at_risk if view.scored_before and before else None),
        ("Share of ARR at risk", now.risk_share, before.risk_share if view.scored_before and before else None),
        ("Gross retention, 12 months", kept.gross if known else None, earlier.gross if known else None),
        ("Net retention, 12 months", kept.net if known else None, earlier.net if known else None),
        ("Churned clients, 12 months", kept.churn if known else None, earlier.churn if known else None),
        *_forecast(view),
    ]
    period = view.asked.period
    return Sheet("Summary", ("Figure", full_day(period.last), full_day(period.before)), [*pairs])


def _forecast(view: Executive) -> list[tuple[str, Cell, Cell]]:
    """Return the churn forecast from today on; the figure is empty where too little is known for one."""
    if view.churn is None:
        return []
    loss = view.churn.loss
    shown = not view.churn.outlook.is_band
    return [
        ("Churn forecast, 90 days, ARR", loss.arr.mean if shown else None, None),
        ("Churn forecast, 90 days, ARR, low end of 80% interval", loss.arr.low, None),
        ("Churn forecast, 90 days, ARR, high end", loss.arr.high, None),
        ("Churn forecast, 90 days, clients", loss.clients.mean if shown else None, None),
    ]


def _quarters(view: Executive) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (one.name, one.clients, one.arr, one.known,
         one.loss.arr.mean if one.loss and not one.is_band else None,
         one.loss.arr.low if one.loss else None, one.loss.arr.high if one.loss else None)
        for one in (view.churn.quarters if view.churn else [])
    ]  # fmt: skip
    head = ("Quarter", "Clients", "ARR due", "ARR foretold", "Expected loss", "Low", "High")
    return Sheet("Renewal forecast", head, rows)


def _level(level: Level) -> tuple[Cell, ...]:
    counts = tuple(level.by_status[status] for status in (*BANDS, None))
    return (level.clients, level.average, *counts, level.arr, level.arr_at_risk, level.risk_share)


def _breakdown(parts: dict[str, Executive]) -> Sheet:
    head = ("By", "Value", "Clients", "Average health", "Healthy", "Monitor", "At risk", "Critical", "Not scored",
            "ARR", "ARR at risk", "Share at risk", "Average health before")  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (LABELS[by], safe(value_name(by, group.value, view.names)), *_level(group.now),
         group.before.average if group.before else None)
        for by, view in parts.items()
        for group in view.groups
    ]  # fmt: skip
    return Sheet("Breakdown", head, rows)


def _bins(view: Executive) -> Sheet:
    before = view.bins_before
    rows: list[tuple[Cell, ...]] = [
        (place * 5, count, before[place] if before else None) for place, count in enumerate(view.bins)
    ]
    return Sheet("Scores", ("From score", "Clients", "Clients before"), rows)


def _trend(view: Executive) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (one.day.isoformat(), one.clients, one.p25, one.median, one.p75) for one in view.trend
    ]
    return Sheet("Trend", ("Day", "Clients", "P25", "Median", "P75"), rows)


def _renewals(view: Executive) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (one.name, one.clients, one.arr, one.arr_at_risk, one.expected, one.low, one.high, one.unknown)
        for one in view.months
    ]
    head = ("Month", "Clients", "ARR due", "At risk", "Expected", "Low", "High", "Without expectation")
    return Sheet("Renewals", head, rows)


def _rates(view: Executive) -> Sheet:
    names = {"HEALTHY": "Healthy", "MONITOR": "Monitor", BELOW_60: "At risk or critical"}
    rows: list[tuple[Cell, ...]] = []
    for group, cases in view.ended.items():
        rate = view.rates.get(group)
        found = (rate.share, rate.low, rate.high) if rate else (None, None, None)
        rows.append((names[group], *found, cases))
    return Sheet("Renewal rates", ("Status 90 days before", "Renewed", "Low", "High", "Terms"), rows)


def _moves(view: Executive) -> Sheet:
    moves = view.moves
    rows: list[tuple[Cell, ...]] = [
        (title, one.clients, one.arr)
        for title, one in (("Joined", moves.joined), ("Left", moves.left), ("Fell to at risk", moves.fell),
                           ("Recovered", moves.rose))
    ]  # fmt: skip
    rows += [("Grown", None, moves.grown), ("Shrunk", None, moves.shrunk)]
    return Sheet("Movements", ("Kind", "Clients", "ARR"), rows)


def _csms(sight: Sight, view: Executive) -> Sheet:
    head = ("CSM", "Clients", "ARR", "Gross retention", "Clients kept", "NPS", "Health change", "Activities per client",
            "Workload", "Calls", "Meetings", "QBRs", "All activities", "Overdue follow-ups")  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for row in sight.named:
        rates = rates_of(row, view.asked.period.days)
        counts = [row.activities.get(kind, 0) for kind in ("CALL", "MEETING", "QBR")]
        rows.append((safe(row.name), row.now.clients, row.now.arr, *(rates[name] for name in RATES), *counts,
                     row.activity_volume, row.overdue))  # fmt: skip
    nothing = (None,) * 5
    rows += [(one.label, None, None, None, None, one.nps, one.health_change, one.per_client, one.workload, *nothing)
             for one in sight.others]  # fmt: skip
    return Sheet("CSMs", head, rows)


def as_csv(sheets: Sequence[Sheet]) -> str:
    """Return the tables one below the other, each under its name; numbers are exact, shares between 0 and 1."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for place, sheet in enumerate(sheets):
        if place:
            writer.writerow([])
        writer.writerow([sheet.name])
        writer.writerow(sheet.head)
        writer.writerows([[_plain(cell) for cell in row] for row in sheet.rows])
    return buffer.getvalue()


def _plain(cell: Cell) -> Cell:
    return round(cell, 6) if isinstance(cell, float) else cell


def as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """Return the tables as an Excel file with a sheet each; text stays text, whatever it begins with."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.write_row(0, 0, sheet.head, bold)
            page.freeze_panes(1, 0)
            page.set_column(0, len(sheet.head) - 1, 16)
            for place, row in enumerate(sheet.rows, start=1):
                page.write_row(place, 0, [_plain(cell) for cell in row])
    return buffer.getvalue()
