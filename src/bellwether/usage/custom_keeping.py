"""Keeps the facts of custom measures in step with what is wanted, with the days that changed and with all of the past.

What is wanted is said in usage.custom_wants; the rollup counts it for the days it counts anyway, the job
measure_backfill for the days before. A row without a spec is one whose facts are still to be removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from bellwether.common.progress import Progress
from bellwether.usage.counting import batches
from bellwether.usage.custom_facts import forget_custom_facts, refresh_custom_facts
from bellwether.usage.custom_specs import spec_from_data
from bellwether.usage.erasure import finish_erasures
from bellwether.usage.kept import EVENTS, kept_from
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import rollup_lock
from bellwether.usage.models import CustomFact

PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Filled:
    """What a backfill did: specs that are complete now, days counted, files that changed, specs forgotten."""

    specs: int = 0
    days: int = 0
    files: int = 0
    forgotten: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as jobs report them."""
        return dict(vars(self))


def refresh_days(lake: Lake, days: Iterable[date], *, labels: dict[str, str], progress: Progress) -> int:
    """Count `days` anew for everything that is wanted; return how many files changed. Needs the rollup's lock."""
    specs = [spec_from_data(row.spec) for row in CustomFact.objects.exclude(spec={}).order_by("digest")]
    return refresh_custom_facts(lake, days, specs, labels=labels, progress=progress) if specs else 0


def fill(lake: Lake, *, labels: dict[str, str], now: datetime, progress: Progress) -> Filled:
    """Count all days with events for what is not complete yet, and remove what is not wanted any more.

    The rollup gets its turn after each million events or so. Days whose events the retention removed keep what was
    counted. What is complete is said last: a run that is killed is done again by the next. Raises RollupBusyError when
    a rollup does not end within ten minutes.
    """
    rows = list(CustomFact.objects.filter(filled_at=None).order_by("digest"))
    unwanted = [row for row in rows if not row.spec]
    specs = [spec_from_data(row.spec) for row in rows if row.spec]
    if unwanted:
        with rollup_lock(lake, wait_seconds=PATIENCE_SECONDS):
            kept = CustomFact.objects.exclude(spec={}).values_list("digest", flat=True)
            forget_custom_facts(lake, kept)
        CustomFact.objects.filter(digest__in=[row.digest for row in unwanted], spec={}).delete()
    since = kept_from(lake, EVENTS) or date.min
    days = [day for day in lake.event_dates() if day >= since] if specs else []
    files = 0
    if days:
        progress.start(f"Counting {len(days):,} days for custom measures", len(days))
    for batch in batches(lake, days):
        with rollup_lock(lake, wait_seconds=PATIENCE_SECONDS):
            finish_erasures(lake, now=now, progress=_Quiet(progress))  # one cut off would be counted as two people
            files += refresh_custom_facts(lake, batch.days, specs, labels=labels, progress=_Quiet(progress))
    for row in rows:
        if row.spec:  # one that was asked for again meanwhile stays due
            CustomFact.objects.filter(digest=row.digest, requested_at=row.requested_at).exclude(spec={}).update(
                filled_at=now
            )
    return Filled(specs=len(specs), days=len(days), files=files, forgotten=len(unwanted))


@dataclass(frozen=True)
class _Quiet:
    """A progress whose stages are steps of a larger one."""

    progress: Progress

    def start(self, what: str, total: int | None) -> None:
        """Begin no stage of its own."""

    def advance(self, steps: int = 1) -> None:
        """Pass the steps on."""
        self.progress.advance(steps)
