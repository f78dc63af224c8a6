"""Records that features need beside those of measures, loaded once and cut to what was told by a day.

Who typed in what when: health.records.Told, whose rules these frames follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
from bellwether.health.records import of_clients
from bellwether.health.rows import Sources, read_frame
from bellwether.portfolio.choices import KEY_ROLES, TicketStatus
from bellwether.portfolio.models import Client, Contact, ContractPeriod, SupportTicket

TOLD_AT: Schema = {"told_at": INSTANT}
"""When somebody typed a record in; null for imported ones, which count from their own date."""
OWN: Schema = {"client_id": pl.String, "industry": pl.String, "own_arr": pl.Float64}
OPEN: Schema = {"client_id": pl.String, "opened_at": INSTANT, "solved_at": INSTANT} | TOLD_AT
TERMS: Schema = {
    "client_id": pl.String,
    "term_start": pl.Date,
    "term_end": pl.Date,
    "term_arr": pl.Float64,
} | TOLD_AT


@dataclass(frozen=True)
class ChurnRecords:
    """`clients` (OWN), key `contacts` (churn.people.CONTACTS), `tickets` that may be open (OPEN), `terms` (TERMS)."""

    zone: ZoneInfo
    clients: pl.DataFrame
    contacts: pl.DataFrame
    tickets: pl.DataFrame
    terms: pl.DataFrame

    def told_by(self, day: date) -> "ChurnRecords":
        """Return what had been told at the end of `day`."""
        told = pl.col("told_at").is_null() | (pl.col("told_at") < end_of(day, self.zone))
        return replace(
            self,
            contacts=self.contacts.filter(told),
            tickets=self.tickets.filter(told),
            terms=self.terms.filter(told, pl.col("term_start") <= day),
        )

    def open_tickets(self, day: date) -> pl.DataFrame:
        """Return TICKETS of the clients with tickets that were open at the end of `day`."""
        end = end_of(day, self.zone)
        there = (pl.col("opened_at") < end) & (pl.col("solved_at").is_null() | (pl.col("solved_at") >= end))
        counted = self.tickets.filter(there).group_by("client_id").agg(pl.len().cast(pl.Float64).alias("open_tickets"))
        return counted.with_columns(as_of=pl.lit(day, pl.Date)).select(list(TICKETS))

    def terms_on(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return `rows` (client_id, as_of) in their order with term_start, term_end and term_arr of the term of the
        day: the one that started last on or before it; null without one."""
        found = (
            rows.with_row_index("_row")
            .sort("as_of", "client_id")
            .join_asof(
                self.terms.sort("term_start"), left_on="as_of", right_on="term_start", by="client_id",
                strategy="backward", coalesce=False, check_sortedness=False,
            )
            .sort("_row")
        )  # fmt: skip
        return found.select("client_id", "as_of", "term_start", "term_end", "term_arr")


def load_churn_records(
    first: date, last: date, zone: ZoneInfo, *, client_ids: Iterable[str] | None = None
) -> ChurnRecords:
    """Return the records for features of any days from `first` to `last`, of all clients or those given; 4 queries."""
    ids = None if client_ids is None else sorted(client_ids)
    told = {"told_at": Case(When(external_id="", then=F("created_at")))}
    return ChurnRecords(
        zone=zone,
        clients=read_frame(
            of_clients(Client.objects.order_by(), ids, "pk"),
            OWN,
            {"client_id": "id", "own_arr": Cast("annual_recurring_revenue", FloatField())},
        ),
        contacts=_contacts(ids, zone, told),
        tickets=read_frame(of_clients(_maybe_open(first, last, zone), ids), OPEN, told),
        terms=read_frame(
            of_clients(ContractPeriod.objects.order_by(), ids),
            TERMS,
            {
                "term_start": "start_date",
                "term_end": "end_date",
                "term_arr": Cast("annual_recurring_revenue", FloatField()),
            }
            | told,
        ),
    )


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
