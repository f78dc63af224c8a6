"""Long spans of dates in runs of a bounded size, and the records that all of them need."""

from collections.abc import Iterator, Sequence
from datetime import date

from bellwether.health.inputs import MeasureSettings
from bellwether.health.records import Records, load_records

CHUNK_CELLS = 400_000
"""Clients times days that are worked on at once: with 1,000 clients 400 days, and about 1 GB. Fewer and larger runs are
faster, because each reads the 120 days before it again."""

HISTORY_DAYS = 45
"""How far back a trend rule that compares with the previous score looks for it."""


def in_chunks(dates: Sequence[date], clients: int) -> Iterator[list[date]]:
    """Yield the dates in order, in runs that stay under CHUNK_CELLS and never reach over a long gap."""
    size = max(1, CHUNK_CELLS // max(clients, 1))
    chunk: list[date] = []
    for day in dates:
        if chunk and (len(chunk) >= size or (day - chunk[0]).days >= 2 * size):
            yield chunk
            chunk = []
        chunk.append(day)
    if chunk:
        yield chunk


def records_of(
    chunks: Sequence[Sequence[date]], settings: MeasureSettings, ids: list[str] | None = None
) -> Records | None:
    """Return the records for all chunks at once, None without dates."""
    return load_records(chunks[0][0], chunks[-1][-1], settings, client_ids=ids) if chunks else None
