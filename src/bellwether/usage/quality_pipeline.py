"""Whether the product itself keeps up with what arrives. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bellwether.usage import quality_thresholds as limit
from bellwether.usage.quality_facts import Facts
from bellwether.usage.quality_finding import Finding, counted, finding
from bellwether.usage.quality_sources import SourceState
from bellwether.web.formatting import plural

PIPELINE = ("flush", "rollup", "score")


def pipeline_findings(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    """Yield the findings about the spool, the days that owe facts or scores, and the jobs."""
    pipeline, now = facts.pipeline, facts.now
    waited = _minutes(pipeline.spool_oldest, now)
    if waited > limit.SPOOL_MINUTES:
        yield finding(
            "spool",
            "critical",
            counted(pipeline.spool_events, "received event", "waits", "wait") + " to be counted",
            f"The oldest for {_age(waited)}. They are safe on disk, but no score knows them yet.",
            "Check that a worker is running: bellwether serve or bellwether worker.",
            "pipeline",
            events=pipeline.spool_events,
        )
    stopped = [
        job.name
        for job in pipeline.jobs
        if job.every_seconds is not None
        and _minutes(job.last_started_at, now) > limit.WORKER_MINUTES + 5 * job.every_seconds / 60
    ]
    never = [job.name for job in pipeline.jobs if job.every_seconds is not None and job.last_started_at is None]
    if stopped or (never and len(never) == len(pipeline.jobs)):
        yield finding(
            "worker",
            "risk",
            "The worker in the background is not running",
            "Events that arrive now are kept, but neither counted nor scored.",
            "Start it: bellwether serve or bellwether worker.",
            "pipeline",
            items=stopped,
        )
    failing = [job for job in pipeline.jobs if job.error]
    if failing:
        yield finding(
            "jobs",
            "risk",
            f"{plural(len(failing), 'job')} failed the last time",
            "What it does is late until it works again; it is tried again by itself.",
            "Ask an operator: bellwether doctor says why.",
            "pipeline",
            items=[f"{job.name}: {job.error[:160]}" for job in failing],
        )
    owed = (
        ("facts", pipeline.days_owing_facts, pipeline.facts_owed_since, "be counted", "Their usage is not up to date."),
        (
            "scores",
            pipeline.days_owing_scores,
            pipeline.scores_owed_since,
            "be scored",
            "Their scores are out of date.",
        ),
    )
    for key, days, since, what, meaning in owed:
        minutes = _minutes(since, now)
        if days and minutes > limit.OWED_MINUTES:
            yield finding(
                f"owed_{key}",
                "risk" if minutes > limit.OWED_CRITICAL_MINUTES else "monitor",
                counted(days, "day", "waits", "wait") + f" to {what}",
                f"The oldest for {_age(minutes)}. {meaning}",
                "This is done by itself while a worker runs. If it does not shrink, ask an operator.",
                "pipeline",
            )


def _minutes(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else (now - since) / timedelta(minutes=1)


def _age(minutes: float) -> str:
    if minutes < 120:
        return plural(int(minutes), "minute")
    return plural(int(minutes // 60), "hour") if minutes < 2 * 1440 else plural(int(minutes // 1440), "day")
