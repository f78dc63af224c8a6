"""How the product itself is doing: what /readyz and /metrics say."""

import importlib
import importlib.util
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum

from bellwether.common.jobs import JOBS
from bellwether.common.models import JobPulse, JobRun, JobState
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditHead
from bellwether.usage.models import EventBatch

PACKAGES = ("staff", "portfolio", "usage", "health", "dashboard")
SPOOL_AT_MOST = timedelta(minutes=5)
SCORE_AT_MOST = timedelta(hours=2)
JOB_GRACE = timedelta(minutes=5)
SCORE_JOB = "score"


@dataclass(frozen=True, kw_only=True)
class VitalSigns:
    """A measurement. Ages are in seconds, None when there is nothing to measure."""

    spool_batches: int
    spool_events: int
    spool_oldest_s: float | None
    score_age_s: float | None
    job_age_s: dict[str, float | None]
    job_limit_s: dict[str, float]
    job_failing: dict[str, bool]
    job_runs: dict[str, int]
    clients: dict[str, int]
    audit_rows: int


def take(*, now: datetime) -> VitalSigns:
    """Return the vital signs at `now`. Raises DatabaseError if a database does not answer."""
    load_jobs()
    spool = EventBatch.objects.aggregate(batches=Count("pk"), events=Sum("event_count"), oldest=Min("received_at"))
    pulses = {pulse.name: pulse for pulse in JobPulse.objects.all()}
    scored = pulses[SCORE_JOB].last_finished_at if SCORE_JOB in pulses else None
    swept = {name: job.every for name, job in JOBS.items() if job.every is not None}
    begun = {name: pulses[name].last_started_at if name in pulses else None for name in swept}
    status = Client.objects.active().values_list("health_status").annotate(number=Count("pk")).order_by()
    runs = JobRun.objects.values_list("state").annotate(number=Count("pk")).order_by()
    return VitalSigns(
        spool_batches=spool["batches"],
        spool_events=spool["events"] or 0,
        spool_oldest_s=_age(spool["oldest"], now),
        score_age_s=_age(scored, now),
        job_age_s={name: _age(instant, now) for name, instant in begun.items()},
        job_limit_s={name: (5 * every + JOB_GRACE).total_seconds() for name, every in swept.items()},
        job_failing={name: bool(pulse.last_error) for name, pulse in pulses.items()},
        job_runs=dict.fromkeys(JobState.values, 0) | dict(runs),
        clients={(status or "NA"): number for status, number in status},
        audit_rows=AuditHead.objects.values_list("seq", flat=True).first() or 0,
    )


def complaints(signs: VitalSigns) -> list[str]:
    """Return why the product is not ready, as sentences that say what to do; empty when it is."""
    found = []
    if (signs.spool_oldest_s or 0) > SPOOL_AT_MOST.total_seconds():
        waiting = f"{signs.spool_batches} batches wait in the spool, the oldest for {signs.spool_oldest_s:.0f} s"
        found.append(f"{waiting}. Is a worker running (`bellwether serve` or `bellwether worker`)?")
    never = sorted(name for name, age in signs.job_age_s.items() if age is None)
    if never:
        found.append(f"These jobs have never run: {', '.join(never)}. Start `bellwether serve` or `bellwether worker`.")
    for name, age in sorted(signs.job_age_s.items()):
        if age is not None and age > signs.job_limit_s[name]:
            found.append(f"The job {name} last began {age:.0f} s ago. Is a worker running?")
    if signs.score_age_s is not None and signs.score_age_s > SCORE_AT_MOST.total_seconds():
        found.append(f"Scores were last made {signs.score_age_s:.0f} s ago.")
    failing = sorted(name for name, fails in signs.job_failing.items() if fails)
    if failing:
        found.append(f"These jobs failed the last time: {', '.join(failing)}. `bellwether doctor` says why.")
    return found


def load_jobs() -> None:
    """Import every package's jobs, so that those which should run are known."""
    for package in PACKAGES:
        name = f"bellwether.{package}.jobs"
        if importlib.util.find_spec(name):
            importlib.import_module(name)


def _age(instant: datetime | None, now: datetime) -> float | None:
    return None if instant is None else (now - instant).total_seconds()
