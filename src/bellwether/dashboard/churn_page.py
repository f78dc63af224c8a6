"""The churn list: who may leave within 90 days, what that may cost, and predicting anew."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from bellwether.analytics import reading
from bellwether.analytics.churn_query import in_scope, listed, page_of
from bellwether.analytics.churn_reading import ChurnBook, churn_book, next_actions, outlooks
from bellwether.analytics.reading import Scope
from bellwether.churn.choices import Category
from bellwether.common.jobs import UnknownJobError, request_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.dashboard.churn_export import churn_sheet
from bellwether.dashboard.churn_query import Asked, read_asked
from bellwether.dashboard.churn_view import PRIOR_TEXT, PRIOR_TITLE, basis_text, key_figures, rows_of
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.portfolio_choices import values_of
from bellwether.dashboard.portfolio_query import TIER_LABELS
from bellwether.dashboard.records_export import export_response
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.chances import RISKS
from bellwether.web.dialogs import done
from bellwether.web.formatting import full_day, plural

LIST = "churn-list"
PREDICT = "churn_predict"
RENEWALS = (30, 60, 90, 180)
OLD_TEXT = "The last prediction is of {}. Check that the worker is running."
OVER = (JobState.DONE, JobState.FAILED)


def book_of(user: StaffUser) -> ChurnBook:
    """Return the predictions of the clients that `user` sees."""
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    return churn_book(Scope(user), today=today, since=reading.last_change(user))


@require_GET
@login_required
def churn(request: HttpRequest) -> HttpResponse:
    """Show the churn list; for a swap of the list only the list."""
    user = cast(StaffUser, request.user)
    asked = read_asked(request.GET.dict(), reverse("churn"))  # type: ignore[arg-type]
    book = book_of(user)
    rows = in_scope(book.rows, asked.query, book.today)
    page = page_of(listed(rows, asked.query), asked.query.page, asked.query.limit)
    first = (page.page - 1) * asked.query.limit
    shown = rows_of(page.rows, next_actions(page.rows), book.today)
    swap = target_of(request) == LIST
    values: dict[str, Any] = {
        "asked": asked,
        "rows": shown,
        "total": page.total,
        "text": plural(page.total, "client")
        if page.pages == 1
        else f"{first + 1:,} to {first + len(shown):,} of {plural(page.total, 'client')}",
        "previous": asked.link(page=page.page - 1) if page.page > 1 else "",
        "next": asked.link(page=page.page + 1) if page.page < page.pages else "",
        "predicted": book.predicted_on is not None,
        "exports": [(kind, asked.link(reverse("churn_export", args=[kind]))) for kind in ("csv", "xlsx")],
        **choices(user, asked),
    }
    values |= head_values(request, user, book) | figure_values(book, asked)
    detail = {"count": len(shown), "total": page.total, "filters": asked.given}
    audit.record(actor=user, action="churn.list", object_type="client", detail=detail, now=timezone.now())
    return answer(request, "dashboard/churn_list.html" if swap else "dashboard/churn.html", values)


def head_values(request: HttpRequest, user: StaffUser, book: ChurnBook) -> dict[str, Any]:
    """Return what the head of both churn pages shows: what the predictions rest on, and what may be done."""
    run = _run_of(request.GET.get("run", ""))
    on = book.predicted_on
    unpredicted = book.rows.filter(book.rows["as_of"].is_null()).height if on else 0
    return {
        "any_client": book.rows.height > 0,
        "basis": basis_text(book, settings.BELLWETHER_WORKSPACE_ZONE),
        "is_prior": book.model is not None and book.model.is_prior and on is not None,
        "prior_title": PRIOR_TITLE,
        "prior_text": PRIOR_TEXT,
        "old_text": f"The last prediction is of {full_day(on)}. Check that the worker is running."
        if book.is_old
        else "",
        "unpredicted": f"{plural(unpredicted, 'client')} not predicted yet" if unpredicted else "",
        "may_predict": user.sees_all_clients,
        "model_card": page_address("churn_model"),
        "run": run_values(run) if run else None,
    }


def page_address(name: str) -> str:
    """Return the address of a page; "" where there is none of this name."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def figure_values(book: ChurnBook, asked: Asked) -> dict[str, Any]:
    """Return the key figures, of the clients that every filter but the category lets through."""
    now, then = outlooks(book, asked.query)
    links = {
        category: asked.link(category=None if asked.query.category == category else category) for category in Category
    }
    order = (Category.HIGH, Category.MEDIUM, Category.LOW)
    figures = key_figures(now, then, {one: links[one] for one in order}, asked.query.category)
    return {
        "figures": figures if now.predicted else [],
        "since": f"Changes since {full_day(book.before_on)}" if then and book.before_on else "",
        "nothing_at_risk": now.predicted and not asked.query.category and not any(
            now.by_category[one].clients for one in (Category.HIGH, Category.MEDIUM)
        ),
    }  # fmt: skip


