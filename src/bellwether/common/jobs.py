"""Jobs: sweeps that look for work which the database says is due, and leave a row about what they did.

A package declares its jobs in `jobs.py`; config.schedule hands them to Huey. A job may be killed at any point and run
again at any time: its effects have natural keys.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from bellwether.common.errors import BellwetherError
from bellwether.common.models import JobPulse, JobRun, JobState

Counts = dict[str, int]
HEARTBEAT_EVERY = timedelta(seconds=1)
ABANDONED_AFTER = timedelta(minutes=10)


@dataclass
class JobContext:
    """What a job is given: its clock, its arguments, and a progress that writes the JobRun row."""

    now: datetime
    arguments: dict[str, Any] = field(default_factory=dict)
    run: JobRun | None = None
    name: str = ""
    _last_saved: datetime | None = None

    def start(self, what: str, total: int | None) -> None:
        """Begin a stage; makes the JobRun row if the job had none yet, so idle sweeps leave no rows."""
        run = self.ensure_run()
        run.stage, run.progress_done, run.progress_total = what[:200], 0, total
        self._save(run, force=True)

    def advance(self, steps: int = 1) -> None:
        """Say that `steps` more steps are done; written at most once a second."""
        if self.run is None:
            return
        self.run.progress_done += steps
        self._save(self.run, force=False)

    def ensure_run(self) -> JobRun:
        """Return the JobRun row, made now if there was none."""
        if self.run is None:
            self.run = JobRun.objects.create(
                name=self.name,
                state=JobState.RUNNING,
                arguments=self.arguments,
                created_at=self.now,
                started_at=self.now,
            )
        return self.run

    def _save(self, run: JobRun, *, force: bool) -> None:
        instant = timezone.now()
        if force or self._last_saved is None or instant - self._last_saved > HEARTBEAT_EVERY:
            self._last_saved = run.heartbeat_at = instant
            run.save(update_fields=["stage", "progress_done", "progress_total", "heartbeat_at"])


@dataclass(frozen=True)
class Job:
    """A declared job. `every`: time between sweeps; `cron`: five crontab fields in UTC; neither: on request only."""

    name: str
    function: Callable[[JobContext], Counts | None]
    every: timedelta | None = None
    cron: str | None = None
    requestable: bool = False


JOBS: dict[str, Job] = {}


class UnknownJobError(BellwetherError):
    """Somebody asked for a job that no package declares."""


def job(
    name: str, *, every: timedelta | None = None, cron: str | None = None, requestable: bool = False
) -> Callable[[Callable[[JobContext], Counts | None]], Callable[[JobContext], Counts | None]]:
    """Declare the decorated function as the job `name`.

    The function gets a JobContext, which is also a Progress, and returns what it counted; None or all zero means that
    nothing was due, and no JobRun row is kept. One run of a job at a time, in whatever process.
    """

    def declare(function: Callable[[JobContext], Counts | None]) -> Callable[[JobContext], Counts | None]:
        JOBS[name] = Job(name, function, every, cron, requestable)
        return function

    return declare


def request_job(name: str, arguments: dict[str, Any], *, requested_by_id: UUID | None, now: datetime) -> JobRun:
    """Return a queued JobRun that a worker takes up within seconds; asking again while it waits returns the same."""
    if name not in JOBS:
        raise UnknownJobError(f"There is no job {name!r}; there are {', '.join(sorted(JOBS))}.")
    waiting = JobRun.objects.filter(name=name, state=JobState.QUEUED, arguments=arguments).first()
    return waiting or JobRun.objects.create(
        name=name, state=JobState.QUEUED, arguments=arguments, requested_by_id=requested_by_id, created_at=now
    )


@contextmanager
def recorded(context: JobContext) -> Iterator[JobContext]:
    """Run a job's body with its pulse and row kept: done with counts, or failed with the error, which is raised on."""
    JobPulse.objects.update_or_create(name=context.name, defaults={"last_started_at": context.now})
    try:
        yield context
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"
        run = context.ensure_run()
        run.state, run.error, run.finished_at = JobState.FAILED, message[:2000], timezone.now()
        run.save()
        JobPulse.objects.filter(name=context.name).update(last_finished_at=timezone.now(), last_error=message[:2000])
        raise
    JobPulse.objects.filter(name=context.name).update(last_finished_at=timezone.now(), last_error="")


def run_job(name: str, *, now: datetime, run: JobRun | None = None) -> Counts:
    """Run the job `name` in this process and return its counts; `run` is the queued row it answers, if any."""
    declared = JOBS[name]
    context = JobContext(now=now, arguments=run.arguments if run else {}, run=run, name=name)
    if run is not None:
        run.state, run.started_at, run.heartbeat_at = JobState.RUNNING, now, now
        run.save(update_fields=["state", "started_at", "heartbeat_at"])
    with recorded(context):
        counts = declared.function(context) or {}
        if context.run is not None or any(counts.values()):
            row = context.ensure_run()
            row.state, row.counts, row.finished_at = JobState.DONE, counts, timezone.now()
            row.save()
    return counts
