"""Imports a file of events: read, normalise, land in the lake, mark the days, remember the users; batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, cast
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.common.progress import Progress
from bellwether.portfolio.importing.columns import Mapping
from bellwether.portfolio.importing.readers import Batch, Source
from bellwether.portfolio.importing.rejects import Reject, Rejects
from bellwether.staff.audit import record
from bellwether.usage.bulk import BulkOptions, normalise
from bellwether.usage.dirty import mark_facts
from bellwether.usage.identity import UNASSIGNED, assign_earlier_events, remember_users, resolved
from bellwether.usage.ids import KEY, RecentIds, hashed_ids
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import landing_lock
from bellwether.usage.landing import Landed, index_of, land
from bellwether.usage.occurrences import Occurrences
from bellwether.usage.source_days import count_import, landed_rows

READ_AT_ONCE = 50_000
LAND_AT_ONCE = 200_000
"""Rows a part of the lake: large, because a file that is not sorted by time makes a part for each of its days."""


@dataclass
class EventCounts:
    """What an import of events did. `read` = created + unchanged + rejected; unchanged ones were in the lake before.
    `unassigned` of the created and unchanged name no client. `dates` are the workspace days that hold these events."""

    read: int = 0
    created: int = 0
    unchanged: int = 0
    rejected: int = 0
    unassigned: int = 0
    dates: set[date] = field(default_factory=set)

    @property
    def line(self) -> str:
        """The last line of the command."""
        return (
            f"read {self.read}, created {self.created}, updated 0, unchanged {self.unchanged}, rejected {self.rejected}"
        )


def bulk_options(mapping: Mapping, *, left_out: frozenset[str], **options: Any) -> BulkOptions:
    """Return how the bulk normaliser reads a file that `mapping` maps; `left_out` columns are not kept at all."""
    return BulkOptions(columns=mapping.columns, constants=mapping.constants, left_out=left_out, **options)


def import_events(
    source: Source,
    *,
    options: BulkOptions,
    lake: Lake,
    zone: ZoneInfo,
    dry_run: bool,
    rejects: Rejects,
    progress: Progress,
) -> EventCounts:
    """Bring the rows of `source` into the `lake` as events and return what was done.

    Memory is bounded by the batch, whatever the size of the file. Doing it again, also after being cut off, adds
    nothing: message ids and the names of parts follow from the content. A dry run counts the same and writes nothing.
    """
    counts, met = EventCounts(), Occurrences()
    index = index_of(lake, options.now.astimezone(UTC).date())
    progress.start("Reading events", source.total)
    for read, events in _normalised(_landable(source), options, rejects):
        counts.unassigned += events.filter(pl.col("organization_id") == UNASSIGNED).height
        if dry_run:
            new = _unknown(events, lake=lake, zone=zone, index=index, met=met)
            landed = Landed(new, events.height - new, [])
        else:
            refused = read - events.height
            landed = _land(events, options, lake=lake, zone=zone, index=index, refused=refused)
        counts.created += landed.new_rows
        counts.unchanged += landed.duplicates
        counts.dates.update(landed.dates)
        counts.read += read
        progress.advance(read)
    counts.rejected = rejects.count
    return counts


def _normalised(batches: Iterator[Batch], options: BulkOptions, rejects: Rejects) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield for each batch how many rows it read and its resolved events; what is refused goes to `rejects`."""
    seen = Occurrences()
    for batch in batches:
        read = len(batch.rows) + len(batch.unreadable)
        done = normalise(batch.frame, options, seen)
        for position, reason in done.refused:
            rejects.add(Reject(batch.rows[position], reason, batch.frame.row(position, named=True)))
        for reject in batch.unreadable:
            rejects.add(reject)
        events = resolved(cast(pl.DataFrame, pl.from_arrow(done.events)))
        del batch, done  # what the file held is not needed while its events land
        yield read, events


def _landable(source: Source) -> Iterator[Batch]:
    """Yield the rows of `source` in batches of a size that suits the lake; one batch has columns of one type."""
    waiting: list[Batch] = []
    size = 0
    for batch in source.read(READ_AT_ONCE):
        if waiting and (size + batch.frame.height > LAND_AT_ONCE or waiting[0].frame.schema != batch.frame.schema):
            joined, waiting, size = _joined(waiting), [], 0
            yield joined
        waiting.append(batch)
        size += batch.frame.height
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[Batch]) -> Batch:
    return Batch(
        pl.concat([batch.frame for batch in batches]),
        [row for batch in batches for row in batch.rows],
        [reject for batch in batches for reject in batch.unreadable],
    )


def _land(
    events: pl.DataFrame, options: BulkOptions, *, lake: Lake, zone: ZoneInfo, index: RecentIds, refused: int
) -> Landed:
    """Land resolved events and do what the flush does for them: count them, mark days, remember users.

    Every step may be repeated: a killed import is mended by running it again.
    """
    landable = events.with_columns(pl.col("role").replace("", None)).to_arrow()
    part = _part_name(events)
    landed = land(landable, lake=lake, part=part, index=index, zone=zone)
    del landable
    fresh = landed_rows(events, landed, lake=lake, part=part, index=index)
    count_import(events, fresh, source=options.source, part=part, rejected=refused, zone=zone, now=options.now)
    with landing_lock(lake):
        earlier = assign_earlier_events(events, lake=lake, zone=zone)
        index.tidy()
    mark_facts({*landed.dates, *earlier}, now=options.now)
    remember_users(events)
    return Landed(landed.new_rows, landed.duplicates, sorted({*landed.dates, *earlier}))


def _part_name(events: pl.DataFrame) -> str:
    """Return a name that follows from which messages these are, so that the same rows always make the same part."""
    keys = hashed_ids(events["source"], events["message_id"]).sort(KEY)
    return f"import-{blake2b(keys.to_numpy().tobytes(), digest_size=12).hexdigest()}"


def _unknown(events: pl.DataFrame, *, lake: Lake, zone: ZoneInfo, index: RecentIds, met: Occurrences) -> int:
    """Return how many of `events` are neither in the lake nor in an earlier batch of this dry run."""
    keys = hashed_ids(events["source"], events["message_id"])
    rows = events.with_columns(
        keys["lo"], keys["hi"], day=pl.col("ts").dt.convert_time_zone(str(zone)).dt.date()
    ).unique(KEY, keep="any")
    earlier = met.before(rows["lo"].to_numpy())
    rows = rows.filter(pl.Series(earlier == 0)).join(index.known(rows, but_part=""), on=KEY, how="anti")
    paths = [path for day in rows["day"].unique() for path, _ in lake.parts_of(day)]
    if paths:
        stored = lake.scan(paths).select("source", "message_id")
        known = stored.join(rows.lazy(), on=["source", "message_id"], how="semi").unique().collect(engine="streaming")
        rows = rows.join(known, on=["source", "message_id"], how="anti")
    return rows.height


def record_event_import(file: str, counts: EventCounts, mapping: Mapping, *, source: str, now: datetime) -> None:
    """Leave one row about the import in the access log."""
    numbers = {name: getattr(counts, name) for name in ("read", "created", "unchanged", "rejected", "unassigned")}
    detail = {"file": file, "source": source, "columns": mapping.columns, **numbers}
    record(actor=None, action="records.import", object_type="events", object_id=file, detail=detail, now=now)
