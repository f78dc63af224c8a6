"""Tables of events in databases of the workspace's own: named, checked, read where they are, forgotten."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.common.encryption import decrypt, encrypt, is_current
from bellwether.common.errors import BellwetherError, ConflictError, InvalidInputError
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.dirty import mark_facts
from bellwether.usage.identity import assign_earlier_events, remember_users
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import landing_lock
from bellwether.usage.models import WarehouseDay, WarehouseSource
from bellwether.usage.services import workspace_labels
from bellwether.usage.tallies import TallyWriter, remove_tallies, tallied_days
from bellwether.usage.warehouse_choosing import chosen_mapping
from bellwether.usage.warehouse_connection import connected, opened_table, shown
from bellwether.usage.warehouse_mapping import TableMapping, mapping_problems
from bellwether.usage.warehouse_reading import EARLIEST, WarehouseTable
from bellwether.usage.workspace import workspace_lake

EVENTS_AT_ONCE = 1_000_000
DAYS_AT_ONCE = 92
SAMPLE_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class SourceCheck:
    """What a table looks like through a mapping: `days` has the last days with events (date, events); `lag_seconds` is
    how long ago the latest event happened; `without_time` and `later` are rows that are not counted (no time that can
    be read; after today). `first` and `last` are None for an empty table."""

    shown_as: str
    mapping: TableMapping
    columns: dict[str, str]
    first: date | None
    last: date | None
    days: list[tuple[date, int]]
    users: int
    clients: int
    lag_seconds: float | None
    without_time: int
    later: int


@dataclass(frozen=True, kw_only=True)
class SourceRead:
    """What reading did: `days` counted anew, `events` on them, `sources` that were asked, `failed` ones among them."""

    days: int = 0
    events: int = 0
    sources: int = 0
    failed: int = 0


def check_source(
    url: str,
    table: str,
    *,
    now: datetime,
    given: Iterable[tuple[str, str]] = (),
    constants: Iterable[tuple[str, str]] = (),
    zone: str = "UTC",
    unit: str = "s",
) -> SourceCheck:
    """Connect to `url`, match the columns of `table` and count a sample; nothing is stored. See `chosen_mapping`.

    Raises InvalidInputError with an error for each field, WarehouseError when the warehouse does not answer.
    """
    with connected(url) as connection:
        opened = opened_table(connection, table)
        mapping = chosen_mapping(opened.schema(), table=table, given=given, constants=constants, zone=zone, unit=unit)
        return _checked(_reader(connection, opened, mapping, "sample"), url, now)


def add_source(
    name: str,
    url: str,
    table: str,
    mapping: TableMapping,
    *,
    lookback_days: int = 3,
    actor: StaffUser | None,
    now: datetime,
) -> WarehouseSource:
    """Store the source `name`, whose mapping `check_source` gave; its days are read by the next run of the job.

    Raises InvalidInputError for an unusable name or number of days, ConflictError when the name is taken.
    """
    source = WarehouseSource(
        name=name,
        connection=encrypt(url),
        shown_as=shown(url)[:300],
        table=table,
        mapping=mapping.stored(),
        lookback_days=lookback_days,
        created_at=now,
    )
    problems: dict[str, str] = {}
    if not name or len(name) > 60 or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        problems["name"] = "needs 1 to 60 letters, digits, - and _"
    if not 1 <= lookback_days <= 400:
        problems["lookback_days"] = "needs a whole number from 1 to 400"
    if problems:
        raise InvalidInputError("; ".join(f"{field} {text}" for field, text in problems.items()) + ".", problems)
    with transaction.atomic():
        if WarehouseSource.objects.filter(name=name).exists():
            raise ConflictError(f"There is a source {name!r} already. Remove it first, or choose another name.")
        source.save(force_insert=True)
        _record(source, "usage.source.add", actor, now)
    return source


def test_source(name: str, *, now: datetime) -> SourceCheck:
    """Connect to the source `name` and count a sample, by its stored mapping."""
    source = source_named(name)
    with opened_source(source) as reader:
        return _checked(reader, decrypt(source.connection), now)


test_source.__test__ = False  # type: ignore[attr-defined]


def source_named(name: str) -> WarehouseSource:
    """Return the source `name`; InvalidInputError when there is none."""
    source = WarehouseSource.objects.filter(name=name).first()
    if source is None:
        known = ", ".join(WarehouseSource.objects.order_by("name").values_list("name", flat=True)) or "none yet"
        raise InvalidInputError(f"There is no source {name!r}. There are: {known}.", {"name": "unknown"})
    return source


def remove_source(name: str, *, actor: StaffUser | None, now: datetime, lake: Lake | None = None) -> int:
    """Forget the source `name` and what was counted of it; return how many days owe new facts for that."""
    source, lake = source_named(name), lake or workspace_lake()
    days = set(tallied_days(lake, name)) | set(source.days.values_list("date", flat=True))
    with transaction.atomic():
        # Marked first: were the tallies gone and the marks not made, the facts would keep what nobody counts any more.
        mark_facts(days, now=now)
        _record(source, "usage.source.remove", actor, now)
        source.delete()
    remove_tallies(lake, name, days)
    mark_facts(days, now=now)  # A rollup in between may have settled the first marks with the tallies still there.
    return len(days)


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


@contextmanager
def opened_source(source: WarehouseSource) -> Iterator[WarehouseTable]:
    """Give the table of `source`, read-only; its mapping is held against the columns that the table has now."""
    with connected(decrypt(source.connection)) as connection:
        table = opened_table(connection, source.table)
        mapping = TableMapping(**source.mapping)
        if problems := mapping_problems(mapping, table.schema()):
            listed = " ".join(f"{field}: {problem}." for field, problem in problems.items())
            raise InvalidInputError(f"The table {source.table} has changed. {listed}", problems)
        yield _reader(connection, table, mapping, source.name)


def _reader(connection: Any, table: Any, mapping: TableMapping, name: str) -> WarehouseTable:
    return WarehouseTable(
        connection=connection,
        table=table,
        mapping=mapping,
        source=name,
        zone=_zone(),
        labels=workspace_labels(),
        pseudonym_key=settings.BELLWETHER_PSEUDONYM_KEY,
        service_pattern=settings.BELLWETHER_SERVICE_USER_PATTERN,
    )


def _read(
    source: WarehouseSource,
    lake: Lake,
    now: datetime,
    progress: Progress,
    between: tuple[date | None, date | None],
    is_whole: bool,
) -> Iterator[tuple[int, int]]:
    """Count what changed, run by run, and yield (days, events) of each."""
    today = day_of(now, _zone())
    read_before = source.last_read_at and day_of(source.last_read_at, _zone())
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
            days |= set(assign_earlier_events(users, lake=lake, zone=_zone()))
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


def _checked(reader: WarehouseTable, url: str, now: datetime) -> SourceCheck:
    today = day_of(now, _zone())
    bounds = reader.bounds(today)
    days: list[tuple[date, int]] = []
    users = clients = 0
    lag = None
    if bounds is not None:
        begin = max(bounds[0], bounds[1] - timedelta(days=SAMPLE_DAYS - 1))
        days = [(day, events) for day, events, _ in reader.look(begin, bounds[1]).rows()]
        slots = [rows for kind, rows in reader.tallies(bounds[1], bounds[1]) if kind == "slots"]
        if slots:
            met = pl.concat(slots)
            users, clients = met["user_key"].drop_nulls().n_unique(), met["organization_id"].n_unique()
            lag = now.timestamp() - met.select(pl.col("last_us").max()).item() / 1_000_000
    without, later = reader.unusable(today)
    return SourceCheck(
        shown_as=shown(url),
        mapping=reader.mapping,
        columns={name: str(kind) for name, kind in reader.table.schema().items()},
        first=bounds[0] if bounds else None,
        last=bounds[1] if bounds else None,
        days=days,
        users=users,
        clients=clients,
        lag_seconds=lag,
        without_time=without,
        later=later,
    )


def _encrypt_anew(source: WarehouseSource) -> None:
    """Encrypt the connection under the first key if that is not the one it is under."""
    if not is_current(source.connection):
        source.connection = encrypt(decrypt(source.connection))
        source.save(update_fields=["connection"])


def _record(source: WarehouseSource, action: str, actor: StaffUser | None, now: datetime) -> None:
    detail = {"name": source.name, "connection": source.shown_as, "table": source.table}
    audit.record(actor=actor, action=action, object_type="source", object_id=source.pk, detail=detail, now=now)


def _zone() -> ZoneInfo:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return zone
