"""The card of a churn model: the page, its downloads, training a new version and putting one into use."""

import json
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.churn import model_reading as read
from bellwether.churn.card import LEAST_CHURNED
from bellwether.churn.card_text import markdown
from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.folds import FIRST_TRAINING_DAYS, LEAST_FOLD_DAYS
from bellwether.churn.models import ChurnModel
from bellwether.common.errors import BellwetherError
from bellwether.common.models import JobRun, JobState
from bellwether.dashboard.churn_model_view import card_view
from bellwether.dashboard.client_access import answer
from bellwether.staff import audit
from bellwether.staff.models import Role, StaffUser
from bellwether.web.dialogs import done, show_form
from bellwether.web.formatting import moment, plural

WAITING = (JobState.QUEUED, JobState.RUNNING)


@require_GET
@login_required
def model(request: HttpRequest) -> HttpResponse:
    """Show the card of the version in use, or of `version`; figures at `days`."""
    user, now = cast(StaffUser, request.user), timezone.now()
    in_use = read.version_in_use(now=now)
    row = _asked(request, in_use)
    card = read.card_of(row)
    given = request.GET.get("days", "")
    _note(user, "churn_model.read", row, now)
    values = head_values(user, "model", now) | {
        "row": row,
        "in_use": in_use,
        "view": card_view(card, int(given) if given.isdecimal() and len(given) < 4 else None),
        "about": about_text(row, now),
        "reason": row.reason or card.why,
        "measured": None if card.candidates else read.measured_since(row),
        "left_so_far": plural(read.left_so_far(), "client") if not card.candidates else "",
        "least_churned": LEAST_CHURNED,
        "least_days": FIRST_TRAINING_DAYS + LEAST_FOLD_DAYS,
    }
    return answer(request, "dashboard/churn_model.html", values)


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the card of the version in use, or of `version`, as Markdown or JSON."""
    user, now = cast(StaffUser, request.user), timezone.now()
    row = _asked(request, read.version_in_use(now=now))
    card = read.card_of(row)
    if kind == "md":
        response = HttpResponse(markdown(card, read.about_of(row)), content_type="text/markdown; charset=utf-8")
    elif kind == "json":
        text = json.dumps(card.as_data() | {"version": row.version}, indent=2)
        response = HttpResponse(text + "\n", content_type="application/json")
    else:
        raise Http404
    response["Content-Disposition"] = f'attachment; filename="churn-model-{row.version}.{kind}"'
    patch_cache_control(response, private=True, no_store=True)
    _note(user, "churn_model.export", row, now, kind=kind)
    return response


@require_POST
@login_required
def train(request: HttpRequest) -> HttpResponse:
    """Ask for a training; one that waits or runs is the answer to a second click."""
    user, now = cast(StaffUser, request.user), timezone.now()
    read.request_training(by=user, now=now)
    return done(request, reverse("churn_model_versions"), "A new version is being trained. It can take a few minutes.")


@require_GET
@login_required
def training(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return how far a training is; when it is over the page is loaded again."""
    user = cast(StaffUser, request.user)
    run = JobRun.objects.filter(pk=run_id, name=read.JOB).first()
    if run is None:
        raise Http404
    response = answer(
        request, "dashboard/churn_model_training.html", {"training": training_values(run, user, timezone.now())}
    )
    if run.state not in WAITING:
        response["HX-Refresh"] = "true"
    return response


@require_http_methods(["GET", "POST"])
@login_required
def use(request: HttpRequest, version: int) -> HttpResponse:
    """Ask whether a version is to be put into use, and do it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if not read.may_manage(user):
        raise PermissionDenied(read.WHY_NOT)
    row = read.find_version(version)
    if row is None:
        raise Http404
    in_use = read.version_in_use(now=now)
    back = reverse("churn_model_versions")
    if request.method == "POST":
        try:
            read.put_into_use(row, by=user, now=now)
        except BellwetherError as error:
            return done(request, back, str(error), failed=True)
        text = f"Version {row.version} is in use. Clients are predicted anew with it within minutes."
        return done(request, back, text)
    values = {"row": row, "in_use": in_use, "action": reverse("churn_model_use", args=[version]), "back": back}
    return show_form(request, "dashboard/churn_model_use.html", values)


def head_values(user: StaffUser, tab: str, now: datetime) -> dict[str, Any]:
    """Return what the head of all three pages shows: the tab, and the training that waits or runs."""
    run = read.newest_training() if read.may_manage(user) else None
    recent = run is not None and (run.state in WAITING or run.state == JobState.FAILED)
    return {
        "tab": tab,
        "may_manage": read.may_manage(user),
        "training": training_values(run, user, now) if run is not None and recent else None,
    }


def training_values(run: JobRun, user: StaffUser, now: datetime) -> dict[str, Any]:
    """Return what the page says of a training: stage and per cent, or why it failed (details: administrators)."""
    failed = ""
    if run.state == JobState.FAILED:
        failed = run.error if user.role == Role.ADMIN else "An administrator can see why."
    return {
        "waiting": run.state in WAITING,
        "stage": run.stage or "Waiting for a worker",
        "percent": round(100 * run.progress_done / run.progress_total) if run.progress_total else None,
        "failed": failed,
        "said": run.stage if run.state == JobState.DONE else "",
        "at": moment(run.finished_at, now, settings.BELLWETHER_WORKSPACE_ZONE) if run.finished_at else "",
        "href": reverse("churn_model_training", args=[run.pk]),
    }


def about_text(row: ChurnModel, now: datetime) -> str:
    """Return what a version is, in a line: "Version 3, hazard model, in use since 12 Feb, trained 12 Feb by …"."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    kind = str(ModelKind(row.kind).label).lower()
    parts = [f"Version {row.version}, {kind}"]
    if row.state == ModelState.ACTIVE and row.activated_at:
        parts.append(f"in use since {moment(row.activated_at, now, zone)}")
    if row.kind != ModelKind.PRIOR:
        who = f" by {row.trained_by.name}" if row.trained_by else ""
        parts.append(f"trained {moment(row.trained_at, now, zone)}{who}")
    return ", ".join(parts)


def _asked(request: HttpRequest, in_use: ChurnModel) -> ChurnModel:
    given = request.GET.get("version", "")
    if not given:
        return in_use
    found = read.find_version(int(given)) if given.isdecimal() and len(given) < 9 else None
    if found is None:
        raise Http404
    return found


def _note(user: StaffUser, action: str, row: ChurnModel, now: datetime, **detail: object) -> None:
    audit.record(
        actor=user, action=action, object_type="churn_model", object_id=row.pk,
        detail={"version": row.version, **detail}, now=now,
    )  # fmt: skip
