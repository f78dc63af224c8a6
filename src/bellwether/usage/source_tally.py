"""What a part of the lake brought, by source and day of receipt: the numbers that SourceDay adds up.

Pure. Events are frames with the columns of EVENT_SCHEMA; days are days of the workspace's time zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.common.time import day_of

LAG_BOUNDS = (10, 60, 600, 3_600, 86_400, 604_800)
MORE = "more"
LAG_KEYS = (*(str(bound) for bound in LAG_BOUNDS), MORE)
AHEAD_BY = 60
"""Seconds that a sender's clock may be ahead of itself before an event counts as sent from the future."""

COUNTED = ("source", "organization_id", "user_key", "ts", "received_at", "sent_at", "original_ts")
SourceKey = tuple[str, date]


@dataclass
class Tally:
    """What one source sent on one day; see SourceDay for what each number means."""

    batches: int = 0
    events: int = 0
    duplicates: int = 0
    rejected: int = 0
    unassigned: int = 0
    userless: int = 0
    ahead: int = 0
    lags: dict[str, int] = field(default_factory=dict)
    last_received_at: datetime | None = None

    def received(self, at: datetime) -> None:
        """Note that something was received `at` an aware instant."""
        self.last_received_at = max(self.last_received_at or at, at)


NUMBERS = ("batches", "events", "duplicates", "rejected", "unassigned", "userless", "ahead")


def tally(
    arrived: pl.DataFrame, landed: pl.DataFrame | None, requests: Iterable[tuple[datetime, str, int]], *, zone: ZoneInfo
) -> dict[SourceKey, Tally]:
    """Return the numbers of one part, by source and day of receipt.

    `arrived` holds all its events, `landed` those that were new (None: all were); `requests` the instant, the source
    and the number of rejects of each batch. Times of the result are UTC.
    """
    found: dict[SourceKey, Tally] = {}
    for at, source, rejects in requests:
        one = found.setdefault((source, day_of(at, zone)), Tally())
        one.batches += 1
        one.rejected += rejects
        one.received(at)
    for source, day, bucket, events, unassigned, userless, ahead, last in _counted(arrived, landed, zone):
        one = found.setdefault((source, day), Tally())
        one.received(last.astimezone(UTC))
        if bucket is None:
            one.duplicates += events
            continue
        one.events += events
        one.unassigned += unassigned
        one.userless += userless
        one.ahead += ahead
        one.lags[LAG_KEYS[bucket]] = one.lags.get(LAG_KEYS[bucket], 0) + events
    return found


def merged_lags(histograms: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of histograms of lags, in the order of their bounds; empty ones add nothing."""
    total: dict[str, int] = {}
    for histogram in histograms:
        for key, count in histogram.items():
            total[key] = total.get(key, 0) + count
    return {key: total[key] for key in LAG_KEYS if total.get(key)}


def lag_quantile(lags: Mapping[str, int], share: float) -> str | None:
    """Return the key of the bucket in which the `share` (0-1) quantile of the lags lies; None without any event."""
    total = sum(lags.values())
    passed = 0
    for key in LAG_KEYS:
        passed += lags.get(key, 0)
        if total and passed >= share * total:
            return key
    return None


def _counted(
    arrived: pl.DataFrame, landed: pl.DataFrame | None, zone: ZoneInfo
) -> list[tuple[str, date, int | None, int, int, int, int, datetime]]:
    """Return rows of source, day, bucket of lag (None: duplicates), counts and the last receipt."""
    if arrived.is_empty():
        return []
    if landed is None:
        return _by_bucket(arrived, zone).rows()
    fresh = _by_bucket(landed, zone)
    came = _by_day(arrived, zone)
    new = fresh.group_by("source", "day").agg(pl.col("events").sum().alias("new"))
    again = came.join(new, on=["source", "day"], how="left").with_columns(
        pl.col("events").cast(pl.Int64) - pl.col("new").fill_null(0).cast(pl.Int64)
    )
    rest = again.filter(pl.col("events") > 0).select("source", "day", "events", "last").rows()
    return fresh.rows() + [(source, day, None, events, 0, 0, 0, last) for source, day, events, last in rest]


def _day(zone: ZoneInfo) -> pl.Expr:
    return pl.col("received_at").dt.convert_time_zone(str(zone)).dt.date().alias("day")


def _by_day(events: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    return events.group_by("source", _day(zone)).agg(
        pl.len().alias("events"), pl.col("received_at").max().alias("last")
    )


def _by_bucket(events: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    seconds = (pl.col("received_at") - pl.col("ts")).dt.total_microseconds() / 1_000_000
    bucket = pl.sum_horizontal((seconds > bound).cast(pl.UInt8) for bound in LAG_BOUNDS).alias("bucket")
    sent = pl.coalesce("sent_at", "received_at")
    ahead = (pl.col("original_ts") - sent).dt.total_seconds() > AHEAD_BY
    return events.group_by("source", _day(zone), bucket).agg(
        pl.len().alias("events"),
        (pl.col("organization_id") == "").sum().alias("unassigned"),
        pl.col("user_key").is_null().sum().alias("userless"),
        ahead.fill_null(False).sum().alias("ahead"),
        pl.col("received_at").max().alias("last"),
    )
