"""Activities through the staff API: list, log or schedule, change, archive."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import pagination
from bellwether.common.problems import ProblemError
from bellwether.common.time import day_of, end_of, start_of
from bellwether.portfolio import activities as act
from bellwether.portfolio.activities_schemas import (
    ActivityChangeIn,
    ActivityFilters,
    ActivityIn,
    ActivityOut,
    ActivityPage,
    ActivityState,
    FollowUpState,
    PerformedBy,
)
from bellwether.portfolio.activity_drafts import ActivityDraft, draft_of
from bellwether.portfolio.activity_fields import TYPES
from bellwether.portfolio.follow_ups import OPEN, PLANNED
from bellwether.portfolio.models import Activity
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["activities"])
SAME = ("id", "client_id", "activity_type", "subject", "performed_by_id", "occurred_at", "scheduled_for",
        "completed_at", "duration_minutes", "outcome", "tags", "details", "ticket_id", "follow_up_required",
        "follow_up_date", "follow_up_contact_id", "follow_up_remind_on", "follow_up_completed_at", "created_at",
        "updated_at", "archived_at")  # fmt: skip
TEXTS = ("label", "description", "outcome_notes", "next_steps", "follow_up_text", "salesforce_activity_id",
         "hubspot_engagement_id")  # fmt: skip
RENAMED = {"client_contacts": "contact_ids", "participants": "participant_ids"}
NOT_OF_DRAFT = frozenset({"occurred_at", "scheduled_for", "completed", "follow_up_completed"})
MADE_EMPTY = frozenset({"description", "outcome_notes", "next_steps", "follow_up_text"})


@router.get(
    "/clients/{client_id}/activities", response=ActivityPage, operation_id="listClientActivities",
    summary="List activities",
)  # fmt: skip
def activities(request: StaffRequest, client_id: UUID, filters: Query[ActivityFilters]) -> ActivityPage:
    """Return one page of the client's activities, newest first; archived ones are left out."""
    now, client = timezone.now(), visible_client(request.user, client_id)
    found = _matching(Activity.objects.filter(client=client, archived_at__isnull=True), filters)
    total, start = found.count(), (filters.page - 1) * filters.limit
    rows = list(
        found.select_related("performed_by")
        .prefetch_related("client_contacts", "participants")
        .order_by("-occurred_at", "-pk")[start : start + filters.limit]
    )
    detail = {"count": len(rows), "total": total}
    record(
        actor=request.user, action="activity.list", object_type="activity", client_id=client.pk, detail=detail, now=now
    )
    return ActivityPage(
        data=[_out(row) for row in rows], pagination=pagination(page=filters.page, limit=filters.limit, total=total)
    )


def _matching(rows: Any, filters: ActivityFilters) -> Any:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    if filters.activity_type is not None:
        rows = rows.filter(activity_type=filters.activity_type)
    if filters.outcome is not None:
        rows = rows.filter(outcome=filters.outcome)
    if filters.first is not None:
        rows = rows.filter(occurred_at__gte=start_of(filters.first, zone))
    if filters.last is not None:
        rows = rows.filter(occurred_at__lt=end_of(filters.last, zone))
    if filters.performed_by is not None:
        rows = rows.filter(performed_by_id=filters.performed_by)
    if filters.follow_up is not None:
        rows = rows.filter(OPEN)
    if filters.follow_up is FollowUpState.OVERDUE:
        rows = rows.filter(follow_up_date__lt=day_of(timezone.now(), zone))
    if filters.state is not None:
        rows = rows.filter(PLANNED if filters.state is ActivityState.PLANNED else ~PLANNED)
    if filters.tag is not None:
        # As stored: SQLite keeps what is not ASCII escaped, PostgreSQL in clear.
        quoted = (json.dumps(filters.tag), json.dumps(filters.tag, ensure_ascii=False))
        rows = rows.filter(Q(tags__icontains=quoted[0]) | Q(tags__icontains=quoted[1]))
    return rows


@router.post(
    "/clients/{client_id}/activities", response={201: ActivityOut}, operation_id="logActivity",
    summary="Log or schedule an activity",
)  # fmt: skip
def log_activity(request: StaffRequest, client_id: UUID, given: ActivityIn) -> HttpResponse:
    """Write an activity down that took place at `occurred_at`, or schedule one for `scheduled_for`, and return it.
    Takes an Idempotency-Key."""
    client, now = visible_client(request.user, client_id), timezone.now()
    if (given.occurred_at is None) == (given.scheduled_for is None):
        sentence = "Give either occurred_at (it took place) or scheduled_for (it is planned)."
        raise InvalidInputError(sentence, {"occurred_at": sentence})
    planned = given.scheduled_for is not None
    values = _draft_values(given.dict(exclude_unset=True))
    draft = ActivityDraft(**values, occurred_at=given.scheduled_for or given.occurred_at)  # type: ignore[arg-type]

    def make() -> Answer:
        with _naming_the_time(planned):
            made = (act.schedule if planned else act.log)(request.user, client, draft, now=now)
        address = reverse("api:activity", kwargs={"activity_id": made.activity.pk})
        return Answer(201, _out(_whole(made.activity.pk)).model_dump(mode="json"), {"Location": address})

    return once(request, make)


