"""Imports in the browser: sending files, mapping their columns, what a check found and an import did."""

from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard import imports_view as view
from bellwether.health.component_coverage import component_coverage, gains
from bellwether.portfolio.choices import IMPORT_AT_WORK, ImportState
from bellwether.portfolio.importing.profiles import profiles
from bellwether.portfolio.importing.suggest import suggest
from bellwether.portfolio.models import ImportRun
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.import_files import MOST_BYTES, MOST_FILES, REJECTS, folder_of
from bellwether.usage.import_through import FILE, IMPORTED
from bellwether.usage.import_wizard import (
    DELIMITERS,
    ENCODINGS,
    EVENTS,
    batch_of,
    field_label,
    fields_of,
    in_words,
    mapping_faults,
    plain_source,
    reading_of,
)
from bellwether.usage.import_work import rejected_rows
from bellwether.web.formatting import moment

RUNS_SHOWN = 25
REJECTS_SHOWN = 20
LONGEST_REASON = 400


def reader(request: HttpRequest) -> StaffUser:
    """Return who reads; raise Http404 for staff who see only some clients: there is no such page for them."""
    user = cast(StaffUser, request.user)
    if not user.sees_all_clients:
        raise Http404
    return user


def run_or_404(run_id: UUID) -> ImportRun:
    """Return the import; raise Http404 if there is none."""
    found = ImportRun.objects.select_related("made_by", "undone_by", "change").filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


@require_GET
@login_required
def imports(request: HttpRequest) -> HttpResponse:
    """Show the form for files and pasted rows, and the past imports."""
    reader(request)
    return render_imports(request)


