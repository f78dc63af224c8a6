"""Records that features need beside those of measures, loaded once and cut to what was told by a day.

Who typed in what when: health.records.Told, whose rules these frames follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.db.models import Case, F, FloatField, Q, QuerySet, When
from django.db.models.functions import Cast

from bellwether.churn.features import TICKETS
from bellwether.churn.people import CONTACTS
from bellwether.common.time import end_of, start_of
from bellwether.health.inputs import INSTANT, Schema
from bellwether.health.records import SIGNED_END, of_clients
from bellwether.health.rows import Sources, read_frame
from bellwether.portfolio.choices import KEY_ROLES, TicketStatus
from bellwether.portfolio.models import Client, Contact, ContractPeriod, SupportTicket

TOLD_AT: Schema = {"told_at": INSTANT}
"""When somebody typed a record in; null for imported ones, which count from their own date."""
OWN: Schema = {"client_id": pl.String, "industry": pl.String, "own_arr": pl.Float64, "began": pl.Date}
"""`began`: the day since which it is a client or known as one."""
OPEN: Schema = {"client_id": pl.String, "opened_at": INSTANT, "solved_at": INSTANT, **TOLD_AT}
TERMS: Schema = {
    "client_id": pl.String,
    "term_start": pl.Date,
    "term_end": pl.Date,
    "term_arr": pl.Float64,
    **TOLD_AT,
}


@dataclass(frozen=True)
class ChurnRecords:
    """`clients` (OWN), key `contacts` (churn.people.CONTACTS), `tickets` that may be open (OPEN), `terms` (TERMS)."""

    clients: pl.DataFrame
    contacts: pl.DataFrame
    tickets: pl.DataFrame
    terms: pl.DataFrame

    def contacts_on(self, rows: pl.DataFrame, *, as_known: bool) -> pl.DataFrame:
        """Return the contacts of the clients of `rows` (client_id, as_of, end) with their as_of."""
        return _told(self.contacts.join(rows, on="client_id", how="inner"), as_known=as_known)

    def open_tickets(self, rows: pl.DataFrame, *, as_known: bool) -> pl.DataFrame:
        """Return TICKETS of the clients and days of `rows` on which tickets were open at the end of the day."""
        there = _told(self.tickets.join(rows, on="client_id", how="inner"), as_known=as_known).filter(
            (pl.col("opened_at") < pl.col("end"))
            & (pl.col("solved_at").is_null() | (pl.col("solved_at") >= pl.col("end")))
        )
        counted = there.group_by("client_id", "as_of").agg(pl.len().cast(pl.Float64).alias("open_tickets"))
        return counted.select(list(TICKETS))

    def terms_on(self, rows: pl.DataFrame, *, as_known: bool) -> pl.DataFrame:
        """Return client_id and as_of of `rows`, in their order, with term_start, term_end and term_arr of the term of
        the day: the one that started last on or before it; null without one."""
        begun = _told(self.terms.join(rows, on="client_id", how="inner"), as_known=as_known)
        begun = begun.filter(pl.col("term_start") <= pl.col("as_of"))
        newest = begun.sort("term_start").unique(["client_id", "as_of"], keep="last")
        names = ("client_id", "as_of", "term_start", "term_end", "term_arr")
        return rows.select("client_id", "as_of").join(
            newest.select(names), on=["client_id", "as_of"], how="left", maintain_order="left"
        )


def _told(records: pl.DataFrame, *, as_known: bool) -> pl.DataFrame:
    """Return the records (with `end`) that had been told by the end of the day."""
    return records.filter(pl.col("told_at").is_null() | (pl.col("told_at") < pl.col("end"))) if as_known else records


def load_churn_records(
    first: date, last: date, zone: ZoneInfo, *, client_ids: Iterable[str] | None = None
) -> ChurnRecords:
    """Return the records for features of any days from `first` to `last`, of all clients or those given; 4 queries."""
    ids = None if client_ids is None else sorted(client_ids)
    told = {"told_at": Case(When(external_id="", then=F("created_at")))}
    return ChurnRecords(
        clients=_clients(ids, zone),
        contacts=_contacts(ids, zone, told),
        tickets=read_frame(of_clients(_maybe_open(first, last, zone), ids), OPEN, told),
        terms=read_frame(
            of_clients(ContractPeriod.objects.order_by(), ids),
            TERMS,
            {
                "term_start": "start_date",
                "term_end": SIGNED_END,
                "term_arr": Cast("annual_recurring_revenue", FloatField()),
                **told,
            },
        ),
    )


def _clients(ids: list[str] | None, zone: ZoneInfo) -> pl.DataFrame:
    read: Schema = {
        "client_id": pl.String,
        "industry": pl.String,
        "own_arr": pl.Float64,
        "contract_start_date": pl.Date,
        "created_at": INSTANT,
    }
    sources: Sources = {"client_id": "id", "own_arr": Cast("annual_recurring_revenue", FloatField())}
    rows = read_frame(of_clients(Client.objects.order_by(), ids, "pk"), read, sources)
    made = pl.col("created_at").dt.convert_time_zone(str(zone)).dt.date()
    return rows.with_columns(began=pl.min_horizontal("contract_start_date", made)).select(list(OWN))


def _contacts(ids: list[str] | None, zone: ZoneInfo, told: Sources) -> pl.DataFrame:
    """Return contacts in key roles, also those who were merged into another one since: until then they were there."""
    instants: Schema = {"left_on": INSTANT, "archived_on": INSTANT}
    sources: Sources = {"left_on": "left_company_at", "archived_on": "archived_at", **told}
    rows = read_frame(
        of_clients(Contact.objects.filter(role__in=KEY_ROLES).order_by(), ids), CONTACTS | instants | TOLD_AT, sources
    )
    return rows.with_columns(pl.col(*instants).dt.convert_time_zone(str(zone)).dt.date())


def _maybe_open(first: date, last: date, zone: ZoneInfo) -> QuerySet[Any]:
    """Return tickets that were open at some time of the span. What is solved since nobody knows when is left out."""
    done = (TicketStatus.SOLVED, TicketStatus.CLOSED)
    open_then = Q(solved_at__gte=start_of(first, zone)) | (Q(solved_at__isnull=True) & ~Q(status__in=done))
    return SupportTicket.objects.filter(open_then, opened_at__lt=end_of(last, zone)).order_by()
