"""How a job is getting on, for whoever asked for it."""

from datetime import datetime
from uuid import UUID

from django.http import Http404
from ninja import Router, Schema

from bellwether.common.models import JobRun, JobState
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.models import Role

router = Router(tags=["jobs"])


class JobProgress(Schema):
    """Steps done in the current stage; `total` is null while unknown."""

    done: int
    total: int | None


class JobOut(Schema):
    """A job that somebody asked for."""

    id: UUID
    name: str
    state: JobState
    stage: str
    progress: JobProgress
    counts: dict[str, int]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.get("/jobs/{job_id}", response=JobOut, operation_id="getJob", summary="Get a job")
def job(request: StaffRequest, job_id: UUID) -> JobOut:
    """Return state and progress of a job that the caller asked for; administrators see every job."""
    run = JobRun.objects.filter(pk=job_id).first()
    is_admin = request.user.role == Role.ADMIN
    if run is None or (run.requested_by_id != request.user.pk and not is_admin):
        raise Http404
    error = None
    if run.state == JobState.FAILED:
        error = run.error if is_admin else "The job failed; an administrator can see why."
    return JobOut(
        id=run.pk,
        name=run.name,
        state=JobState(run.state),
        stage=run.stage,
        progress=JobProgress(done=run.progress_done, total=run.progress_total),
        counts=run.counts,
        error=error,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
