"""Runs the rollup's expressions over the parts of some days, batch by batch, with bounded memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import ibis
import polars as pl
import pyarrow as pa

from bellwether.usage import rollup
from bellwether.usage.calendar import OffsetSpan, utc_offsets
from bellwether.usage.engines import Engine, json_text, to_sql
from bellwether.usage.facts import KINDS
from bellwether.usage.lake import EVENT_SCHEMA, Lake, LakePath
from bellwether.usage.rollup import codes
from bellwether.usage.tallies import TALLIES, tallied_days, tallies_of

BATCH_BYTES = 48 * 2**20
"""Compressed bytes of events counted at once: about a million events, or years of a small workspace."""

Facts = dict[str, pl.DataFrame]
"""Frames of facts by kind."""


RAW = ibis.Schema.from_pyarrow(EVENT_SCHEMA.append(pa.field("date", pa.date32())))
"""Columns of the events as they are read: those of the parts, and the day of their folder."""


@dataclass(frozen=True)
class Batch:
    """Days to be counted together, ascending, the parts that hold their events, and by kind the tallies of what lies
    elsewhere (usage.tallies)."""

    days: list[date]
    paths: list[LakePath]
    tallies: dict[str, list[LakePath]] = field(default_factory=dict)


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
    elsewhere = tallied_days(lake)
    for day in days:
        parts = lake.parts_of(day)
        tallies = [tally for source in elsewhere.get(day, ()) for tally in tallies_of(lake, source, day)]
        bytes_of_day = sum(size for _, size in parts) + sum(size for _, _, size in tallies)
        if batch.days and size + bytes_of_day > BATCH_BYTES:
            yield batch
            batch, size = Batch([], []), 0
        batch.days.append(day)
        batch.paths.extend(path for path, _ in parts)
        for kind, path, _ in tallies:
            batch.tallies.setdefault(kind, []).append(path)
        size += bytes_of_day
    if batch.days:
        yield batch


def count(engine: Engine, batch: Batch, *, zone: ZoneInfo, labels: Mapping[str, str]) -> Counted:
    """Return the facts of the batch's days; `zone` gives the local hours."""
    if not batch.paths and not batch.tallies:
        return Counted({kind: pl.DataFrame(schema=KINDS[kind]) for kind in COUNTED})
    rows, copies, source = each_once(engine, batch)
    earliest, *changes = utc_offsets(batch.days[0], batch.days[-1], zone)
    # When the first offset began is of no interest; left out, all days without a change share their queries.
    offsets = (OffsetSpan(0, earliest.seconds), *changes)
    wanted = (engine.dialect, source, offsets, tuple(sorted(labels.items())))
    queries = coded_sql(*wanted) if engine.dialect == "duckdb" and not batch.tallies else None
    if queries is None or not _codes_differ(engine, queries):
        queries = day_sql(*wanted, tuple(sorted(batch.tallies)))
    for kind, paths in batch.tallies.items():
        engine.see(f"tallied_{kind}", paths)
    for name in ("numbers", "slots", "kinds", "roles"):
        if name in queries:
            engine.keep(name, queries[name])
    facts = {kind: as_facts(kind, engine.frame(queries[kind])) for kind in COUNTED}
    elsewhere = engine.number("SELECT SUM(n) FROM tallied_slots") if "slots" in batch.tallies else 0
    assigned = int(facts["client_hours"]["events"].sum()) - elsewhere
    return Counted(facts, events=rows + elsewhere, repeats=copies, unassigned=rows - copies - assigned)


def _codes_differ(engine: Engine, queries: Mapping[str, str]) -> bool:
    """Keep whom and what the codes stand for, and return whether each stands for one thing only."""
    return all(
        engine.keep(name, queries[name]) == engine.number(f"SELECT COUNT(DISTINCT {code}) FROM {name}")
        for name, code in (("people", "person"), ("words", "word"))
    )


