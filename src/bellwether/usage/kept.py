"""From when on a lake keeps events and daily facts; what is older has been removed, or is about to be.

    kept/events-from=YYYY-MM-DD/mark.parquet, kept/facts-from=YYYY-MM-DD/mark.parquet

The lake itself says so, because whoever counts or reads it must know: facts of days whose events are gone cannot be
made again, and folded facts are no days.
"""

from datetime import date

import pyarrow as pa

from bellwether.usage.lake import Lake, write_part

EVENTS, FACTS = "events", "facts"


def kept_from(lake: Lake, what: str) -> date | None:
    """Return the day from which on `what` (EVENTS or FACTS) is kept, None if nothing was ever removed."""
    start = f"{what}-from="
    marks = [name.removeprefix(start) for name in lake.folders(lake.root / "kept") if name.startswith(start)]
    return max(map(date.fromisoformat, marks), default=None)


def keep_from(lake: Lake, what: str, day: date) -> None:
    """Say that `what` is kept from `day` on. An earlier day than was said before changes nothing: it is gone."""
    known = kept_from(lake, what)
    if known is None or day > known:
        path = lake.root / "kept" / f"{what}-from={day.isoformat()}" / "mark.parquet"
        write_part(pa.table({"kept_from": pa.array([day], pa.date32())}), path)
