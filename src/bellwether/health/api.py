"""The health endpoints of the staff API (api.md, section 1)."""

from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.jobs import request_job
from bellwether.common.models import JobState
from bellwether.common.paging import pagination
from bellwether.common.time import day_of
from bellwether.health import (
    details,
    jobs,  # noqa: F401 (declares the job that refresh asks for)
)
from bellwether.health.api_schemas import (
    BenchmarksOut,
    DriverOut,
    HealthOut,
    HealthQuery,
    HistoryPage,
    HistoryQuery,
    RefreshOut,
    SentenceOut,
    SourceOut,
    SummaryOut,
)
from bellwether.health.brief import analysis, brief
from bellwether.health.cohort_reading import shown_peers
from bellwether.health.cohorts import Standing, standing
from bellwether.health.configs import main_scorecard
from bellwether.health.driver_reading import as_first_seen, earlier_score, moves_between
from bellwether.health.gathering import facts_of_client
from bellwether.health.models import HealthScore
from bellwether.health.risk_factors import next_steps
from bellwether.health.scorecards_in_use import scorecard_in_use
from bellwether.portfolio.models import Client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["health"])

DEFAULT_DAYS = 90
REFRESH_JOB = "health_refresh"


@router.get(
    "/clients/{client_id}/health",
    response=HealthOut,
    operation_id="getClientHealth",
    summary="Get the health of a client",
)
def health(request: StaffRequest, client_id: UUID, query: Query[HealthQuery]) -> HealthOut:
    """Return the newest score with components, trend, benchmarks, analysis, coverage and inputs.

    Of a scorecard beside the main one there are no benchmarks; a scorecard that is not in use answers 422.
    """
    now = timezone.now()
    client = visible_client(request.user, client_id)
    name = scorecard_in_use(query.scorecard)
    row = details.newest_score(client, name)
    scorecard = details.scorecard_of(row, name)
    facts = facts_of_client(client, row, scorecard, now=now, zone=settings.BELLWETHER_WORKSPACE_ZONE)
    before = earlier_score(row) if row and row.overall_score is not None else None
    benchmarks = Standing()
    if name == main_scorecard():
        cache = caches["memory"]
        benchmarks = standing(
            row.overall_score if row else None,
            shown_peers(request.user, client, "tier", cache=cache)[0],
            shown_peers(request.user, client, "industry", cache=cache)[0],
        )
    _note(request, client, "health.read", now)
    return HealthOut(
        client_id=client.pk,
        scorecard=name,
        scored_on=row.date if row else None,
        overall_score=row.overall_score if row else None,
        health_status=details.status_of(row, scorecard) if row else None,
        health_trend=details.product_trend(row) if row else None,
        trend_change=row.trend_change if row else None,
        trend_period=details.trend_period(scorecard)[0],
        components=details.components(row, scorecard) if row else {},
        benchmarks=BenchmarksOut(**vars(benchmarks)),
        drivers=[
            DriverOut(
                kind=one.kind,
                component=one.component,
                label=one.label,
                points=round(one.points, 4),
                sentence=one.sentence,
            )
            for one in (moves_between(before, row, seen=as_first_seen(before)).drivers if before and row else [])
        ],
        drivers_since=before.date if before else None,
        ai_analysis=analysis(facts),
        ai_recommended_actions=next_steps(facts),
        coverage=row.coverage if row else 0.0,
        component_data=row.component_data if row else {},
        interval_low=row.interval_low if row else None,
        interval_high=row.interval_high if row else None,
        no_score_reason=(row.no_score_reason or None) if row else "No score has been made yet.",
        inputs=row.inputs if row else {},
        weights_version=row.weights_version if row else None,
    )


@router.get(
    "/clients/{client_id}/health/history",
    response=HistoryPage,
    operation_id="getClientHealthHistory",
    summary="Get the scores of a client over time",
)
def history(request: StaffRequest, client_id: UUID, query: Query[HistoryQuery]) -> HistoryPage:
    """Return the stored scores from `from` to `to`, both included, oldest first; by default the last 90 days.

    `step` thins them out to the last scored day of each week or month; a scorecard that is not in use answers 422.
    """
    now = timezone.now()
    client = visible_client(request.user, client_id)
    last = query.to_date or _today(now)
    first = query.from_date or date.fromordinal(max(1, last.toordinal() - DEFAULT_DAYS + 1))
    if first > last:
        sentence = f"{first} is after {last}."
        raise InvalidInputError(f"The period cannot be used: {sentence}", {"from": sentence})
    name = scorecard_in_use(query.scorecard)
    rows = HealthScore.objects.filter(client=client, scorecard=name, date__range=(first, last)).order_by("date")
    days = details.last_of_each(list(rows.values_list("date", flat=True)), query.step)
    total, start = len(days), (query.page - 1) * query.limit
    shown = days[start : start + query.limit]
    page = list(rows.filter(date__in=shown)) if shown else []
    _note(request, client, "health.history", now, count=len(page), first=first, last=last)
    return HistoryPage(
        data=details.health_days(page),
        pagination=pagination(page=query.page, limit=query.limit, total=total),
    )


@router.post(
    "/clients/{client_id}/health/refresh",
    response={202: RefreshOut},
    operation_id="refreshClientHealth",
    summary="Make the score again",
)
def refresh(request: StaffRequest, client_id: UUID) -> HttpResponse:
    """Ask for the client's score of today to be made again and return the job. Takes an Idempotency-Key."""
    client = visible_client(request.user, client_id)
    if client.archived_at is not None:
        raise ConflictError(f"{client.name} is archived; archived clients are not scored.")

    def make() -> Answer:
        now = timezone.now()
        arguments = {"client_id": str(client.pk), "requested_by": str(request.user.pk)}
        run = request_job(REFRESH_JOB, arguments, requested_by_id=request.user.pk, now=now)
        _note(request, client, "health.refresh", now, job=run.pk)
        url = reverse("api:job", kwargs={"job_id": run.pk})
        body = RefreshOut(job_id=run.pk, state=JobState(run.state), url=url)
        return Answer(202, body.model_dump(mode="json"), {"Location": url})

    return once(request, make)


@router.get(
    "/clients/{client_id}/summary",
    response=SummaryOut,
    operation_id="getClientSummary",
    summary="Get a summary of a client",
)
def summary(request: StaffRequest, client_id: UUID) -> SummaryOut:
    """Return what the figures say, in sentences made by rule, each with the figures it rests on."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    row = details.newest_score(client)
    scorecard = details.scorecard_of(row)
    made = brief(facts_of_client(client, row, scorecard, now=now, zone=settings.BELLWETHER_WORKSPACE_ZONE))
    _note(request, client, "client.summary", now)
    return SummaryOut(
        client_id=client.pk,
        ai_summary=" ".join(sentence.text for sentence in made),
        ai_summary_generated_at=now,
        scored_on=row.date if row else None,
        sentences=[
            SentenceOut(text=one.text, sources=[SourceOut(name=name, value=value) for name, value in one.figures])
            for one in made
        ],
    )


def _today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


def _note(request: HttpRequest, client: Client, action: str, now: datetime, **detail: object) -> None:
    record(
        actor=request.user,  # type: ignore[arg-type]
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail=detail,
        now=now,
    )
