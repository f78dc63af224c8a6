"""The schedule: Huey runs the declared jobs. State is in the database, so a worker may be killed at any time."""

import importlib
import importlib.util
import logging
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone
from huey import Huey, PostgresHuey, SqliteHuey
from huey.api import crontab
from huey.consumer import Consumer, Scheduler

from bellwether.common.jobs import ABANDONED_AFTER, JOBS, run_job
from bellwether.common.locks import exclusive
from bellwether.common.models import JobRun, JobState

logger = logging.getLogger(__name__)

PACKAGES = (
    "staff",
    "webhooks",
    "portfolio",
    "notifications",
    "delivery",
    "usage",
    "health",
    "benchmarks",
    "milestones",
    "churn",
    "alerts",
    "playbooks",
    "analytics",
    "dashboard",
)
REQUESTS = "requests"
FULL_QUEUE = 20
STARTS_AT_ONCE = 10
GIVES_WAY = 10
"""Niceness of the worker beside the web server: pages come first where both want the same cores."""


def load_jobs() -> None:
    """Import every package's jobs, so that JOBS is complete."""
    for package in PACKAGES:
        name = f"bellwether.{package}.jobs"
        if importlib.util.find_spec(name):
            importlib.import_module(name)


def make_queue() -> Huey:
    """Return the Huey instance: in a SQLite file of its own, or in PostgreSQL when the product runs on it."""
    database: dict[str, Any] = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql"):
        named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
        parameters = {key: database[setting] for key, setting in named.items() if database.get(setting)}
        return _postgres_queue(parameters)
    return SqliteHuey("bellwether", filename=str(settings.BELLWETHER_HOME / "jobs.sqlite3"), results=False)


def _postgres_queue(parameters: dict[str, Any]) -> Huey:
    """Return the queue in PostgreSQL. Processes that start at once all make its tables; those that lose try again."""
    from psycopg.errors import DuplicateObject, DuplicateTable, UniqueViolation  # only where there is PostgreSQL

    for _ in range(STARTS_AT_ONCE):
        try:
            return PostgresHuey("bellwether", results=False, **parameters)
        except (UniqueViolation, DuplicateTable, DuplicateObject):
            time.sleep(0.1)
    return PostgresHuey("bellwether", results=False, **parameters)


queue = make_queue()


@queue.task()
def sweep(name: str) -> None:
    """Run one sweep of the job `name`, unless another process is at it already."""
    close_old_connections()
    try:
        if name == REQUESTS:
            run_requests()
            return
        with exclusive(f"job-{name}") as free:
            if free:
                run_job(name, now=timezone.now())
    except Exception:
        # The job's row and pulse hold the error; the next sweep finds the same work still due.
        logger.exception("Job %s failed", name)
    finally:
        close_old_connections()


def run_requests() -> int:
    """Run what people asked for, oldest first; return how many runs ended. A job that is busy waits for its turn."""
    now = timezone.now()
    stale = JobRun.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=now - ABANDONED_AFTER)
    stale.update(state=JobState.FAILED, finished_at=now, error="The worker stopped. The work is taken up again.")
    ended = 0
    for run in JobRun.objects.filter(state=JobState.QUEUED).order_by("created_at"):
        _renew_connection()
        with exclusive(f"job-{run.name}") as free:
            claimed = free and JobRun.objects.filter(pk=run.pk, state=JobState.QUEUED).update(
                state=JobState.RUNNING, started_at=now, heartbeat_at=now
            )
            if claimed:
                try:
                    run_job(run.name, now=timezone.now(), run=run)
                except Exception:
                    logger.exception("Requested job %s failed", run.name)
                ended += 1
    return ended


def _renew_connection() -> None:
    """Drop a connection that is too old. Before a lock is taken, never after: PostgreSQL's lock goes with it."""
    if not connection.in_atomic_block:
        close_old_connections()


class SweepScheduler(Scheduler):
    """Huey's scheduler with seconds instead of minutes for the jobs that say so."""

    periodic_task_seconds = 1

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._next: dict[str, float] = {}
        self._minute: datetime | None = None

    def enqueue_periodic_tasks(self, now: Any) -> None:
        """Put every job whose time has come into the queue."""
        if self.huey.pending_count() > FULL_QUEUE:
            return
        for name in due(self._next, instant=time.monotonic()):
            self.huey.enqueue(sweep.s(name))
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            for job in JOBS.values():
                if job.cron and matches(job.cron, minute):
                    self.huey.enqueue(sweep.s(job.name))


def due(next_at: dict[str, float], *, instant: float) -> list[str]:
    """Return the jobs whose interval has passed at `instant` (monotonic seconds) and note when they are due again."""
    every = {job.name: job.every for job in JOBS.values() if job.every} | {REQUESTS: timedelta(seconds=1)}
    names = [name for name in every if next_at.get(name, 0.0) <= instant]
    for name in names:
        next_at[name] = instant + every[name].total_seconds()
    return names


def matches(cron: str, minute: datetime) -> bool:
    """Return whether the five crontab fields `cron` (UTC) name this `minute`."""
    fields = dict(zip(("minute", "hour", "day", "month", "day_of_week"), cron.split(), strict=True))
    return bool(crontab(**fields, strict=True)(minute))


class SweepConsumer(Consumer):
    """Huey's consumer with our scheduler."""

    scheduler_class = SweepScheduler


def run_worker(*, threads: int = 2, parent: int | None = None) -> None:
    """Work until SIGTERM or SIGINT, or until the process `parent` is gone.

    A job in hand is cut off, which is safe: it is due again at the next start (see common.jobs).
    """
    load_jobs()
    if parent is not None:
        os.nice(GIVES_WAY)
        threading.Thread(target=_end_with, args=(parent,), name="parent-watch", daemon=True).start()
    SweepConsumer(queue, workers=threads, max_delay=0.5).run()


def _end_with(parent: int) -> None:
    """End this process when its parent is no longer `parent`, as after a kill -9 of `bellwether serve`."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
