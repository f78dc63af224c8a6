"""One change for many clients through the staff API."""

from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Len
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import ConfigDict

from bellwether.common.problems import ProblemError
from bellwether.common.text import Text
from bellwether.common.time import day_of
from bellwether.portfolio.bulk import (
    CHANGED,
    LONGEST_SEGMENT,
    LONGEST_TAG,
    MOST_TAGS,
    NOT_FOUND,
    REFUSED,
    UNCHANGED,
    BulkChange,
    BulkPlan,
    apply_bulk,
    clean_change,
    plan_bulk,
)
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["clients"])
MOST_IDS = 500
NAMED = 20
TagName = Annotated[Text, Len(1, LONGEST_TAG)]
Tags = Annotated[list[TagName], Len(max_length=MOST_TAGS)]


class BulkIn(Schema):
    """What to change on which clients; fields that are not given stay. Assigning people depends on the role."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Len(1, MOST_IDS)]
    add_tags: Tags = []
    remove_tags: Tags = []
    segment: Annotated[Text, Len(max_length=LONGEST_SEGMENT)] = Field("", description="Empty takes the segment away.")
    csm_id: UUID | None = Field(None, description="Null takes the CSM away.")
    ae_id: UUID | None = None
    partial: bool = Field(
        False, description="Change the clients that can be changed. Otherwise all of them or none are."
    )


class BulkRowOut(Schema):
    """What happened to one client."""

    id: UUID
    result: Literal["changed", "unchanged", "not_found", "refused"]
    detail: str | None


class BulkOut(Schema):
    """What happened, in the order of the ids, each once. `change_id` names the change, which its maker may undo."""

    change_id: UUID | None
    changed: int
    unchanged: int
    not_found: int
    refused: int
    data: list[BulkRowOut]


@router.post(
    "/clients/bulk", response=BulkOut, operation_id="changeClients", summary="Change tags, segment or people of many"
)
def change_clients(request: StaffRequest, body: BulkIn) -> HttpResponse:
    """Change up to 500 clients at once, whole or not at all, as one change that can be undone; return what happened.

    Ids that do not exist or that the caller may not see are a 404 that names them, and archived ones a 409, and then
    nothing is changed; with `partial` they are told and the others are changed.
    """
    return once(request, lambda: _change(request, body))


def _change(request: StaffRequest, body: BulkIn) -> Answer:
    now = timezone.now()
    given: dict[str, Any] = body.dict(exclude_unset=True, exclude={"ids", "partial", "add_tags", "remove_tags"})
    try:
        change = clean_change(
            BulkChange(add_tags=tuple(body.add_tags), remove_tags=tuple(body.remove_tags), **given), request.user
        )
    except NotAllowedError as error:
        raise ProblemError(403, str(error)) from error
    if not body.partial:
        _refuse_parts(body.ids, plan_bulk(request.user, body.ids, change))
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    plan, made = apply_bulk(request.user, body.ids, change, today=today, now=now)
    answer: dict[str, object] = {word: plan.count(word) for word in (CHANGED, UNCHANGED, NOT_FOUND, REFUSED)}
    answer["change_id"] = str(made.pk) if made else None
    answer["data"] = [
        {"id": str(row.client_id), "result": row.result, "detail": row.detail or None} for row in plan.rows
    ]
    return Answer(200, answer)


def _refuse_parts(ids: list[UUID], plan: BulkPlan) -> None:
    """Raise a problem that names the first ids which cannot be changed, if there are any."""
    places = {pk: place for place, pk in reversed(list(enumerate(ids)))}
    for result, status, sentence in (
        (NOT_FOUND, 404, "were not found"),
        (REFUSED, 409, "cannot be changed"),
    ):
        rows = [row for row in plan.rows if row.result == result]
        if rows:
            errors = {f"ids.{places[row.client_id]}": row.detail for row in rows[:NAMED]}
            detail = f"{len(rows):,} of the clients {sentence}. Nothing was changed; send partial to change the others."
            raise ProblemError(status, detail, errors=errors)
