"""Records as files: CSV of one table, XLSX with a sheet for each. Text that a spreadsheet would run is made safe."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.utils.cache import patch_cache_control

from bellwether.common.spreadsheets import safe
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod, SupportTicket, SurveyResponse
from bellwether.portfolio.surveys import asked_score

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = ("csv", "xlsx")


@dataclass(frozen=True)
class Sheet:
    """A table: a name, its headings and rows of values."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def export_response(name: str, kind: str, sheets: Sequence[Sheet]) -> HttpResponse:
    """Return the file. CSV holds the first sheet alone, or, where there are several, each under the name of its kind
    in a first column. Http404 for another `kind` than csv and xlsx."""
    if kind not in KINDS:
        raise Http404
    body: Any = csv_text(sheets) if kind == "csv" else xlsx_bytes(sheets)
    response = HttpResponse(body, content_type="text/csv; charset=utf-8" if kind == "csv" else XLSX)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:120]
    response["Content-Disposition"] = f'attachment; filename="{plain}.{kind}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def csv_text(sheets: Sequence[Sheet]) -> str:
    """Return the sheets as CSV with a header line; several of them share the columns of all, with `record` in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if len(sheets) == 1:
        writer.writerow(sheets[0].columns)
        writer.writerows([_csv(value) for value in row] for row in sheets[0].rows)
        return buffer.getvalue()
    columns = list(dict.fromkeys(column for sheet in sheets for column in sheet.columns))
    writer.writerow(["record", *columns])
    for sheet in sheets:
        for row in sheet.rows:
            values = dict(zip(sheet.columns, row, strict=True))
            writer.writerow([sheet.name, *(_csv(values.get(column)) for column in columns)])
    return buffer.getvalue()


def _csv(value: Any) -> Any:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return value


def xlsx_bytes(sheets: Sequence[Sheet]) -> bytes:
    """Return the sheets as a workbook: numbers and dates as such, text never as a formula."""
    import xlsxwriter  # only when somebody asks for a workbook

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name[:31])
        page.freeze_panes(1, 0)
        page.set_column(0, max(0, len(sheet.columns) - 1), 18)
        page.write_row(0, 0, sheet.columns, bold)
        for at, row in enumerate(sheet.rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    page.write_datetime(at, column, value.replace(tzinfo=None), moment)
                elif isinstance(value, date):
                    page.write_datetime(at, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
                elif isinstance(value, Decimal):
                    page.write_number(at, column, float(value))
                elif isinstance(value, str):
                    page.write_string(at, column, value)
                elif value is not None:
                    page.write(at, column, value)
    book.close()
    return buffer.getvalue()


def term_columns(
    client: Client, periods: Sequence[ContractPeriod], outcomes: Sequence[ClientOutcome]
) -> tuple[Sheet, Sheet]:
    """Return the terms and the outcomes of a client."""
    terms = Sheet(
        "terms",
        ("organization_id", "external_id", "start_date", "end_date", "annual_recurring_revenue", "contract_tier",
         "licensed_user_count", "licensed_modules", "auto_renew"),
        [
            (client.organization_id, one.external_id, one.start_date, one.end_date, one.annual_recurring_revenue,
             one.contract_tier, one.licensed_user_count, ";".join(map(str, one.licensed_modules)), one.auto_renew)
            for one in periods
        ],
    )  # fmt: skip
    return terms, outcome_sheet([(client, one) for one in outcomes])


OUTCOME_COLUMNS = ("organization_id", "client", "external_id", "outcome", "date", "reason_code", "reason", "notes",
                   "arr_before", "arr_after")  # fmt: skip


def outcome_sheet(rows: Iterable[tuple[Client, ClientOutcome]]) -> Sheet:
    """Return outcomes with their clients."""
    return Sheet(
        "outcomes",
        OUTCOME_COLUMNS,
        [
            (client.organization_id, client.name, one.external_id, one.outcome, one.date, one.reason_code,
             one.reason, one.notes, one.arr_before, one.arr_after)
            for client, one in rows
        ],
    )  # fmt: skip


def local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return an instant in `zone`, to be written with its offset."""
    return moment.astimezone(zone) if moment else None


TICKET_COLUMNS = ("organization_id", "client", "external_id", "subject", "priority", "status", "is_escalated",
                  "opened_at", "solved_at", "hours_to_solve", "first_response_minutes", "contact")  # fmt: skip


def ticket_sheet(tickets: Iterable[SupportTicket], zone: ZoneInfo) -> Sheet:
    """Return tickets with their clients; times in `zone`."""
    rows = []
    for one in tickets:
        hours = round((one.solved_at - one.opened_at).total_seconds() / 3600, 2) if one.solved_at else None
        rows.append(
            (one.client.organization_id, one.client.name, one.external_id, one.subject, one.priority, one.status,
             one.is_escalated, local(one.opened_at, zone), local(one.solved_at, zone), hours,
             one.first_response_minutes, one.contact.name if one.contact else "")
        )  # fmt: skip
    return Sheet("tickets", TICKET_COLUMNS, rows)


ANSWER_COLUMNS = ("organization_id", "client", "external_id", "kind", "score", "scale", "score_asked", "answered_at",
                  "contact", "respondent", "comment")  # fmt: skip


def answer_sheet(answers: Iterable[SurveyResponse], zone: ZoneInfo) -> Sheet:
    """Return answers with their clients: `score` as stored (CSAT 0-100), `score_asked` on `scale`."""
    return Sheet(
        "surveys",
        ANSWER_COLUMNS,
        [
            (one.client.organization_id, one.client.name, one.external_id, one.kind, one.score, one.scale,
             asked_score(one), local(one.answered_at, zone), one.contact.name if one.contact else "", one.respondent,
             one.comment)
            for one in answers
        ],
    )  # fmt: skip
