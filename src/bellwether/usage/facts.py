"""The daily facts: their columns, and how they are read and stored. One Parquet file a month and kind, in the lake.

Every number on a page, in a score and in a report goes back to these three tables; docs/reference/facts.md explains
each column. Dates are days of the workspace's time zone, instants UTC.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl
from polars._typing import PolarsDataType

from bellwether.usage.calendar import month_of, months_between
from bellwether.usage.kept import FACTS, kept_from
from bellwether.usage.lake import Lake, LakePath, write_part

FILE = "facts.parquet"
Schema = Mapping[str, PolarsDataType]
INSTANT = pl.Datetime("us", "UTC")

USER_DAYS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "user_key": pl.String(),
    "date": pl.Date(),
    "actions": pl.Int64(),
    "sessions": pl.Int32(),
    "session_seconds": pl.Int64(),
    "is_service": pl.Boolean(),
    "role": pl.String(),
    "modules": pl.Int32(),
    "first_ts": INSTANT,
    "last_ts": INSTANT,
}
"""One user's day at one client; a user who acts both as a person and as a service has two."""

EVENT_DAYS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "date": pl.Date(),
    "event": pl.String(),
    "module": pl.String(),
    "feature": pl.String(),
    "label": pl.String(),
    "is_service": pl.Boolean(),
    "events": pl.Int64(),
    "users": pl.Int32(),
    "first_ts": INSTANT,
    "last_ts": INSTANT,
}
"""One kind of action (track, page, screen) of one client on one day."""

CLIENT_DAYS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "date": pl.Date(),
    "dau": pl.Int64(),
    "wau": pl.Int64(),
    "mau": pl.Int64(),
    "total_users": pl.Int64(),
    "new_users": pl.Int64(),
    "sessions": pl.Int64(),
    "session_seconds": pl.Int64(),
    "actions": pl.Int64(),
    "service_actions": pl.Int64(),
    "actions_by_hour": pl.List(pl.Int64()),
}
"""One client's day on which mau > 0 or any event happened: up to 29 days after an action, also ahead of today."""

FRAGMENTS: dict[str, PolarsDataType] = {
    "first_action_ts": INSTANT,
    "last_action_ts": INSTANT,
    "head_end_ts": INSTANT,
    "fragments": pl.Int32(),
    "fragment_us": pl.Int64(),
}
"""What user_days keep besides, so that sessions across midnight can be put together again (usage.sessions)."""

STORED_USER_DAYS = USER_DAYS | FRAGMENTS

CLIENT_HOURS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "date": pl.Date(),
    "events": pl.Int64(),
    **{f"h{hour:02d}": pl.Int64() for hour in range(24)},
}
"""Kept for client_days and for the hours of one client: all events of its day, its people's actions by local hour."""

USER_MONTHS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "user_key": pl.String(),
    "first_date": pl.Date(),
}
"""Kept for client_days only: the day of the month on which a person was first seen, to find the first ever soon."""

CUSTOM_DAYS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "date": pl.Date(),
    "measure": pl.String(),
    "events": pl.Int64(),
    "total": pl.Int64(),
    "last": pl.Float64(),
    "last_ts": INSTANT,
}
"""Kept for custom measures: what one selection of events (`measure`, its digest) came to for a client on a day."""

CUSTOM_USERS: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "user_key": pl.String(),
    "date": pl.Date(),
    "measure": pl.String(),
    "value": pl.Int64(),
    "last_ts": INSTANT,
}
"""Kept for custom measures: who did what a selection asks for, or was said to have a value, on which day."""

KINDS: dict[str, Schema] = {
    "user_days": STORED_USER_DAYS,
    "event_days": EVENT_DAYS,
    "client_hours": CLIENT_HOURS,
    "user_months": USER_MONTHS,
    "client_days": CLIENT_DAYS,
    "custom_days": CUSTOM_DAYS,
    "custom_users": CUSTOM_USERS,
}
"""The kinds of facts and their columns, in the order in which they follow from each other."""

KEYS: dict[str, list[str]] = {
    "user_days": ["date", "organization_id", "user_key", "is_service"],
    "event_days": ["date", "organization_id", "event", "module", "feature", "label", "is_service"],
    "client_hours": ["date", "organization_id"],
    "user_months": ["organization_id", "user_key"],
    "client_days": ["date", "organization_id"],
    "custom_days": ["date", "organization_id", "measure"],
    "custom_users": ["date", "organization_id", "user_key", "measure"],
}
"""What each row is unique by, which is also its order in the file."""


MADE_OF_FACTS = "churn_rows"
"""The folder of rows that were made of facts, client by client (churn.kept_rows). Erasing a person empties it."""


def remove_made_rows(lake: Lake) -> int:
    """Remove the rows that were made of facts, which will be made again; return how many files there were."""
    root = lake.root / MADE_OF_FACTS
    removed = 0
    for name in lake.folders(root):
        paths = [path for path, _ in lake.files(root / name)]
        for path in paths:
            lake.forget_copies(path)
        removed += lake.remove(paths)
        lake.remove_folder(root / name)
    return removed


def read_client_days(
    lake: Lake,
    first: date,
    last: date,
    *,
    organization_ids: Iterable[str] | None = None,
    columns: Iterable[str] = CLIENT_DAYS,
) -> pl.DataFrame:
    """Return CLIENT_DAYS from `first` to `last`, both included, of all clients or those given; empty if there are none.

    Ordered by date and client. `columns` are those to read, by default all.
    """
    return _read(lake, "client_days", {name: CLIENT_DAYS[name] for name in columns}, first, last, organization_ids)


