"""Tables of events in databases of the workspace's own: named, checked, opened, forgotten. Read: warehouse_sweep."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.common.encryption import decrypt, encrypt
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from bellwether.usage.models import WarehouseSource
from bellwether.usage.tallies import remove_tallies, tallied_days
from bellwether.usage.warehouse_choosing import chosen_mapping
from bellwether.usage.warehouse_connection import connected, opened_table, shown
from bellwether.usage.warehouse_mapping import TableMapping, mapping_problems
from bellwether.usage.warehouse_reading import WarehouseTable
from bellwether.usage.workspace import workspace_labels, workspace_lake

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
        zone=workspace_zone(),
        labels=workspace_labels(),
        pseudonym_key=settings.BELLWETHER_PSEUDONYM_KEY,
        service_pattern=settings.BELLWETHER_SERVICE_USER_PATTERN,
    )


def _checked(reader: WarehouseTable, url: str, now: datetime) -> SourceCheck:
    today = day_of(now, workspace_zone())
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


def _record(source: WarehouseSource, action: str, actor: StaffUser | None, now: datetime) -> None:
    detail = {"name": source.name, "connection": source.shown_as, "table": source.table}
    audit.record(actor=actor, action=action, object_type="source", object_id=source.pk, detail=detail, now=now)


def workspace_zone() -> ZoneInfo:
    """Return the time zone of the workspace's days."""
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return zone