class _naming_the_time:  # noqa: N801 (reads as the statement that it is)
    """Calls the time of a planned activity in errors what the request calls it."""

    def __init__(self, planned: bool) -> None:
        self.planned = planned

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.planned and isinstance(error, InvalidInputError) and "occurred_at" in error.errors:
            error.errors["scheduled_for"] = error.errors.pop("occurred_at")


@router.get(
    "/activities/{activity_id}", response=ActivityOut, url_name="activity", operation_id="getActivity",
    summary="Get an activity",
)  # fmt: skip
def activity(request: StaffRequest, activity_id: UUID) -> ActivityOut:
    """Return one activity, archived or not."""
    found = act.visible_activity(request.user, activity_id)
    record(
        actor=request.user, action="activity.read", object_type="activity", object_id=found.pk,
        client_id=found.client_id, now=timezone.now(),
    )  # fmt: skip
    return _out(found)


@router.put(
    "/activities/{activity_id}", response=ActivityOut, operation_id="updateActivity", summary="Change an activity"
)
def update_activity(request: StaffRequest, activity_id: UUID, change: ActivityChangeIn) -> ActivityOut:
    """Change an activity and return it. What is not given stays as it is; everything is changed or nothing."""
    given = change.dict(exclude_unset=True)
    if not given:
        raise ProblemError(422, "Give at least one field to change.", errors={"": "no field is given"})
    now, found = timezone.now(), act.visible_activity(request.user, activity_id)
    planned = found.completed_at is None and not given.get("completed")
    _check_times(found, given)
    with transaction.atomic(), _naming_the_time(planned and given.get("scheduled_for") is not None):
        if given.keys() - {"follow_up_completed"}:
            draft = _changed(found, given)
            (act.complete if given.get("completed") else act.edit)(request.user, found, draft, now=now)
        if "follow_up_completed" in given:
            follow = act.complete_follow_up if given["follow_up_completed"] else act.reopen_follow_up
            follow(request.user, found, now=now)
    return _out(_whole(found.pk))


def _check_times(found: Activity, given: dict[str, Any]) -> None:
    errors = {}
    done = found.completed_at is not None
    if given.get("completed") is False and done:
        errors["completed"] = "A completed activity stays completed; undo it on its page."
    if given.get("scheduled_for") is not None and (done or given.get("completed")):
        errors["scheduled_for"] = "Only planned activities are scheduled anew; give occurred_at."
    if errors:
        raise InvalidInputError(" ".join(errors.values()), errors)


def _changed(found: Activity, given: dict[str, Any]) -> ActivityDraft:
    """Return the stored activity as a draft with what is given in its place. A new type takes the old type's own
    fields away; a follow-up that is no longer required loses its date."""
    values = _draft_values(given)
    stored = draft_of(found)
    at = given.get("scheduled_for") or given.get("occurred_at")
    if at is not None:
        values["occurred_at"] = at
    kind = values.get("activity_type", stored.activity_type)
    if "details" not in values:
        own = {detail.name for detail in TYPES[kind].details}
        values["details"] = {name: value for name, value in stored.details.items() if name in own}
    if given.get("follow_up_required") is False and "follow_up_date" not in given:
        values["follow_up_date"] = None
    if "follow_up_date" in given and given["follow_up_date"] is None and "follow_up_required" not in given:
        values["follow_up_required"] = False
    return replace(stored, **values)


def _draft_values(given: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name in NOT_OF_DRAFT:
            continue
        if name in MADE_EMPTY and value is None:
            value = ""
        values[RENAMED.get(name, name)] = tuple(value) if isinstance(value, list) else value
    return values


@router.delete(
    "/activities/{activity_id}", response=ActivityOut, operation_id="archiveActivity", summary="Archive an activity"
)
def archive_activity(request: StaffRequest, activity_id: UUID) -> ActivityOut:
    """Archive the activity and return it; it no longer counts as contact. Its page brings it back for a week."""
    found = act.visible_activity(request.user, activity_id)
    act.archive(request.user, found, now=timezone.now())
    return _out(_whole(found.pk))


def _whole(pk: UUID) -> Activity:
    return Activity.objects.select_related("performed_by").get(pk=pk)


def _out(row: Activity) -> ActivityOut:
    by = row.performed_by
    values: dict[str, Any] = {name: getattr(row, name) for name in SAME}
    values |= {name: getattr(row, name) or None for name in TEXTS}
    return ActivityOut(
        **values,
        performed_by=PerformedBy(id=by.pk, name=by.name) if by else None,
        client_contacts=[one.pk for one in row.client_contacts.all()],
        participants=[one.pk for one in row.participants.all()],
        follow_up_completed=row.follow_up_completed_at is not None,
        ai_summary=None,
        ai_next_steps=[],
    )
