"""`bellwether doctor`: what is wrong with this installation and how to mend it."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from bellwether.churn import guard
from bellwether.common.models import JobPulse, JobRun, JobState
from bellwether.common.time import day_of
from bellwether.config.routers import SPOOL, SPOOL_APP
from bellwether.delivery.models import Channel
from bellwether.delivery.selectors import dead_letters
from bellwether.health.score_faults import CURE, fault_title, faulty_scores
from bellwether.portfolio import search_index
from bellwether.staff.models import Role, StaffUser
from bellwether.usage.kept import EVENTS, kept_from
from bellwether.usage.lake import Lake
from bellwether.usage.lake_trial import LakeUnusableError, try_out
from bellwether.usage.models import DirtyDate, EventBatch, WriteKey
from bellwether.usage.retention_lake import kept_since
from bellwether.usage.workspace import workspace_lake
from bellwether.web.formatting import plural

LATE_AFTER = timedelta(minutes=5)
LOW_DISK_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `cure` is empty when it is in order; `serious` findings make the command fail."""

    subject: str
    state: str
    cure: str = ""
    serious: bool = False


def examine(now: datetime) -> Iterator[Finding]:
    """Yield a finding per thing looked at, in the order in which they should be mended."""
    checks: tuple[Callable[[datetime], Iterator[Finding]], ...] = (
        _settings, _databases, _guards, _search, _lake, _clock, _staff, _scores, _delivery, _jobs
    )  # fmt: skip
    for check in checks:
        try:
            yield from check(now)
        except Exception as error:
            yield Finding(
                check.__name__.strip("_"), f"{type(error).__name__}: {error}", "Mend what is above first.", True
            )


def _settings(now: datetime) -> Iterator[Finding]:
    environment = settings.ENVIRONMENT
    yield Finding("home", str(environment.home))
    for name in environment.unknown:
        yield Finding("settings", f"{name} is not a setting", "Correct the name or unset it.")
    if environment.debug:
        yield Finding("settings", "DEBUG is on", "Unset BELLWETHER_DEBUG outside development.", True)
    if environment.bind not in {"127.0.0.1", "localhost", "::1"} and not settings.HTTPS:
        cure = "Put a TLS proxy in front and set BELLWETHER_BASE_URL=https://…"
        yield Finding("settings", f"open to {environment.bind} without HTTPS", cure)
    free = shutil.disk_usage(environment.home).free
    low = free < LOW_DISK_BYTES
    yield Finding("disk", f"{free / 2**30:.1f} GiB free", "Free some space under BELLWETHER_HOME." if low else "", low)


def _databases(now: datetime) -> Iterator[Finding]:
    for alias in connections:
        connection = connections[alias]
        executor = MigrationExecutor(connection)
        wanted = executor.loader.graph.leaf_nodes(SPOOL_APP if alias == SPOOL else None)
        waiting = len(executor.migration_plan(wanted))
        state = f"{connection.vendor}, " + (f"{waiting} migrations not applied" if waiting else "up to date")
        yield Finding(f"database {alias}", state, "Run `bellwether migrate`." if waiting else "", bool(waiting))


def _guards(now: datetime) -> Iterator[Finding]:
    gone = guard.missing(connections["default"])
    state = f"{len(gone)} triggers are missing, so they could be changed" if gone else "what is stored stays as it is"
    yield Finding("churn predictions", state, "Run `bellwether migrate`." if gone else "", bool(gone))


def _search(now: datetime) -> Iterator[Finding]:
    connection = connections["default"]
    gone, wrong = search_index.missing(connection), search_index.differences(connection)
    parts = [f"{len(gone)} triggers are missing"] if gone else []
    parts += [f"{kind}: {records:,} records, {entries:,} indexed" for kind, (records, entries) in wrong.items()]
    yield Finding(
        "search",
        "; ".join(parts) or "the index is whole",
        "Run `bellwether search rebuild`." if parts else "",
        bool(parts),
    )


