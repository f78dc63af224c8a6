"""People at a client for tests: their days in the facts, their events in the lake."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from bellwether.usage.facts import KINDS, month_of, store_month
from bellwether.usage.lake import EVENT_SCHEMA, Lake, write_part


def key(number: int) -> str:
    """Return a pseudonym that begins with four digits of `number`: key(0x4C19) is shown as User 4C19."""
    return f"{number:04x}" + "0" * 28


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def day_row(organization: str, user: str, day: date, actions: int = 1, **fields: Any) -> dict[str, Any]:
    at = noon(day)
    return {
        "organization_id": organization,
        "user_key": user,
        "date": day,
        "actions": actions,
        "sessions": 1 if actions else 0,
        "session_seconds": 600,
        "is_service": False,
        "role": None,
        "modules": 1,
        "first_ts": at,
        "last_ts": at,
        "first_action_ts": at,
        "last_action_ts": at,
        "head_end_ts": at,
        "fragments": 1,
        "fragment_us": 600_000_000,
    } | fields


def put_days(lake: Lake, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store `rows` as the user_days of their months."""
    frame = pl.DataFrame(list(rows), schema=KINDS["user_days"], orient="row")
    for month in sorted({month_of(day) for day in frame["date"].unique()}):
        of_month = frame.filter(pl.col("date").dt.strftime("%Y-%m") == month)
        store_month(lake, "user_days", month, of_month)


def put_events(lake: Lake, events: Iterable[tuple[str, str, date, str, str | None]]) -> None:
    """Store events (client, user, day, event, module) as a part of each day."""
    by_day: dict[date, list[dict[str, Any]]] = {}
    for organization, user, day, event, module in events:
        by_day.setdefault(day, []).append(
            {
                "message_id": uuid.uuid4().hex,
                "organization_id": organization,
                "user_key": user,
                "is_service": False,
                "type": "track",
                "event": event,
                "module": module,
                "ts": noon(day),
                "received_at": noon(day),
                "source": "web",
            }
        )
    for day, rows in by_day.items():
        schema = {name: pl.String() for name in EVENT_SCHEMA.names}
        frame = pl.DataFrame(
            [dict.fromkeys(EVENT_SCHEMA.names) | row for row in rows],
            schema=schema
            | {"is_service": pl.Boolean()}
            | {name: pl.Datetime("us", "UTC") for name in ("ts", "received_at", "sent_at", "original_ts")},
        )
        write_part(frame.to_arrow().cast(EVENT_SCHEMA), lake.events_of(day) / f"{uuid.uuid4().hex}.parquet")


def cast_days(organization: str, today: date) -> list[dict[str, Any]]:
    """Return the days of six people: 4C19 the most engaged, 9A02 steady, 71E5 declining, F00D rising, B3F7 away for 16
    days, 5E1F away for 21; and of a service."""
    ago = {n: today - timedelta(days=n) for n in range(90)}
    rows = [day_row(organization, key(0x4C19), ago[n], 10, role="Investigator") for n in range(0, 60, 2)]
    rows += [day_row(organization, key(0x9A02), ago[n], 5, role="Analyst") for n in range(1, 60, 4)]
    rows += [day_row(organization, key(0x71E5), ago[n], 2, role="Investigator") for n in (5, 9)]
    rows += [day_row(organization, key(0x71E5), ago[n], 8) for n in range(32, 60, 4)]
    rows += [day_row(organization, key(0xF00D), ago[n], 4, role="Analyst") for n in range(0, 18, 2)]
    rows += [day_row(organization, key(0xF00D), ago[n], 2) for n in (40, 70)]
    rows += [day_row(organization, key(0xB3F7), ago[n], 3, role="Policy manager") for n in (16, 20, 44)]
    rows += [day_row(organization, key(0x5E1F), ago[n], 3, role="Chief compliance officer") for n in (21, 29, 40, 50)]
    rows += [day_row(organization, key(0xB07), ago[n], 900, is_service=True) for n in range(5)]
    return rows


def put_client_days(lake: Lake, organization: str, today: date) -> None:
    """Store client_days of the last 30 days, so that the client is one with usage."""
    rows = [
        {name: 1 for name, kind in KINDS["client_days"].items() if kind == pl.Int64()}
        | {"organization_id": organization, "date": today - timedelta(days=ago), "actions_by_hour": [0] * 24}
        for ago in range(30)
    ]
    frame = pl.DataFrame(rows, schema=KINDS["client_days"], orient="row")
    for month in sorted({month_of(day) for day in frame["date"]}):
        store_month(lake, "client_days", month, frame.filter(pl.col("date").dt.strftime("%Y-%m") == month))
