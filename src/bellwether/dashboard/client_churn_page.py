"""The page of one client's churn risk: explained, asked what if, predicted anew, taken along as a file."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_POST

import bellwether.churn.jobs  # noqa: F401 (declares the job that a reader may ask for)
from bellwether.churn.api_answers import no_risk, risk_out
from bellwether.churn.client_risk import (
    LEFT_WITHOUT,
    NOT_YET,
    PREDICT_JOB,
    Explained,
    ended_on,
    explained,
    job_arguments,
)
from bellwether.churn.similar import similar
from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, client_or_404, head_of, target_of
from bellwether.dashboard.client_churn import predict_address
from bellwether.dashboard.client_churn_view import churn_page
from bellwether.dashboard.client_churn_what_if import what_if_form
from bellwether.dashboard.records_export import Sheet, export_response
from bellwether.playbooks.services import may_act
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

PAGE, WHAT_IF = "dashboard/client_churn.html", "dashboard/client_churn_what_if.html"
TARGET = "what-if"
COLUMNS = ("factor", "heading", "feature", "label", "value", "log_odds", "multiplier", "sentence")


@require_GET
@login_required
def risk(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the risk of a client that the reader may see; for a swap of the what-if only that."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    found = explained(client, now=now)
    values: dict[str, Any] = {"client_id": client.pk, "archived": client.archived_at is not None}
    if found is not None:
        values["form"] = what_if_form(client, found.offers, request.GET)
    action = "churn.what_if" if found is not None and values["form"].outcome else "churn.read"
    _note(user, client, action, now)
    if found is not None and target_of(request) == TARGET:
        return answer(request, WHAT_IF, values)
    values |= {
        "head": head_of(request, client, user=user, tab="client_churn", now=now),
        "page": churn_page(found, today=today, may_start=may_act(user)) if found else None,
        "similar": similar(found.risk, user, now=now) if found else [],
        "reason": "" if found else LEFT_WITHOUT if ended_on(client) else NOT_YET,
        "predict": predict_address(client),
        "run": _run_values(client, request.GET.get("run", "")),
        "exports": [
            (kind.upper(), reverse("client_churn_export", args=[client.pk, kind])) for kind in ("json", "csv", "xlsx")
        ],
    }
    return answer(request, PAGE, values)


@require_POST
@login_required
def predict(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Ask for the client's risk of today, and show how far that is."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    if not predict_address(client):
        raise Http404
    run = request_job(PREDICT_JOB, job_arguments(client), requested_by_id=user.pk, now=now)
    _note(user, client, "churn.refresh", now)
    return redirect(f"{reverse('client_churn', args=[client.pk])}?run={run.pk}")


@require_GET
@login_required
def run(request: HttpRequest, client_id: UUID, run_id: UUID) -> HttpResponse:
    """Return how far the prediction is; when it is done the page is loaded again."""
    client = client_or_404(cast(StaffUser, request.user), client_id)
    values = _run_values(client, str(run_id))
    if values is None:
        raise Http404
    response = render(request, "dashboard/client_churn_run.html", {"run": values})
    if values["state"] == JobState.DONE:
        response["HX-Redirect"] = reverse("client_churn", args=[client.pk])
    return response


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Return the explanation as JSON, as the API has it, or its sum as CSV or XLSX."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    found = explained(client, now=now)
    name = f"churn-risk-{client.organization_id}"
    if kind == "json":
        body = risk_out(found, similar(found.risk, user, now=now)) if found else no_risk(client, NOT_YET)
        response = HttpResponse(body.model_dump_json(indent=2), content_type="application/json")
        response["Content-Disposition"] = 'attachment; filename="churn-risk.json"'
        patch_cache_control(response, private=True, no_store=True)
    else:
        response = export_response(name, kind, [Sheet("churn risk", COLUMNS, _rows(found) if found else [])])
    _note(user, client, "churn.export", now)
    return response


def _rows(found: Explained) -> list[tuple[Any, ...]]:
    """Return a row for the reference and each feature; without figures of the model at a band."""
    shown, reference = found.risk, found.risk.reference
    hidden = shown.is_band
    rows: list[tuple[Any, ...]] = []
    if reference is not None:
        odds = None if hidden else reference.log_odds
        rows.append(("", reference.name, "", "", None, odds, None, ""))
    for line in shown.factors:
        for one in line.features:
            figures = (None, None) if hidden else (one.log_odds, round(one.multiplier, 6))
            rows.append((line.slug, line.heading, one.slug, one.label, one.value, *figures, one.sentence))
    return rows


def _run_values(client: Client, run_id: str) -> dict[str, Any] | None:
    try:
        found = JobRun.objects.filter(pk=UUID(run_id), name=PREDICT_JOB).first()
    except ValueError:
        return None
    if found is None or found.arguments != job_arguments(client):
        return None
    texts = {
        JobState.QUEUED: "Waiting for a worker",
        JobState.RUNNING: found.stage or "Predicting",
        JobState.DONE: "The risk of today is predicted.",
    }
    text = texts.get(JobState(found.state), f"The risk could not be predicted: {found.error or 'no reason was left'}.")
    return {
        "state": found.state,
        "text": text,
        "under_way": found.state in (JobState.QUEUED, JobState.RUNNING),
        "href": reverse("client_churn_run", args=[client.pk, found.pk]),
    }


def _note(user: StaffUser, client: Client, action: str, now: Any) -> None:
    audit.record(actor=user, action=action, object_type="client", object_id=client.pk, client_id=client.pk, now=now)
