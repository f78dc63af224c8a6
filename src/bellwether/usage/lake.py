"""The lake: Parquet files of events and daily facts. Where they lie, what columns they have, how a part is written.

    events/date=YYYY-MM-DD/<part>.parquet     raw events; parts are immutable, duplicates are dropped at read
    client_days/month=YYYY-MM/<part>.parquet  facts; a month's file is replaced as a whole
    event_days/month=YYYY-MM/<part>.parquet
    user_days/month=YYYY-MM/<part>.parquet

`date` is the workspace day of the corrected event time `ts`.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

INSTANT = pa.timestamp("us", tz="UTC")

EVENT_SCHEMA = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("organization_id", pa.string(), nullable=False),  # "" while no account is known
        pa.field("user_key", pa.string()),  # pseudonym; null for events of nobody
        pa.field("is_service", pa.bool_(), nullable=False),  # bots: stored, never counted as people
        pa.field("type", pa.string(), nullable=False),  # track, page, screen: actions; identify, group, alias: not
        pa.field("event", pa.string(), nullable=False),
        pa.field("module", pa.string()),
        pa.field("feature", pa.string()),
        pa.field("role", pa.string()),  # of the user, from identify and group traits
        pa.field("ts", INSTANT, nullable=False),  # corrected for skew, never after received_at
        pa.field("received_at", INSTANT, nullable=False),
        pa.field("sent_at", INSTANT),
        pa.field("original_ts", INSTANT),
        pa.field("source", pa.string(), nullable=False),
        pa.field("properties", pa.string()),  # JSON without names, e-mails, phones and addresses
    ]
)
"""One accepted event. (source, message_id) identifies it: the earliest received one counts."""

ACTION_TYPES = ("track", "page", "screen")


@dataclass(frozen=True)
class Lake:
    """The lake under `root`."""

    root: Path

    def events_of(self, day: date) -> Path:
        """Return the folder of the events of `day`, which may not exist."""
        return self.root / "events" / f"date={day.isoformat()}"

    def facts_of(self, kind: str, month: str) -> Path:
        """Return the folder of the facts `kind` (client_days, event_days or user_days) of `month` (YYYY-MM)."""
        return self.root / kind / f"month={month}"

    def event_dates(self) -> list[date]:
        """Return the days that have events, ascending."""
        folder = self.root / "events"
        if not folder.exists():
            return []
        return sorted(date.fromisoformat(p.name.removeprefix("date=")) for p in folder.iterdir() if "=" in p.name)


def write_part(table: pa.Table, path: Path) -> None:
    """Write `table` to `path` so that a crash leaves either the whole part or none: temporary name, sync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
