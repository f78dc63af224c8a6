"""Rolls events up into the daily facts, and keeps the book of which days owe facts and scores."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from bellwether.common.errors import BellwetherError
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of, days_between
from bellwether.usage.compaction import compact_days
from bellwether.usage.custom_keeping import refresh_days
from bellwether.usage.dirty import mark_scores, pending, settle
from bellwether.usage.engines import EngineChoice
from bellwether.usage.erasure import finish_erasures
from bellwether.usage.facts import counted_days
from bellwether.usage.kept import EVENTS, kept_from
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import RollupBusyError, rollup_lock
from bellwether.usage.models import DirtyDate
from bellwether.usage.refresh import Refreshed, refresh_facts
from bellwether.usage.tallies import tallied_days
from bellwether.usage.workspace import workspace_labels
from bellwether.usage.workspace import workspace_lake as workspace_lake

PATIENCE_SECONDS = 600.0


class EventsGoneError(BellwetherError):
    """Days have facts, but their events are not in the lake any more: counting them would lose the facts."""

    def __init__(self, days: Iterable[date]) -> None:
        self.days = sorted(days)
        super().__init__(
            f"The events of {len(self.days):,} days from {self.days[0]} to {self.days[-1]} are gone, their facts "
            "are not. Restore the events, leave these days out, or lose the facts: bellwether rollup --forget."
        )


def roll_up(
    lake: Lake, days: Iterable[date], *, progress: Progress, wait_seconds: float = PATIENCE_SECONDS
) -> list[date]:
    """Bring the facts of the workspace `days` up to date and return the days whose client_days may have changed.

    Marks nothing and settles nothing: for lakes that no database knows, and for callers who score what is returned.
    Raises RollupBusyError when another rollup of this lake does not end within `wait_seconds`.
    """
    with rollup_lock(lake, wait_seconds=wait_seconds):
        return list(_refresh(lake, days, progress).touched)


def roll_up_dates(
    first: date,
    last: date,
    *,
    now: datetime,
    progress: Progress | None = None,
    lake: Lake | None = None,
    forget: bool = False,
) -> Refreshed:
    """Count all days with events from `first` to `last` (both included) anew, whether marked or not.

    Marks the scores that follow from them. Days whose events were removed by the retention keep their facts. Raises
    EventsGoneError when other days have facts but no events any more; with `forget` these lose their facts instead.
    """
    lake = lake or workspace_lake()
    with rollup_lock(lake, wait_seconds=PATIENCE_SECONDS):
        owed = {day: version for day, version in pending(DirtyDate).items() if first <= day <= last}
        days = {day for day in lake.event_dates() if first <= day <= last and lake.parts_of(day)} | set(owed)
        days |= {day for day in tallied_days(lake) if first <= day <= last}
        gone = countable(lake, counted_days(lake, first, last)) - days
        if gone and not forget:
            raise EventsGoneError(gone)
        days |= gone
        return _settled(lake, days, owed, now, progress or NoProgress())


def countable(lake: Lake, days: Iterable[date]) -> set[date]:
    """Return those of `days` that may be counted: facts of days whose events the retention removed stay as they are."""
    since = kept_from(lake, EVENTS)
    return {day for day in days if since is None or day >= since}


def roll_up_dirty(*, now: datetime, progress: Progress, wait_seconds: float = 0) -> Refreshed:
    """Bring the facts of all marked days up to date, mark the scores that follow, and settle the marks.

    The marks go only when everything is stored, so that a run which is killed is done again by the next; a mark made
    meanwhile stays. Does nothing while another process is at it.
    """
    if not DirtyDate.objects.exists():
        return Refreshed()
    lake = workspace_lake()
    try:
        with rollup_lock(lake, wait_seconds=wait_seconds):
            owed = pending(DirtyDate)
            return _settled(lake, owed, owed, now, progress)
    except RollupBusyError:
        return Refreshed()


def workspace_engine() -> EngineChoice:
    """Return what rolls events up in this workspace."""
    return EngineChoice(
        name=settings.BELLWETHER_ENGINE,
        master=settings.BELLWETHER_SPARK_MASTER,
        remote=settings.BELLWETHER_SPARK_REMOTE,
    )


def _refresh(
    lake: Lake,
    days: Iterable[date],
    progress: Progress,
    announce: Callable[[list[date]], None] = lambda days: None,
) -> Refreshed:
    wanted = countable(lake, days)
    compact_days(lake, wanted)
    how: dict[str, Any] = {"zone": _zone(), "labels": workspace_labels(), "engine": workspace_engine()}
    return refresh_facts(lake, wanted, progress=progress, announce=announce, **how)


def _zone() -> ZoneInfo:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return zone


def _settled(lake: Lake, days: Iterable[date], owed: dict[date, int], now: datetime, progress: Progress) -> Refreshed:
    today = day_of(now, _zone())
    finish_erasures(lake, now=now, progress=progress)  # one that was cut off would be counted as two people

    def mark(touched: Iterable[date]) -> None:
        mark_scores((day for day in touched if day <= today), now=now)

    wanted = countable(lake, days)
    # Marked before and after: a crash cannot lose the marks, and a scoring run in between cannot use them up.
    done = _refresh(lake, wanted, progress, announce=mark)
    refresh_days(lake, wanted, labels=workspace_labels(), progress=progress)
    # No day is too far on: counts of all time, first days and last logins reach for ever, windows up to a year.
    mark(days_between(min(wanted), today) if wanted else ())
    mark(done.touched)
    settle(DirtyDate, owed)
    return done
