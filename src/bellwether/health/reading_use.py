"""Reads the daily facts for levels of use on a page: of one client in milliseconds, of all clients for comparisons.

Finished months are kept in the process, packed, and looked at again after KEPT_SECONDS; the current month is read from
its file every time, so that a page shows what was counted last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import Lock
from time import monotonic
from typing import Any

import polars as pl

from bellwether.health.inputs import CLIENT_DAYS, EVENT_DAYS, INSTANT, LONGEST_WINDOW_DAYS, MeasureSettings, Schema
from bellwether.health.packed_rows import PackedRows, Packer
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
_NAMED = ["event", "module", "feature", "label", "is_service"]
_KINDS = ["event", "module", "feature", "is_service"]
Parts = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
"""First days of clients, their events within the windows, and their spans."""


@dataclass(frozen=True)
class UseFacts:
    """What levels of use need. `client_days`: the first day of each client. `event_days`: the events of the catalogue
    within its windows. `spans` (SPANS): from the first to the last use ever of each kind of event."""

    client_days: pl.DataFrame
    event_days: pl.DataFrame
    spans: pl.DataFrame


@dataclass(frozen=True)
class _Months:
    """The facts of some months, packed."""

    starts: PackedRows
    events: PackedRows
    spans: PackedRows

    def of(self, organization_ids: Sequence[str] | None) -> Parts:
        return self.starts.of(organization_ids), self.events.of(organization_ids), self.spans.of(organization_ids)


@dataclass(frozen=True)
class _Kept:
    """What is kept: `months` before `current`, of the files with `signature`, looked at last at `checked_at`."""

    name: tuple[Any, ...]
    current: str
    signature: tuple[Any, ...]
    checked_at: float
    months: _Months


@dataclass
class KeptUse:
    """The finished months of one lake and catalogue. One per process is enough."""

    found: _Kept | None = None
    lock: Lock = field(default_factory=Lock)


def read_use(
    lake: Lake,
    first: date,
    last: date,
    settings: MeasureSettings,
    *,
    kept: KeptUse,
    organization_ids: Sequence[str] | None = None,
) -> UseFacts:
    """Return the facts for levels of the dates `first` to `last`, of all clients or of those given."""
    asked = asked_events(settings)
    current = month_of(last)
    months = _stored(lake)
    # An archived client is shown as of then: what is kept stays for the others.
    is_past = kept.found is not None and current < kept.found.current
    packed = (
        None
        if organization_ids is not None and is_past
        else _older(lake, first, current, asked, kept, wait=organization_ids is None)
    )
    older = [packed.of(organization_ids)] if packed else []
    if packed:
        months = [month for month in months if month >= current]
    newest = [_month(lake, month, first, asked, organization_ids) for month in months]
    starts, events, spans = _together([*older, *newest])
    events = events.filter(pl.col("date") <= last)  # a clock may be ahead
    zero = [pl.lit(None).cast(dtype).alias(name) for name, dtype in CLIENT_DAYS.items() if name not in _STARTS]
    return UseFacts(client_days=starts.with_columns(zero).select(list(CLIENT_DAYS)), event_days=events, spans=spans)


def _older(
    lake: Lake, first: date, current: str, asked: tuple[AskedEvents, AskedEvents], kept: KeptUse, *, wait: bool
) -> _Months | None:
    """Return the months before `current`, from memory if their files are as they were.

    While one thread reads them again, the others go on with what was there before; if that is nothing, they `wait` or
    get None, as the files of a few clients are read sooner than those of all.
    """
    name = (lake.name, month_of(first - timedelta(days=RECENT_DAYS)), current, *(tuple(a.words()) for a in asked))
    before = kept.found if kept.found and kept.found.name == name else None
    if before and monotonic() - before.checked_at < KEPT_SECONDS:
        return before.months
    if not kept.lock.acquire(blocking=before is None and wait):
        return before.months if before else None
    try:
        before = kept.found if kept.found and kept.found.name == name else None
        if before and monotonic() - before.checked_at < KEPT_SECONDS:
            return before.months
        stored = [month for month in _stored(lake) if month < current]
        signature = tuple((month, lake.stamp(facts_path(lake, "event_days", month))) for month in stored)
        unchanged = before is not None and before.signature == signature
        months = before.months if before and unchanged else _packed(lake, stored, first, asked)
        kept.found = _Kept(name, current, signature, monotonic(), months)
        return months
    finally:
        kept.lock.release()


def _packed(lake: Lake, months: Sequence[str], first: date, asked: tuple[AskedEvents, AskedEvents]) -> _Months:
    """Return the facts of all clients, read month by month so that never more than one is in memory as it is."""
    events, spans = Packer(EVENT_DAYS, _NAMED), Packer(SPANS, _KINDS)
    starts, far = [_empty(_STARTS)], _empty(SPANS)
    for month in months:
        found = _month(lake, month, first, asked, None)
        starts.append(found[0])
        events.add(found[1])
        far = _spans(pl.concat([far, found[2]]).lazy()).collect()
    spans.add(far)
    whole = Packer(_STARTS, [])
    whole.add(_starts(pl.concat(starts).lazy()).collect())
    return _Months(whole.packed(), events.packed(), spans.packed())


def _stored(lake: Lake) -> list[str]:
    return stored_months(lake, "event_days")


def _month(
    lake: Lake,
    month: str,
    first: date,
    asked: tuple[AskedEvents, AskedEvents],
    organization_ids: Sequence[str] | None,
) -> Parts:
    """Return the facts of a month: of events with long windows a year back, of the others RECENT_DAYS."""
    long, short = asked
    recent = first_of(month_of(first - timedelta(days=RECENT_DAYS)))
    far = first_of(month_of(first - timedelta(days=LONGEST_WINDOW_DAYS + 1)))
    within = (pl.col("date") >= recent) & (long.rows() | short.rows()) | (pl.col("date") >= far) & long.rows()
    every = AskedEvents(long.names | short.names, long.matches | short.matches)
    nothing = (_empty(_STARTS), _empty(EVENT_DAYS), _empty(SPANS))
    with lake.opened([facts_path(lake, "event_days", month)]) as files:
        if not files:
            return nothing
        rows = pl.scan_parquet(files, hive_partitioning=False)
        if organization_ids is not None:  # few enough to read once and to choose from in memory
            ours = pl.col("organization_id").is_in(list(organization_ids))
            rows = rows.filter(ours).select(list(dict.fromkeys((*EVENT_DAYS, *SPANS)))).collect().lazy()
        asked_for = rows.filter(every.rows())
        found = pl.collect_all(
            [
                _starts(rows),
                asked_for.filter(within).select(list(EVENT_DAYS)),
                _spans(asked_for.select(*list(SPANS)[:2], *every.places(), *list(SPANS)[4:])),
            ]
        )
    starts, events, spans = (
        part.cast({name: empty.schema[name] for name in part.columns})
        for part, empty in zip(found, nothing, strict=True)
    )
    return starts, events, spans


def _together(parts: Sequence[Parts]) -> Parts:
    starts, events, spans = (
        pl.concat([_empty(schema), *(part[place] for part in parts)])
        for place, schema in enumerate((_STARTS, EVENT_DAYS, SPANS))
    )
    return _starts(starts.lazy()).collect(), events, _spans(spans.lazy()).collect()


def _starts(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("organization_id").agg(pl.col("date").min())


def _spans(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("organization_id", *_KINDS).agg(pl.col("first_ts").min(), pl.col("last_ts").max())


def _empty(schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)
