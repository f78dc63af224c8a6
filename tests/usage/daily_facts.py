"""Daily facts for tests, written down instead of rolled up."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from bellwether.usage import facts
from bellwether.usage.lake import Lake


def keep(lake: Lake, kind: str, rows: list[dict[str, Any]]) -> None:
    """Add `rows` to the stored facts `kind`; columns that are not given are 0, empty or null."""
    schema = facts.KINDS[kind]
    blank = {name: 0 if dtype.is_integer() else None for name, dtype in pl.Schema(schema).items()}
    frame = pl.DataFrame([blank | row for row in rows], schema=schema)
    for (month,), of_month in frame.group_by(pl.col("date").dt.strftime("%Y-%m")):
        facts.store_month(lake, kind, str(month), pl.concat([facts.read_month(lake, kind, str(month)), of_month]))


def keep_people(
    lake: Lake, organization_id: str, daily: Mapping[date, int], *, wau: int = 0, mau: int = 0, hour: int = 9
) -> None:
    """Store client_days: on each day so many people, each with one session of ten minutes and three actions at `hour`.

    `wau` and `mau` are the same on every day, at least the people of the day; so is total_users.
    """
    rows = []
    for day, people in daily.items():
        by_hour = [0] * 24
        by_hour[hour] = 3 * people
        rows.append(
            {
                "organization_id": organization_id,
                "date": day,
                "dau": people,
                "wau": max(wau, people),
                "mau": max(mau, people),
                "total_users": max(mau, people),
                "sessions": people,
                "session_seconds": 600 * people,
                "actions": 3 * people,
                "actions_by_hour": by_hour,
            }
        )
    keep(lake, "client_days", rows)
    keep(
        lake,
        "client_hours",
        [
            {"organization_id": organization_id, "date": day, "events": 3 * n, f"h{hour:02d}": 3 * n}
            for day, n in daily.items()
            if n
        ],
    )


def keep_user_day(lake: Lake, organization_id: str, user_key: str, day: date, **columns: Any) -> None:
    """Store one user's day: a person with one session and three actions unless `columns` says otherwise."""
    row = {
        "organization_id": organization_id,
        "user_key": user_key,
        "date": day,
        "actions": 3,
        "sessions": 1,
        "is_service": False,
    }
    keep(lake, "user_days", [row | columns])


def keep_events(lake: Lake, organization_id: str, day: date, event: str, events: int, **columns: Any) -> None:
    """Store how often people did `event` on `day`, the last time at noon UTC."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    row = {
        "organization_id": organization_id,
        "date": day,
        "event": event,
        "is_service": False,
        "events": events,
        "users": 1,
        "first_ts": noon,
        "last_ts": noon,
    }
    keep(lake, "event_days", [row | columns])


def back(last: date, days: int) -> list[date]:
    """Return the `days` days up to `last`, oldest first."""
    return [last - timedelta(days=n) for n in range(days - 1, -1, -1)]
