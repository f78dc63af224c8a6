"""One action for many clients: what to do, then what exactly will change, then done, with one button that undoes it."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from bellwether.common.errors import BellwetherError, InvalidInputError
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_bulk_forms import AssignForm, LogForm, SegmentForm, TagsForm
from bellwether.dashboard.portfolio_choices import values_of
from bellwether.dashboard.portfolio_selection import Selection, selection_of
from bellwether.portfolio.activities import MOST_AT_ONCE, log_many
from bellwether.portfolio.bulk import CHANGED, REFUSED, UNCHANGED, apply_bulk, clean_change, describe, plan_bulk
from bellwether.portfolio.bulk_jobs import AT_ONCE, request_bulk
from bellwether.portfolio.client_changes import ASSIGN_CSM
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, in_dialog, next_address, show_form
from bellwether.web.formatting import plural

TITLES = {"tags": "Tags", "segment": "Segment", "assign": "Reassign", "log": "Log activity"}
FORM, CONFIRM = "dashboard/portfolio_bulk_form.html", "dashboard/portfolio_bulk_confirm.html"


@require_http_methods(["GET", "POST"])
@login_required
def bulk(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask what to do with the chosen clients, show what will change, and do it once it is confirmed."""
    if kind not in TITLES:
        raise Http404
    user, now = cast(StaffUser, request.user), timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    values = request.POST if request.method == "POST" else request.GET
    chosen = selection_of(user, values, today)
    if not chosen.ids:
        return done(request, reverse("portfolio"), "Choose at least one client first.", failed=True)
    form = _form_of(kind, user, request)
    if request.method == "GET" or "back" in request.POST or not form.is_valid():
        return _ask(request, kind, form, chosen, user, invalid=request.method == "POST" and "back" not in request.POST)
    try:
        if isinstance(form, LogForm):
            return _log(request, form, chosen, user, now)
        change = clean_change(form.change(), user)  # type: ignore[attr-defined]
    except BellwetherError as error:
        form.add_error(None, str(error))
        return _ask(request, kind, form, chosen, user, invalid=True)
    if "confirmed" not in request.POST:
        plan = plan_bulk(user, chosen.ids, change)
        values_sent = [(name, text) for name in form.fields for text in request.POST.getlist(name)]
        context = {
            "action": reverse("portfolio_bulk", args=[kind]),
            "heading": describe(change, plan.count(CHANGED)),
            "sent": [*chosen.kept, *values_sent, ("confirmed", "1")],
            "changing": plan.count(CHANGED),
            "unchanged": plan.count(UNCHANGED),
            "refused": [row for row in plan.rows if row.result == REFUSED],
            "changed_names": [row.name for row in plan.rows if row.result == CHANGED][:8],
            "by_worker": plan.count(CHANGED) > AT_ONCE,
        }
        return show_form(request, CONFIRM, context)
    if len(chosen.ids) > AT_ONCE:
        run = request_bulk(user, list(chosen.ids), change, now)
        return _to_run(request, run)
    plan, made = apply_bulk(user, chosen.ids, change, today=today, now=now)
    left = plan.count(REFUSED)
    text = f"{made.summary}." if made else "Nothing was changed: it was so already."
    if left:
        text += f" {plural(left, 'client')} could not be changed: archived."
    return done(request, reverse("portfolio"), text, undo=made.pk if made else None)


def _form_of(kind: str, user: StaffUser, request: HttpRequest) -> forms.Form:
    data = request.POST if request.method == "POST" else None
    if kind == "assign":
        form = AssignForm(data, user=user)
        if not form.fields:
            raise Http404
        return form
    return {"tags": TagsForm, "segment": SegmentForm, "log": LogForm}[kind](data)


def _ask(
    request: HttpRequest, kind: str, form: forms.Form, chosen: Selection, user: StaffUser, *, invalid: bool
) -> HttpResponse:
    values = values_of(user)
    context: dict[str, Any] = {
        "action": reverse("portfolio_bulk", args=[kind]),
        "kind": kind,
        "heading": TITLES[kind],
        "form": form,
        "sent": chosen.kept,
        "count": len(chosen.ids),
        "names": chosen.names,
        "tags": sorted(values.tags, key=str.casefold),
        "segments": sorted(filter(None, values.segments), key=str.casefold),
        "senior": kind == "assign" and user.role in ASSIGN_CSM and "ae" not in form.fields,
    }
    return show_form(request, FORM, context, invalid=invalid)


def _log(request: HttpRequest, form: LogForm, chosen: Selection, user: StaffUser, now: Any) -> HttpResponse:
    if len(chosen.ids) > MOST_AT_ONCE:
        sentence = f"An activity is logged for at most {MOST_AT_ONCE:,} clients at once; these are {len(chosen.ids):,}."
        raise InvalidInputError(sentence, {"clients": sentence})
    clients = list(Client.objects.visible_to(user).filter(pk__in=chosen.ids).order_by("name"))
    change = log_many(user, clients, form.draft(now), now=now)
    return done(request, reverse("portfolio"), f"{change.summary}.", undo=change.pk)


def _to_run(request: HttpRequest, run: JobRun) -> HttpResponse:
    address = f"{reverse('portfolio_bulk_run', args=[run.pk])}"
    if in_dialog(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = address
        return response
    return redirect(address)


@require_GET
@login_required
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far a bulk change is that the reader asked for; another's does not exist."""
    found = get_object_or_404(JobRun, pk=run_id, name="bulk_change", requested_by_id=request.user.pk)
    part = bool(getattr(request, "htmx", None))
    over = found.state in (JobState.DONE, JobState.FAILED)
    context = {
        "run": found,
        "over": over,
        "failed": found.state == JobState.FAILED,
        "percent": round(100 * found.progress_done / found.progress_total) if found.progress_total else None,
        "summary": found.arguments.get("summary") or "Nothing was changed: it was so already",
        "change_id": found.arguments.get("change_id", ""),
        "counts": found.counts,
        "next": next_address(request, reverse("portfolio")),
    }
    name = "dashboard/portfolio_bulk_run_part.html" if part else "dashboard/portfolio_bulk_run.html"
    return render(request, name, context)