def each_once(engine: Engine, batch: Batch) -> tuple[int, int, str]:
    """Make the batch's events known, each message once: returns rows, copies among them, and the table's name."""
    if not batch.paths:
        engine.see_frame("raw", _NO_EVENTS)
        return 0, 0, "raw"
    engine.see("raw", batch.paths)
    rows = engine.number("SELECT COUNT(*) FROM raw")
    once = deduplication_sql(engine.dialect)
    if engine.differ("raw", "message_id", rows) or not engine.keep("repeats", once["repeats"]):
        return rows, 0, "raw"
    return rows, rows - engine.keep("distinct_events", once["distinct_events"]), "distinct_events"


@cache
def deduplication_sql(dialect: str = "duckdb") -> dict[str, str]:
    """Return the queries for how many ids in `raw` differ, for the messages that lie there more than once, and for its
    rows with each message once."""
    raw = ibis.table(RAW, name="raw")
    repeats = rollup.repeated(raw)
    kept = ibis.table(repeats.schema(), name="repeats")
    return {
        "distinct_ids": to_sql(rollup.distinct_ids(raw), dialect),
        "repeats": to_sql(repeats, dialect),
        "distinct_events": to_sql(rollup.without_repeats(raw, kept), dialect),
    }


@lru_cache(maxsize=64)
def day_sql(
    dialect: str,
    source: str,
    offsets: tuple[OffsetSpan, ...],
    labels: tuple[tuple[str, str], ...],
    tallied: tuple[str, ...] = (),
) -> dict[str, str]:
    """Return the queries for the facts of single days over the events in the table `source`, together with the tables
    tallied_<kind> for the kinds `tallied`.

    Cached: making them of expressions takes longer than a small workspace's day takes to count.
    """
    raw = ibis.table(RAW, name=source)
    events = rollup.prepare(raw, offsets=offsets, labels=dict(labels), json_text=json_text(dialect))
    counted = {"slots": rollup.slots(events), "kinds": rollup.kinds(events), "roles": rollup.told_roles(events)}
    for kind in tallied:
        schema = ibis.Schema.from_polars(pl.Schema(TALLIES[kind]))
        more = ibis.table(schema, name=f"tallied_{kind}").select(*counted[kind].columns)
        counted[kind] = rollup.together(ibis.union(counted[kind], more.cast(counted[kind].schema()), distinct=False))
    kept = counted | {"roles": rollup.roles(counted["roles"])}
    slots, kinds, roles = (ibis.table(expression.schema(), name=name) for name, expression in kept.items())
    facts = {
        "user_days": rollup.user_days(slots, kinds, roles),
        "event_days": rollup.event_days(kinds),
        "client_hours": rollup.client_hours(slots),
    }
    return {name: to_sql(expression, dialect) for name, expression in (kept | facts).items()}


@lru_cache(maxsize=64)
def coded_sql(
    dialect: str, source: str, offsets: tuple[OffsetSpan, ...], labels: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Return the queries of `day_sql` by codes, with those for whom and what the codes stand (rollup.codes)."""
    raw = ibis.table(RAW, name=source)
    events = rollup.prepare(raw, offsets=offsets, labels=dict(labels), json_text=json_text(dialect))
    coded = codes.coded(events)
    numbered = codes.numbers(coded)
    numbers = ibis.table(numbered.schema(), name="numbers")
    kept = {
        "people": codes.people(coded),
        "words": codes.words(coded),
        "slots": codes.slots(numbers, offsets),
        "kinds": codes.kinds(numbers),
        "roles": rollup.roles(rollup.told_roles(events)),
    }
    tables = {name: ibis.table(expression.schema(), name=name) for name, expression in kept.items()}
    queries = kept | codes.facts(**tables) | {"numbers": numbered}
    return {name: to_sql(expression, dialect) for name, expression in queries.items()}


COUNTED = ("user_days", "event_days", "client_hours")
"""The kinds of facts that are counted from events, day by day."""

_NO_EVENTS = pl.DataFrame(EVENT_SCHEMA.empty_table()).with_columns(date=pl.lit(None, pl.Date))


def as_facts(kind: str, frame: pl.DataFrame) -> pl.DataFrame:
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