def render_imports(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return the page with the form; `more` are what was pasted and what is wrong with it."""
    now = timezone.now()
    runs = ImportRun.objects.select_related("made_by").defer("check_result", "result", "detected", "settings")
    pages = Paginator(runs.order_by("-created_at", "-pk"), RUNS_SHOWN)
    page = pages.get_page(request.GET.get("page"))
    values = {
        "page": page,
        "pages": pages.num_pages,
        "rows": [(run, view.summary(run), view.STATE_STATUS.get(ImportState(run.state), "info")) for run in page],
        "labels": view.KIND_LABELS,
        "steps": view.steps(None),
        "most": MOST_BYTES // 2**20,
        "most_files": MOST_FILES,
        "now": now,
        "zone": settings.BELLWETHER_WORKSPACE_ZONE,
        "gains": gains(component_coverage(now=now))[:4],
        "pasted": "",
        "refused": [],
    } | more
    response = render(request, "dashboard/imports.html", values, status=status)
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_GET
@login_required
def import_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show an import where it is: its columns to map, what the check found, how far it is, what it did."""
    user = reader(request)
    run = run_or_404(run_id)
    now = timezone.now()
    audit.record(actor=user, action="import.read", object_type="import", object_id=run.pk, now=now)
    wants_columns = request.GET.get("step") == "columns" and run.state == ImportState.CHECKED
    if run.state == ImportState.MAPPING or wants_columns:
        return render_columns(request, run)
    values = _head(run, now)
    if run.state in IMPORT_AT_WORK:
        return _answer(request, "dashboard/import_progress.html", values | _progress(run))
    if run.state == ImportState.CHECKED:
        return _answer(request, "dashboard/import_check.html", values | _check(request, run))
    return _answer(request, "dashboard/import_result.html", values | _result(request, run))


@require_GET
@login_required
def state(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return how far an import is; when it is over the page is loaded again."""
    reader(request)
    run = run_or_404(run_id)
    response = render(request, "dashboard/import_state.html", {"run": run, **_progress(run)})
    if run.state not in IMPORT_AT_WORK:
        response["HX-Refresh"] = "true"
    return response


@require_GET
@login_required
def rejects(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return the rejected rows as a CSV file with their reasons, to be mended and sent again."""
    user = reader(request)
    run = run_or_404(run_id)
    path = folder_of(run.pk) / REJECTS
    if not path.exists():
        raise Http404
    now = timezone.now()
    audit.record(actor=user, action="import.rejects.export", object_type="import", object_id=run.pk, now=now)
    response = HttpResponse(path.read_bytes(), content_type="text/csv; charset=utf-8")
    stem = run.file_name.rpartition(".")[0] or run.file_name
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in stem)[:80]
    response["Content-Disposition"] = f'attachment; filename="{safe}.rejects.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _head(run: ImportRun, now: Any) -> dict[str, Any]:
    batch = batch_of(run.batch)
    return {
        "run": run,
        "batch": batch.runs,
        "blocking": batch.blocking(run),
        "next_run": batch.next_of(run),
        "label": view.KIND_LABELS.get(run.kind, ""),
        "labels": view.KIND_LABELS,
        "steps": view.steps(run),
        "layout_words": view.layout_words(run),
        "now": now,
        "zone": settings.BELLWETHER_WORKSPACE_ZONE,
        "when": moment(run.finished_at or run.created_at, now, settings.BELLWETHER_WORKSPACE_ZONE),
        "is_events": run.kind == EVENTS,
    }


def _progress(run: ImportRun) -> dict[str, Any]:
    percent = min(99, round(100 * run.rows_done / run.rows_total)) if run.rows_total and run.rows_done else None
    verbs = {
        ImportState.CHECKING: "Checking every row",
        ImportState.IMPORTING: "Importing",
        ImportState.UNDOING: "Taking back",
    }
    return {
        "verb": verbs.get(ImportState(run.state), ""),
        "percent": percent,
        "waiting": not run.rows_done,
        "may_stop": run.state in (ImportState.CHECKING, ImportState.IMPORTING),
    }


def render_columns(request: HttpRequest, run: ImportRun, *, status: int = 200, tried: bool = False) -> HttpResponse:
    """Return the page on which columns become fields; `tried`: it says what is wrong with the mapping."""
    values = _head(run, timezone.now()) | {"steps": view.steps(run, mapping=True), "tried": tried}
    try:
        columns = profiles(plain_source(run))
    except InvalidInputError as error:
        gone = {"title": run.file_name, "text": in_words(str(error), run)}
        return _answer(request, "dashboard/import_gone.html", values | gone, status=410)
    known: set[str] = set()
    found = suggest(columns, fields_of(run.kind), reading=reading_of(run), known_clients=known)
    through = run.settings.get("through") or ""
    shown, left_out = view.folded_away(view.column_rows(run, columns, found))
    values |= {
        "kind_options": view.kind_options(run.kind),
        "kind_sentence": view.kind_sentence(run),
        "mapped_as": run.detected.get("mapped_as"),
        "columns": shown,
        "left_out": left_out,
        "constants": view.constant_rows(run),
        "faults": mapping_faults(run) if run.kind else [],
        "dates": view.date_advice(run, columns),
        "encodings": ENCODINGS,
        "delimiters": DELIMITERS,
        "sheets": run.detected.get("sheets", []),
        "through_options": _through_options(run, through),
        "error": run.error,
    }
    return _answer(request, "dashboard/import_columns.html", values, status=status)


def _through_options(run: ImportRun, chosen: str) -> list[view.Option]:
    options = [view.Option("", "the client itself", not chosen)]
    for name, (_, what) in IMPORTED.items():
        options.append(view.Option(name, f"{what}, whose client is taken", name == chosen))
    for other in batch_of(run.batch).runs:
        if other.pk != run.pk:
            value = f"{FILE}{other.pk}"
            options.append(view.Option(value, f"a value of {other.file_name}, which names the client", value == chosen))
    return options


def _check(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    found = run.check_result
    coverage = component_coverage(now=timezone.now())
    return {
        "found": found,
        "figures": view.count_figures(found),
        "preview_fields": [(name, field_label(name)) for name in found.get("fields", [])],
        "preview": found.get("rows", []),
        "coverage": view.expected_coverage(coverage, run),
        "gains": [gain for gain in gains(coverage) if gain.kind != run.kind][:3],
        **_rejects(request, run, found),
    }


def _result(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    found = {**run.result, **run.counts}
    coverage = component_coverage(now=timezone.now())
    before = run.result.get("before")
    undone = run.result.get("undo") or {}
    return {
        "found": found,
        "figures": view.count_figures(found),
        "coverage": view.achieved_coverage(coverage, before) if before else [],
        "gains": [gain for gain in gains(coverage) if gain.kind != run.kind][:3],
        "undone": undone,
        "may_undo": run.change is not None
        and run.change.undone_at is None
        and run.state in (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED),
        "again_options": view.kind_options("")[1:] if (folder_of(run.pk) / run.stored_name).exists() else [],
        **_rejects(request, run, found),
    }


def _rejects(request: HttpRequest, run: ImportRun, found: dict[str, Any]) -> dict[str, Any]:
    reason = request.GET.get("reason", "")[:LONGEST_REASON]
    try:
        page = max(1, int(request.GET.get("page", "1")))
    except ValueError:
        page = 1
    first = (page - 1) * REJECTS_SHOWN
    rows, total = rejected_rows(run, reason=reason, first=first, count=REJECTS_SHOWN)
    here = reverse("import_run", args=[run.pk])

    def link(number: int) -> str:
        return f"{here}?{urlencode({'reason': reason, 'page': number})}#rejects"

    return {
        "rejects": rows,
        "reject_total": total,
        "reject_columns": [column for column in run.columns if rows and column in rows[0]][:8],
        "reason": reason,
        "tally": found.get("tally", []),
        "has_rejects_file": (folder_of(run.pk) / REJECTS).exists(),
        "previous_page": link(page - 1) if page > 1 else "",
        "next_page": link(page + 1) if first + REJECTS_SHOWN < total else "",
        "page_number": page,
    }


def _answer(request: HttpRequest, template: str, values: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, template, values, status=status)
    patch_cache_control(response, private=True, no_store=True)
    return response


def to_run(run: ImportRun) -> HttpResponse:
    """Return a redirect to the page of an import."""
    return redirect("import_run", run_id=run.pk)
