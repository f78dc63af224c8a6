"""Milestones through the staff API: of a client, of all that one sees, and their celebration."""

from uuid import UUID

from django.utils import timezone
from ninja import Query, Router

from bellwether.common.paging import pagination
from bellwether.milestones import selectors as read
from bellwether.milestones.api_schemas import (
    ClientMilestones,
    MilestoneFilters,
    MilestoneOut,
    MilestonePage,
    MilestoneStep,
)
from bellwether.milestones.models import Milestone, MilestoneProgress
from bellwether.milestones.services import celebrate
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["milestones"])


@router.get(
    "/clients/{client_id}/milestones", response=ClientMilestones, operation_id="getClientMilestones",
    summary="Get a client's milestones",
)  # fmt: skip
def client_milestones(request: StaffRequest, client_id: UUID) -> ClientMilestones:
    """Return what the client reached and what comes next. Clients that left have nothing to come."""
    client = visible_client(request.user, client_id)
    rows = list(client.milestones.select_related("client", "celebrated_by"))
    progress = MilestoneProgress.objects.filter(client=client, client__archived_at__isnull=True).first()
    steps = read.steps_of(progress, read.rules_and_names()) if progress else []
    record(
        actor=request.user, action="milestone.list", object_type="milestone", client_id=client.pk,
        detail={"count": len(rows)}, now=timezone.now(),
    )  # fmt: skip
    coming = [
        MilestoneStep(
            milestone_type=step.key,
            name=step.name,
            value=step.value,
            target=step.target,
            share=step.share,
            expected_on=step.expected_on,
        )
        for step in steps
    ]
    return ClientMilestones(client_id=client.pk, reached=[_out(row) for row in rows], coming=coming)


@router.get("/milestones", response=MilestonePage, operation_id="listMilestones", summary="List milestones")
def milestones(request: StaffRequest, filters: Query[MilestoneFilters]) -> MilestonePage:
    """Return one page of the milestones of clients that you see, newest first."""
    rows = read.visible(request.user)
    asked = {
        "milestone_type": filters.milestone_type,
        "client__csm_user_id": filters.csm_id,
        "achieved_on__gte": filters.since,
        "achieved_on__lte": filters.until,
    }
    rows = rows.filter(**{name: value for name, value in asked.items() if value is not None})
    if filters.celebrated is not None:
        rows = rows.filter(celebrated_at__isnull=not filters.celebrated)
    total, start = rows.count(), (filters.page - 1) * filters.limit
    ordered = rows.select_related("client", "celebrated_by").order_by("-achieved_on", "client__name", "name", "pk")
    found = [_out(row) for row in ordered[start : start + filters.limit]]
    detail = {"count": len(found), "total": total}
    record(actor=request.user, action="milestone.list", object_type="milestone", detail=detail, now=timezone.now())
    return MilestonePage(data=found, pagination=pagination(page=filters.page, limit=filters.limit, total=total))


@router.post(
    "/milestones/{milestone_id}/celebrate", response=MilestoneOut, operation_id="celebrateMilestone",
    summary="Mark a milestone as celebrated",
)  # fmt: skip
def celebrate_milestone(request: StaffRequest, milestone_id: UUID) -> MilestoneOut:
    """Mark a milestone as celebrated by you, now, and return it. One that was celebrated before stays as it is."""
    found = read.find(request.user, milestone_id)
    celebrate(found, actor=request.user, now=timezone.now())
    return _out(read.find(request.user, milestone_id))


def _out(row: Milestone) -> MilestoneOut:
    return MilestoneOut(
        id=row.pk,
        client_id=row.client_id,
        client_name=row.client.name,
        milestone_type=row.milestone_type,
        name=row.name,
        sentence=row.sentence,
        achieved_on=row.achieved_on,
        exact=row.exact,
        value=row.detail.get("value"),
        target=row.detail.get("target"),
        detected_at=row.detected_at,
        celebrated=row.celebrated_at is not None,
        celebrated_at=row.celebrated_at,
        celebrated_by=row.celebrated_by.name if row.celebrated_by else None,
    )
