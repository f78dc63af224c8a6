"""The endpoints of benchmarks (api.md, section 1): a client among its peers, an industry, saved groups."""

import math
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router

from bellwether.benchmarks import (
    jobs,  # noqa: F401 (declares the jobs that make the figures)
    saved,
)
from bellwether.benchmarks.api_schemas import (
    ClientBenchmark,
    CohortIn,
    CohortList,
    CohortOut,
    IndustryBenchmark,
    IndustryMetric,
    IndustryPoint,
    LargerGroup,
    MetricBenchmark,
)
from bellwether.benchmarks.asking import compare, licensed_features
from bellwether.benchmarks.cohorts import read_filters
from bellwether.benchmarks.comparing import Position, to_median
from bellwether.benchmarks.industries import health_trend, industries
from bellwether.benchmarks.metrics import METRICS
from bellwether.benchmarks.models import Cohort
from bellwether.benchmarks.night import Night, newest_night, sight_of
from bellwether.health.configs import main_scorecard
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["benchmarks"])


@router.get(
    "/clients/{client_id}/benchmark", response=ClientBenchmark, operation_id="getClientBenchmark",
    summary="Compare a client with similar ones",
)  # fmt: skip
def benchmark(
    request: StaffRequest,
    client_id: UUID,
    cohort: str = Query("tier", description="tier, industry, size, tenure or custom:ID of a saved group."),
) -> ClientBenchmark:
    """Return where the client stands among its peers as of the newest night, without figures where they would give
    single clients away."""
    client = visible_client(request.user, client_id)
    night = newest_night()
    sight = sight_of(request.user, night)
    found = compare(request.user, client, cohort, night, sight)
    licensed = licensed_features(client, night, main_scorecard())
    record(
        actor=request.user, action="benchmark.read", object_type="client", object_id=client.pk, client_id=client.pk,
        detail={"cohort": cohort}, now=timezone.now(),
    )  # fmt: skip
    first = found.instead[0] if found.instead else None
    return ClientBenchmark(
        client_id=client.pk,
        cohort=cohort,
        title=found.choice.title,
        date=night.day,
        peers=found.choice.peers,
        locked=found.choice.locked,
        peers_needed=found.choice.needed,
        nearest_larger=LargerGroup(cohort=first.key, label=first.label, peers=first.peers) if first else None,
        metrics=[
            _metric(one, sees_all=sight.sees_all, seats=client.licensed_user_count, licensed=licensed)
            for one in found.positions
        ],
    )


@router.get(
    "/benchmarks/industry/{path:industry}", response=IndustryBenchmark, operation_id="getIndustryBenchmark",
    summary="Get the figures of an industry",
)  # fmt: skip
def industry_benchmark(request: StaffRequest, industry: str) -> IndustryBenchmark:
    """Return what an industry comes to, its churn of 12 months, and its health on the last night of each month."""
    now = timezone.now()
    night = newest_night()
    sight = sight_of(request.user, night)
    found = {one.name.lower(): one for one in industries(night, sight, now=now) if one.name}
    if industry.lower() not in found:
        raise Http404
    one = found[industry.lower()]
    trend = health_trend([one.name])[one.name] if one.spreads["health"] else []
    record(actor=request.user, action="benchmark.industry", detail={"industry": one.name}, now=now)
    metrics = []
    for metric in METRICS:
        spread = one.spreads[metric.key]
        every = spread if sight.sees_all else None
        metrics.append(
            IndustryMetric(
                metric=metric.key,
                label=metric.label,
                unit=metric.unit,
                clients=spread.peers if spread else 0,
                average=spread.mean if spread else None,
                p25=_finite(spread.p25) if spread else None,
                median=_finite(spread.median) if spread else None,
                p75=_finite(spread.p75) if spread else None,
                minimum=_finite(every.lowest) if every else None,
                maximum=_finite(every.highest) if every else None,
                hidden="" if spread else one.hidden or "Too few clients report it, or it would tell about single ones.",
            )
        )
    return IndustryBenchmark(
        industry=one.name,
        date=night.day,
        clients=one.clients,
        metrics=metrics,
        churn_rate=one.churn.rate if one.churn else None,
        churn_clients=one.churn.clients if one.churn else None,
        trend=[IndustryPoint(date=p.day, clients=p.clients, median=p.median, average=p.mean) for p in trend],
        hidden=one.hidden,
    )


