"""Reads the daily facts for levels of use on a page: of one client in milliseconds, of all clients for comparisons.

Finished months are kept in the process, client by client, and looked at again after KEPT_SECONDS; the current month is
read from its file every time, so that a page shows what was counted last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import Lock
from time import monotonic
from typing import Any

import polars as pl

from bellwether.health.inputs import CLIENT_DAYS, EVENT_DAYS, INSTANT, LONGEST_WINDOW_DAYS, MeasureSettings, Schema
from bellwether.health.reading_facts import RECENT_DAYS, AskedEvents, asked_events
from bellwether.usage.calendar import first_of, month_of
from bellwether.usage.facts import facts_path, stored_months
from bellwether.usage.lake import Lake

KEPT_SECONDS = 60
SPANS: Schema = {
    "organization_id": pl.String,
    "event": pl.String,
    "module": pl.String,
    "feature": pl.String,
    "is_service": pl.Boolean,
    "first_ts": INSTANT,
    "last_ts": INSTANT,
}
_STARTS: Schema = {"organization_id": pl.String, "date": pl.Date}


@dataclass(frozen=True)
class UseFacts:
    """What levels of use need. `client_days`: the first day of each client. `event_days`: the events of the catalogue
    within its windows. `spans` (SPANS): from the first to the last use ever of each kind of event."""

    client_days: pl.DataFrame
    event_days: pl.DataFrame
    spans: pl.DataFrame


@dataclass(frozen=True)
class _Months:
    """The facts of some months, together and client by client."""

    starts: pl.DataFrame
    events: pl.DataFrame
    spans: pl.DataFrame
    by_client: dict[str, tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]


@dataclass
class KeptUse:
    """The finished months of one lake and catalogue. One per process is enough."""

    name: tuple[Any, ...] = ()
    signature: tuple[Any, ...] = ()
    checked_at: float = 0.0
    months: _Months | None = None
    lock: Lock = field(default_factory=Lock)


def read_use(
    lake: Lake, first: date, last: date, settings: MeasureSettings, *, kept: KeptUse, organization_id: str | None = None
) -> UseFacts:
    """Return the facts for levels of the dates `first` to `last`, of all clients or of one."""
    asked = asked_events(settings)
    current = month_of(last)
    older = _older(lake, first, current, asked, kept)
    newest = _read(lake, [month for month in _stored(lake) if month >= current], first, asked, organization_id)
    newest = _until(newest, last)
    if organization_id is None:
        parts = (older.starts, older.events, older.spans)
    else:
        none = (_empty(_STARTS), _empty(EVENT_DAYS), _empty(SPANS))
        parts = older.by_client.get(organization_id, none)
    starts, events, spans = (
        pl.concat([old, new]) for old, new in zip(parts, (newest.starts, newest.events, newest.spans), strict=True)
    )
    zero = [pl.lit(None).cast(dtype).alias(name) for name, dtype in CLIENT_DAYS.items() if name not in _STARTS]
    first_days = starts.group_by("organization_id").agg(pl.col("date").min())
    return UseFacts(
        client_days=first_days.with_columns(zero).select(list(CLIENT_DAYS)),
        event_days=events,
        spans=_together(spans.lazy()).collect(),
    )


def _older(lake: Lake, first: date, current: str, asked: tuple[AskedEvents, AskedEvents], kept: KeptUse) -> _Months:
    """Return the months before `current`, from memory if their files are as they were."""
    name = (lake.name, month_of(first - timedelta(days=RECENT_DAYS)), current, *(tuple(a.words()) for a in asked))
    with kept.lock:
        if kept.months is not None and kept.name == name and monotonic() - kept.checked_at < KEPT_SECONDS:
            return kept.months
        months = [month for month in _stored(lake) if month < current]
        signature = tuple((month, lake.stamp(facts_path(lake, "event_days", month))) for month in months)
        if kept.months is None or kept.name != name or kept.signature != signature:
            kept.months = _read(lake, months, first, asked, None)
        kept.name, kept.signature, kept.checked_at = name, signature, monotonic()
        return kept.months


def _stored(lake: Lake) -> list[str]:
    return stored_months(lake, "event_days")


def _read(
    lake: Lake,
    months: Sequence[str],
    first: date,
    asked: tuple[AskedEvents, AskedEvents],
    organization_id: str | None,
) -> _Months:
    """Return the facts of `months`: of events with long windows a year back, of the others RECENT_DAYS."""
    long, short = asked
    recent = first_of(month_of(first - timedelta(days=RECENT_DAYS)))
    far = first_of(month_of(first - timedelta(days=LONGEST_WINDOW_DAYS + 1)))
    within = (pl.col("date") >= recent) & (long.rows() | short.rows()) | (pl.col("date") >= far) & long.rows()
    every = AskedEvents(long.names | short.names, long.matches | short.matches)
    ours = pl.lit(value=True) if organization_id is None else pl.col("organization_id") == organization_id
    starts, events, spans = [_empty(_STARTS)], [_empty(EVENT_DAYS)], [_empty(SPANS)]
    for month in months:
        paths = [facts_path(lake, "event_days", month)]
        with lake.opened(paths) as files:
            if not files:
                continue
            rows = pl.scan_parquet(files, hive_partitioning=False).filter(ours)
            kept = rows.filter(every.rows())
            found = pl.collect_all(
                [
                    rows.group_by("organization_id").agg(pl.col("date").min()),
                    kept.filter(within).select(list(EVENT_DAYS)),
                    _together(
                        kept.select("organization_id", "event", *every.places(), "is_service", "first_ts", "last_ts")
                    ),
                ]
            )
        for parts, part in zip((starts, events, spans), found, strict=True):
            parts.append(part.cast({name: parts[0].schema[name] for name in part.columns}))
    first_days = pl.concat(starts).group_by("organization_id").agg(pl.col("date").min())
    whole = (first_days, pl.concat(events), _together(pl.concat(spans).lazy()).collect())
    return _Months(*whole, by_client=_by_client(*whole) if organization_id is None else {})


def _by_client(*frames: pl.DataFrame) -> dict[str, tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]:
    split: list[Mapping[Any, pl.DataFrame]] = [frame.partition_by("organization_id", as_dict=True) for frame in frames]
    names = {name for parts in split for (name,) in parts}
    nothing = [frame.clear() for frame in frames]
    return {
        name: tuple(parts.get((name,), empty) for parts, empty in zip(split, nothing, strict=True))  # type: ignore[misc]
        for name in names
    }


def _until(months: _Months, last: date) -> _Months:
    """Return the months without what lies after `last`; there is none but where a test or a clock is ahead."""
    return _Months(months.starts, months.events.filter(pl.col("date") <= last), months.spans, months.by_client)


def _together(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("organization_id", "event", "module", "feature", "is_service").agg(
        pl.col("first_ts").min(), pl.col("last_ts").max()
    )


def _empty(schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)
