"""Sums, averages, distributions and movements of a book of clients: a frame as `book.book_on` makes it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from bellwether.analytics.book import BANDS, LOW, Records

BIN = 5
MOST_NAMED = 8


@dataclass(frozen=True)
class Level:
    """A book as sums. `average` (0-100) is the mean of the scores there are, None without any; `arr` sums what is
    known; `by_status` counts clients by band, those without a score under None."""

    clients: int
    scored: int
    average: float | None
    arr: float
    with_arr: int
    at_risk: int
    arr_at_risk: float
    by_status: dict[str | None, int]

    @property
    def risk_share(self) -> float | None:
        """ARR at risk as a share (0-1) of ARR; None without any ARR."""
        return self.arr_at_risk / self.arr if self.arr else None


EMPTY = Level(0, 0, None, 0.0, 0, 0, 0.0, dict.fromkeys((*BANDS, None), 0))


def level_of(book: pl.DataFrame) -> Level:
    """Return the sums of a book."""
    return _levels(book.with_columns(pl.lit("").alias("one")), "one").get("", EMPTY)


def levels_by(book: pl.DataFrame, dimension: str) -> dict[str, Level]:
    """Return the sums of each value of `dimension`; clients without one are under ""."""
    return _levels(book.with_columns(pl.col(dimension).fill_null("").alias("one")), "one")


def _levels(book: pl.DataFrame, column: str) -> dict[str, Level]:
    low = pl.col("status").is_in(LOW)
    rows = book.group_by(column).agg(
        pl.len().alias("clients"),
        pl.col("score").count().alias("scored"),
        pl.col("score").mean().alias("average"),
        pl.col("arr").sum().alias("arr"),
        pl.col("arr").count().alias("with_arr"),
        low.sum().alias("at_risk"),
        pl.col("arr").filter(low).sum().alias("arr_at_risk"),
        *((pl.col("status") == band).sum().alias(band) for band in BANDS),
    )
    found = {}
    for row in rows.iter_rows(named=True):
        counts: dict[str | None, int] = {band: row[band] for band in BANDS}
        counts[None] = row["clients"] - sum(counts.values())
        found[str(row[column])] = Level(
            row["clients"], row["scored"], row["average"], row["arr"], row["with_arr"], row["at_risk"],
            row["arr_at_risk"], counts,
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class Group:
    """One row of a breakdown: the clients with `value` now, and the same value's clients before (None: there were
    none)."""

    value: str
    now: Level
    before: Level | None


def breakdown(now: pl.DataFrame, before: pl.DataFrame | None, dimension: str) -> list[Group]:
    """Return a row for each value that clients have now, those with the most ARR first."""
    earlier = levels_by(before, dimension) if before is not None else {}
    rows = [Group(value, level, earlier.get(value)) for value, level in levels_by(now, dimension).items()]
    return sorted(rows, key=lambda row: (row.value == "", -row.now.arr, -row.now.clients, row.value))


def histogram(book: pl.DataFrame) -> list[int]:
    """Return how many clients have scores of 0-4, 5-9, ... 95-100: twenty counts."""
    place = (pl.col("score") // BIN).clip(0, 100 // BIN - 1)
    counts = dict(
        book.filter(pl.col("score").is_not_null()).select(place.alias("place")).group_by("place").len().iter_rows()
    )
    return [counts.get(index, 0) for index in range(100 // BIN)]


@dataclass(frozen=True)
class Moved:
    """A client that moved: its id as 32 hex digits, name, ARR, and scores before and now (None where there is none)."""

    key: str
    name: str
    arr: float | None
    before: int | None
    now: int | None


@dataclass(frozen=True)
class Movement:
    """Clients of one kind of movement; `named` holds those with the most ARR, at most MOST_NAMED."""

    clients: int
    arr: float
    named: tuple[Moved, ...]


@dataclass(frozen=True)
class Movements:
    """What changed between two days. `fell` and `rose` crossed the limit of "at risk" and were there on both days.

    ARR then + joined - left + grown - shrunk = ARR now. `grown` and `shrunk` are sums of dollars of those that stayed.
    """

    joined: Movement
    left: Movement
    fell: Movement
    rose: Movement
    grown: float
    shrunk: float


def movements(before: pl.DataFrame, now: pl.DataFrame) -> Movements:
    """Return who joined, left, fell to at risk and came out of it, and how ARR moved."""
    columns = ["key", "name", "arr", "score", "status"]
    both = before.select(columns).join(now.select(columns), on="key", suffix="_now")
    was_low, is_low = pl.col("status").is_in(LOW), pl.col("status_now").is_in(LOW)
    known = pl.col("status").is_not_null() & pl.col("status_now").is_not_null()
    change = both.select((pl.col("arr_now").fill_null(0) - pl.col("arr").fill_null(0)).alias("d"))["d"]
    crossed = both.filter(known)
    return Movements(
        joined=_movement(now.join(before, on="key", how="anti"), now=True),
        left=_movement(before.join(now, on="key", how="anti"), now=False),
        fell=_crossed(crossed.filter(~was_low & is_low)),
        rose=_crossed(crossed.filter(was_low & ~is_low)),
        grown=float(change.clip(lower_bound=0).sum()),
        shrunk=-float(change.clip(upper_bound=0).sum()),
    )


def _movement(rows: pl.DataFrame, *, now: bool) -> Movement:
    top = rows.sort(["arr", "name", "key"], descending=[True, False, False], nulls_last=True).head(MOST_NAMED)
    named = tuple(
        Moved(row["key"], row["name"], row["arr"], None if now else row["score"], row["score"] if now else None)
        for row in top.iter_rows(named=True)
    )
    return Movement(rows.height, float(rows["arr"].sum()), named)


def _crossed(rows: pl.DataFrame) -> Movement:
    top = rows.sort(["arr_now", "name", "key"], descending=[True, False, False], nulls_last=True).head(MOST_NAMED)
    named = tuple(
        Moved(row["key"], row["name"], row["arr_now"], row["score"], row["score_now"])
        for row in top.iter_rows(named=True)
    )
    return Movement(rows.height, float(rows["arr_now"].sum()), named)


@dataclass(frozen=True)
class TrendPoint:
    """The scores of a day: quartiles (linear between ranks, 0-100) and how many clients had one."""

    day: date
    clients: int
    p25: float
    median: float
    p75: float


def trend(records: Records, days: Sequence[date]) -> list[TrendPoint]:
    """Return a point for each of `days` on which clients of that day had scores, oldest first."""
    rows = records.scores.filter(pl.col("date").is_in(list(days)) & (pl.col("date") < records.today))
    known = records.clients.select("key", "start", "gone")
    rows = rows.filter(pl.col("score").is_not_null()).join(known, on="key")
    there = (pl.col("start").is_null() | (pl.col("start") <= pl.col("date"))) & (
        pl.col("gone").is_null() | (pl.col("gone") > pl.col("date"))
    )
    parts = [rows.filter(there).select("date", "score")]
    if records.today in days:
        own = records.clients.filter("active").filter(pl.col("score").is_not_null())
        parts.append(own.select(pl.lit(records.today).cast(pl.Date).alias("date"), "score"))
    points = (
        pl.concat(parts)
        .group_by("date")
        .agg(
            pl.len().alias("clients"),
            *(
                pl.col("score").quantile(share, interpolation="linear").alias(name)
                for name, share in (("p25", 0.25), ("median", 0.5), ("p75", 0.75))
            ),
        )
        .sort("date")
    )
    return [TrendPoint(*row) for row in points.iter_rows()]
