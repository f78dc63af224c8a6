"""Custom measures: everybody reads them and tries them out, administrators make, change and archive them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.explanations import unit_text
from bellwether.dashboard.portfolio_choices import MEASURES_KEY
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.dashboard.settings_measures_examples import examples
from bellwether.dashboard.settings_measures_form import (
    COMPARISONS,
    CONDITIONS,
    KINDS,
    PER,
    WINDOWS,
    MeasureForm,
    definition_data,
    form_of,
    read_form,
    with_errors,
)
from bellwether.health import custom_changes as changes
from bellwether.health.catalogue_reading import SEEN_DAYS, seen_events
from bellwether.health.custom_measures import UNITS, Custom
from bellwether.health.custom_preview import Bin, Preview, preview
from bellwether.health.custom_registry import Coverage, as_custom, coverage
from bellwether.health.custom_text import UNIT_LABELS, sentence
from bellwether.health.measures import Unit
from bellwether.health.models import CustomMeasure
from bellwether.staff import audit
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.catalogue import features
from bellwether.usage.custom_wants import complete_facts
from bellwether.usage.models import FeatureTarget
from bellwether.usage.workspace import workspace_labels
from bellwether.web.formatting import number, percent, plural

WHY_NOT = "Only administrators make and change measures. You can try them out."
BETTER = (("higher", "More is better"), ("lower", "Less is better"), ("neither", "Neither"))
MOST_SUGGESTED = 200
HISTORY = 10
DONE = {
    "measure.create": "made it", "measure.change": "changed it", "measure.archive": "archived it",
    "measure.restore": "restored it",
}  # fmt: skip


@dataclass(frozen=True)
class MeasureRow:
    """A measure in the list. `coverage` says how many clients have a value; `clients` is the list of those clients."""

    slug: str
    name: str
    sentence: str
    unit: str
    used: str
    coverage: str
    href: str
    clients: str
    counting: bool


@require_GET
@login_required
def measures(request: HttpRequest) -> HttpResponse:
    """Show the measures of the workspace, or three to begin with where there are none."""
    user = cast(StaffUser, request.user)
    rows = list(CustomMeasure.objects.order_by("name", "slug"))
    used, covered, complete = changes.used_by(), coverage(user), complete_facts()
    active = [_row(as_custom(row), used, covered, complete) for row in rows if row.archived_at is None]
    return answer(
        request,
        "dashboard/settings_measures.html",
        {
            "tabs": settings_tabs("settings_measures"),
            "may_edit": user.may_configure,
            "why_not": WHY_NOT,
            "rows": active,
            "archived": [row for row in rows if row.archived_at is not None],
            "examples": _examples(timezone.now()) if not active else [],
            "progress": _progress() if any(row.counting for row in active) else "",
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def measure(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Show the form of a measure, new without `slug`, with a preview of what it says; POST saves it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    row = _find(slug) if slug else None
    stored = None if row is None else form_of(row.name, row.slug, row.description, as_custom(row).definition)
    if request.method == "POST":
        form = read_form(request.POST.dict())  # type: ignore[arg-type]
        try:
            if request.POST.get("action") != "preview":
                _must_configure(user)
                return _save(request, row, form, user, now)
        except InvalidInputError as error:
            form = with_errors(form, error.errors)
        except ConflictError as error:
            form = MeasureForm(form.values, {"": str(error)})
    else:
        form = (
            read_form(request.GET.dict()) if "kind" in request.GET or "json" in request.GET else stored or read_form({})
        )  # type: ignore[arg-type]
    shown, problem = _preview(form, user, now) if form.advanced or _begun(form) else (None, "")
    response = answer(
        request, "dashboard/settings_measure.html", _form_values(row, form, user, now) | _preview_values(shown, problem)
    )
    response.status_code = 422 if form.errors else 200
    return response


@require_GET
@login_required
def measure_preview(request: HttpRequest) -> HttpResponse:
    """Show what the fields of the form come to today: the part of the page that follows the typing."""
    user, now = cast(StaffUser, request.user), timezone.now()
    form = read_form(request.GET.dict())  # type: ignore[arg-type]
    return answer(request, "dashboard/settings_measure_preview.html", _preview_values(*_preview(form, user, now)))


@require_POST
@login_required
def measure_action(request: HttpRequest, slug: str, action: str) -> HttpResponse:
    """Archive or restore a measure, and say how to undo it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    _must_configure(user)
    act = {"archive": changes.archive_measure, "restore": changes.restore_measure}.get(action)
    row = CustomMeasure.objects.filter(slug=slug).first()
    if act is None or row is None:
        raise Http404
    try:
        row = act(row, actor=user, now=now)
        done = (
            "archived. Restore it below to undo this."
            if action == "archive"
            else "restored. Its values come with the next scoring."
        )
        messages.success(request, f"{row.name} is {done}")
    except ConflictError as error:
        messages.error(request, str(error))
    caches["memory"].delete(MEASURES_KEY)
    return redirect("settings_measures")


