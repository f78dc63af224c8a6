"""What is done on the health score page: save, publish, undo, back-test. All but back-tests: administrators only."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from bellwether.common.errors import BellwetherError, InvalidInputError
from bellwether.common.models import JobRun, JobState
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.scorecard_form import Asked, read_asked
from bellwether.dashboard.scorecard_saving import SCORE, give_up, publish, recalculation, save_draft, undo
from bellwether.dashboard.scorecard_state import State, seen_scope, state_of
from bellwether.health import backtest
from bellwether.health.backtest_parameters import Parameters
from bellwether.health.config_scopes import scope_of
from bellwether.health.configs import main_scorecard
from bellwether.health.models import ConfigActivation
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import moment


@require_POST
@login_required
def save(request: HttpRequest) -> HttpResponse:
    """Save the draft as a version; with `action` publish bring it into force and score today anew."""
    user, now = _administrator(request), timezone.now()
    state = _state(request, user, now)
    if request.POST.get("action") == "give_up":
        return _give_up(request, state, user, now)
    wanted = request.POST.get("action") == "publish"
    here = reverse("scorecard") + request.POST.get("draft", "")
    if state.why_not or state.draft is None:
        messages.error(request, f"Nothing was {'published' if wanted else 'saved'}. {state.why_not}")
        return redirect(here if here.startswith(reverse("scorecard")) else "scorecard")
    reason = request.POST.get("reason", "").strip()
    try:
        if wanted and not reason:
            raise InvalidInputError("Give a reason: it stands in the version history.")
        saved = save_draft(state.draft, state, actor=user, reason=reason, now=now)
        if not wanted:
            messages.success(request, f"Version {saved.version} is saved as a draft. Nothing has changed yet.")
            return redirect(reverse("scorecard") + Asked(scope=state.scope, config=saved.pk).query())
        activation = publish(saved, actor=user, reason=reason, now=now, past="past" in request.POST)
        run = recalculation(activation, now=now)
    except BellwetherError as error:
        messages.error(request, f"Nothing was published. {error}")
        return redirect(here)
    query = Asked(scope=state.scope).query(published=str(activation.pk), run=str(run.pk))
    return redirect(reverse("scorecard") + query)


def _give_up(request: HttpRequest, state: State, user: StaffUser, now: datetime) -> HttpResponse:
    """Let the next wider scope hold again, and show what that is."""
    try:
        activation = give_up(state, actor=user, now=now)
        run = recalculation(activation, now=now)
    except BellwetherError as error:
        messages.error(request, str(error))
        return redirect("scorecard")
    return redirect(
        reverse("scorecard") + Asked(scope=state.scope).query(published=str(activation.pk), run=str(run.pk))
    )


@require_POST
@login_required
def undo_publish(request: HttpRequest) -> HttpResponse:
    """Bring back what was in force before the activation that is named."""
    user, now = _administrator(request), timezone.now()
    text = request.POST.get("activation", "")
    found = ConfigActivation.objects.filter(pk=int(text), scorecard=main_scorecard()) if text.isdecimal() else None
    activation = found.select_related("config").first() if found is not None else None
    if activation is None:
        raise Http404
    scope = seen_scope(user, scope_of(activation))
    try:
        run = recalculation(undo(activation, actor=user, now=now), now=now)
    except BellwetherError as error:
        messages.error(request, str(error))
        return redirect(reverse("scorecard") + Asked(scope=scope).query())
    messages.success(request, "Undone: what was in use before is in use again.")
    return redirect(reverse("scorecard") + Asked(scope=scope).query(run=str(run.pk)))


@require_POST
@login_required
def run_backtest(request: HttpRequest) -> HttpResponse:
    """Ask for a back-test of the draft, a new one where there is one."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if not backtest.may_backtest(user):
        raise PermissionDenied("Roles that see all clients start back-tests.")
    state = _state(request, user, now)
    if state.draft is None or state.scaled:
        messages.error(request, f"Nothing was tested. {state.why_not}")
    else:
        try:
            backtest.request_backtest(state.draft.definition, parameters=Parameters(), by=user, now=now, again=True)
        except InvalidInputError as error:
            messages.error(request, f"Nothing was tested. {error}")
    query = QueryDict(request.POST.get("draft", "").removeprefix("?")).urlencode()
    return redirect(f"{reverse('scorecard')}{'?' if query else ''}{query}#backtest")


@require_GET
@login_required
def published(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return how far the scores of a published version are; when they are made the page is loaded again."""
    user = cast(StaffUser, request.user)
    progress = published_of(str(run_id), request.GET.get("published", ""), timezone.now())
    if progress is None:
        raise Http404
    response = answer(
        request, "dashboard/scorecard_published.html", {"published": progress, "may_edit": user.may_configure}
    )
    if progress["state"] == JobState.DONE:
        response["HX-Refresh"] = "true"
    return response


def published_of(run: str, activation: str, now: datetime) -> dict[str, Any] | None:
    """Return what the page says of a publication that its address names; None where it names none."""
    try:
        found = JobRun.objects.filter(pk=UUID(run), name=SCORE).first()
    except ValueError:
        found = None
    if found is None:
        return None
    row = None
    if activation.isdecimal():
        row = ConfigActivation.objects.filter(pk=int(activation)).select_related("config", "applies_to_client").first()
    done = found.state == JobState.DONE
    at = moment(found.finished_at, now, settings.BELLWETHER_WORKSPACE_ZONE) if found.finished_at else ""
    return {
        "state": found.state,
        "waiting": found.state in {JobState.QUEUED, JobState.RUNNING},
        "text": f"Scores made anew, {at}." if done else found.stage or "Waiting for a worker",
        "failed": found.error if found.state == JobState.FAILED else "",
        "percent": round(100 * found.progress_done / found.progress_total) if found.progress_total else None,
        "href": reverse("scorecard_published", args=[found.pk]) + (f"?published={row.pk}" if row else ""),
        "activation": row.pk if row else None,
        "title": "" if row is None else _in_use(row),
    }


def _in_use(activation: ConfigActivation) -> str:
    if activation.config is None:
        return f"{scope_of(activation).words} has no version of its own any more."
    return f"Version {activation.config.version} is in use."


def _state(request: HttpRequest, user: StaffUser, now: datetime) -> State:
    given = QueryDict(request.POST.get("draft", "").removeprefix("?"))
    return state_of(user, read_asked(given.dict()), now=now)  # type: ignore[arg-type]


def _administrator(request: HttpRequest) -> StaffUser:
    user = cast(StaffUser, request.user)
    if not user.may_configure:
        raise PermissionDenied("Only administrators save and publish scorecards.")
    return user
