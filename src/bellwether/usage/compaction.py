"""Merges the many small parts that the flush leaves in a day, so that counting the day stays quick.

The merged part is written before the parts that it replaces are taken away. A crash in between leaves events twice in
the day, which the read drops like any repeated message, and which the next merge drops for good. Small parts are merged
with small ones, so that an event is not written again at every merge.
"""

from collections.abc import Iterable
from dataclasses import dataclass
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

MESSAGE = ["source", "message_id"]
COPIES_COMPETE = [
    "received_at",
    "sent_at",
    "ts",
    *(n for n in EVENT_SCHEMA.names if n not in {"received_at", "sent_at", "ts"}),
]
"""Of copies of a message the first in this order counts, nulls last, as it does in the rollup."""


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: days that changed, parts and bytes before and after on them, and copies of messages that
    were dropped for good."""

    days: int = 0
    parts_before: int = 0
    parts_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    repeats: int = 0

    def __add__(self, other: "Compacted") -> "Compacted":
        return Compacted(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as jobs report them."""
        return dict(vars(self))


def compact_days(lake: Lake, days: Iterable[date]) -> int:
    """Merge the small parts of those of the `days` that have many; return how many parts became fewer.

    Only for the process that holds the rollup's lock, because a rollup reads parts by their names.
    """
    return sum(_compact(lake, day) for day in sorted(set(days)) if len(_small(lake, day)) >= MANY)


def compact_whole_day(lake: Lake, day: date) -> Compacted:
    """Merge all parts of `day` into one, or into as few as MOST_BYTES allow, and return what that did.

    Only for the process that holds the rollup's lock. The facts of the day stay as they are.
    """
    if len(lake.parts_of(day)) < 2:
        return Compacted()
    with landing_lock(lake):
        lake.sweep(lake.events_of(day))
        before = lake.parts_of(day)
        repeats = [_merge(lake, group) for group in _groups(before) if len(group) > 1]
        after = lake.parts_of(day)
    if not repeats:
        return Compacted()
    return Compacted(
        days=1,
        parts_before=len(before),
        parts_after=len(after),
        bytes_before=sum(size for _, size in before),
        bytes_after=sum(size for _, size in after),
        repeats=sum(repeats),
    )


def _compact(lake: Lake, day: date) -> int:
    with landing_lock(lake):
        sources = _small(lake, day)
        if len(sources) < 2:
            return 0
        _merge(lake, sources)
    return len(sources) - 1


def _merge(lake: Lake, sources: list[LakePath]) -> int:
    """Put one part in the place of `sources`, each message once; return how many copies were dropped."""
    rows = pl.concat([lake.read(path) for path in sources])
    kept = rows.sort(COPIES_COMPETE, nulls_last=True, maintain_order=True).unique(MESSAGE, keep="first")
    name = sha256("\n".join(sorted(path.name for path in sources)).encode()).hexdigest()[:24]
    events = kept.sort("ts", *MESSAGE).select(EVENT_SCHEMA.names).to_arrow().cast(EVENT_SCHEMA)
    write_part(events, sources[0].with_name(f"merged-{name}.parquet"))
    lake.remove(sources)
    return rows.height - kept.height


def _groups(parts: Iterable[tuple[LakePath, int]]) -> list[list[LakePath]]:
    """Return the parts, the smallest first, in groups that may be merged at once."""
    groups: list[list[LakePath]] = [[]]
    total = 0
    for path, size in sorted(parts, key=lambda part: (part[1], part[0].name)):
        if groups[-1] and total + size > MOST_BYTES:
            groups.append([])
            total = 0
        groups[-1].append(path)
        total += size
    return groups


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
