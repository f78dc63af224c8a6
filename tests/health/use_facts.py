"""Daily facts of use for tests: one row an event and day, in the lake of the test."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from bellwether.usage.facts import EVENT_DAYS, store_month
from bellwether.usage.lake import Lake


def use(organization_id: str, day: date, event: str, events: int = 1, **more: Any) -> dict[str, Any]:
    """Return a row of event_days at half past ten."""
    at = datetime(day.year, day.month, day.day, 10, 30, tzinfo=UTC)
    return {
        "organization_id": organization_id, "date": day, "event": event, "module": None, "feature": None,
        "label": None, "is_service": False, "events": events, "users": 1, "first_ts": at, "last_ts": at,
    } | more  # fmt: skip


def store_use(lake: Lake, rows: list[dict[str, Any]]) -> None:
    """Store the rows as months of the lake."""
    frame = pl.DataFrame(rows, schema=EVENT_DAYS)
    months = frame.with_columns(pl.col("date").dt.strftime("%Y-%m").alias("month"))
    for (month,), part in months.partition_by("month", as_dict=True, include_key=False).items():
        store_month(lake, "event_days", str(month), part)
