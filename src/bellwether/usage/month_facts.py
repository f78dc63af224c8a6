"""The facts of single days on their way into a month's files, a few days in memory at a time.

What was counted waits in local files, unless it is little; kept and counted days are read together in runs of days,
linked, and written one after the other. So memory grows with the users of a few days, not with those of a month.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from bellwether.usage.calendar import first_of, last_of, month_of
from bellwether.usage.fact_files import store_days
from bellwether.usage.facts import KINDS, read_month, store_month
from bellwether.usage.lake import Lake
from bellwether.usage.linking import linked_days, stored_day

ROWS_IN_MEMORY = 20_000
"""Counted rows of a batch that are not worth a file."""

ROWS_AT_ONCE = 250_000
"""Rows of a run of days; a day with more of them is a run of its own."""


class MonthFacts:
    """The days of `month` that were counted, and those of its files that were not (all but the `dirty` ones)."""

    def __init__(self, lake: Lake, month: str, dirty: list[date], scratch: Path) -> None:
        self._lake, self._month, self._dirty, self._scratch = lake, month, dirty, scratch
        self._counted: dict[str, list[pl.LazyFrame]] = {}
        self._files: list[Path] = []

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Add counted facts of `kind`, of any of the dirty days."""
        waiting = self._counted.setdefault(kind, [])
        if rows.height <= ROWS_IN_MEMORY:
            waiting.append(rows.lazy())
            return
        path = self._scratch / f"{self._month}-{kind}-{len(waiting)}.parquet"
        rows.write_parquet(path, compression="lz4")
        self._files.append(path)
        waiting.append(pl.scan_parquet(path))

    def store(self) -> int:
        """Put the counted days in the place of the dirty ones; return how many files of the month changed."""
        files = sum(
            store_days(self._lake, kind, self._month, self._runs(kind)) for kind in ("event_days", "client_hours")
        )
        files += self.store_users()
        for path in self._files:
            path.unlink()
        return files

    def store_users(self) -> int:
        """The same of user_days and user_months alone, with the sessions as the days around have them now."""
        firsts = pl.DataFrame(schema=KINDS["user_months"])

        def linked() -> Iterator[pl.DataFrame]:
            nonlocal firsts
            for rows in self._runs("user_days"):
                firsts = _earliest(pl.concat([firsts, _seen(rows)]))
                yield linked_days(rows, self._user_days_of)

        files = int(store_days(self._lake, "user_days", self._month, linked()))
        return files + store_month(self._lake, "user_months", self._month, firsts)

    def _user_days_of(self, day: date) -> pl.DataFrame:
        return self._rows("user_days", day, day) if month_of(day) == self._month else stored_day(self._lake, day)

    def _runs(self, kind: str) -> Iterator[pl.DataFrame]:
        """Yield the facts `kind` of the month in runs of days, ascending."""
        run: list[date] = []
        size = 0
        for day, count in self._counts(kind):
            if run and size + count > ROWS_AT_ONCE:
                yield self._rows(kind, run[0], run[-1])
                run, size = [], 0
            run.append(day)
            size += count
        if run:
            yield self._rows(kind, run[0], run[-1])

    def _counts(self, kind: str) -> list[tuple[date, int]]:
        kept = read_month(self._lake, kind, self._month, columns=["date"]).filter(~pl.col("date").is_in(self._dirty))
        dates = [frame.select("date").collect() for frame in self._counted.get(kind, [])]
        return pl.concat([kept, *dates]).group_by("date").len().sort("date").rows()

    def _rows(self, kind: str, first: date, last: date) -> pl.DataFrame:
        first, last = max(first, first_of(self._month)), min(last, last_of(self._month))
        kept = read_month(self._lake, kind, self._month, first=first, last=last)
        kept = kept.filter(~pl.col("date").is_in(self._dirty))
        within = pl.col("date").is_between(first, last)
        counted = [frame.filter(within).select(kept.columns).collect() for frame in self._counted.get(kind, [])]
        return pl.concat([kept, *counted])


def _seen(user_days: pl.DataFrame) -> pl.DataFrame:
    people = user_days.filter(~pl.col("is_service"))
    return people.select("organization_id", "user_key", first_date="date")


def _earliest(seen: pl.DataFrame) -> pl.DataFrame:
    return seen.group_by("organization_id", "user_key").agg(pl.col("first_date").min())
