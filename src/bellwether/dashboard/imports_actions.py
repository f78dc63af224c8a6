"""What is done with imports in the browser: send files, read them otherwise, map, check, import, stop, undo."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from bellwether.common.errors import BellwetherError, InvalidInputError
from bellwether.dashboard.imports_page import reader, render_columns, render_imports, run_or_404, to_run
from bellwether.health.component_coverage import component_coverage, kept
from bellwether.portfolio.choices import ImportState
from bellwether.portfolio.models import ImportRun
from bellwether.staff import audit
from bellwether.usage.import_files import MOST_FILES, drop
from bellwether.usage.import_through import FILE, IMPORTED
from bellwether.usage.import_wizard import (
    DELIMITERS,
    ENCODINGS,
    KIND_NAMES,
    PASTED,
    again_as,
    batch_of,
    fields_of,
    in_words,
    look_at,
    mapping_faults,
    receive,
)
from bellwether.usage.import_work import ask_to_stop, check, request_check, request_import, request_undo
from bellwether.web.formatting import plural

CHECKED_AT_ONCE = 1_000
LONGEST_PASTED = 4 * 2**20
MOST_WORDS = 200


@require_POST
@login_required
def send(request: HttpRequest) -> HttpResponse:
    """Take the files and the pasted rows; go to the first import, or say what cannot be read."""
    user = reader(request)
    now = timezone.now()
    pasted = request.POST.get("pasted", "")
    files: list[tuple[str, Iterable[bytes]]] = [
        (file.name or "file.csv", file.chunks()) for file in request.FILES.getlist("files")
    ]
    if pasted.strip():
        files.append((PASTED, [pasted.replace("\r\n", "\n").strip("\n").encode()]))
    if not files:
        return render_imports(request, status=422, refused=["Choose a file, or paste rows."])
    if len(files) > MOST_FILES:
        return render_imports(request, status=422, refused=[f"Send at most {MOST_FILES} files at once."], pasted=pasted)
    runs, refused = receive(files, user=user, now=now)
    for run in runs:
        detail = {"file": run.file_name, "size": run.size, "rows": run.rows_total}
        audit.record(actor=user, action="import.send", object_type="import", object_id=run.pk, detail=detail, now=now)
    if not runs:
        return render_imports(request, status=422, refused=refused, pasted=pasted)
    for sentence in refused:
        messages.error(request, sentence)
    return to_run(runs[0])


def _open(run_id: UUID) -> ImportRun:
    """Return an import that can still be mapped. Raises InvalidInputError where it has gone on already."""
    run = run_or_404(run_id)
    if run.state not in (ImportState.MAPPING, ImportState.CHECKED):
        raise InvalidInputError("This import has gone on already: its columns can no longer be changed.")
    return run


@require_POST
@login_required
def read_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Read the file with another layout, sheet or kind; the mapping is suggested anew."""
    reader(request)
    run = run_or_404(run_id)
    given = request.POST
    try:
        run = _open(run_id)
        if "kind" in given and given["kind"] not in (*KIND_NAMES, ""):
            raise InvalidInputError("Choose what the file holds from the list.")
        kind = given.get("kind")
        if given.get("encoding") in ENCODINGS:
            run.settings["encoding"] = given["encoding"]
        if given.get("delimiter") in DELIMITERS:
            run.settings["delimiter"] = given["delimiter"]
        if given.get("header") in ("yes", "no"):
            run.settings["header"] = given["header"] == "yes"
        if given.get("sheet"):
            run.settings["sheet"] = given["sheet"]
        if given.get("suggest"):
            kind = run.kind
        look_at(run, kind=kind)
    except InvalidInputError as error:
        messages.error(request, in_words(str(error), run))
        return to_run(run)
    run.state, run.error = ImportState.MAPPING, ""
    run.save()
    return to_run(run)


