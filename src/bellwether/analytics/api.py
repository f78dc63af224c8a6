"""The endpoints of analytics (api.md, section 1): the same figures as the executive summary."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import polars as pl
from django.http import Http404
from django.utils import timezone
from ninja import Query, Router

from bellwether.analytics import api_answers as answers
from bellwether.analytics.api_schemas import (
    AnalyticsPortfolio,
    AnalyticsQuery,
    AtRiskClient,
    AtRiskSummary,
    CsmMetrics,
    CsmPerformance,
    HealthDistribution,
    PeriodQuery,
    PortfolioQuery,
    RenewalForecast,
)
from bellwether.analytics.book import LOW
from bellwether.analytics.csms import csm_sight, csm_view
from bellwether.analytics.executive import Executive, executive_view, make_asked, today_book, workspace
from bellwether.common.errors import InvalidInputError
from bellwether.common.problems import ProblemError
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["analytics"])
MOST_LISTED = 200
Found = TypeVar("Found")


@router.get("/analytics/portfolio", response=AnalyticsPortfolio, operation_id="getPortfolioAnalytics",
            summary="Sum up the portfolio")  # fmt: skip
def portfolio(request: StaffRequest, query: Query[PortfolioQuery]) -> AnalyticsPortfolio:
    """Return key figures, their state before, retention, a breakdown and what changed, of the clients that the caller
    sees."""
    return answers.portfolio(_view(request, query, "portfolio", by=query.by))


@router.get("/analytics/health-distribution", response=HealthDistribution, operation_id="getHealthDistribution",
            summary="Count clients by health")  # fmt: skip
def health_distribution(request: StaffRequest, query: Query[AnalyticsQuery]) -> HealthDistribution:
    """Return the clients that the caller sees by band and by five points of score, and the course of twelve months."""
    return answers.distribution(_view(request, query, "health-distribution"))


@router.get("/analytics/at-risk", response=AtRiskSummary, operation_id="getAtRisk", summary="Sum up clients at risk")
def at_risk(request: StaffRequest, csm_id: UUID | None = None) -> AtRiskSummary:
    """Return the clients that are at risk or critical today, those with the most ARR first."""
    now = timezone.now()
    space = workspace(request.user, now)
    book = _known(lambda: today_book(request.user, csm_id, space))
    low = book.filter(pl.col("status").is_in(LOW)).sort(["arr", "name"], descending=[True, False], nulls_last=True)
    arr, whole = float(low["arr"].sum()), float(book["arr"].sum())
    columns = ("key", "name", "score", "status", "arr", "renewal", "csm")
    rows = [
        AtRiskClient(
            id=UUID(hex=key), name=name, health_score=score, health_status=status, arr=amount,
            next_renewal_date=renewal, csm_id=UUID(hex=csm) if csm else None,
        )
        for key, name, score, status, amount, renewal, csm in low.head(MOST_LISTED).select(columns).iter_rows()
    ]  # fmt: skip
    record(actor=request.user, action="analytics.at-risk", detail={"count": len(rows)}, now=now)
    return AtRiskSummary(clients=low.height, arr=arr, share=arr / whole if whole else None, data=rows)


@router.get("/analytics/renewals", response=RenewalForecast, operation_id="getRenewals", summary="Forecast renewals")
def renewals(request: StaffRequest, csm_id: UUID | None = None) -> RenewalForecast:
    """Return what is due for renewal in the next twelve months and how much of it may be expected."""
    return answers.renewals(_read(request, "renewals", csm=csm_id))


@router.get("/analytics/csm-performance", response=CsmPerformance, operation_id="getCsmPerformance",
            summary="Compare CSMs")  # fmt: skip
def csm_performance(request: StaffRequest, query: Query[PeriodQuery]) -> CsmPerformance:
    """Return the scorecard of CSMs as the caller may see it. Account executives have none."""
    now = timezone.now()
    space = workspace(request.user, now)
    asked = make_asked(today=space.today, period=query.period, first=query.first, last=query.last)
    sight = csm_sight(request.user, asked, space)
    if sight is None:
        raise ProblemError(403, "The scorecard of CSMs is for client success and the VPs.")
    record(actor=request.user, action="analytics.csms", detail={"count": len(sight.named)}, now=now)
    return answers.performance(asked, sight)


@router.get("/analytics/csm/{csm_id}/metrics", response=CsmMetrics, operation_id="getCsmMetrics",
            summary="Get one CSM's figures")  # fmt: skip
def csm_metrics(request: StaffRequest, csm_id: UUID, query: Query[PeriodQuery]) -> CsmMetrics:
    """Return one CSM's figures and their course; for who may not see that CSM by name there are none."""
    now = timezone.now()
    space = workspace(request.user, now)
    asked = make_asked(today=space.today, period=query.period, first=query.first, last=query.last)
    view = csm_view(request.user, csm_id, asked, space)
    record(actor=request.user, action="analytics.csm", object_type="staffuser", object_id=csm_id, now=now)
    return answers.metrics(asked, view)


def _view(request: StaffRequest, query: AnalyticsQuery, name: str, *, by: str = "tier") -> Executive:
    return _read(request, name, period=query.period, first=query.first, last=query.last, csm=query.csm_id, by=by)


def _read(request: StaffRequest, name: str, **asked: Any) -> Executive:
    now = timezone.now()
    space = workspace(request.user, now)
    question = make_asked(today=space.today, **asked)
    view = _known(lambda: executive_view(request.user, question, space))
    detail = {"period": question.period.kind, "csm_id": str(question.csm or "")}
    record(actor=request.user, action=f"analytics.{name}", detail=detail, now=now)
    return view


def _known(read: Callable[[], Found]) -> Found:
    """Return what `read` returns; a CSM whose clients the caller does not see does not exist."""
    try:
        return read()
    except InvalidInputError as error:
        if "csm_id" in error.errors:
            raise Http404 from error
        raise