def read_event_days(
    lake: Lake,
    first: date,
    last: date,
    *,
    organization_ids: Iterable[str] | None = None,
    columns: Iterable[str] = EVENT_DAYS,
) -> pl.DataFrame:
    """Return EVENT_DAYS (`columns` of it) from `first` to `last`, both included, of all clients or those given."""
    return _read(lake, "event_days", {name: EVENT_DAYS[name] for name in columns}, first, last, organization_ids)


def read_user_days(
    lake: Lake,
    first: date,
    last: date,
    *,
    organization_ids: Iterable[str] | None = None,
    columns: Iterable[str] = USER_DAYS,
) -> pl.DataFrame:
    """Return USER_DAYS (`columns` of it) from `first` to `last`, both included, of all clients or those given."""
    return _read(lake, "user_days", {name: USER_DAYS[name] for name in columns}, first, last, organization_ids)


def read_first_sights(lake: Lake, user_keys: Iterable[str]) -> pl.DataFrame:
    """Return organization_id, user_key and first_date: the day on which each client first saw some people."""
    schema = KINDS["user_months"]
    wanted = sorted(set(user_keys) - {""})
    paths = [facts_path(lake, "user_months", month) for month in stored_months(lake, "user_months")] if wanted else []
    found = _collect(lake, paths, schema, pl.col("user_key").is_in(wanted))
    return found.group_by("organization_id", "user_key").agg(pl.col("first_date").min())


def read_client_hours(
    lake: Lake, first: date, last: date, *, organization_ids: Iterable[str] | None = None
) -> pl.DataFrame:
    """Return CLIENT_HOURS from `first` to `last`, both included, of all clients or those given.

    Of a few clients this is far quicker to read than the hours of client_days, which lie in lists.
    """
    return _read(lake, "client_hours", CLIENT_HOURS, first, last, organization_ids)


def counted_days(lake: Lake, first: date, last: date) -> list[date]:
    """Return the days from `first` to `last` on which facts of any event are stored, ascending."""
    months = [m for m in stored_months(lake, "client_hours") if month_of(first) <= m <= month_of(last)]
    paths = [facts_path(lake, "client_hours", month) for month in months]
    days = _collect(lake, paths, CLIENT_HOURS, _between(first, last))["date"]
    return days.unique().sort().to_list()


def facts_path(lake: Lake, kind: str, month: str) -> LakePath:
    """Return the file of the facts `kind` of `month` (YYYY-MM), which may not exist."""
    return lake.facts_of(kind, month) / FILE


def stored_months(lake: Lake, kind: str) -> list[str]:
    """Return the months (YYYY-MM) that have facts of `kind`, ascending."""
    names = lake.folders(lake.root / kind, holding=FILE)
    return [name.removeprefix("month=") for name in names if name.startswith("month=")]


def read_month(
    lake: Lake,
    kind: str,
    month: str,
    *,
    first: date | None = None,
    last: date | None = None,
    columns: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Return the stored facts `kind` of `month` with all their columns or those given, from `first` to `last`."""
    schema = {name: KINDS[kind][name] for name in columns or KINDS[kind]}
    return _collect(lake, [facts_path(lake, kind, month)], schema, _between(first, last))


def store_month(lake: Lake, kind: str, month: str, rows: pl.DataFrame) -> bool:
    """Replace the facts `kind` of `month` by `rows` (in any order) in one step; return whether that changed anything.

    The same rows always make the same file; a file that holds them already is left alone, and an empty month has none.
    """
    schema, path = KINDS[kind], facts_path(lake, kind, month)
    ordered = rows.select([pl.col(name).cast(dtype) for name, dtype in schema.items()]).sort(
        KEYS[kind], nulls_last=False
    )
    if ordered.equals(read_month(lake, kind, month)):
        return False
    if ordered.is_empty():
        lake.remove([path])
        return True
    write_part(ordered.rechunk().to_arrow(), path)
    return True


def _read(
    lake: Lake, kind: str, schema: Schema, first: date, last: date, organization_ids: Iterable[str] | None
) -> pl.DataFrame:
    since = kept_from(lake, FACTS)
    first = max(first, since) if since else first  # what is left of older days is folded, and no days any more
    if last < first:
        return pl.DataFrame(schema=schema)
    condition = _between(first, last)
    if organization_ids is not None:
        condition &= pl.col("organization_id").is_in(sorted(organization_ids))
    months = months_between(first, last)
    if lake.is_remote:  # one request for all of them is quicker than one for each that does not exist
        months = [month for month in stored_months(lake, kind) if month in set(months)]
    return _collect(lake, [facts_path(lake, kind, month) for month in months], schema, condition)


def _between(first: date | None, last: date | None) -> pl.Expr:
    condition = pl.lit(True)
    if first is not None:
        condition &= pl.col("date") >= first
    if last is not None:
        condition &= pl.col("date") <= last
    return condition


def _collect(lake: Lake, paths: list[LakePath], schema: Schema, condition: pl.Expr) -> pl.DataFrame:
    """Read `paths`, skipping those that do not exist. Files are held open while they are read, so that a rollup that
    replaces one in the meantime is not seen half."""
    with lake.opened(paths) as files:
        if not files:
            return pl.DataFrame(schema=schema)
        return pl.scan_parquet(files, hive_partitioning=False).filter(condition).select(list(schema)).collect()