def _lake(now: datetime) -> Iterator[Finding]:
    lake = workspace_lake()
    try:
        try_out(lake)
    except LakeUnusableError as error:
        yield Finding("lake", f"{lake.name}: {error}", error.cure, True)
    else:
        dates = lake.event_dates()
        span = f"{len(dates)} days of events, {dates[0]} to {dates[-1]}" if dates else "no events yet"
        yield Finding("lake", f"{lake.name}: {span}")
        yield from _retention(lake, dates, now)
    spool, owed = EventBatch.objects.count(), DirtyDate.objects.count()
    yield Finding("spool", f"{spool} batches wait for the flush, {owed} days for the rollup")


def _retention(lake: Lake, dates: list[date], now: datetime) -> Iterator[Finding]:
    """Yield a hint when the first night would take a history away that somebody brought in."""
    since = kept_since(day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), settings.BELLWETHER_KEEP_USAGE_DAYS)
    old = [day for day in dates if since is not None and day < since]
    if old and kept_from(lake, EVENTS) is None:
        state = f"the events of {len(old):,} days, {old[0]} to {old[-1]}, go tonight"
        yield Finding("retention", state, "Set BELLWETHER_KEEP_USAGE_DAYS, 0 for ever, if they are to stay.")


def _clock(now: datetime) -> Iterator[Finding]:
    drift = abs(time.time() - now.timestamp())
    newest = EventBatch.objects.order_by("-received_at").values_list("received_at", flat=True).first()
    ahead = newest is not None and newest > now + timedelta(minutes=1)
    cure = "The clock went back: an event was received after now. Set the clock by NTP." if ahead else ""
    yield Finding(
        "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, days of {settings.BELLWETHER_WORKSPACE_ZONE}", cure, drift > 60
    )


def _staff(now: datetime) -> Iterator[Finding]:
    active = StaffUser.objects.filter(is_active=True)
    count, admins = active.count(), active.filter(role=Role.ADMIN).count()
    cure = "" if admins else "Add one: `bellwether user add EMAIL --role ADMIN`."
    yield Finding("staff", f"{count} people, {admins} administrators", cure)
    keys = WriteKey.objects.filter(revoked_at__isnull=True).count()
    yield Finding("write keys", f"{keys} active", "" if keys else "To receive events: `bellwether key add SOURCE`.")


def _scores(now: datetime) -> Iterator[Finding]:
    last = JobRun.objects.filter(name="verify_scores", state=JobState.DONE).order_by("-created_at").first()
    faulty = faulty_scores()
    if faulty:
        rest = f" and {len(faulty) - 3} more" if len(faulty) > 3 else ""
        yield Finding("scores", f"{fault_title(len(faulty))}: {', '.join(faulty[:3])}{rest}", CURE, True)
    elif last is None:
        yield Finding("scores", "not checked yet; some are every night")
    else:
        yield Finding("scores", f"all {last.counts.get('checked', 0)} checked on {last.created_at:%Y-%m-%d} hold")


def _delivery(now: datetime) -> Iterator[Finding]:
    waiting = dead_letters().count()
    off = Channel.objects.filter(is_enabled=False, removed_at__isnull=True).exclude(disabled_reason="").count()
    state = f"{plural(waiting, 'message')} could not be delivered" if waiting else "nothing was given up"
    cure = "See `bellwether delivery list`, mend the cause, then `bellwether delivery resend`." if waiting else ""
    yield Finding("delivery", state, cure)
    if off:
        yield Finding("channels", f"{off} switched off after an error", "Mend them under Settings, Channels.")


def _jobs(now: datetime) -> Iterator[Finding]:
    pulses = list(JobPulse.objects.order_by("name"))
    if not pulses:
        yield Finding("jobs", "no job has run yet", "Start `bellwether serve` or `bellwether worker`.")
    for pulse in pulses:
        last = pulse.last_finished_at or pulse.last_started_at
        late = last is not None and pulse.name in {"flush", "rollup"} and now - last > LATE_AFTER
        state = f"last ran {last:%Y-%m-%d %H:%M:%S}" if last else "never ended"
        if pulse.last_error:
            yield Finding(f"job {pulse.name}", f"{state}: {pulse.last_error}", "Read the log of the worker.", True)
        else:
            cure = "No worker runs: start `bellwether serve` or `bellwether worker`." if late else ""
            yield Finding(f"job {pulse.name}", state, cure)
