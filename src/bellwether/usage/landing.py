"""The one door into the lake: normalised events become one immutable part per workspace day, each message once.

The order of the steps makes a crash harmless: parts first, the index of ids after them. Landing the same events again
under the same part name therefore finds its own earlier rows, keeps them, and replaces its files by the same files.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from bellwether.common.errors import BellwetherError
from bellwether.usage.ids import KEY, RecentIds, hashed_ids
from bellwether.usage.lake import EVENT_SCHEMA, Lake, LakePath, write_part
from bellwether.usage.lake_locks import landing_lock

PART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
MESSAGE = ("source", "message_id")
WRITERS = 4


class LandingError(BellwetherError):
    """The events cannot land: the text says which column or name is at fault."""


@dataclass(frozen=True)
class Landed:
    """What a landing did: rows not in the lake before, rows dropped or kept as already there, and the workspace days
    that hold rows of this part, which owe new facts."""

    new_rows: int
    duplicates: int
    dates: list[date]


def index_of(lake: Lake, today: date) -> RecentIds:
    """Return the index of recent message ids that belongs to `lake`, as of the UTC day `today`."""
    return RecentIds(lake, today)


def land(
    events: pa.Table, *, lake: Lake, part: str, index: RecentIds, zone: ZoneInfo, check_lake: bool = True
) -> Landed:
    """Write `events` (columns of EVENT_SCHEMA, any order) to the `lake` and return what landed.

    Of messages with the same (source, message_id) the earliest received one counts. Messages that landed before under
    another part are dropped: those of the last 30 days are found in the `index`; with `check_lake` the events already
    in the lake on the days concerned are looked at too, which an import of older events needs. Days are days of `zone`.
    Landing the same events again under the same `part` replaces its files and counts the rows as duplicates.
    Raises LandingError when a column is missing, null or of another type, or `part` is no plain file name.
    """
    if not PART_NAME.fullmatch(part):
        raise LandingError(f"The part name {part!r} cannot be a file name; use letters, digits, '.', '_' and '-'.")
    checked = _checked(events)
    if checked.is_empty():
        return Landed(0, 0, [])
    rows = _with_keys(checked, zone)
    with landing_lock(lake):
        days: list[date] = rows["day"].unique().sort().to_list()
        own = _messages_in(lake, [path for path in _paths(lake, days, part) if lake.exists(path)], rows)
        fresh = rows.join(index.known(rows, but_part=part), on=KEY, how="anti", maintain_order="left")
        if check_lake:
            others = [path for day in days for path, _ in lake.parts_of(day) if path.stem != part]
            fresh = fresh.join(_messages_in(lake, others, fresh), on=MESSAGE, how="anti", maintain_order="left")
        _write_days(fresh, lake, part, _changed_days(rows, fresh, own, days))
        index.add(fresh.select(*KEY, "received_at"), part=part)
    new = fresh.height - fresh.join(own, on=MESSAGE, how="semi").height
    return Landed(new, events.num_rows - new, fresh["day"].unique().sort().to_list())


def _checked(events: pa.Table) -> pl.DataFrame:
    missing = [name for name in EVENT_SCHEMA.names if name not in events.column_names]
    if missing:
        raise LandingError(f"The events lack the columns {', '.join(missing)}.")
    empty = [f.name for f in EVENT_SCHEMA if not f.nullable and events.column(f.name).null_count]
    if empty:
        raise LandingError(f"The events have nulls in {', '.join(empty)}, which every event must have.")
    try:
        table = events.select(EVENT_SCHEMA.names).cast(EVENT_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise LandingError(f"The events do not have the columns' types: {error}") from None
    frame = pl.from_arrow(table)
    return cast(pl.DataFrame, frame)


def _with_keys(events: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Add the hash of each message and its day, and drop repetitions within `events`, keeping the earliest received."""
    keys = hashed_ids(events["source"], events["message_id"])
    day = pl.col("ts").dt.convert_time_zone(str(zone)).dt.date().alias("day")
    rows = events.with_columns(keys["lo"], keys["hi"], day).sort("received_at", maintain_order=True)
    return rows.unique(KEY, keep="first", maintain_order=True)


def _messages_in(lake: Lake, paths: list[LakePath], rows: pl.DataFrame) -> pl.DataFrame:
    """Return which messages (source, message_id) of `rows` stand in the parts `paths`, each once."""
    wanted = rows.select(MESSAGE)
    if not paths or rows.is_empty():
        return wanted.clear()
    seen = lake.scan(paths).select(MESSAGE)
    return seen.join(wanted.lazy(), on=MESSAGE, how="semi").unique().collect(engine="streaming")


def _changed_days(rows: pl.DataFrame, fresh: pl.DataFrame, own: pl.DataFrame, days: list[date]) -> list[date]:
    """Return the `days` but those on which this part already holds every row: a repeated import writes nothing."""
    landed = rows.join(own, on=MESSAGE, how="semi").group_by("day").len()
    complete = rows.group_by("day").len().join(landed, on=["day", "len"], how="semi")["day"]
    kept = fresh.group_by("day").len().join(landed, on=["day", "len"], how="semi")["day"]
    unchanged = set(complete) & set(kept)
    return [day for day in days if day not in unchanged]


def _write_days(rows: pl.DataFrame, lake: Lake, part: str, days: list[date]) -> None:
    """Replace the files of `part` on `days` by `rows`; a day without rows ends up without a file of this part."""
    if not days:
        return
    by_day = rows.sort("ts", *MESSAGE).partition_by("day", as_dict=True)
    jobs = [(day, by_day.get((day,)), path) for day, path in zip(days, _paths(lake, days, part), strict=True)]
    with ThreadPoolExecutor(min(WRITERS, len(jobs))) as pool:
        for _ in pool.map(lambda job: _write_day(lake, job[1], job[2]), jobs):
            pass


def _write_day(lake: Lake, rows: pl.DataFrame | None, path: LakePath) -> None:
    if rows is None:
        lake.remove([path])
    else:
        write_part(rows.select(EVENT_SCHEMA.names).to_arrow().cast(EVENT_SCHEMA), path)


def _paths(lake: Lake, days: list[date], part: str) -> list[LakePath]:
    return [lake.events_of(day) / f"{part}.parquet" for day in days]
