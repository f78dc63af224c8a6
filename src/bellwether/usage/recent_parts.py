"""The parts of the events of the last days, as many as a page may read. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.usage.lake import Lake, LakePath

MOST_BYTES = 256 * 2**20
"""Compressed bytes of events that are read for a page at most, the newest days first: about ten million events."""


@dataclass(frozen=True)
class RecentParts:
    """Parts of events, how many days they are of, and the first day read where older ones of the window were left out.

    `since` None: the whole window is there.
    """

    paths: list[LakePath]
    days: int
    since: date | None


def recent_parts(lake: Lake, today: date, *, days: int, most_bytes: int | None = None) -> RecentParts:
    """Return the parts of the `days` days that end `today`, the newest first, until `most_bytes` would be passed.

    The newest day that has events is there whatever its size. `most_bytes` None: MOST_BYTES.
    """
    limit = MOST_BYTES if most_bytes is None else most_bytes
    paths: list[LakePath] = []
    total, held = 0, 0
    for back in range(days):
        parts = lake.parts_of(today - timedelta(days=back))
        total += sum(size for _, size in parts)
        if paths and parts and total > limit:
            return RecentParts(paths, held, today - timedelta(days=back - 1))
        paths += [path for path, _ in parts]
        held += bool(parts)
    return RecentParts(paths, held, None)
