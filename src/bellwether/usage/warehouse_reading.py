"""Asks a warehouse's table what it holds by day, and for tallies of days, counted there by the rollup's expressions.

What comes back has one row for a user's half hour, a user's kind of event or a user's role. The users' ids are made
pseudonyms batch by batch, before anything is put down.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import polars as pl
from ibis.expr.types import Table

from bellwether.common.time import end_of, start_of
from bellwether.usage import rollup
from bellwether.usage.calendar import EPOCH, OffsetSpan, microseconds, utc_offsets
from bellwether.usage.engines import json_text
from bellwether.usage.pseudonyms import pseudonyms
from bellwether.usage.tallies import TALLIES
from bellwether.usage.warehouse_connection import batches
from bellwether.usage.warehouse_mapping import TableMapping, as_events, near, on_days

ROWS_AT_ONCE = 100_000
MODULUS = 1_000_003
DAY = timedelta(days=1)
EARLIEST = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class WarehouseTable:
    """A table of events that is counted where it is. `zone` is the workspace's; `labels` as for the rollup."""

    connection: Any
    table: Table
    mapping: TableMapping
    source: str
    zone: ZoneInfo
    labels: Mapping[str, str]
    pseudonym_key: bytes
    service_pattern: str

    def bounds(self, today: date) -> tuple[date, date] | None:
        """Return the first and the last day that have events, none before 1970 or after `today`; None without any."""
        events = self._events(self.table, EARLIEST, today)
        end = microseconds(end_of(today, self.zone))
        counted = events.filter((events.us >= 0) & (events.us < end)).agg(first=ibis._.us.min(), last=ibis._.us.max())
        ((first, last),) = self._frame(counted).select("first", "last").rows()
        if first is None:
            return None
        return tuple(self._day(us) for us in (first, last))  # type: ignore[return-value]

    def look(self, first: date, last: date) -> pl.DataFrame:
        """Return for each day from `first` to `last` that has events: date, events (how many) and its fingerprint.

        The fingerprint is made of the number of rows, the latest time of receipt (or of events), and a sum over the
        times; it stays the same when other columns of a row are rewritten and its time of receipt is not.
        """
        events = self._on_days(first, last)
        received = ibis.coalesce(events.received_at, events.us)
        days = events.group_by("date").agg(
            events=events.count(), latest=received.max(), times=(events.us % MODULUS).sum().cast("int64")
        )
        told = pl.format("{}-{}-{}", "events", "latest", "times")
        return self._frame(days).select(_dates(), pl.col("events").cast(pl.Int64), fingerprint=told).sort("date")

    def tallies(self, first: date, last: date) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield (kind, rows) of the tallies of the days from `first` to `last`, in frames of some 100,000 rows."""
        raw = self._on_days(first, last)
        if "message_id" in self.mapping.columns:
            raw = rollup.without_repeats(raw, rollup.repeated(raw))
        events = rollup.prepare(raw, offsets=self._offsets(first, last), labels={})
        counted = {"slots": rollup.slots(events), "kinds": rollup.kinds(events), "roles": rollup.told_roles(events)}
        for kind, expression in counted.items():
            for batch in batches(self.connection, expression, ROWS_AT_ONCE):
                if batch.num_rows:
                    yield kind, self._tally(kind, pl.DataFrame(batch))

    def unusable(self, today: date) -> tuple[int, int]:
        """Return how many rows have no time that can be read, or one before 1970, and how many lie after `today`."""
        events = self._events(self.table, EARLIEST, today)
        end = microseconds(end_of(today, self.zone))
        counted = events.agg(
            without=(events.us.isnull() | (events.us < 0)).sum(),
            later=(events.us >= end).sum(),
        )
        ((without, later),) = self._frame(counted).select("without", "later").rows()
        return int(without or 0), int(later or 0)

    def _tally(self, kind: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows as they are kept: pseudonyms for users, who are service users by the pattern of ids too."""
        search = re.compile(self.service_pattern).search
        users = rows["user_key"].cast(pl.String)
        service = [user for user in users.drop_nulls().unique() if search(user)]
        return rows.with_columns(
            pseudonyms(users, self.pseudonym_key).alias("user_key"),
            _dates(),
            is_service=pl.col("is_service") | users.is_in(service).fill_null(False),
        ).select([pl.col(name).cast(dtype) for name, dtype in TALLIES[kind].items()])

    def _events(self, table: Table, first: date, last: date) -> Table:
        return as_events(
            table,
            self.mapping,
            source=self.source,
            labels=self.labels,
            first=first - DAY,
            last=last + DAY,
            json_text=json_text(self.connection.name) or rollup.property_text,
        )

    def _on_days(self, first: date, last: date) -> Table:
        events = self._events(near(self.table, self.mapping, first, last), first, last)
        begin, end = microseconds(start_of(first, self.zone)), microseconds(end_of(last, self.zone))
        return on_days(events, self._offsets(first, last), from_us=begin, until_us=end)

    def _offsets(self, first: date, last: date) -> list[OffsetSpan]:
        return utc_offsets(first, last, self.zone)

    def _day(self, us: int) -> date:
        return (EPOCH + timedelta(microseconds=us)).astimezone(self.zone).date()

    def _frame(self, expression: Table) -> pl.DataFrame:
        return pl.DataFrame(self.connection.to_pyarrow(expression))


def _dates() -> pl.Expr:
    return pl.col("date").cast(pl.Int32).cast(pl.Date)
