"""Brings the facts of given days up to date with the events in the lake, in bounded memory and in an order that a crash
cannot harm: every file is a function of files before it (events → user_days, event_days, client_hours → user_months →
client_days), is replaced as a whole, and is made again by the next run if the run that should have made it was killed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from bellwether.common.progress import Progress
from bellwether.usage.calendar import month_of
from bellwether.usage.counting import Batch, Counted, Facts, batches, count
from bellwether.usage.engines import DUCKDB, EngineChoice, engine_for
from bellwether.usage.lake import Lake
from bellwether.usage.lake_files import scratch_folder
from bellwether.usage.linking import months_to_link
from bellwether.usage.month_facts import MonthFacts
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
    with engine_for(lake, engine) as running, scratch_folder(lake) as scratch:
        total = _Total()
        progress.start(f"Counting the events of {len(dirty):,} days", len(dirty))

        def counted_months(batch: Batch) -> dict[str, Facts]:
            counted = count(running, batch, zone=zone, labels=labels)
            total.add(counted)
            progress.advance(len(batch.days))
            return counted.by_month()

        days_of = {month: list(of_month) for month, of_month in groupby(dirty, key=month_of)}
        months_of = {month: MonthFacts(lake, month, days, scratch) for month, days in days_of.items()}
        for facts in _by_month(map(counted_months, batches(lake, dirty)), months_of):
            total.files += facts.store()
        linked = months_to_link(lake, dirty)
        for month in linked:
            total.files += MonthFacts(lake, month, [], scratch).store_users()
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


def _by_month(batched: Iterable[dict[str, Facts]], months: dict[str, MonthFacts]) -> Iterator[MonthFacts]:
    """Yield each of the ascending `months` once it has all that was counted of it, in order.

    A batch may reach over several months and a month over several batches; it is complete once a batch has come to a
    later one.
    """
    waiting = dict(months)
    for facts in batched:
        for month, of_month in facts.items():
            for kind, rows in of_month.items():
                waiting[month].add(kind, rows)
        reached = max(facts, default="")
        for month in [month for month in waiting if month < reached]:
            yield waiting.pop(month)
    yield from waiting.values()


def _affected(dirty: list[date]) -> set[date]:
    """Return the days whose client_days follow from the `dirty` ones: sessions reach a day back, windows ahead."""
    return {day + n * DAY for day in dirty for n in range(-1, LONGEST)}
