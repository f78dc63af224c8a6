"""Runs the rollup's expressions over the parts of some days: DuckDB inside this process, with bounded memory."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import ibis
import polars as pl
from ibis.expr.types import Table

from bellwether.usage import rollup
from bellwether.usage.calendar import utc_offsets
from bellwether.usage.facts import KINDS
from bellwether.usage.lake import Lake

BATCH_BYTES = 48 * 2**20
"""Compressed bytes of events counted at once: about a million events, or years of a small workspace."""

MEMORY_LIMIT = "1GB"
"""What the engine may take before it spills to disk."""


Facts = dict[str, pl.DataFrame]
"""Frames of facts by kind."""


@dataclass(frozen=True)
class Batch:
    """Days to be counted together, ascending, and the parts that hold their events."""

    days: list[date]
    paths: list[Path]


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
        parts = parts_of(lake, day)
        bytes_of_day = sum(size for _, size in parts)
        if batch.days and size + bytes_of_day > BATCH_BYTES:
            yield batch
            batch, size = Batch([], []), 0
        batch.days.append(day)
        batch.paths.extend(path for path, _ in parts)
        size += bytes_of_day
    if batch.days:
        yield batch


def parts_of(lake: Lake, day: date) -> list[tuple[Path, int]]:
    """Return the parts of the events of `day` with their sizes in bytes, ordered by name."""
    try:
        with os.scandir(lake.events_of(day)) as entries:
            parts = [
                (Path(e.path), e.stat().st_size)
                for e in entries
                if e.name.endswith(".parquet") and not e.name.startswith(".")
            ]
    except FileNotFoundError:
        return []
    return sorted(parts)


class Engine:
    """An Ibis connection to DuckDB in this process; a context manager that closes it."""

    def __init__(self, lake: Lake) -> None:
        self._spill = lake.root / ".spill"

    def __enter__(self) -> Self:
        self.connection = ibis.duckdb.connect(
            memory_limit=MEMORY_LIMIT, temp_directory=str(self._spill), preserve_insertion_order=False
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.disconnect()

    def read(self, paths: list[Path]) -> Table:
        """Return the rows of the Parquet files `paths` as a table, with the column of their hive folder."""
        return self.connection.read_parquet([str(path) for path in paths], hive_partitioning=True)

    def keep(self, name: str, expression: Table) -> Table:
        """Compute `expression` now and return it as the table `name`, replacing an earlier one."""
        # Ibis's own dropping of tables writes no name with the sqlglot that goes with it here.
        self.connection.raw_sql(f'DROP TABLE IF EXISTS "{name}"')
        return self.connection.create_table(name, expression, temp=True)

    def count(self, batch: Batch, *, zone: ZoneInfo, labels: Mapping[str, str]) -> Counted:
        """Return the facts of the batch's days; `zone` gives the local hours."""
        if not batch.paths:
            return Counted({kind: pl.DataFrame(schema=KINDS[kind]) for kind in _COUNTED})
        raw = self.read(batch.paths)
        repeats = self.keep("repeats", rollup.repeated(raw))
        copies = 0
        rows = int(raw.count().to_pyarrow().as_py())
        if int(repeats.count().to_pyarrow().as_py()):
            raw = self.keep("distinct_events", rollup.without_repeats(raw, repeats))
            copies = rows - int(raw.count().to_pyarrow().as_py())
        events = rollup.prepare(raw, offsets=utc_offsets(batch.days[0], batch.days[-1], zone), labels=labels)
        slots = self.keep("slots", rollup.slots(events))
        kinds = self.keep("kinds", rollup.kinds(events))
        facts = {
            "user_days": _frame("user_days", rollup.user_days(slots, kinds)),
            "event_days": _frame("event_days", rollup.event_days(kinds)),
            "client_hours": _frame("client_hours", rollup.client_hours(slots)),
        }
        assigned = int(facts["client_hours"]["events"].sum())
        return Counted(facts, events=rows, repeats=copies, unassigned=rows - copies - assigned)


_COUNTED = ("user_days", "event_days", "client_hours")


def _frame(kind: str, expression: Table) -> pl.DataFrame:
    """Compute `expression` as facts of `kind`: columns ending in _us become instants, columns it lacks become null."""
    frame: pl.DataFrame = expression.to_polars()
    instants = {name: f"{name.removesuffix('_us')}_ts" for name in frame.columns if name.endswith("_us")}
    instants.pop("fragment_us", None)
    frame = frame.rename(instants)
    return frame.select(
        [
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in KINDS[kind].items()
        ]
    )
