"""Back-tests as rows: asked for, made by the worker or at once, found again while nothing changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from django.db import transaction
from django.utils import timezone

from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.progress import Progress
from bellwether.common.time import day_of
from bellwether.health.backtest_making import Subject, make_backtest
from bellwether.health.backtest_parameters import Parameters, checked, key_of, parameters_from
from bellwether.health.backtest_reading import data_stamp, rivals
from bellwether.health.backtest_result import for_roles_that_see_some
from bellwether.health.configs import check_definition, ensure_default_config
from bellwether.health.loading import workspace_settings
from bellwether.health.models import BacktestRun, HealthScoreConfig
from bellwether.health.scorecard import definition_digest, parse_scorecard
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

JOB = "backtest"


@dataclass(frozen=True)
class Progressing:
    """Where a run stands: "queued", "running", "done" or "failed", with the stage and steps while it runs."""

    state: str
    stage: str = ""
    done: int = 0
    total: int | None = None
    error: str = ""


def may_backtest(user: StaffUser) -> bool:
    """Return whether `user` may start back-tests: roles that see every client, since the figures are about all.

    Whoever sees only some clients could otherwise choose days and learn from the difference how one client fared.
    """
    return bool(user.is_active and user.sees_all_clients)


def subject_of(definition: dict[str, Any]) -> Subject:
    """Return what is tested, with its version where a configuration has this very definition.

    Raises InvalidInputError as `check_definition` does; a version that was in force is taken as it is.
    """
    config = _config(definition)
    if config is None:
        return Subject(definition, check_definition(definition))
    return Subject(config.definition, parse_scorecard(config.definition), f"{config.scorecard} v{config.version}")


def _config(definition: dict[str, Any]) -> HealthScoreConfig | None:
    found = HealthScoreConfig.objects.filter(digest=definition_digest(definition)).order_by("-version")
    return found.filter(applies_to_client__isnull=True).first() or found.first()


def definition_in_use(scorecard: str, *, now: datetime) -> dict[str, Any]:
    """Return the definition of `scorecard` in force for all clients. Raises InvalidInputError if there is none."""
    definition: dict[str, Any] = ensure_default_config(scorecard, now=now).definition
    return definition


def request_backtest(
    definition: dict[str, Any], *, parameters: Parameters, by: StaffUser | None, now: datetime, again: bool = False
) -> BacktestRun:
    """Return the run of this definition and these parameters, queued for the worker if there is none yet.

    A run that is waiting, at work or done on the data as they are is returned as it is, unless `again` asks for a new
    one of what is done. Raises InvalidInputError where the definition or the parameters cannot be used.
    """
    run = _run_row(definition, parameters, by, now, again=again)
    if run.job_id is None and run.result is None:
        with transaction.atomic():
            job = request_job(JOB, {"run_id": str(run.pk)}, requested_by_id=by.pk if by else None, now=now)
            run.job_id = job.pk
            run.save(update_fields=["job_id"])
    return run


def run_backtest(
    definition: dict[str, Any],
    *,
    parameters: Parameters,
    by: StaffUser | None,
    now: datetime,
    progress: Progress,
    labels: pl.DataFrame | None = None,
    again: bool = False,
) -> BacktestRun:
    """Return the finished run of this definition and these parameters, made at once unless the data did not change.

    `labels` (backtest_outcomes.LABELS) need `parameters.labels`. Raises InvalidInputError as `request_backtest` does,
    and where there is nothing to look back on; the row then does not stay.
    """
    run = _run_row(definition, parameters, by, now, again=again)
    if run.result is not None:
        return run
    try:
        return make_run(run, now=now, progress=progress, labels=labels)
    except BaseException:
        if run.job_id is None:
            run.delete()
        raise


def make_run(run: BacktestRun, *, now: datetime, progress: Progress, labels: pl.DataFrame | None = None) -> BacktestRun:
    """Make the result of a run and store it; a run that has one is left as it is."""
    if run.result is not None:
        return run
    parameters = parameters_from(run.parameters)
    found = make_backtest(subject_of(run.definition), parameters, now=now, progress=progress, labels=labels)
    run.result, run.finished_at = found.as_data(), timezone.now()
    run.save(update_fields=["result", "finished_at"])
    return run


def _run_row(
    definition: dict[str, Any], parameters: Parameters, by: StaffUser | None, now: datetime, *, again: bool
) -> BacktestRun:
    subject = subject_of(definition)
    today = day_of(now, workspace_settings().zone)
    parameters = checked(parameters, scorecards=rivals(now=now), today=today)
    digest, key = definition_digest(definition), key_of(parameters, data_stamp(today))
    with transaction.atomic():
        for found in BacktestRun.objects.filter(digest=digest, parameters__key=key).order_by("-created_at"):
            state = state_of(found).state
            if state in {"queued", "running"} or (state == "done" and not again):
                return found
        run = BacktestRun.objects.create(
            scorecard=subject.card.name,
            config=_config(definition),
            definition=definition,
            digest=digest,
            parameters=parameters.as_data() | {"key": key},
            created_at=now,
            created_by=by,
        )
        record(
            actor=by,
            action="backtest.run",
            object_type="backtest",
            object_id=run.pk,
            detail={"scorecard": run.scorecard, "version": subject.version, "digest": digest},
            now=now,
        )
    return run


def state_of(run: BacktestRun) -> Progressing:
    """Return where the run stands. One query where it has a job and no result yet."""
    if run.result is not None:
        return Progressing("done")
    job = JobRun.objects.filter(pk=run.job_id).first() if run.job_id else None
    if job is None:
        return Progressing("failed", error="It was not finished; run it again.")
    if job.state == JobState.FAILED:
        return Progressing("failed", error=job.error)
    if job.state == JobState.DONE:  # the worker stopped between the two
        return Progressing("failed", error="It was not finished; run it again.")
    state = "queued" if job.state == JobState.QUEUED else "running"
    return Progressing(state, job.stage, job.progress_done, job.progress_total)


def newest_run(digest: str, *, finished: bool = False) -> BacktestRun | None:
    """Return the newest run of a definition that was measured by recorded outcomes, None if there is none."""
    found = BacktestRun.objects.filter(digest=digest, parameters__labels=None)
    return (found.filter(result__isnull=False) if finished else found).order_by("-created_at").first()


def shown_to(user: StaffUser, run: BacktestRun) -> dict[str, Any] | None:
    """Return the result as `user` may see it: sums of ARR only for roles that see every client; None without one."""
    if run.result is None:
        return None
    result: dict[str, Any] = run.result if user.sees_all_clients else for_roles_that_see_some(run.result)
    return result