def _save(
    request: HttpRequest, row: CustomMeasure | None, form: MeasureForm, user: StaffUser, now: datetime
) -> HttpResponse:
    values = form.values
    draft = changes.Draft(
        name=values.get("name", ""),
        slug="" if row else values.get("slug", "").strip(),
        description=values.get("description", ""),
        definition=definition_data(form),
    )
    if row is None:
        row = changes.create_measure(draft, actor=user, now=now)
    else:
        row = changes.change_measure(row, draft, actor=user, now=now)
    caches["memory"].delete(MEASURES_KEY)
    when = (
        "Its raw events are being counted; clients have a value once that is done."
        if as_custom(row).definition.needs_raw
        else "Clients have a value with the next scoring, within a minute."
    )
    messages.success(request, f"{row.name} is saved. {when}")
    return redirect(reverse("settings_measures"))


def _preview(form: MeasureForm, user: StaffUser, now: datetime) -> tuple[Preview | None, str]:
    """Return the preview, or why there is none yet."""
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    try:
        definition = changes.read_definition(definition_data(form))
    except InvalidInputError as error:
        named = with_errors(form, error.errors).errors
        return None, " ".join(f"{_label(name)} {text}" for name, text in named.items())
    found = preview(definition, user, today=today, now=now, cache=caches["memory"])
    detail = {"definition": definition.as_data(), "count": len(found.samples)}
    audit.record(actor=user, action="measure.preview", object_type="measure", detail=detail, now=now)
    return found, ""


def _preview_values(found: Preview | None, problem: str) -> dict[str, Any]:
    if found is None:
        return {"preview": None, "problem": problem}
    unit = found.unit
    most = max((one.clients for one in found.bins), default=1)
    return {
        "preview": found,
        "problem": "",
        "samples": [(s, "" if s.value is None else unit_text(unit, s.value)) for s in found.samples],
        "quartiles": [unit_text(unit, value) for value in found.quartiles or ()],
        "bins": [
            (_range(one, unit, is_last=one is found.bins[-1]), one.clients, round(100 * one.clients / most))
            for one in found.bins
        ],
        "covered": f"{found.with_value:,} of {plural(found.clients, 'client')}",
    }


def _range(one: Bin, unit: Unit, *, is_last: bool) -> str:
    """Return the values of a bin for people: "0 to 5", "10% to under 20%"."""
    text = percent if unit is Unit.RATIO else number
    if one.low == one.high or (one.whole and one.high - one.low == 1):
        return text(one.low)
    if one.whole:
        return f"{text(one.low)} to {text(one.high - 1)}"
    return f"from {text(one.low)}" if is_last else f"{text(one.low)} to under {text(one.high)}"


