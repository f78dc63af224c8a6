"""Custom measures through the staff API: the workspace's own, and every measure of a client."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from bellwether.common.problems import ProblemError
from bellwether.common.time import day_of
from bellwether.health import custom_changes as changes
from bellwether.health.configs import main_scorecard
from bellwether.health.custom_api_schemas import (
    ClientMeasure,
    ClientMeasures,
    MeasureIn,
    MeasureList,
    MeasureOut,
    PreviewIn,
    PreviewOut,
)
from bellwether.health.custom_preview import preview
from bellwether.health.custom_registry import Coverage, as_custom, as_measure, coverage, custom_measures
from bellwether.health.custom_text import sentence
from bellwether.health.measures import MEASURES, Measure
from bellwether.health.models import CustomMeasure, HealthScore, MeasureValue
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest, need_scope
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.staff.tokens import Scope

router = Router(tags=["measures"])


@router.get(
    "/config/measures", response=MeasureList, operation_id="listMeasures", summary="List the workspace's own measures"
)
def measures(request: StaffRequest, archived: bool = False) -> MeasureList:
    """Return the custom measures by name, with what uses them and how many clients have a value."""
    rows = CustomMeasure.objects.order_by("name", "slug")
    used, covered = changes.used_by(), coverage(request.user)
    return MeasureList(
        data=[_out(row, used, covered) for row in rows if archived or row.archived_at is None],
    )


@router.post("/config/measures", response={201: MeasureOut}, operation_id="createMeasure", summary="Make a measure")
def create(request: StaffRequest, given: MeasureIn) -> HttpResponse:
    """Make a measure and return it; needs an administrator and, with a token, the scope admin. Takes an
    Idempotency-Key."""
    _may_configure(request)

    def make() -> Answer:
        row = changes.create_measure(_draft(given), actor=request.user, now=timezone.now())
        address = reverse("api:measure", kwargs={"slug": row.slug})
        return Answer(201, _out(row, {}, {}).model_dump(mode="json"), {"Location": address})

    return once(request, make)


@router.post(
    "/config/measures/preview", response=PreviewOut, operation_id="previewMeasure", summary="Try a measure out"
)
def try_out(request: StaffRequest, given: PreviewIn) -> PreviewOut:
    """Return what a definition comes to today for the clients that the caller sees; nothing is saved."""
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    definition = changes.read_definition(given.definition)
    found = preview(definition, request.user, today=today, now=now, cache=caches["memory"])
    detail = {"definition": definition.as_data(), "count": len(found.samples)}
    record(actor=request.user, action="measure.preview", object_type="measure", detail=detail, now=now)
    values: dict[str, Any] = vars(found)
    lists = {name: [vars(one) for one in values[name]] for name in ("samples", "bins")}
    return PreviewOut(**(values | lists))


@router.get(
    "/config/measures/{slug}", response=MeasureOut, url_name="measure", operation_id="getMeasure",
    summary="Get a measure",
)  # fmt: skip
def measure(request: StaffRequest, slug: str) -> MeasureOut:
    """Return one custom measure, archived or not."""
    return _out(_find(slug), changes.used_by(), coverage(request.user))


@router.put("/config/measures/{slug}", response=MeasureOut, operation_id="changeMeasure", summary="Change a measure")
def change(request: StaffRequest, slug: str, given: MeasureIn) -> MeasureOut:
    """Change name, description and definition and return the measure. An archived one is restored first."""
    _may_configure(request)
    row, now = _find(slug), timezone.now()
    row = changes.restore_measure(row, actor=request.user, now=now)
    row = changes.change_measure(row, _draft(given), actor=request.user, now=now)
    return _out(row, changes.used_by(), coverage(request.user))


@router.delete(
    "/config/measures/{slug}", response=MeasureOut, operation_id="archiveMeasure", summary="Archive a measure"
)
def archive(request: StaffRequest, slug: str) -> MeasureOut:
    """Archive the measure and return it; 409 while a scorecard in force reads it. PUT restores it."""
    _may_configure(request)
    row = changes.archive_measure(_find(slug), actor=request.user, now=timezone.now())
    return _out(row, {}, {})


@router.get(
    "/clients/{client_id}/measures", response=ClientMeasures, operation_id="getClientMeasures",
    summary="Get every measure of a client",
)  # fmt: skip
def client_measures(request: StaffRequest, client_id: UUID) -> ClientMeasures:
    """Return the values of built-in and custom measures on the newest scored day; null where there is none."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    row = HealthScore.objects.filter(client=client, scorecard=main_scorecard()).order_by("-date").first()
    inputs = row.inputs if row else {}
    own = dict(MeasureValue.objects.filter(client=client).values_list("measure__slug", "value"))
    listed: list[tuple[Measure, Any, int | None]] = [
        (found, inputs.get(found.slug), None) for found in MEASURES if found.slug != "previous_score"
    ]
    listed += [(as_measure(custom), own.get(custom.slug), custom.version) for custom in custom_measures()]
    record(
        actor=request.user, action="measure.read", object_type="client", object_id=client.pk, client_id=client.pk,
        now=now,
    )  # fmt: skip
    return ClientMeasures(
        client_id=client.pk,
        date=row.date if row else None,
        data=[
            ClientMeasure(
                slug=found.slug,
                label=found.label,
                unit=found.unit.value,
                better=found.better.value,
                source=found.source.value,
                description=found.description,
                value=value,
                version=version,
            )
            for found, value, version in listed
        ],
    )


def _find(slug: str) -> CustomMeasure:
    row = CustomMeasure.objects.filter(slug=slug).first()
    if row is None:
        raise Http404
    return row


def _draft(given: MeasureIn) -> changes.Draft:
    return changes.Draft(name=given.name, slug=given.slug, description=given.description, definition=given.definition)


def _out(row: CustomMeasure, used: dict[str, list[str]], covered: dict[str, Coverage]) -> MeasureOut:
    custom = as_custom(row)
    found = covered.get(row.slug)
    return MeasureOut(
        slug=row.slug,
        name=row.name,
        description=row.description,
        definition=row.definition,
        sentence=sentence(custom.definition),
        needs_raw_events=custom.definition.needs_raw,
        version=row.version,
        used_by=used.get(row.slug, []),
        clients_with_value=found.with_value if found else 0,
        clients=found.clients if found else 0,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
    )


def _may_configure(request: StaffRequest) -> None:
    if not request.user.may_configure:
        raise ProblemError(403, "Only administrators may change measures.")
    if request.token is not None:
        need_scope(request.token, Scope.ADMIN)
