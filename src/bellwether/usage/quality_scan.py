"""Which names and organizations the daily facts hold: one pass over a few columns, month by month.

Months that are over change rarely; what they hold is remembered by the version of their file, so that looking again
reads only what changed.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from bellwether.usage.calendar import month_of
from bellwether.usage.facts import EVENT_DAYS, facts_path, stored_months
from bellwether.usage.lake import Lake, Stamp
from bellwether.usage.quality_facts import NameFacts
from bellwether.usage.quality_thresholds import RECENT_DAYS

Sums = tuple[pl.DataFrame, pl.DataFrame]
Remembered = MutableMapping[tuple[str, str], tuple[Stamp | None, Sums]]
"""What a month of a lake came to, and the version of the file that it was read from."""


@dataclass(frozen=True)
class Seen:
    """`names`: each name of an event, with most events first. `organizations`: organization id → the last day with an
    event, events of the last 30 days, all events. `service_share`: of those 30 days, 0-1, None without events."""

    names: list[NameFacts] = field(default_factory=list)
    organizations: dict[str, tuple[date, int, int]] = field(default_factory=dict)
    service_share: float | None = None


def seen_events(lake: Lake, today: date, remembered: Remembered) -> Seen:
    """Return what the facts of `lake` hold; the last 30 days end with `today`.

    `remembered` keeps what each month came to, and is filled here.
    """
    months = stored_months(lake, "event_days")
    if not months:
        return Seen()
    sums = [_of_month(lake, month, remembered) for month in months]
    by_name, by_place, by_service = _recent(lake, today, months)
    names = (
        pl.concat([one[0] for one in sums])
        .group_by("event")
        .agg(
            pl.col("events").sum(),
            pl.col("first").min(),
            pl.col("last").max(),
            pl.col("modules").explode().unique().drop_nulls(),
            pl.col("features").explode().unique().drop_nulls(),
        )
        .join(by_name, on="event", how="left")
        .sort(["events", "event"], descending=[True, False])
    )
    places = (
        pl.concat([one[1] for one in sums])
        .group_by("organization_id")
        .agg(pl.col("events").sum(), pl.col("last").max())
        .join(by_place, on="organization_id", how="left")
    )
    total = int(by_service["recent"].sum())
    services = int(by_service.filter(pl.col("is_service"))["recent"].sum())
    return Seen(
        names=[_name(row) for row in names.iter_rows(named=True)],
        organizations={
            row["organization_id"]: (row["last"], row["recent"] or 0, row["events"])
            for row in places.iter_rows(named=True)
        },
        service_share=services / total if total else None,
    )


def _name(row: dict[str, object]) -> NameFacts:
    values: dict[str, object] = {
        "name": row["event"],
        "total": row["events"],
        "first": row["first"],
        "last": row["last"],
        "recent": row["recent"] or 0,
        "recent_clients": row["clients"] or 0,
        "modules": frozenset(row["modules"]),  # type: ignore[call-overload]
        "features": frozenset(row["features"]),  # type: ignore[call-overload]
    }
    return NameFacts(**values)  # type: ignore[arg-type]


def _collected(lake: Lake, months: list[str], ask: Callable[[pl.LazyFrame], list[pl.LazyFrame]]) -> list[pl.DataFrame]:
    """Return what `ask` asks of the event_days of `months`; no more columns are read than that needs."""
    with lake.opened([facts_path(lake, "event_days", month) for month in months]) as files:
        rows = pl.scan_parquet(files, hive_partitioning=False) if files else pl.LazyFrame(schema=EVENT_DAYS)
        return pl.collect_all(ask(rows))


def _of_month(lake: Lake, month: str, remembered: Remembered) -> Sums:
    stamp = lake.stamp(facts_path(lake, "event_days", month))
    kept = remembered.get((lake.name, month))
    if kept is not None and kept[0] == stamp:
        return kept[1]
    names, places = _collected(lake, [month], _by_name_and_place)
    remembered[lake.name, month] = (stamp, (names, places))
    return names, places


def _by_name_and_place(rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    names = rows.group_by("event").agg(
        pl.col("events").sum(),
        pl.col("date").min().alias("first"),
        pl.col("date").max().alias("last"),
        pl.col("module").unique().drop_nulls().alias("modules"),
        pl.col("feature").unique().drop_nulls().alias("features"),
    )
    return [names, rows.group_by("organization_id").agg(pl.col("events").sum(), pl.col("date").max().alias("last"))]


def _recent(lake: Lake, today: date, months: list[str]) -> list[pl.DataFrame]:
    """Return the events of the last 30 days: by name with their clients, by organization, and those of services."""
    first = today - timedelta(days=RECENT_DAYS - 1)
    wanted = [month for month in months if month_of(first) <= month <= month_of(today)]

    def ask(rows: pl.LazyFrame) -> list[pl.LazyFrame]:
        recent = rows.filter(pl.col("date").is_between(first, today))
        total = pl.col("events").sum().alias("recent")
        return [
            recent.group_by("event").agg(total, pl.col("organization_id").n_unique().alias("clients")),
            recent.group_by("organization_id").agg(total),
            recent.group_by("is_service").agg(total),
        ]

    return _collected(lake, wanted, ask)
