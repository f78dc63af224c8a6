"""Compacts the days that are over, one at a time, so that rollups get their turn in between."""

from datetime import date

from bellwether.common.progress import Progress
from bellwether.usage.compaction import Compacted, compact_whole_day
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import rollup_lock

PATIENCE_SECONDS = 600.0


def compact_closed_days(
    lake: Lake, *, today: date, progress: Progress, first: date | None = None, last: date | None = None
) -> Compacted:
    """Merge the parts of each day before `today`, from `first` to `last` if given, and return what that did.

    A run that is killed leaves at worst events twice in one day, which nobody counts twice. Raises RollupBusyError when
    a rollup does not end within ten minutes.
    """
    days = [day for day in lake.event_dates() if day < today]
    days = [day for day in days if (first is None or day >= first) and (last is None or day <= last)]
    scattered = [day for day in days if len(lake.parts_of(day)) > 1]
    done = Compacted()
    if scattered:
        progress.start(f"Compacting {len(scattered):,} days", len(scattered))
    for day in scattered:
        with rollup_lock(lake, wait_seconds=PATIENCE_SECONDS):
            done += compact_whole_day(lake, day)
        progress.advance()
    return done