def choices(user: StaffUser, asked: Asked) -> dict[str, Any]:
    """Return what the filters offer, and those that are set as (label, value, address without)."""
    values = values_of(user)
    csms = sorted(values.csms.items(), key=lambda pair: pair[1].casefold())
    tiers = [(tier, str(label)) for tier, label in TIER_LABELS.items() if tier in values.tiers]
    industries = [(one, one) for one in sorted(filter(None, values.industries), key=str.casefold)]
    picks = [
        ("category", "Risk", [(word, look.label) for word, look in RISKS.items()]),
        ("tier", "Tier", tiers if len(tiers) > 1 else []),
        ("industry", "Industry", industries if len(industries) > 1 else []),
        ("csm_id", "CSM", csms if len(csms) > 1 else []),
        ("renewal_within", "Renewal", [(str(days), f"within {days} days") for days in RENEWALS]),
    ]
    chosen = asked.given
    offered = []
    for name, label, options in picks:
        value = chosen.get(name, "")
        if value and value not in dict(options):
            options = [(value, f"within {value} days" if name == "renewal_within" else value), *options]
        if options:
            without: dict[str, Any] = {name: None}
            offered.append((name, label, options, value, asked.link(**without)))
    return {"picks": offered, "filtered": bool(chosen)}


@require_GET
@login_required
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the list that the filters let through, all pages, as CSV or XLSX."""
    user, now = cast(StaffUser, request.user), timezone.now()
    asked = read_asked(request.GET.dict(), reverse("churn"))  # type: ignore[arg-type]
    book = book_of(user)
    rows = listed(in_scope(book.rows, asked.query, book.today), asked.query)
    response = export_response(f"churn-{book.today.isoformat()}", kind, [churn_sheet(rows, book)])
    detail = {"count": rows.height, "filters": asked.given, "format": kind}
    audit.record(actor=user, action="churn.export", object_type="client", detail=detail, now=now)
    return response


@require_POST
@login_required
def predict(request: HttpRequest) -> HttpResponse:
    """Ask for new predictions of all clients and go on where their progress is shown."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if not user.sees_all_clients:
        raise Http404
    try:
        run = request_job(PREDICT, {}, requested_by_id=user.pk, now=now)
    except UnknownJobError:
        return done(request, reverse("churn"), "Predictions cannot be made here.", failed=True)
    audit.record(actor=user, action="churn.predict", object_type="jobrun", object_id=run.pk, now=now)
    return redirect(f"{reverse('churn')}?run={run.pk}")


@require_GET
@login_required
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far the predictions are; when they are done, the page is loaded anew."""
    found = get_object_or_404(JobRun, pk=run_id, name=PREDICT)
    response = answer(request, "dashboard/churn_run.html", {"run": run_values(found)})
    if found.state == JobState.DONE and target_of(request):
        response["HX-Redirect"] = reverse("churn")
    return response


def _run_of(text: str) -> JobRun | None:
    try:
        return JobRun.objects.filter(pk=UUID(text), name=PREDICT).first()
    except ValueError:
        return None


def run_values(found: JobRun) -> dict[str, Any]:
    """Return a run as the page shows it."""
    total = found.progress_total
    return {
        "href": reverse("churn_run", args=[found.pk]),
        "over": found.state in OVER,
        "failed": found.state == JobState.FAILED,
        "percent": min(100, 100 * found.progress_done // total) if total else None,
        "text": "Waiting for a worker" if found.state == JobState.QUEUED else found.stage or "Predicting",
    }
