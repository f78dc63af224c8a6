"""What administrators do on the page about the data. Everybody else gets 403, those who may not see the page 404."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from bellwether.common.errors import BellwetherError
from bellwether.dashboard.data_page import day_or_none, reader
from bellwether.dashboard.data_runs import RUNNABLE
from bellwether.health import jobs  # noqa: F401 (declares the job that scores)
from bellwether.staff.models import StaffUser
from bellwether.usage import quality_actions
from bellwether.web.formatting import plural


@require_POST
@login_required
def ignore(request: HttpRequest) -> HttpResponse:
    """Leave the name of an event out of the questions, or with `undo` ask about it again."""
    user = _administrator(request)
    name, now = request.POST.get("name", ""), timezone.now()
    undo = bool(request.POST.get("undo"))
    try:
        if undo:
            quality_actions.unignore_event(name, actor=user, now=now)
        else:
            quality_actions.ignore_event(name, actor=user, now=now)
    except BellwetherError as error:
        messages.error(request, str(error))
        return redirect("data")
    query = {"names": request.POST.get("names", "")[:20], "q": request.POST.get("q", "")[:300]}
    if not undo:
        query["ignored"] = name
    return redirect(f"{reverse('data')}?{urlencode({key: text for key, text in query.items() if text})}#names")


@require_POST
@login_required
def run(request: HttpRequest) -> HttpResponse:
    """Ask for a job of the pipeline, or for days to be counted anew, and show how far that is."""
    user = _administrator(request)
    now, job = timezone.now(), request.POST.get("job", "")
    try:
        if job == "recount":
            first, last = day_or_none(request.POST.get("first", "")), day_or_none(request.POST.get("last", ""))
            if first is None or last is None:
                messages.error(request, "Give the first and the last day, such as 2026-02-12.")
                return redirect(f"{reverse('data')}#pipeline")
            made, days = quality_actions.request_recount(first, last, actor=user, now=now)
            messages.success(request, f"{plural(days, 'day')} will be counted anew, and scored after that.")
        elif job in RUNNABLE:
            made = quality_actions.request_run(job, actor=user, now=now)
        else:
            messages.error(request, f"There is no job {job!r} to ask for here.")
            return redirect(f"{reverse('data')}#pipeline")
    except BellwetherError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('data')}#pipeline")
    return redirect(f"{reverse('data')}?run={made.pk}#pipeline")


def _administrator(request: HttpRequest) -> StaffUser:
    user = reader(request)
    if not user.may_configure:
        raise PermissionDenied("Only administrators may do this.")
    return user
