"""Keeps the counters of what each source sends (SourceDay), each part of the lake counted exactly once.

The flush is one process at a time and finishes its claims in their order, so the name of the part that was counted last
tells whether a claim that is done again was counted before it was killed. Imports run beside it and may be done again
much later: each of their parts leaves a CountedPart.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
from django.db import transaction

from bellwether.common.time import day_of
from bellwether.usage.ids import KEY, RecentIds, hashed_ids
from bellwether.usage.lake import Lake
from bellwether.usage.landing import Landed
from bellwether.usage.models import CountedPart, SourceDay
from bellwether.usage.source_tally import COUNTED, NUMBERS, SourceKey, Tally, merged_lags, tally


def landed_rows(
    arrived: pl.DataFrame, landed: Landed, *, lake: Lake, part: str, index: RecentIds
) -> pl.DataFrame | None:
    """Return those of the `arrived` events that the lake holds as rows of `part`; None when it is all of them.

    A part that is landed again finds its own rows as duplicates, so its files are asked, not its counts. Where a
    compaction has taken one of them meanwhile, the index of recent ids says what came first.
    """
    if not landed.duplicates:
        return None
    with ExitStack() as stack:
        try:
            paths = [lake.events_of(day) / f"{part}.parquet" for day in landed.dates]
            files = [stack.enter_context(path.open("rb")) for path in paths]
        except FileNotFoundError:
            return _first_seen(arrived, part, index)
        frames = [pl.read_parquet(file, columns=list(COUNTED)) for file in files]
    return pl.concat(frames).select(COUNTED) if frames else arrived.select(COUNTED).clear()


def _first_seen(arrived: pl.DataFrame, part: str, index: RecentIds) -> pl.DataFrame:
    keys = hashed_ids(arrived["source"], arrived["message_id"])
    rows = arrived.with_columns(keys["lo"], keys["hi"]).sort("received_at", maintain_order=True)
    rows = rows.unique(KEY, keep="first", maintain_order=True)
    return rows.join(index.known(rows, but_part=part), on=KEY, how="anti").select(COUNTED)


def count_flush(part: str, tallies: Mapping[SourceKey, Tally]) -> None:
    """Add what the flush's `part` brought, unless it is counted already. Only for the one flush that runs."""
    if not tallies:
        return
    with transaction.atomic():
        rows = _locked(tallies)
        if any(row.last_part == part for row in rows.values()):
            return
        for row in rows.values():
            row.last_part = part
        _add(rows, tallies)


def count_import(
    events: pl.DataFrame,
    fresh: pl.DataFrame | None,
    *,
    source: str,
    part: str,
    rejected: int,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Add what a part of an imported file brought on the day of the import, unless that part is counted already.

    `fresh` are the events that were new, None if all were. A source receives a file when it is imported, whatever
    times of receipt the file tells; its lags are those of the file.
    """
    key = (source, day_of(now, zone))
    total = Tally(batches=1, rejected=rejected, last_received_at=now)
    for one in tally(events, fresh, (), zone=zone).values():
        for name in NUMBERS:
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.lags = merged_lags((total.lags, one.lags))
    with transaction.atomic():
        _, is_new = CountedPart.objects.get_or_create(part=part, defaults={"counted_at": now})
        if is_new:
            _add(_locked([key]), {key: total})


def _locked(keys: Iterable[SourceKey]) -> dict[SourceKey, SourceDay]:
    """Return the rows of `keys`, made where they are missing, which nobody else changes until the transaction ends."""
    wanted = sorted(keys)
    SourceDay.objects.bulk_create([SourceDay(source=s, date=d) for s, d in wanted], ignore_conflicts=True)
    rows = SourceDay.objects.select_for_update().filter(
        source__in={source for source, _ in wanted}, date__in={day for _, day in wanted}
    )
    found = {(row.source, row.date): row for row in rows.order_by("source", "date")}
    return {key: found[key] for key in wanted}


def _add(rows: Mapping[SourceKey, SourceDay], tallies: Mapping[SourceKey, Tally]) -> None:
    for key, row in rows.items():
        brought = tallies[key]
        for name in NUMBERS:
            setattr(row, name, getattr(row, name) + getattr(brought, name))
        row.lags = merged_lags((row.lags, brought.lags))
        last = brought.last_received_at
        if last is not None:
            row.last_received_at = max(row.last_received_at or last, last)
    SourceDay.objects.bulk_update(rows.values(), [*NUMBERS, "lags", "last_received_at", "last_part"])
