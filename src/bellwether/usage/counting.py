"""Runs the rollup's expressions over the parts of some days: DuckDB inside this process, with bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import ibis
import polars as pl
import pyarrow as pa
from ibis.expr.types import Expr

from bellwether.usage import rollup
from bellwether.usage.calendar import OffsetSpan, utc_offsets
from bellwether.usage.facts import KINDS
from bellwether.usage.lake import EVENT_SCHEMA, Lake, LakePath

BATCH_BYTES = 48 * 2**20
"""Compressed bytes of events counted at once: about a million events, or years of a small workspace."""

MEMORY_LIMIT = "1GB"
"""What the engine may take before it spills to disk."""


Facts = dict[str, pl.DataFrame]
"""Frames of facts by kind."""


RAW = ibis.Schema.from_pyarrow(EVENT_SCHEMA.append(pa.field("date", pa.date32())))
"""Columns of the events as they are read: those of the parts, and the day of their folder."""


@dataclass(frozen=True)
class Batch:
    """Days to be counted together, ascending, and the parts that hold their events."""

    days: list[date]
    paths: list[LakePath]


@dataclass(frozen=True)
class Counted:
    """The facts of some days by kind (user_days without linked sessions, event_days, client_hours), and how many events
    were read, how many of those were copies, and how many belong to no client."""

    facts: Facts
    events: int = 0
    repeats: int = 0
    unassigned: int = 0

    def by_month(self) -> dict[str, Facts]:
        """Return the facts by month (YYYY-MM)."""
        parts: dict[str, Facts] = {}
        for kind, frame in self.facts.items():
            months = frame.group_by(pl.col("date").dt.strftime("%Y-%m").alias("month"))
            for (month,), rows in months:
                parts.setdefault(str(month), {})[kind] = rows.select(frame.columns)
        empty = {kind: frame.clear() for kind, frame in self.facts.items()}
        return {month: empty | facts for month, facts in sorted(parts.items())}


def batches(lake: Lake, days: list[date]) -> Iterator[Batch]:
    """Yield the ascending `days` in batches of about BATCH_BYTES, at least one day each."""
    batch, size = Batch([], []), 0
    for day in days:
        parts = lake.parts_of(day)
        bytes_of_day = sum(size for _, size in parts)
        if batch.days and size + bytes_of_day > BATCH_BYTES:
            yield batch
            batch, size = Batch([], []), 0
        batch.days.append(day)
        batch.paths.extend(path for path, _ in parts)
        size += bytes_of_day
    if batch.days:
        yield batch


class Engine:
    """DuckDB in this process, asked in the SQL that Ibis makes of the rollup's expressions; a context manager."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._spill = lake.folder / ".spill"

    def __enter__(self) -> Self:
        self.connection = ibis.duckdb.connect(
            memory_limit=MEMORY_LIMIT, temp_directory=str(self._spill), preserve_insertion_order=False
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.disconnect()

    def see(self, name: str, paths: Sequence[LakePath], *, first: date = date.min, last: date = date.max) -> None:
        """Make the rows of the Parquet files `paths`, with the column of their hive folder, known as `name`: all, or
        those whose date is from `first` to `last`."""
        self._forget(name)
        files = f"{name}_files"
        self.connection.read_parquet(
            [str(path) for path in self._lake.local(paths)], table_name=files, hive_partitioning=True
        )
        between = (
            "" if (first, last) == (date.min, date.max) else f" WHERE date BETWEEN DATE '{first}' AND DATE '{last}'"
        )
        self._run(f'CREATE OR REPLACE TEMPORARY VIEW "{name}" AS SELECT * FROM "{files}"{between}')

    def see_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Make the rows of `frame` known as `name`."""
        self._forget(name)
        self.connection.con.register(name, frame.to_arrow())

    def _forget(self, name: str) -> None:
        self._run(f'DROP VIEW IF EXISTS "{name}"')

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.raw_sql(sql).fetchall()
        return rows

    def keep(self, name: str, sql: str) -> int:
        """Compute the query `sql` now and keep it as the table `name`; returns how many rows it has."""
        self._run(f'CREATE OR REPLACE TEMPORARY TABLE "{name}" AS {sql}')
        return self.number(f'SELECT COUNT(*) FROM "{name}"')

    def number(self, sql: str) -> int:
        """Return the one number that the query `sql` gives."""
        return int(self._run(sql)[0][0])

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of the query `sql`."""
        return pl.DataFrame(self.connection.con.sql(sql).to_arrow_table())

    def count(self, batch: Batch, *, zone: ZoneInfo, labels: Mapping[str, str]) -> Counted:
        """Return the facts of the batch's days; `zone` gives the local hours."""
        if not batch.paths:
            return Counted({kind: pl.DataFrame(schema=KINDS[kind]) for kind in _COUNTED})
        self.see("raw", batch.paths)
        rows, copies, source = self.number("SELECT COUNT(*) FROM raw"), 0, "raw"
        once = deduplication_sql()
        if self.number(once["distinct_ids"]) < rows and self.keep("repeats", once["repeats"]):
            source = "distinct_events"
            copies = rows - self.keep(source, once[source])
        earliest, *changes = utc_offsets(batch.days[0], batch.days[-1], zone)
        # When the first offset began is of no interest; left out, all days without a change share their queries.
        offsets = (OffsetSpan(0, earliest.seconds), *changes)
        queries = day_sql(source, offsets, tuple(sorted(labels.items())))
        for name in ("slots", "kinds", "roles"):
            self.keep(name, queries[name])
        facts = {kind: _facts(kind, self.frame(queries[kind])) for kind in _COUNTED}
        assigned = int(facts["client_hours"]["events"].sum())
        return Counted(facts, events=rows, repeats=copies, unassigned=rows - copies - assigned)


@cache
def deduplication_sql() -> dict[str, str]:
    """Return the queries for how many ids in `raw` differ, for the messages that lie there more than once, and for its
    rows with each message once."""
    raw = ibis.table(RAW, name="raw")
    repeats = rollup.repeated(raw)
    kept = ibis.table(repeats.schema(), name="repeats")
    return {
        "distinct_ids": to_sql(rollup.distinct_ids(raw)),
        "repeats": to_sql(repeats),
        "distinct_events": to_sql(rollup.without_repeats(raw, kept)),
    }


@lru_cache(maxsize=64)
def day_sql(source: str, offsets: tuple[OffsetSpan, ...], labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the queries for the facts of single days over the events in the table `source`.

    Cached: making them of expressions takes longer than a small workspace's day takes to count.
    """
    events = rollup.prepare(ibis.table(RAW, name=source), offsets=offsets, labels=dict(labels))
    kept = {
        "slots": rollup.slots(events),
        "kinds": rollup.kinds(events),
        "roles": rollup.roles(rollup.told_roles(events)),
    }
    slots, kinds, roles = (ibis.table(expression.schema(), name=name) for name, expression in kept.items())
    facts = {
        "user_days": rollup.user_days(slots, kinds, roles),
        "event_days": rollup.event_days(kinds),
        "client_hours": rollup.client_hours(slots),
    }
    return {name: to_sql(expression) for name, expression in (kept | facts).items()}


def to_sql(expression: Expr) -> str:
    """Return `expression` in the engine's SQL."""
    return str(ibis.to_sql(expression, dialect="duckdb"))


_COUNTED = ("user_days", "event_days", "client_hours")


def _facts(kind: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as facts of `kind`: columns ending in _us become instants, columns it lacks become null."""
    instants = {name: f"{name.removesuffix('_us')}_ts" for name in frame.columns if name.endswith("_us")}
    instants.pop("fragment_us", None)
    frame = frame.rename(instants)
    return frame.select(
        [
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in KINDS[kind].items()
        ]
    )
