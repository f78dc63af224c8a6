"""The churn risk of one client through the staff API (api.md, section 1)."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from bellwether.churn import api_answers as answers
from bellwether.churn import client_risk as read
from bellwether.churn import jobs  # noqa: F401 (declares the job that refresh asks for)
from bellwether.churn.api_schemas import ChurnRefreshOut, ChurnRiskOut, WhatIfIn, WhatIfOut
from bellwether.churn.similar import similar
from bellwether.common.errors import ConflictError
from bellwether.common.jobs import request_job
from bellwether.common.models import JobState
from bellwether.portfolio.models import Client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["churn"])


@router.get(
    "/clients/{client_id}/churn-risk",
    response=ChurnRiskOut,
    operation_id="getClientChurnRisk",
    summary="Get the churn risk of a client",
)
def churn_risk(request: StaffRequest, client_id: UUID) -> ChurnRiskOut:
    """Return the newest prediction: probabilities with intervals, factors in the client's own numbers that sum to the
    log-odds, the change since about a month before, similar clients and what to do.

    A client that left or was archived keeps its last prediction.
    """
    now = timezone.now()
    client = visible_client(request.user, client_id)
    found = read.explained(client, now=now)
    _note(request, client, "churn.read", now)
    if found is None:
        ended = read.ended_on(client) is not None
        return answers.no_risk(client, read.LEFT_WITHOUT if ended else read.NOT_YET)
    return answers.risk_out(found, similar(found.risk, request.user, now=now))


@router.post(
    "/clients/{client_id}/churn-risk/what-if",
    response=WhatIfOut,
    operation_id="askClientChurnWhatIf",
    summary="Ask what would change the churn risk",
)
def what_if(request: StaffRequest, client_id: UUID, asked: WhatIfIn) -> WhatIfOut:
    """Return what the risk would be with other figures; nothing is stored. An association in past data, no promise.

    A lever or feature that is not known, or a value out of its range, answers 422 and names it; 409 where nothing has
    been predicted yet.
    """
    client = visible_client(request.user, client_id)
    levers = {slug: float(value) for slug, value in asked.levers.items()}
    values = {slug: float(value) for slug, value in asked.inputs.items()}
    risk, found = read.asked(client, levers, values)
    _note(request, client, "churn.what_if", timezone.now())
    return answers.what_if_out(risk, found)


@router.post(
    "/clients/{client_id}/churn-risk/refresh",
    response={202: ChurnRefreshOut},
    operation_id="refreshClientChurnRisk",
    summary="Predict the churn risk again",
)
def refresh(request: StaffRequest, client_id: UUID) -> HttpResponse:
    """Ask for the client's churn risk of today to be predicted again and return the job. Takes an Idempotency-Key."""
    client = visible_client(request.user, client_id)
    if read.ended_on(client) is not None:
        raise ConflictError(f"{client.name} is no client any more; nothing is predicted of those that left.")

    def make() -> Answer:
        now = timezone.now()
        run = request_job(read.PREDICT_JOB, read.job_arguments(client), requested_by_id=request.user.pk, now=now)
        _note(request, client, "churn.refresh", now)
        url = reverse("api:job", kwargs={"job_id": run.pk})
        body = ChurnRefreshOut(job_id=run.pk, state=JobState(run.state), url=url)
        return Answer(202, body.model_dump(mode="json"), {"Location": url})

    return once(request, make)


def _note(request: StaffRequest, client: Client, action: str, now: datetime) -> None:
    record(actor=request.user, action=action, object_type="client", object_id=client.pk, client_id=client.pk, now=now)
