"""How far a run is that somebody asked for on the page about the data."""

from dataclasses import dataclass

from django.urls import reverse

from bellwether.common.models import JobRun, JobState
from bellwether.usage.quality_words import count_text

RUNNABLE = ("rollup", "score")
WORK = {"rollup": "Counting days", "score": "Scoring clients"}


@dataclass(frozen=True)
class RunState:
    """A run in words; `percent` None while unknown, `href` says how far it is, `is_over` once it ended."""

    text: str
    state: str
    percent: int | None
    href: str
    is_over: bool


def run_state(run: JobRun) -> RunState:
    """Return how far `run` is."""
    what = WORK.get(run.name, run.name)
    percent = round(100 * run.progress_done / run.progress_total) if run.progress_total else None
    texts = {
        JobState.QUEUED: f"{what}: waiting for a worker",
        JobState.RUNNING: f"{what}: {run.stage or 'at work'}",
        JobState.DONE: f"{what}: done. "
        + ", ".join(count_text(name, count) for name, count in list(run.counts.items())[:3]),
        JobState.FAILED: f"{what}: failed. An operator can see why with bellwether doctor.",
    }
    state = JobState(run.state)
    return RunState(
        text=texts[state],
        state=state.value,
        percent=percent,
        href=reverse("data_run", args=[run.pk]),
        is_over=state in (JobState.DONE, JobState.FAILED),
    )
