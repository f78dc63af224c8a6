"""The daily facts of custom measures: counted from raw events, stored beside the others, made again at any time.

Pure: which specs are wanted and which days are to be counted come in as arguments. Only one process at a time may
change the facts of a lake (usage.lake_locks).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby

import polars as pl

from bellwether.common.progress import Progress
from bellwether.usage.calendar import month_of
from bellwether.usage.counting import Batch, batches, deduplication_sql
from bellwether.usage.custom_specs import FactSpec, facts_sql
from bellwether.usage.engine_duckdb import DuckDBEngine as Engine
from bellwether.usage.facts import KINDS, read_month, store_month, stored_months
from bellwether.usage.lake import Lake

KEPT_IN = {"days": "custom_days", "users": "custom_users", "user_values": "custom_users"}
CUSTOM_KINDS = ("custom_days", "custom_users")

Frames = dict[str, pl.DataFrame]


def refresh_custom_facts(
    lake: Lake, days: Iterable[date], specs: Sequence[FactSpec], *, labels: Mapping[str, str], progress: Progress
) -> int:
    """Count the events of `days` anew for `specs` and store what comes of it; return how many files changed.

    Facts of other specs and days stay as they are. The same events always give the same files.
    """
    wanted = sorted(set(days))
    if not wanted or not specs:
        return 0
    progress.start(f"Counting {len(wanted):,} days for custom measures", len(wanted))
    files = 0
    with Engine(lake) as engine:
        for batch in batches(lake, wanted):
            counted = count_specs(engine, batch, specs, labels=labels)
            for month, days_of_month in groupby(batch.days, key=month_of):
                files += _store(lake, month, list(days_of_month), specs, counted)
            progress.advance(len(batch.days))
    return files


def count_days(lake: Lake, days: Iterable[date], specs: Sequence[FactSpec], *, labels: Mapping[str, str]) -> Frames:
    """Return the facts of `specs` on `days` by kind without storing them, as a preview needs them."""
    with Engine(lake) as engine:
        counted = [count_specs(engine, batch, specs, labels=labels) for batch in batches(lake, sorted(set(days)))]
    return {kind: pl.concat([_empty(kind), *(frames[kind] for frames in counted)]) for kind in CUSTOM_KINDS}


def count_specs(engine: Engine, batch: Batch, specs: Sequence[FactSpec], *, labels: Mapping[str, str]) -> Frames:
    """Return the facts of `specs` on the days of `batch` by kind."""
    parts: dict[str, list[pl.DataFrame]] = {kind: [_empty(kind)] for kind in CUSTOM_KINDS}
    if batch.paths and specs:
        engine.see("raw", batch.paths)
        source, once = "raw", deduplication_sql()
        if engine.number(once["distinct_ids"]) < engine.number("SELECT COUNT(*) FROM raw"):
            engine.keep("repeats", once["repeats"])
            source = "distinct_events"
            engine.keep(source, once[source])
        for spec in specs:
            kind = KEPT_IN[spec.keep]
            parts[kind].append(as_custom_facts(kind, engine.frame(facts_sql(spec, source, labels=labels))))
    return {kind: pl.concat(frames) for kind, frames in parts.items()}


def forget_custom_facts(lake: Lake, kept: Iterable[str], *, months: Iterable[str] | None = None) -> int:
    """Remove the facts of all specs but `kept` (digests) and return how many files changed."""
    digests = sorted(kept)
    files = 0
    for kind in CUSTOM_KINDS:
        for month in stored_months(lake, kind) if months is None else months:
            rows = read_month(lake, kind, month)
            files += store_month(lake, kind, month, rows.filter(pl.col("measure").is_in(digests)))
    return files


def _store(lake: Lake, month: str, days: list[date], specs: Sequence[FactSpec], counted: Frames) -> int:
    """Put what was counted in the place of the rows of these days of `month`; return how many files changed."""
    files = 0
    digests = [spec.digest for spec in specs]
    anew = pl.col("date").is_in(days) & pl.col("measure").is_in(digests)
    for kind in CUSTOM_KINDS:
        fresh = counted[kind].filter(pl.col("date").is_in(days))
        rows = pl.concat([read_month(lake, kind, month).filter(~anew), fresh])
        files += store_month(lake, kind, month, rows)
    return files


def _empty(kind: str) -> pl.DataFrame:
    return pl.DataFrame(schema=KINDS[kind])


def as_custom_facts(kind: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a query of `facts_sql` as facts of `kind`."""
    frame = frame.with_columns(pl.col("last_us").cast(pl.Datetime("us", "UTC")).alias("last_ts"))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in KINDS[kind].items())
