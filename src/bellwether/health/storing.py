"""Writes scores and the clients' current columns. Writing the same again changes no row, not even its time."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from django.conf import settings
from django.db import connection, transaction

from bellwether.common.time import day_of
from bellwether.health.inputs import Schema
from bellwether.health.models import HealthScore, ScoreAsSeen
from bellwether.health.rows import read_frame
from bellwether.health.score_rows import COLUMNS, KEY
from bellwether.portfolio.models import Client

BATCH_ROWS = 10_000
SPARKLINE_POINTS, SPARKLINE_STEP_DAYS = 31, 3
SCORES: Schema = {"client_id": pl.String, "date": pl.Date, "score": pl.Int32}
TABLE = HealthScore._meta.db_table
SEEN_TABLE = ScoreAsSeen._meta.db_table
CLIENT_TABLE = Client._meta.db_table
CURRENT = (
    "current_health_score", "health_status", "health_trend", "health_trend_change", "health_coverage",
    "health_interval_low", "health_interval_high", "health_missing", "health_reason", "health_components",
    "health_sparkline", "scored_on", "last_activity_at",
)  # fmt: skip
"""The columns of a client that scoring keeps."""


def store_scores(rows: pl.DataFrame, *, now: datetime) -> int:
    """Insert or update the score rows (see score_rows.COLUMNS) and return how many were new or differed.

    Stored in transactions of 10,000 rows, so that other writers get their turn; each row is complete in itself.
    """
    postgresql = connection.vendor == "postgresql"
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    changed = 0
    for part in rows.select(COLUMNS).iter_slices(BATCH_ROWS):
        with transaction.atomic():
            changed += _copy_postgresql(part, now, today) if postgresql else _upsert_sqlite(part, now, today)
    return changed


_SEEN = (
    "client_id", "scorecard", "date", "overall_score", "coverage", "components", "inputs", "previous_score",
    "weights_version",
)  # fmt: skip
_JUDGED = ("overall_score", "coverage", "components")
"""What a reader saw of a score: a row that differs in none of these looks as it did."""


def _keep_seen_sqlite(today: date) -> tuple[str, str]:
    """Return statements that begin and end keeping rows of days before `today` as they stood, when they are changed.

    A trigger of this connection alone: it runs only for rows that the upsert changes.
    """
    judged = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in _JUDGED)
    old = ", ".join(f"OLD.{name}" for name in _SEEN)
    there = " AND ".join(f"{name} = OLD.{name}" for name in KEY)
    return (
        f"CREATE TEMP TRIGGER keep_score_as_seen AFTER UPDATE ON main.{TABLE} "
        f"WHEN OLD.date < '{today.isoformat()}' AND ({judged}) BEGIN "
        f"INSERT INTO {SEEN_TABLE} ({', '.join(_SEEN)}, replaced_at) SELECT {old}, NEW.created_at "
        f"WHERE NOT EXISTS (SELECT 1 FROM {SEEN_TABLE} WHERE {there}); END",
        "DROP TRIGGER temp.keep_score_as_seen",
    )


def _keep_seen_postgresql() -> str:
    """Return the statement that keeps rows as they stood which incoming_scores is about to change; takes now, today."""
    judged = " OR ".join(f"stored.{name} IS DISTINCT FROM incoming.{name}" for name in _JUDGED)
    matched = " AND ".join(f"stored.{name} = incoming.{name}" for name in KEY)
    return (
        f"INSERT INTO {SEEN_TABLE} ({', '.join(_SEEN)}, replaced_at) "
        f"SELECT {', '.join(f'stored.{name}' for name in _SEEN)}, %s "
        f"FROM {TABLE} stored JOIN incoming_scores incoming ON {matched} "
        f"WHERE stored.date < %s AND ({judged}) ON CONFLICT DO NOTHING"
    )


def _upsert(source: str) -> str:
    """Return the statement that writes `source` (VALUES or SELECT) and touches only rows that differ."""
    columns = [*COLUMNS, "created_at"]
    other = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    differing = " OR ".join(f"{TABLE}.{name} {other} excluded.{name}" for name in COLUMNS if name not in KEY)
    assigned = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in KEY)
    return (
        f"INSERT INTO {TABLE} ({', '.join(columns)}) {source} "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {assigned} WHERE {differing}"
    )


def _upsert_sqlite(part: pl.DataFrame, now: datetime, today: date) -> int:
    created = now.replace(tzinfo=None).isoformat(" ")
    source = f"VALUES ({', '.join(['%s'] * (len(COLUMNS) + 1))})"
    past = bool((part["date"] < today.isoformat()).any())
    begin, end = _keep_seen_sqlite(today)
    with connection.cursor() as cursor:
        if past:
            cursor.execute(begin)
        cursor.executemany(_upsert(source), part.with_columns(pl.lit(created).alias("created_at")).rows())
        changed = max(int(cursor.rowcount), 0)
        if past:
            cursor.execute(end)
    return changed


def _copy_postgresql(part: pl.DataFrame, now: datetime, today: date) -> int:
    names = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE incoming_scores AS SELECT {names} FROM {TABLE} WITH NO DATA")
        with cursor.copy(f"COPY incoming_scores ({names}) FROM STDIN") as copy:
            for row in part.iter_rows():
                copy.write_row(row)
        cursor.execute(_keep_seen_postgresql(), [now, today])
        cursor.execute(_upsert(f"SELECT {names}, %s FROM incoming_scores"), [now])
        changed = int(cursor.rowcount)
        cursor.execute("DROP TABLE incoming_scores")
        return changed


def read_scores(
    scorecard: str, first: date, last: date, *, client_ids: Sequence[str] | None = None, step_days: int = 1
) -> pl.DataFrame:
    """Return client_id, date and score (null: none) from `first` to `last`, every `step_days` counted from the last."""
    stored = HealthScore.objects.filter(scorecard=scorecard, date__gte=first, date__lte=last)
    if step_days > 1:
        count = (last - first).days // step_days
        stored = stored.filter(date__in=[last - timedelta(days=step_days * n) for n in range(count + 1)])
    if client_ids is not None:
        stored = stored.filter(client_id__in=list(client_ids))
    return read_frame(stored.order_by(), SCORES, {"score": "overall_score"})


def sparklines(scorecard: str, newest: pl.DataFrame) -> dict[str, list[int | None]]:
    """Return per client of `newest` (client_id, date) 31 scores over the 90 days that end on its date, oldest first.

    Days without a score are None, days before the first score are left out. At most two queries: the day that most
    clients share, and the others (clients that have left).
    """
    if newest.is_empty():
        return {}
    ends: list[date] = newest["date"].to_list()
    common = Counter(ends).most_common(1)[0][0]
    span = timedelta(days=(SPARKLINE_POINTS - 1) * SPARKLINE_STEP_DAYS)
    known = [read_scores(scorecard, common - span, common, step_days=SPARKLINE_STEP_DAYS)]
    others = newest.filter(pl.col("date") != common)
    if others.height:
        days: list[date] = others["date"].to_list()
        ids = others["client_id"].to_list()
        known.append(read_scores(scorecard, min(days) - span, max(days), client_ids=ids))
    scores = pl.concat(known).unique(["client_id", "date"])
    offsets = pl.DataFrame({"back": [SPARKLINE_STEP_DAYS * n for n in range(SPARKLINE_POINTS)]})
    points = (
        newest.select("client_id", pl.col("date").alias("end"))
        .join(offsets, how="cross")
        .with_columns((pl.col("end") - pl.duration(days="back")).alias("date"))
        .join(scores, on=["client_id", "date"], how="left")
        .sort("client_id", "date")
        .group_by("client_id", maintain_order=True)
        .agg("score")
    )
    return {client: _from_first(list(values)) for client, values in points.iter_rows()}


def _from_first(values: list[int | None]) -> list[int | None]:
    first = next((index for index, value in enumerate(values) if value is not None), len(values))
    return values[first:]


def current_values(ids: Sequence[str] | None = None) -> dict[str, tuple[Any, ...]]:
    """Return what the clients' columns CURRENT hold now, by client id (32 hex digits)."""
    clients = Client.objects.all() if ids is None else Client.objects.filter(pk__in=list(ids))
    return {row[0].hex: row[1:] for row in clients.values_list("id", *CURRENT)}


def store_current(wanted: dict[str, tuple[Any, ...]], before: dict[str, tuple[Any, ...]]) -> int:
    """Write the clients' columns CURRENT where they differ from `before`; return how many clients did."""
    changed = {client: values for client, values in wanted.items() if values != before.get(client)}
    json_columns = {CURRENT.index(name) for name in ("health_missing", "health_components", "health_sparkline")}
    times = {CURRENT.index("last_activity_at")}
    statement = f"UPDATE {CLIENT_TABLE} SET {', '.join(f'{name} = %s' for name in CURRENT)} WHERE id = %s"

    def stored(index: int, value: Any) -> Any:
        if index in json_columns:
            return json.dumps(value)
        if index in times:
            return connection.ops.adapt_datetimefield_value(value)
        return value.isoformat() if isinstance(value, date) else value

    def rows() -> Iterator[list[Any]]:
        for client, values in changed.items():
            yield [*(stored(index, value) for index, value in enumerate(values)), client]

    if changed:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, list(rows()))
    return len(changed)
