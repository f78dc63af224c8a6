"""Reads what changed in warehouses: finds the days that look different, counts them there, and marks them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db import transaction

from bellwether.common.encryption import decrypt, encrypt, is_current
from bellwether.common.errors import BellwetherError
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.usage.dirty import mark_facts
from bellwether.usage.identity import assign_earlier_events, remember_users
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import landing_lock
from bellwether.usage.models import WarehouseDay, WarehouseSource
from bellwether.usage.tallies import TallyWriter, remove_tallies
from bellwether.usage.warehouse import opened_source, source_named, workspace_zone
from bellwether.usage.warehouse_reading import EARLIEST, WarehouseTable
from bellwether.usage.workspace import workspace_lake

EVENTS_AT_ONCE = 1_000_000
DAYS_AT_ONCE = 92


@dataclass(frozen=True, kw_only=True)
class SourceRead:
    """What reading did: `days` counted anew, `events` on them, `sources` that were asked, `failed` ones among them."""

    days: int = 0
    events: int = 0
    sources: int = 0
    failed: int = 0


def read_sources(
    *,
    now: datetime,
    progress: Progress | None = None,
    name: str | None = None,
    first: date | None = None,
    last: date | None = None,
    is_whole: bool = False,
    lake: Lake | None = None,
) -> SourceRead:
    """Count the changed days of all active sources (or of `name`), and mark them for the rollup.

    Days are looked at as far back as each source's lookback; all of them once a day, at the first time and when
    `is_whole`. With `first` and `last` all days between are counted, changed or not. A source that does not answer
    keeps what was counted before; its error is stored with it, and the others are read.
    """
    total: dict[str, int] = {"days": 0, "events": 0, "sources": 0, "failed": 0}
    lake = lake or workspace_lake()
    chosen = [source_named(name)] if name else list(WarehouseSource.objects.filter(is_active=True).order_by("name"))
    for source in chosen:
        total["sources"] += 1
        try:
            _encrypt_anew(source)
            for days, events in _read(source, lake, now, progress or NoProgress(), (first, last), is_whole):
                total["days"] += days
                total["events"] += events
        except BellwetherError as error:
            total["failed"] += 1
            source.last_error = str(error)[:1000]
            source.save(update_fields=["last_error"])
            continue
        source.last_read_at, source.last_error = now, ""
        source.save(update_fields=["last_read_at", "last_error"])
    return SourceRead(**total)


def _read(
    source: WarehouseSource,
    lake: Lake,
    now: datetime,
    progress: Progress,
    between: tuple[date | None, date | None],
    is_whole: bool,
) -> Iterator[tuple[int, int]]:
    """Count what changed, run by run, and yield (days, events) of each."""
    today = day_of(now, workspace_zone())
    read_before = source.last_read_at and day_of(source.last_read_at, workspace_zone())
    recent = today - timedelta(days=source.lookback_days - 1)
    with opened_source(source) as table:
        if between != (None, None):
            first, last = between[0] or EARLIEST, min(between[1] or today, today)
        else:
            first, last = (EARLIEST if is_whole or read_before != today else recent), today
        known = _known(source, first, last)
        bounds = table.bounds(today) if first == EARLIEST else (first, last)
        seen = table.look(max(first, bounds[0]), min(last, bounds[1])) if bounds else None
        rows = {} if seen is None else {day: (events, mark) for day, events, mark in seen.rows()}
        every = between != (None, None)
        changed = [day for day, (_, mark) in rows.items() if every or known.get(day) != mark]
        gone = sorted(set(known) - set(rows))
        if changed or gone:
            progress.start(f"Counting {len(changed) + len(gone):,} days of {source.name}", len(changed) + len(gone))
        if gone:
            _forget(source, lake, gone, now)
            progress.advance(len(gone))
            yield len(gone), 0
        for run in _runs(changed, {day: events for day, (events, _) in rows.items()}):
            users = _count(table, lake, source.name, run)
            _note(source, lake, {day: rows[day] for day in run}, users, now)
            progress.advance(len(run))
            yield len(run), sum(rows[day][0] for day in run)


def _count(table: WarehouseTable, lake: Lake, name: str, run: list[date]) -> pl.DataFrame:
    """Store the tallies of the days of `run` and return what they tell of users, as events of these would."""
    told: list[pl.DataFrame] = []
    with TallyWriter(lake, name) as writer:
        for kind, rows in table.tallies(run[0], run[-1]):
            writer.add(kind, rows)
            told.append(_users(kind, rows))
            if len(told) > 20:
                told = [pl.concat(told).unique()]
        writer.store(run)
    return pl.concat(told) if told else pl.DataFrame()


def _users(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first and last sights and the roles of users in a tally, with the columns that identity asks for."""
    person = ["organization_id", "user_key"]
    rows = rows.filter(pl.col("user_key").is_not_null())
    if kind == "roles":
        seen = rows.select(*person, "is_service", "role", "us")
    elif kind == "slots":
        ends = rows.group_by(*person, "is_service").agg(pl.col("first_us").min(), pl.col("last_us").max())
        seen = ends.unpivot(["first_us", "last_us"], index=[*person, "is_service"], value_name="us").drop("variable")
        seen = seen.with_columns(role=pl.lit(None, pl.String)).select(*person, "is_service", "role", "us")
    else:
        seen = rows.clear().select(*person, "is_service", role=pl.lit(None, pl.String), us=pl.lit(None, pl.Int64))
    return seen.select(*person, "is_service", "role", ts=pl.from_epoch("us", "us").dt.replace_time_zone("UTC"))


def _note(
    source: WarehouseSource, lake: Lake, rows: dict[date, tuple[int, str]], users: pl.DataFrame, now: datetime
) -> None:
    """Note users and days after their tallies are stored: a run that is killed in between is done again."""
    days = set(rows)
    if not users.is_empty():
        users = users.sort("ts")
        with landing_lock(lake):
            days |= set(assign_earlier_events(users, lake=lake, zone=workspace_zone()))
        remember_users(users)
    found = [
        WarehouseDay(source=source, date=day, events=events, fingerprint=mark, read_at=now)
        for day, (events, mark) in rows.items()
    ]
    with transaction.atomic():
        mark_facts(days, now=now)
        WarehouseDay.objects.bulk_create(
            found,
            update_conflicts=True,
            unique_fields=["source", "date"],
            update_fields=["events", "fingerprint", "read_at"],
        )


def _forget(source: WarehouseSource, lake: Lake, days: list[date], now: datetime) -> None:
    remove_tallies(lake, source.name, days)
    with transaction.atomic():
        mark_facts(days, now=now)
        source.days.filter(date__range=(days[0], days[-1]), date__in=days).delete()


def _known(source: WarehouseSource, first: date, last: date) -> dict[date, str]:
    return dict(source.days.filter(date__range=(first, last)).values_list("date", "fingerprint"))


def _runs(days: list[date], events: dict[date, int]) -> Iterator[list[date]]:
    """Yield the ascending `days` in runs without a gap, of some EVENTS_AT_ONCE events, DAYS_AT_ONCE days at most."""
    run: list[date] = []
    size = 0
    for day in days:
        if run and (
            day - run[-1] > timedelta(days=1) or size + events[day] > EVENTS_AT_ONCE or len(run) == DAYS_AT_ONCE
        ):
            yield run
            run, size = [], 0
        run.append(day)
        size += events[day]
    if run:
        yield run


def _encrypt_anew(source: WarehouseSource) -> None:
    """Encrypt the connection under the first key if that is not the one it is under."""
    if not is_current(source.connection):
        source.connection = encrypt(decrypt(source.connection))
        source.save(update_fields=["connection"])
