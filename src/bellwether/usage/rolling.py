"""Keeps client_days in step with the facts they follow from."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import cache

import ibis
import numpy as np
import polars as pl
from ibis import Schema
from ibis.expr.types import Table

from bellwether.common.progress import Progress
from bellwether.common.time import days_between
from bellwether.usage import rollup
from bellwether.usage.calendar import (
    EPOCH_DAY,
    day_number,
    first_of,
    following_month,
    last_of,
    months_between,
)
from bellwether.usage.engines import Engine, to_sql
from bellwether.usage.facts import (
    CLIENT_DAYS,
    KINDS,
    facts_path,
    read_month,
    store_month,
    stored_months,
)
from bellwether.usage.lake import Lake
from bellwether.usage.rollup.rolling import HOURS, LONGEST

LOOKBACK = timedelta(days=LONGEST - 1)
USER_DAY_COLUMNS = ("organization_id", "user_key", "date", "is_service", "actions", "sessions", "session_seconds")
NEW_USERS = {"organization_id": "string", "date": "date", "new_users": "int64"}
CHUNK_BYTES = 96 * 2**20
CHUNK_MONTHS = 36


def refresh_client_days(
    engine: Engine,
    lake: Lake,
    months: list[str],
    *,
    progress: Progress,
    announce: Callable[[list[date]], None],
) -> tuple[int, set[date]]:
    """Count client_days of the ascending `months` anew, and the users ever seen in all later ones.

    Returns how many files changed and the days with changed rows; `announce` is told those before they are stored.
    """
    progress.start(f"Counting the active users of {len(months):,} months", len(months))
    fresh = _new_users(engine, lake)
    files, changed = 0, set[date]()

    def store(month: str, rows: pl.DataFrame) -> None:
        nonlocal files
        days = _differing_days(read_month(lake, "client_days", month), rows)
        if days:
            announce(days)
            changed.update(days)
            files += store_month(lake, "client_days", month, rows)

    for chunk in _chunks(lake, months):
        rows = _count(engine, lake, chunk, fresh)
        for month in chunk:
            store(month, rows.filter(pl.col("date").is_between(first_of(month), last_of(month))))
        progress.advance(len(chunk))
    for month in stored_months(lake, "client_days"):
        if month > months[0] and month not in months:
            store(month, _with_users_ever(read_month(lake, "client_days", month), fresh))
    return files, changed


def _chunks(lake: Lake, months: list[str]) -> Iterator[list[str]]:
    """Yield runs of consecutive `months` whose user-days fit into memory together."""
    chunk: list[str] = []
    size = 0
    for month in months:
        stamp = lake.stamp(facts_path(lake, "user_days", month))
        of_month = stamp[1] if stamp else 0
        gap = chunk and following_month(chunk[-1]) != month
        if chunk and (gap or size + of_month > CHUNK_BYTES or len(chunk) == CHUNK_MONTHS):
            yield chunk
            chunk, size = [], 0
        chunk.append(month)
        size += of_month
    if chunk:
        yield chunk


def _count(engine: Engine, lake: Lake, chunk: list[str], fresh: pl.DataFrame) -> pl.DataFrame:
    first, last = first_of(chunk[0]), last_of(chunk[-1])
    for kind in ("user_days", "client_hours"):
        _see(engine, lake, kind, first - LOOKBACK, last)
    return count_client_days(engine, first, last, fresh)


def count_client_days(engine: Engine, first: date, last: date, fresh: pl.DataFrame) -> pl.DataFrame:
    """Return CLIENT_DAYS from `first` to `last` of what `engine` sees as user_days and client_hours.

    Both begin LOOKBACK before `first` and end with `last`. `fresh` has how many people each client saw for the first
    time on which day (organization_id, date, new_users), from the beginning of time.
    """
    dates = days_between(first - LOOKBACK, last)
    numbers = [day_number(day) for day in dates]
    day = (pl.col("date") - pl.lit(EPOCH_DAY)).dt.total_days().clip(lower_bound=numbers[0])
    engine.see_frame("new_users", fresh.filter(pl.col("date") <= last).with_columns(day=day))
    engine.see_frame(
        "calendar", pl.DataFrame({"date": dates, "day": numbers, "is_wanted": [day >= first for day in dates]})
    )
    rows = engine.frame(client_days_sql(engine.dialect))
    hours = np.ascontiguousarray(rows.select(HOURS).to_numpy())  # far faster than concat_list
    rows = rows.with_columns(pl.Series("actions_by_hour", hours, dtype=pl.Array(pl.Int64, len(HOURS))).arr.to_list())
    return rows.select([pl.col(name).cast(dtype) for name, dtype in CLIENT_DAYS.items()])


def _see(engine: Engine, lake: Lake, kind: str, first: date, last: date) -> None:
    paths = [facts_path(lake, kind, month) for month in months_between(first, last)]
    existing = [path for path in paths if lake.exists(path)]
    if existing:
        engine.see(kind, existing, first=first, last=last)
    else:
        engine.see_frame(kind, pl.DataFrame(schema=KINDS[kind]))


@cache
def client_days_sql(dialect: str) -> str:
    """Return the query for client_days over the tables user_days, client_hours, new_users and calendar."""
    return to_sql(
        rollup.client_days(
            _unbound("user_days", USER_DAY_COLUMNS),
            _unbound("client_hours"),
            ibis.table(NEW_USERS | {"day": "int64"}, name="new_users"),
            calendar=ibis.table({"date": "date", "day": "int64", "is_wanted": "boolean"}, name="calendar"),
        ),
        dialect,
    )


@cache
def new_users_sql(dialect: str) -> str:
    """Return the query for how many people each client saw for the first time on which day, over user_months."""
    months = _unbound("user_months")
    firsts = months.group_by(["organization_id", "user_key"]).agg(date=months.first_date.min())
    counts = firsts.group_by(["organization_id", "date"]).agg(new_users=firsts.count())
    return to_sql(counts.order_by("organization_id", "date"), dialect)


def _unbound(kind: str, columns: Iterable[str] | None = None) -> Table:
    schema = {name: KINDS[kind][name] for name in columns or KINDS[kind]}
    return ibis.table(Schema.from_polars(pl.Schema(schema)), name=kind)


def _new_users(engine: Engine, lake: Lake) -> pl.DataFrame:
    """Return what `new_users_sql` gives over all months: organization_id, date, new_users."""
    paths = [facts_path(lake, "user_months", month) for month in stored_months(lake, "user_months")]
    if not paths:
        return pl.DataFrame(schema={"organization_id": pl.String, "date": pl.Date, "new_users": pl.Int64})
    engine.see("user_months", paths)
    return engine.frame(new_users_sql(engine.dialect))


def _with_users_ever(rows: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Return client_days `rows` with new_users and total_users as the first sights `fresh` have them."""
    totals = fresh.with_columns(total_users=pl.col("new_users").cum_sum().over("organization_id"))
    counted = (
        rows.drop("new_users", "total_users")
        .sort("date")
        .join_asof(
            totals.drop("new_users").sort("date"),
            on="date",
            by="organization_id",
            strategy="backward",
            check_sortedness=False,
        )
        .join(fresh, on=["organization_id", "date"], how="left")
    )
    return counted.with_columns(pl.col("new_users").fill_null(0), pl.col("total_users").fill_null(0)).select(
        [pl.col(name).cast(dtype) for name, dtype in CLIENT_DAYS.items()]
    )


def _differing_days(old: pl.DataFrame, new: pl.DataFrame) -> list[date]:
    """Return the days on which the rows of client_days differ, ascending."""
    order = ["date", "organization_id"]
    old, new = old.sort(order), new.sort(order)
    if old.equals(new):
        return []
    # A row that only one of the two has stands once in both together; lists do not compare, their fields do.
    hours = pl.col("actions_by_hour").list.to_struct(fields=HOURS)
    both = pl.concat([old, new]).with_columns(hours).unnest("actions_by_hour")
    return both.filter(both.is_unique())["date"].unique().sort().to_list()
