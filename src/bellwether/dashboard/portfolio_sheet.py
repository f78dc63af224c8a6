"""The list as a table of typed cells, and that as CSV or as an Excel workbook. No text is ever run as a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, prefetch_related_objects

from bellwether.common.spreadsheets import safe
from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_choices import measure_names
from bellwether.dashboard.portfolio_columns import net_promoter, next_follow_ups, open_tickets
from bellwether.health.models import MeasureValue
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.listing import OF_MEASURE
from bellwether.portfolio.models import Client
from bellwether.web.chances import risk_of
from bellwether.web.formatting import status_of

Cell = str | int | float | date | None
TIERS = dict(ContractTier.choices)
WIDTHS = {"text": 22, "number": 12, "money": 14, "date": 12, "share": 9}


@dataclass(frozen=True)
class Field:
    """One column of the file: heading, what its cells are (text, number, money, date, share) and what gives them."""

    label: str
    kind: str
    value: Callable[[Client], Cell]


@dataclass(frozen=True)
class Sheet:
    """Headings with their kinds, and rows of cells in the same order; missing values are None."""

    fields: tuple[Field, ...]
    rows: tuple[tuple[Cell, ...], ...]


def sheet_of(
    clients: QuerySet[Client] | Sequence[Client], keys: Iterable[str], *, today: date, now: datetime, zone: ZoneInfo
) -> Sheet:
    """Return the clients with organisation, name and the columns `keys`, a fixed number of queries for all of them."""
    found = list(clients)
    columns = list(keys)
    if "tags" in columns:
        prefetch_related_objects(found, "tags")
    ids = [client.pk for client in found]
    always = (
        Field("Organization id", "text", lambda client: client.organization_id),
        Field("Client", "text", lambda client: client.name),
    )
    read = [part for key in columns for part in _fields(key, ids, today, now, zone)]
    fields = (*always, *read)
    return Sheet(fields, tuple(tuple(part.value(client) for part in fields) for client in found))


def _fields(key: str, ids: Sequence[UUID], today: date, now: datetime, zone: ZoneInfo) -> list[Field]:
    def local(instant: datetime | None) -> date | None:
        return day_of(instant, zone) if instant else None

    plain: dict[str, list[Field]] = {
        "score": [
            Field("Health", "number", lambda client: client.current_health_score),
            Field("Status", "text", lambda client: status_of(client.health_status).label),
        ],
        "spark": [],
        "trend": [Field("Change of health", "number", lambda client: client.health_trend_change)],
        "churn": [
            Field("Churn risk %", "number", lambda client: None if client.churn_is_band else client.churn_risk_score),
            Field(
                "Churn category",
                "text",
                lambda client: risk_of(client.churn_category).label if client.churn_category else "",
            ),
        ],
        "arr": [Field("ARR", "money", lambda client: _money(client.annual_recurring_revenue))],
        "renewal": [Field("Renewal", "date", lambda client: client.next_renewal_date)],
        "last_contact": [Field("Last contact", "date", lambda client: local(client.last_csm_contact_at))],
        "csm": [Field("CSM", "text", lambda client: client.csm_user.name if client.csm_user else "")],
        "ae": [Field("Account executive", "text", lambda client: client.ae_user.name if client.ae_user else "")],
        "tags": [Field("Tags", "text", lambda client: ", ".join(tag.name for tag in client.tags.all()))],
        "segment": [Field("Segment", "text", lambda client: client.segment)],
        "tier": [Field("Tier", "text", lambda client: str(TIERS.get(client.contract_tier, client.contract_tier)))],
        "industry": [Field("Industry", "text", lambda client: client.industry)],
        "region": [Field("Region", "text", lambda client: client.region)],
        "last_activity": [Field("Last use", "date", lambda client: local(client.last_activity_at))],
        "coverage": [Field("Data behind the score", "share", lambda client: client.health_coverage)],
    }
    if key in plain:
        return plain[key]
    if key == "tickets":
        tickets = open_tickets(ids)
        return [Field("Open tickets", "number", lambda client: tickets.get(str(client.pk), 0))]
    if key == "nps":
        answers = net_promoter(ids, now)
        return [Field("NPS", "number", lambda client: answers.get(str(client.pk)))]
    if key == "follow_up":
        due = next_follow_ups(ids)
        return [Field("Next follow-up", "date", lambda client: due.get(str(client.pk)))]
    slug = key.removeprefix(OF_MEASURE)
    values = MeasureValue.objects.filter(measure__slug=slug, client__in=ids)
    pairs = values.values_list("client_id", "value")
    numbers = {str(pk): float(value) for pk, value in pairs if value is not None}
    return [Field(measure_names().get(slug, slug), "number", lambda client: numbers.get(str(client.pk)))]


def _money(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def sheet_csv(sheet: Sheet) -> str:
    """Return the table as CSV: dates in ISO form, text that would start a formula with an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([safe(field.label) for field in sheet.fields])
    writer.writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in sheet.rows)
    return buffer.getvalue()


def sheet_xlsx(sheet: Sheet) -> bytes:
    """Return the table as an Excel workbook: typed cells, the header frozen, a filter on every column.

    Text is written as text whatever it starts with; an apostrophe in front as in CSV keeps it so when saved as CSV.
    """
    import xlsxwriter  # only where a file is asked for

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    page = book.add_worksheet("Clients")
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    looks = {
        "money": book.add_format({"num_format": '"$"#,##0'}),
        "date": book.add_format({"num_format": "d mmm yyyy"}),
        "share": book.add_format({"num_format": "0%"}),
    }
    for place, field in enumerate(sheet.fields):
        page.write_string(0, place, safe(field.label), head)
        page.set_column(place, place, 30 if field.label == "Client" else WIDTHS[field.kind])
    for line, row in enumerate(sheet.rows, start=1):
        for place, (field, cell) in enumerate(zip(sheet.fields, row, strict=True)):
            if isinstance(cell, str):
                page.write_string(line, place, safe(cell))
            elif isinstance(cell, date):
                page.write_datetime(line, place, cell, looks["date"])
            elif cell is not None:
                page.write_number(line, place, cell, looks.get(field.kind))
    page.freeze_panes(1, 2)
    page.autofilter(0, 0, max(len(sheet.rows), 1), len(sheet.fields) - 1)
    book.close()
    return buffer.getvalue()