@require_POST
@login_required
def map_columns(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Keep the mapping; unless only its effect was asked for, have the file checked with it."""
    reader(request)
    run = run_or_404(run_id)
    now = timezone.now()
    try:
        run = _open(run_id)
        _take_mapping(run, request.POST)
        run.state, run.error = ImportState.MAPPING, ""
        run.save()
        if request.POST.get("do") == "update":
            return render_columns(request, run)
        if mapping_faults(run):
            return render_columns(request, run, status=422, tried=True)
        request_check(run, now=now)
        if (run.rows_total or 0) <= CHECKED_AT_ONCE:
            _check_now(run)
    except BellwetherError as error:
        messages.error(request, in_words(str(error), run))
    return to_run(run)


def _check_now(run: ImportRun) -> None:
    try:
        check(run)
    except BellwetherError as error:
        ImportRun.objects.filter(pk=run.pk).update(state=ImportState.MAPPING, error=in_words(str(error), run))
        raise


def _take_mapping(run: ImportRun, given: Any) -> None:
    """Put the posted mapping into the settings of `run`; what is no column, field or choice is left out."""
    fields = {f.name: f for f in fields_of(run.kind)}
    said = run.settings
    columns: dict[str, str] = {}
    for place, column in enumerate(run.columns):
        name = given.get(f"column-{place}", said.get("columns", {}).get(column, ""))
        columns[column] = name if name in fields else ""
    values: dict[str, dict[str, str]] = {}
    for place, column in enumerate(run.columns):
        name = columns[column]
        if not name or not fields[name].parser.choices:
            continue
        before = (said.get("values") or {}).get(name, {})
        words = dict(before) if said.get("columns", {}).get(column) == name else {}
        pairs = zip(given.getlist(f"word-{place}"), given.getlist(f"as-{place}"), strict=False)
        for word, read_as in list(pairs)[:MOST_WORDS]:
            words.pop(word, None)
            if read_as in fields[name].parser.choices:
                words[word] = read_as
        values[name] = words
    taken = set(columns.values())
    kept_values = said.get("constants", {})
    constants = {
        name: given.get(f"constant-{name}", kept_values.get(name, "")).strip()[:300]
        for name in fields
        if name not in taken
    }
    through = given.get("through", said.get("through", ""))
    run.settings = said | {
        "columns": columns,
        "values": values,
        "constants": {name: value for name, value in constants.items() if value},
        "date_order": given.get("date_order") if given.get("date_order") in ("dmy", "mdy") else "",
        "decimal": "," if given.get("decimal") == "," else ".",
        "time_zone": _zone(given.get("time_zone"), str(said.get("time_zone", "UTC"))),
        "csat_scale": _scale(given.get("csat_scale"), said.get("csat_scale")),
        "create_clients": bool(given.get("create_clients")),
        "through": through if through in IMPORTED or str(through).startswith(FILE) else "",
    }


def _zone(name: str | None, otherwise: str) -> str:
    try:
        return ZoneInfo(name).key if name else otherwise
    except (KeyError, ValueError, OSError):
        raise InvalidInputError(f"There is no time zone {name}. Write one such as Europe/Berlin.") from None


def _scale(text: str | None, otherwise: Any) -> list[float]:
    if not text:
        return list(otherwise or (0.0, 100.0))
    low, _, high = text.partition("-")
    try:
        scale = [float(low), float(high)]
    except ValueError:
        raise InvalidInputError("Give the scale as lowest-highest, such as 1-5.") from None
    if not 0 <= scale[0] < scale[1] < float("inf"):
        raise InvalidInputError("Give the scale as lowest-highest, such as 1-5.")
    return scale


@require_POST
@login_required
def start(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Import the file in the background, or with `all` every file of the batch that is mapped, in their order."""
    user = reader(request)
    run, now = run_or_404(run_id), timezone.now()
    before = kept(component_coverage(now=now))
    runs = [run]
    if request.POST.get("all"):
        ready = (ImportState.MAPPING, ImportState.CHECKED)
        runs = [one for one in batch_of(run.batch).runs if one.state in ready and not mapping_faults(one)]
    begun = 0
    for place, one in enumerate(runs):
        try:
            request_import(one, user=user, now=now + timedelta(microseconds=place), before=before)
            begun += 1
        except BellwetherError as error:
            messages.error(request, f"{one.file_name}: {in_words(str(error), one)}")
    if request.POST.get("all") and begun:
        messages.success(request, f"{plural(begun, 'file')} will be imported one after the other.")
    return to_run(runs[0] if runs else run)


@require_POST
@login_required
def stop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a check or an import after the rows in hand."""
    reader(request)
    run = run_or_404(run_id)
    ask_to_stop(run)
    return to_run(run)


@require_POST
@login_required
def undo(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Take an import back in the background."""
    user = reader(request)
    run = run_or_404(run_id)
    try:
        request_undo(run, user=user, now=timezone.now())
    except BellwetherError as error:
        messages.error(request, str(error))
    return to_run(run)


@require_POST
@login_required
def again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Make another import of the same file, as records of another kind or with another mapping."""
    user = reader(request)
    run, kind = run_or_404(run_id), request.POST.get("kind", "")
    if kind not in KIND_NAMES:
        messages.error(request, "Choose what else the file holds.")
        return to_run(run)
    try:
        return to_run(again_as(run, kind, user=user, now=timezone.now()))
    except InvalidInputError as error:
        messages.error(request, in_words(str(error), run))
        return to_run(run)


@require_POST
@login_required
def discard(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Remove an import that was not begun, with its file."""
    user = reader(request)
    run = run_or_404(run_id)
    removed, _ = ImportRun.objects.filter(
        pk=run.pk, state__in=(ImportState.MAPPING, ImportState.CHECKED), change__isnull=True
    ).delete()
    if removed:
        drop(run.pk)
        now = timezone.now()
        audit.record(actor=user, action="import.discard", object_type="import", object_id=run.pk, now=now)
        messages.success(request, f"{run.file_name} is removed. Nothing of it was imported.")
        other = next((one for one in batch_of(run.batch).runs if one.state == ImportState.MAPPING), None)
        return to_run(other) if other is not None else redirect("imports")
    messages.error(request, "This import has gone on already. Stop or undo it instead.")
    return to_run(run)
