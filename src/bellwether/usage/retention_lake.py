"""Takes out of the lake what is older than it is to be kept. Pure: the day of today and the number of days are given.

    say from when on events and facts are kept -> remove older events -> fold older facts

Events go by months. Facts stay FACTS_STAY_DAYS longer, so that the scores of the oldest days that have events can be
made again from windows of a year; after that a few rows of each month remain (usage.retention_folds).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.common.progress import Progress
from bellwether.usage.calendar import first_of, month_of
from bellwether.usage.facts import facts_path, read_month, store_month, stored_months
from bellwether.usage.kept import EVENTS, FACTS, keep_from, kept_from
from bellwether.usage.lake import Lake, LakePath
from bellwether.usage.lake_locks import landing_lock
from bellwether.usage.retention_folds import FOLDS

FACTS_STAY_DAYS = 400


@dataclass(frozen=True)
class Retained:
    """From when on events and facts are kept, None for all of them, and what went: days of events, their parts and
    bytes, months of facts that were folded and rows that this took."""

    events_from: date | None = None
    facts_from: date | None = None
    days: int = 0
    parts: int = 0
    bytes: int = 0
    months: int = 0
    rows: int = 0


def kept_since(today: date, keep_days: int) -> date | None:
    """Return the first day of the month that holds the day `keep_days` before `today`, None to keep for ever (0)."""
    return first_of(month_of(today - timedelta(days=keep_days))) if keep_days else None


def retain(lake: Lake, *, today: date, keep_days: int, progress: Progress, dry_run: bool = False) -> Retained:
    """Remove what is older than `keep_days` before `today`, 0 for nothing; return what went or, in a dry run, would.

    Doing it again removes nothing more; a run that is killed is finished by the next. Only for the process that holds
    the rollup's lock, unless in a dry run.
    """
    since = kept_since(today, keep_days)
    facts_since = kept_since(today, keep_days + FACTS_STAY_DAYS) if keep_days else None
    if since is None or facts_since is None:
        return Retained(kept_from(lake, EVENTS), kept_from(lake, FACTS))
    if not dry_run:
        # Said first: from here on no rollup counts these days, whose events are about to be gone.
        keep_from(lake, EVENTS, since)
        keep_from(lake, FACTS, facts_since)
    days, parts, size = _remove_events(lake, since, progress, dry_run)
    months, rows = _fold_facts(lake, facts_since, progress, dry_run)
    return Retained(since, facts_since, days, parts, size, months, rows)


def _remove_events(lake: Lake, since: date, progress: Progress, dry_run: bool) -> tuple[int, int, int]:
    days = [day for day in lake.event_dates() if day < since]
    progress.start(f"Removing the events of {len(days):,} days", len(days))
    removed, size = 0, 0
    for day in days:
        parts = lake.parts_of(day)
        removed, size = removed + len(parts), size + sum(bytes_ for _, bytes_ in parts)
        if not dry_run:
            with landing_lock(lake):
                _empty(lake, lake.events_of(day))
        progress.advance()
    if not dry_run:
        for folder in _old_tallies(lake, since):
            _empty(lake, folder)
    return len(days), removed, size


def _empty(lake: Lake, folder: LakePath) -> None:
    lake.sweep(folder)
    for path, _ in lake.files(folder):
        lake.remove([path])
        lake.forget_copies(path)
    lake.remove_folder(folder)


def _old_tallies(lake: Lake, since: date) -> list[LakePath]:
    """Return the folders of what warehouses counted (usage.tallies) of days before `since`."""
    root = lake.root / "tallies"
    return [
        root / source / day
        for source in lake.folders(root)
        for day in lake.folders(root / source)
        if day.removeprefix("date=") < since.isoformat()
    ]


def _fold_facts(lake: Lake, since: date, progress: Progress, dry_run: bool) -> tuple[int, int]:
    files = [(kind, month) for kind in FOLDS for month in stored_months(lake, kind) if month < month_of(since)]
    progress.start(f"Folding {len(files):,} months of facts", len(files))
    months, gone = set(), 0
    for kind, month in files:
        rows = read_month(lake, kind, month)
        folded = FOLDS[kind](rows)
        if folded.height < rows.height:
            months.add(month)
            gone += rows.height - folded.height
            if not dry_run:
                store_month(lake, kind, month, folded)
                lake.forget_copies(facts_path(lake, kind, month))
        progress.advance()
    return len(months), gone
