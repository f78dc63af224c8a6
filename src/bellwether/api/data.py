"""The state of the data in the staff API, for roles that see all clients; for everybody else it does not exist."""

from datetime import date, datetime
from typing import Any

from django.core.cache import caches
from django.http import Http404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from bellwether.common.paging import PageQuery, Pagination, pagination
from bellwether.health.data_quality import data_quality
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.usage.quality_rejects import advice
from bellwether.usage.quality_selectors import explained, rejected_events
from bellwether.usage.quality_sources import SourceState

router = Router(tags=["data"])


class FindingOut(Schema):
    """One thing about the data. `severity` is critical, risk, monitor or info; `about` the part of the data."""

    key: str
    severity: str
    title: str
    meaning: str
    action: str
    about: str
    source: str | None
    clients: int | None
    events: int | None
    items: list[str]
    more: int


class EventSourceOut(Schema):
    """A source and its last seven days. Shares are 0-1, null with fewer than 20 events; lags are upper bounds in
    seconds or "more". `events_by_day` are the last 14 days of receipt, today last."""

    name: str
    kind: str
    last_received_at: datetime | None
    events_today: int
    events_7d: int
    events_by_day: list[int]
    usual_events: float | None
    lag_median: str | None
    lag_p95: str | None
    late_share: float | None
    duplicate_share: float | None
    rejected_7d: int
    reject_share: float | None
    unassigned_share: float | None
    userless_share: float | None
    is_silent: bool
    library: str | None
    error: str | None


class ReasonOut(Schema):
    """Rejected events of seven days by reason and source, with what the sender should change."""

    reason: str
    source: str
    count: int
    newest_at: datetime
    meaning: str
    change: str


class PipelineOut(Schema):
    """What waits: received events not stored yet, days whose facts or scores are older than their events."""

    spool_events: int
    days_owing_facts: int
    days_owing_scores: int
    failing_jobs: list[str]


class QualityOut(Schema):
    """The state of the data. `severity` is the verdict's: healthy, monitor, risk, critical, or na without data."""

    as_of: datetime
    today: date
    severity: str
    verdict: str
    findings: list[FindingOut]
    sources: list[EventSourceOut]
    rejects: list[ReasonOut]
    unused_event_names: int
    pipeline: PipelineOut


class RejectOut(Schema):
    """A rejected event; `sample` holds no ids of people and no personal data."""

    id: int
    received_at: datetime
    source: str
    message_id: str | None
    reason: str
    meaning: str
    change: str
    sample: dict[str, Any]


class RejectPage(Schema):
    """One page of rejected events, newest first."""

    data: list[RejectOut]
    pagination: Pagination


class RejectQuery(PageQuery):
    """Which rejected events are asked for."""

    source: str | None = Field(None, max_length=60, description="Events of this source only.")
    reason: str | None = Field(None, max_length=300, description="Reasons that start with this, such as timestamp.")


@router.get("/data/quality", response=QualityOut, operation_id="getDataQuality", summary="Get the state of the data")
def quality(request: StaffRequest) -> QualityOut:
    """Return verdict, findings, sources and rejects by reason: what the page about the data shows."""
    _only_who_sees_all(request)
    now = timezone.now()
    found = data_quality(now=now, cache=caches["memory"])
    facts = found.facts
    detail = {"findings": len(found.findings), "severity": found.severity}
    record(actor=request.user, action="data.read", object_type="data", detail=detail, now=now)
    return QualityOut(
        as_of=facts.now,
        today=facts.today,
        severity=found.severity,
        verdict=found.verdict,
        findings=[
            FindingOut(**(vars(one) | {"items": list(one.items), "source": one.source or None}))
            for one in found.findings
        ],
        sources=[_source(one) for one in found.sources],
        rejects=[
            ReasonOut(
                reason=one.reason,
                source=one.source,
                count=one.count,
                newest_at=one.newest,
                meaning=advice(one.reason).what,
                change=advice(one.reason).change,
            )
            for one in facts.rejects
        ],
        unused_event_names=found.unused_names,
        pipeline=PipelineOut(
            spool_events=facts.pipeline.spool_events,
            days_owing_facts=facts.pipeline.days_owing_facts,
            days_owing_scores=facts.pipeline.days_owing_scores,
            failing_jobs=[job.name for job in facts.pipeline.jobs if job.error],
        ),
    )


@router.get("/data/rejects", response=RejectPage, operation_id="listRejectedEvents", summary="List rejected events")
def rejects(request: StaffRequest, query: Query[RejectQuery]) -> RejectPage:
    """Return one page of the rejected events, newest first; the newest 20,000 are kept."""
    _only_who_sees_all(request)
    now = timezone.now()
    found = rejected_events(source=_plain(query.source), reason=_plain(query.reason))
    total, start = found.count(), (query.page - 1) * query.limit
    shown = list(explained(found[start : start + query.limit])) if start < total else []
    detail = {"count": len(shown), "total": total, "source": query.source, "reason": query.reason}
    record(actor=request.user, action="data.rejects", object_type="event", detail=detail, now=now)
    return RejectPage(
        data=[
            RejectOut(
                id=one.row.pk,
                received_at=one.row.received_at,
                source=one.row.source,
                message_id=one.row.message_id or None,
                reason=one.row.reason,
                meaning=one.advice.what,
                change=one.advice.change,
                sample=one.row.sample,
            )
            for one in shown
        ],
        pagination=pagination(page=query.page, limit=query.limit, total=total),
    )


def _plain(text: str | None) -> str:
    return (text or "").replace("\x00", "")


def _only_who_sees_all(request: StaffRequest) -> None:
    if not request.user.sees_all_clients:
        raise Http404


def _source(state: SourceState) -> EventSourceOut:
    return EventSourceOut(
        name=state.name,
        kind=state.kind,
        last_received_at=state.last_received_at,
        events_today=state.today,
        events_7d=state.week,
        events_by_day=list(state.series),
        usual_events=state.usual,
        lag_median=state.lag_median,
        lag_p95=state.lag_p95,
        late_share=state.late_share,
        duplicate_share=state.duplicate_share,
        rejected_7d=state.rejected,
        reject_share=state.reject_share,
        unassigned_share=state.unassigned_share,
        userless_share=state.userless_share,
        is_silent=state.is_silent,
        library=state.library or None,
        error=state.error or None,
    )
