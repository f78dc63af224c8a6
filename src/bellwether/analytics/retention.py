"""Retention of clients and ARR over twelve months. Pure.

The cohort are the clients of the day a year earlier that had an ARR. With S their ARR on that day, and E their ARR at
the end (0 for one that churned or left): gross retention = sum(min(E, S)) / sum(S), which is (ARR at start - churned -
contraction) / ARR at start; net retention = sum(E) / sum(S). Client retention counts those that stayed.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from bellwether.analytics.book import Records, book_on
from bellwether.analytics.periods import year_before

FEWEST = 5
"""Under five clients a rate says more about one client than about a book."""


@dataclass(frozen=True)
class Retention:
    """What became of the cohort between two days, in clients and dollars."""

    since: date
    until: date
    clients: int
    lost: int
    arr_start: float
    arr_churned: float
    arr_contraction: float
    arr_expansion: float

    @property
    def gross(self) -> float | None:
        """Gross retention (0-1); None without a cohort of FEWEST."""
        return (self.arr_start - self.arr_churned - self.arr_contraction) / self.arr_start if self.enough else None

    @property
    def net(self) -> float | None:
        """Net retention (0 and more); None without a cohort of FEWEST."""
        kept = self.arr_start - self.arr_churned - self.arr_contraction + self.arr_expansion
        return kept / self.arr_start if self.enough else None

    @property
    def stayed(self) -> float | None:
        """The share (0-1) of clients that stayed; None without a cohort of FEWEST."""
        return 1 - self.lost / self.clients if self.enough else None

    @property
    def churn(self) -> float | None:
        """The share (0-1) of clients that were lost; None without a cohort of FEWEST."""
        return self.lost / self.clients if self.enough else None

    @property
    def enough(self) -> bool:
        """Whether there is a cohort to speak of."""
        return self.clients >= FEWEST and self.arr_start > 0


def cohort(records: Records, until: date) -> pl.DataFrame:
    """Return the cohort of the year to `until`: key, name, csm, arr_start, arr_end, lost, lost_on."""
    since = year_before(until)
    was_there = pl.col("churned").is_null() | (pl.col("churned") > since)
    start = book_on(records, since).filter((pl.col("arr") > 0) & was_there)
    end = book_on(records, until).select("key", pl.col("arr").alias("arr_now"), pl.lit(True).alias("there"))
    rows = start.join(end, on="key", how="left", maintain_order="left")
    churned = pl.col("churned").is_not_null() & (pl.col("churned") <= until)
    lost = pl.col("there").is_null() | churned
    return rows.select(
        "key",
        "name",
        "csm",
        pl.col("arr").alias("arr_start"),
        pl.when(lost).then(0.0).otherwise(pl.col("arr_now").fill_null(0.0)).alias("arr_end"),
        lost.alias("lost"),
        pl.when(lost).then(pl.coalesce("churned", "gone")).alias("lost_on"),
    )


def retention_of(rows: pl.DataFrame, until: date) -> Retention:
    """Return the sums of a cohort as `cohort` returns it."""
    change = pl.col("arr_end") - pl.col("arr_start")
    stayed = ~pl.col("lost")
    sums = rows.select(
        pl.len().alias("clients"),
        pl.col("lost").sum().alias("lost"),
        pl.col("arr_start").sum().alias("start"),
        pl.col("arr_start").filter("lost").sum().alias("churned"),
        (-change).clip(lower_bound=0).filter(stayed).sum().alias("contraction"),
        change.clip(lower_bound=0).filter(stayed).sum().alias("expansion"),
    ).row(0)
    return Retention(year_before(until), until, *sums)


def by_csm(rows: pl.DataFrame, until: date) -> dict[str, Retention]:
    """Return the sums of the clients that are assigned to each CSM today."""
    return {str(key): retention_of(part, until) for (key,), part in rows.group_by("csm") if key}