def _form_values(row: CustomMeasure | None, form: MeasureForm, user: StaffUser, now: datetime) -> dict[str, Any]:
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    seen = seen_events(today, cache=caches["memory"]).names[:MOST_SUGGESTED]
    labelled = sorted(workspace_labels())
    window = form.values.get("window", "30")
    return {
        "tabs": settings_tabs("settings_measures"),
        "may_edit": user.may_configure and (row is None or row.archived_at is None),
        "why_not": WHY_NOT,
        "form": form,
        "measure": row,
        "kinds": KINDS,
        "comparisons": COMPARISONS,
        "conditions": CONDITIONS,
        "windows": [*WINDOWS, *([window] if window not in WINDOWS and window else [])],
        "pers": PER,
        "units": [(unit.value, UNIT_LABELS[unit]) for unit in UNITS],
        "betters": BETTER,
        "seen": [(one.match.event, f"{one.events:,} at {plural(one.clients, 'client')}") for one in seen],
        "seen_days": SEEN_DAYS,
        "labelled": labelled,
        "history": _history(row) if row is not None else [],
    }


def _history(row: CustomMeasure) -> list[dict[str, Any]]:
    """Return the newest changes of the measure as the access log has them: who, when, what."""
    made = AuditEvent.objects.filter(object_type="measure", object_id=row.slug, at__gte=row.created_at)
    found = made.filter(action__in=list(DONE)).order_by("-seq")[:HISTORY]
    return [
        {
            "who": "the command line" if event.actor == audit.SYSTEM else event.actor,
            "at": event.at,
            "what": DONE[event.action],
            "version": event.detail.get("version"),
        }
        for event in found
    ]


def _row(
    custom: Custom, used: dict[str, list[str]], covered: dict[str, Coverage], complete: frozenset[str]
) -> MeasureRow:
    found = covered.get(custom.slug)
    counting = any(spec.digest not in complete for spec in custom.definition.specs)
    return MeasureRow(
        slug=custom.slug,
        name=custom.name,
        sentence=sentence(custom.definition),
        unit=UNIT_LABELS[custom.definition.unit],
        used=", ".join(used.get(custom.slug, [])),
        coverage=f"{found.with_value:,} of {found.clients:,}" if found else "",
        href=reverse("settings_measure", args=[custom.slug]),
        clients=f"{reverse('portfolio')}?m.{custom.slug}=*&sort=-m.{custom.slug}",
        counting=counting,
    )


def _examples(now: datetime) -> list[dict[str, str]]:
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    seen = [(one.match.event, one.clients) for one in seen_events(today, cache=caches["memory"]).names]
    # Where any use counts it is mostly integrations that do it, not people.
    preferred = {e for feature in features() if feature.target != FeatureTarget.ANY for e in feature.events}
    address = reverse("settings_measure_new")
    return [
        {"name": one.name, "why": one.why, "href": address + one.query} for one in examples(seen, preferred=preferred)
    ]


def _progress() -> str:
    """Return how far the counting of raw events is, "" while it has not begun."""
    run = JobRun.objects.filter(name="measure_backfill", state=JobState.RUNNING).order_by("-created_at").first()
    if run is None or not run.progress_total:
        return ""
    return f"{run.progress_done:,} of {plural(run.progress_total, 'day')} counted"


def _begun(form: MeasureForm) -> bool:
    """Return whether there is anything to preview yet."""
    return any(form.values.get(name, "").strip() for name in ("events", "module", "feature", "property", "trait"))


def _label(name: str) -> str:
    return {"": "It", "events": "Event", "per_events": "The other event"}.get(
        name, name.rstrip("123").replace("_", " ").capitalize()
    )


def _find(slug: str) -> CustomMeasure:
    row = CustomMeasure.objects.filter(slug=slug).first()
    if row is None:
        raise Http404
    return row


def _must_configure(user: StaffUser) -> None:
    if not user.may_configure:
        raise PermissionDenied
