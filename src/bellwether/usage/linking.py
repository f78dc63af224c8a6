"""Which months must be looked at again so that sessions over the ends of months are right, and how."""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

from bellwether.usage.calendar import first_of, following_month, last_of, month_of, previous_month
from bellwether.usage.facts import facts_path, read_month
from bellwether.usage.lake import Lake
from bellwether.usage.sessions import USER, continues, link_sessions

DAY = timedelta(days=1)


RowsOf = Callable[[date], pl.DataFrame]
"""Gives the user-days of a day, those that are about to be stored among them."""


def linked_days(rows: pl.DataFrame, rows_of: RowsOf) -> pl.DataFrame:
    """Return the user-days `rows`, of days without a gap, with their sessions, seen together with the days around."""
    if rows.is_empty():
        return rows
    first, last = rows.select(first=pl.col("date").min(), last=pl.col("date").max()).row(0)
    columns = rows.columns
    around = [rows_of(first - DAY), rows, *_days_reached(rows, last, rows_of)]
    linked = link_sessions(pl.concat([frame.select(columns) for frame in around]))
    return linked.filter(pl.col("date").is_between(first, last)).select(columns)


def months_to_link(lake: Lake, dirty: list[date]) -> list[str]:
    """Return the stored months whose sessions may differ because days beyond their ends changed, once all of the
    `dirty` days are stored."""
    changed = set(dirty)
    months: set[str] = set()
    for month in sorted({month_of(day) for day in dirty}):
        if last_of(month) in changed:
            months.add(following_month(month))
        earlier = month
        while first_of(earlier) in changed or _is_passed_through(lake, first_of(earlier)):
            changed.discard(first_of(earlier))
            earlier = previous_month(earlier)
            months.add(earlier)
    return sorted(month for month in months if lake.exists(facts_path(lake, "user_days", month)))


def _days_reached(rows: pl.DataFrame, last: date, rows_of: RowsOf) -> list[pl.DataFrame]:
    """Return the days after `last` into which a session of the `rows` may go on."""
    reached = []
    before, day = rows.filter(pl.col("date") == last), last + DAY
    while not before.is_empty():
        following = rows_of(day)
        reached.append(following)
        if not passing(before, following):
            break
        before, day = following, day + DAY
    return reached


def _is_passed_through(lake: Lake, day: date) -> bool:
    return passing(stored_day(lake, day - DAY), stored_day(lake, day))


def passing(before: pl.DataFrame, day: pl.DataFrame) -> bool:
    """Return whether some person's session of the day `before` goes on through all that the person does on `day`."""
    if before.is_empty() or day.is_empty():
        return False
    acting = pl.concat([before.select(day.columns), day]).filter((pl.col("fragments") > 0) & ~pl.col("is_service"))
    return acting.sort(*USER, "date").filter(continues() & (pl.col("fragments") == 1)).height > 0


def stored_day(lake: Lake, day: date) -> pl.DataFrame:
    """Return the stored user-days of `day`."""
    return read_month(lake, "user_days", month_of(day), first=day, last=day)
