"""Brings the facts of given days up to date with the events in the lake, in bounded memory and in an order that a crash
cannot harm: every file is a function of files before it (events → user_days, event_days, client_hours → user_months →
client_days), is replaced as a whole, and is made again by the next run if the run that should have made it was killed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.common.progress import Progress
from bellwether.usage.calendar import month_of
from bellwether.usage.counting import Batch, Counted, Facts, batches, count
from bellwether.usage.engines import DUCKDB, EngineChoice, engine_for
from bellwether.usage.facts import read_month, store_month
from bellwether.usage.lake import Lake
from bellwether.usage.linking import linked_month, months_to_link
from bellwether.usage.rolling import refresh_client_days
from bellwether.usage.rollup.rolling import LONGEST

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: events counted on the `days` asked for, copies dropped, events without a client (they are in
    no fact), months of facts whose files changed, and the days whose client_days may differ from before, ascending."""

    days: int = 0
    events: int = 0
    repeats: int = 0
    unassigned: int = 0
    files: int = 0
    touched: tuple[date, ...] = ()


def refresh_facts(
    lake: Lake,
    days: Iterable[date],
    *,
    zone: ZoneInfo,
    labels: Mapping[str, str],
    progress: Progress,
    announce: Callable[[list[date]], None] = lambda days: None,
    engine: EngineChoice = DUCKDB,
) -> Refreshed:
    """Count the events of the workspace `days` anew and bring everything that follows from them up to date.

    `labels` names for an event the property that becomes its label. `announce` is told which days of client_days are
    about to change. `engine` says what counts; the facts are the same. Only one refresh of a lake may run at a time
    (usage.lake_locks).
    """
    dirty = sorted(set(days))
    if not dirty:
        return Refreshed()
    with engine_for(lake, engine) as running:
        total = _Total()
        progress.start(f"Counting the events of {len(dirty):,} days", len(dirty))

        def counted_months(batch: Batch) -> dict[str, Facts]:
            counted = count(running, batch, zone=zone, labels=labels)
            total.add(counted)
            progress.advance(len(batch.days))
            return counted.by_month()

        days_of = {month: list(of_month) for month, of_month in groupby(dirty, key=month_of)}
        for month, counted in _by_month(map(counted_months, batches(lake, dirty)), list(days_of)):
            total.files += _store_days(lake, month, days_of[month], counted)
        linked = months_to_link(lake, dirty)
        for month in linked:
            rows = read_month(lake, "user_days", month)
            total.files += store_month(lake, "user_days", month, linked_month(lake, month, rows))
        affected = _affected(dirty)
        months = sorted({month_of(day) for day in affected} | set(linked))
        files, changed = refresh_client_days(running, lake, months, progress=progress, announce=announce)
    return Refreshed(
        days=len(dirty),
        events=total.events,
        repeats=total.repeats,
        unassigned=total.unassigned,
        files=total.files + files,
        touched=tuple(sorted(affected | changed)),
    )


@dataclass
class _Total:
    events: int = 0
    repeats: int = 0
    unassigned: int = 0
    files: int = 0

    def add(self, counted: Counted) -> None:
        self.events += counted.events
        self.repeats += counted.repeats
        self.unassigned += counted.unassigned


def _by_month(batched: Iterable[dict[str, Facts]], months: list[str]) -> Iterator[tuple[str, list[Facts]]]:
    """Yield each of the ascending `months` with what was counted in it, in order.

    A batch may reach over several months and a month over several batches; it is complete once a batch has come to a
    later one.
    """
    waiting: dict[str, list[Facts]] = {month: [] for month in months}
    for facts in batched:
        for month, of_month in facts.items():
            waiting[month].append(of_month)
        reached = max(facts, default="")
        for month in [month for month in waiting if month < reached]:
            yield month, waiting.pop(month)
    yield from waiting.items()


def _store_days(lake: Lake, month: str, dirty: list[date], counted: list[Facts]) -> int:
    """Put the counted days in the place of the `dirty` ones in the files of `month`; return how many files changed."""
    files = 0
    for kind in ("event_days", "client_hours"):
        rows = pl.concat([_kept(lake, kind, month, dirty), *(facts[kind] for facts in counted)])
        files += store_month(lake, kind, month, rows)
    kept = _kept(lake, "user_days", month, dirty)
    rows = linked_month(lake, month, pl.concat([kept, *(facts["user_days"] for facts in counted)]))
    files += store_month(lake, "user_days", month, rows)
    return files + store_month(lake, "user_months", month, _first_seen(rows))


def _kept(lake: Lake, kind: str, month: str, dirty: list[date]) -> pl.DataFrame:
    return read_month(lake, kind, month).filter(~pl.col("date").is_in(dirty))


def _first_seen(user_days: pl.DataFrame) -> pl.DataFrame:
    people = user_days.filter(~pl.col("is_service"))
    return people.group_by("organization_id", "user_key").agg(first_date=pl.col("date").min())


def _affected(dirty: list[date]) -> set[date]:
    """Return the days whose client_days follow from the `dirty` ones: sessions reach a day back, windows ahead."""
    return {day + n * DAY for day in dirty for n in range(-1, LONGEST)}
