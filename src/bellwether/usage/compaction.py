"""Merges the many small parts that the flush leaves in a day, so that counting the day stays quick.

The merged part is written before the parts that it replaces are taken away. A crash in between leaves events twice in
the day, which the read drops like any repeated message, and which the next merge drops for good. Small parts are merged
with small ones, so that an event is not written again at every merge.
"""

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

import polars as pl

from bellwether.usage.lake import EVENT_SCHEMA, Lake, LakePath, write_part
from bellwether.usage.lake_locks import landing_lock

MANY = 24
"""So many small parts of a day are merged."""

SMALL_BYTES = 4 * 2**20
"""Up to this size a part is small."""

MOST_BYTES = 64 * 2**20
"""Compressed bytes merged at once, which bounds the memory."""


def compact_days(lake: Lake, days: Iterable[date]) -> int:
    """Merge the small parts of those of the `days` that have many; return how many parts became fewer.

    Only for the process that holds the rollup's lock, because a rollup reads parts by their names.
    """
    return sum(_compact(lake, day) for day in sorted(set(days)) if len(_small(lake, day)) >= MANY)


def _compact(lake: Lake, day: date) -> int:
    with landing_lock(lake):
        sources = _small(lake, day)
        if len(sources) < 2:
            return 0
        frames = [lake.read(path) for path in sources]
        rows = pl.concat(frames).unique(maintain_order=True).sort("ts", "source", "message_id")
        name = sha256("\n".join(sorted(path.name for path in sources)).encode()).hexdigest()[:24]
        events = rows.select(EVENT_SCHEMA.names).to_arrow().cast(EVENT_SCHEMA)
        write_part(events, sources[0].with_name(f"merged-{name}.parquet"))
        lake.remove(sources)
    return len(sources) - 1


def _small(lake: Lake, day: date) -> list[LakePath]:
    """Return the small parts of `day`, the smallest first, as many as may be merged at once."""
    chosen: list[LakePath] = []
    total = 0
    for path, size in sorted(lake.parts_of(day), key=lambda part: (part[1], part[0].name)):
        total += size
        if size > SMALL_BYTES or total > MOST_BYTES:
            break
        chosen.append(path)
    return chosen