@router.get("/benchmarks/cohorts", response=CohortList, operation_id="listCohorts", summary="List saved groups")
def cohorts(request: StaffRequest, archived: bool = False) -> CohortList:
    """Return the caller's groups and those that others share; with `archived` also the caller's archived ones."""
    night = newest_night()
    return CohortList(
        data=[_cohort(row, request, night) for row in saved.visible_cohorts(request.user, archived=archived)]
    )


@router.post("/benchmarks/cohorts", response={201: CohortOut}, operation_id="createCohort", summary="Save a group")
def create_cohort(request: StaffRequest, given: CohortIn) -> HttpResponse:
    """Save a group and return it. Takes an Idempotency-Key."""

    def make() -> Answer:
        row = saved.save_cohort(request.user, given.name, given.filters, shared=given.is_shared, now=timezone.now())
        address = reverse("api:cohort", kwargs={"cohort_id": row.pk})
        return Answer(201, _cohort(row, request, newest_night()).model_dump(mode="json"), {"Location": address})

    return once(request, make)


@router.get(
    "/benchmarks/cohorts/{cohort_id}", response=CohortOut, url_name="cohort", operation_id="getCohort",
    summary="Get a saved group",
)  # fmt: skip
def cohort(request: StaffRequest, cohort_id: UUID) -> CohortOut:
    """Return one saved group, own or shared."""
    return _cohort(saved.visible_cohort(request.user, cohort_id), request, newest_night())


@router.put(
    "/benchmarks/cohorts/{cohort_id}", response=CohortOut, operation_id="changeCohort", summary="Change a saved group"
)
def change_cohort(request: StaffRequest, cohort_id: UUID, given: CohortIn) -> CohortOut:
    """Change an own group and return it. An archived one is restored first."""
    now = timezone.now()
    row = saved.archive_cohort(request.user, saved.own_cohort(request.user, cohort_id), archived=False, now=now)
    row = saved.save_cohort(request.user, given.name, given.filters, shared=given.is_shared, now=now, row=row)
    return _cohort(row, request, newest_night())


@router.delete(
    "/benchmarks/cohorts/{cohort_id}", response=CohortOut, operation_id="archiveCohort", summary="Archive a group"
)
def archive_cohort(request: StaffRequest, cohort_id: UUID) -> CohortOut:
    """Archive an own group and return it; PUT restores it."""
    row = saved.archive_cohort(
        request.user, saved.own_cohort(request.user, cohort_id), archived=True, now=timezone.now()
    )
    return _cohort(row, request, newest_night())


def _metric(one: Position, *, sees_all: bool, seats: int | None, licensed: int | None) -> MetricBenchmark:
    spread = one.spread
    every = spread if sees_all else None
    return MetricBenchmark(
        metric=one.metric.key,
        label=one.metric.label,
        unit=one.metric.unit,
        lower_is_better=one.metric.lower_is_better,
        value=_finite(one.value),
        not_reached=math.isinf(one.value),
        peers=one.peers,
        percentile=one.percentile,
        p25=_finite(spread.p25) if spread else None,
        median=_finite(spread.median) if spread else None,
        p75=_finite(spread.p75) if spread else None,
        mean=spread.mean if spread else None,
        minimum=_finite(every.lowest) if every else None,
        maximum=_finite(every.highest) if every else None,
        gap=one.gap,
        gap_points=one.gap_points,
        to_median=to_median(one, seats=seats, licensed=licensed) if one.behind else "",
        hidden=one.hidden,
    )


def _cohort(row: Cohort, request: StaffRequest, night: Night) -> CohortOut:
    return CohortOut(
        id=row.pk,
        name=row.name,
        filters=row.filters,
        is_shared=row.is_shared,
        is_own=row.owner_id == request.user.pk,
        owner=row.owner.name,
        clients=int(read_filters(row.filters).mask(night.roster).sum()),
        updated_at=row.updated_at,
        archived_at=row.archived_at,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
