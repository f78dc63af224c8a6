"""What is done for suppliers (seed 004): mails, calls and messages by hand, and the history of all interventions."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import PageQuery, Pagination, pagination
from bellwether.health.scored_clients import SUPPLIERS, need_scorecard
from bellwether.playbooks.interventions import ByHand, intervene
from bellwether.playbooks.models import Intervention
from bellwether.portfolio.models import Client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["suppliers"])
FIELDS = {"contact": "supplierId", "scheduled_for": "scheduledFor"}


class InterventionType(StrEnum):
    """How the supplier is reached."""

    EMAIL = "email"
    CALL = "call"
    IN_APP = "in_app"


class InterventionIn(Schema):
    """What to do. A mail or message needs a template or a text of its own; the text wins."""

    supplierId: str = Field(max_length=200, description="The organization's id.")  # noqa: N815 (the names of the seed)
    type: InterventionType
    template: str = Field("", max_length=60, description="The key of a template.")
    message: str = Field("", max_length=20_000)
    subject: str = Field("", max_length=300, description="Of a mail; the template's where empty.")
    scheduledFor: datetime | None = Field(  # noqa: N815
        None, description="Not before then. A call without it is planned for the next working morning."
    )


class InterventionMade(Schema):
    """What was made. `scheduledFor` is when it is planned, null for what goes at once."""

    success: bool
    interventionId: UUID  # noqa: N815
    scheduledFor: datetime | None  # noqa: N815


class InterventionQuery(PageQuery):
    """Which interventions."""

    supplierId: str = Field("", max_length=200)  # noqa: N815
    type: InterventionType | None = None
    status: str = Field("", max_length=9, description="A state in capitals, such as DUE or SENT.")


class InterventionOut(Schema):
    """An intervention by hand or by a playbook."""

    id: UUID
    supplierId: str  # noqa: N815
    supplierName: str  # noqa: N815
    type: str
    title: str
    template: str
    subject: str
    message: str
    status: str
    scheduledFor: datetime | None  # noqa: N815
    completedAt: datetime | None  # noqa: N815
    outcome: str
    failure: str
    playbook: str = Field(description="The playbook's name; empty by hand.")
    createdBy: str = Field(description="A name; empty for a playbook's step.")  # noqa: N815
    createdAt: datetime  # noqa: N815


class InterventionList(Schema):
    """A page of the history, the newest first."""

    data: list[InterventionOut]
    pagination: Pagination


@router.post(
    "/interventions", response=InterventionMade, operation_id="makeSupplierIntervention",
    summary="Write to a supplier, or plan a call",
)  # fmt: skip
def make(request: StaffRequest, body: InterventionIn) -> HttpResponse:
    """Send a mail or a message, or plan a call, and return its id. Takes an Idempotency-Key."""
    return once(request, lambda: _make(request, body))


def _make(request: StaffRequest, body: InterventionIn) -> Answer:
    need_scorecard(SUPPLIERS)
    seen = Client.objects.visible_to(request.user).select_related("csm_user")
    client = seen.filter(organization_id=body.supplierId).first()
    if client is None:
        raise Http404
    wanted = ByHand(
        kind=body.type.value,
        template=body.template,
        subject=body.subject,
        message=body.message,
        scheduled_for=body.scheduledFor,
    )
    try:
        row = intervene(client, wanted, actor=request.user, now=timezone.now())
    except InvalidInputError as error:
        named = {FIELDS.get(field, field): text for field, text in error.errors.items()}
        raise InvalidInputError(str(error), named) from error
    made: dict[str, Any] = {"success": True, "interventionId": row.pk, "scheduledFor": row.scheduled_for}
    return Answer(200, made)


@router.get(
    "/interventions", response=InterventionList, operation_id="listSupplierInterventions",
    summary="List what was done for suppliers",
)  # fmt: skip
def history(request: StaffRequest, query: Query[InterventionQuery]) -> InterventionList:
    """Return interventions of the suppliers that the caller sees, the newest first, and write down that they were
    read."""
    need_scorecard(SUPPLIERS)
    rows = Intervention.objects.visible_to(request.user).order_by("-created_at", "pk")
    if query.supplierId:
        rows = rows.filter(client__organization_id=query.supplierId)
    if query.type is not None:
        rows = rows.filter(kind=query.type.value)
    if query.status:
        rows = rows.filter(state=query.status)
    total = rows.count()
    first = (query.page - 1) * query.limit
    shown = rows.select_related("client", "created_by", "enrolment__playbook")[first : first + query.limit]
    data = [_out(row) for row in shown]
    detail = {"suppliers": True, "count": len(data)}
    now = timezone.now()
    record(actor=request.user, action="intervention.list", object_type="intervention", detail=detail, now=now)
    return InterventionList(data=data, pagination=pagination(page=query.page, limit=query.limit, total=total))


def _out(row: Intervention) -> InterventionOut:
    return InterventionOut(
        id=row.pk,
        supplierId=row.client.organization_id,
        supplierName=row.client.name,
        type=row.kind,
        title=row.title,
        template=row.template,
        subject=row.subject,
        message=row.message,
        status=row.state,
        scheduledFor=row.scheduled_for,
        completedAt=row.done_at,
        outcome=row.outcome,
        failure=row.failure,
        playbook=row.enrolment.playbook.name if row.enrolment else "",
        createdBy=row.created_by.name if row.created_by else "",
        createdAt=row.created_at,
    )
