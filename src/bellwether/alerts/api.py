"""Alerts through the staff API: of all clients that one sees, of one client, and what staff do with them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router

from bellwether.alerts import handling
from bellwether.alerts import selectors as read
from bellwether.alerts.advice import advise
from bellwether.alerts.advice_reading import facts_of
from bellwether.alerts.api_schemas import (
    AlertAdviceOut,
    AlertDetailOut,
    AlertEventOut,
    AlertFilters,
    AlertListFilters,
    AlertOut,
    AlertPage,
    AlertsBulkIn,
    AlertsBulkOut,
    AssignIn,
    DismissIn,
    ResolveIn,
    SnoozeIn,
)
from bellwether.alerts.models import Alert
from bellwether.alerts.snoozing import snooze_until
from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import pagination
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

router = Router(tags=["alerts"])
SAME = (
    "id", "client_id", "alert_type", "severity", "title", "description", "evidence", "arr", "status", "assigned_to_id",
    "respond_by", "first_response_at", "acknowledged_at", "acknowledged_by_id", "snoozed_until", "dismissed_at",
    "dismissed_by_id", "resolved_at", "resolved_by_id", "opened_on", "last_fired_on", "ended_on",
    "times_fired", "is_silent", "created_at", "updated_at",
)  # fmt: skip
TEXTS = (
    "trigger_metric", "trigger_value", "trigger_threshold", "related_entity_type", "related_entity_id", "root_cause",
    "ai_analysis", "ai_recommended_action", "resolution_notes",
)  # fmt: skip
ORDERS = {
    "priority": ("severity_rank", F("arr").desc(nulls_last=True), "created_at", "pk"),
    "-created_at": ("-created_at", "pk"),
    "created_at": ("created_at", "pk"),
    "respond_by": (F("respond_by").asc(nulls_last=True), "severity_rank", "pk"),
    "-arr": (F("arr").desc(nulls_last=True), "severity_rank", "pk"),
}


@router.get("/alerts", response=AlertPage, operation_id="listAlerts", summary="List alerts")
def alerts(request: StaffRequest, filters: Query[AlertListFilters]) -> AlertPage:
    """Return one page of the alerts of clients that you see."""
    rows = read.visible(request.user)
    asked = {
        "client_id": filters.client_id,
        "client__csm_user_id": filters.csm_id,
        "assigned_to_id": filters.assigned_to_id,
    }
    rows = rows.filter(**{name: value for name, value in asked.items() if value is not None})
    rows = read.narrowed(rows, read.InboxQuery(search=filters.search))
    return _page(request, rows, filters, None)


@router.get(
    "/clients/{client_id}/alerts", response=AlertPage, operation_id="listClientAlerts", summary="List a client's alerts"
)
def client_alerts(request: StaffRequest, client_id: UUID, filters: Query[AlertFilters]) -> AlertPage:
    """Return one page of the alerts of a client."""
    client = visible_client(request.user, client_id)
    return _page(request, read.visible(request.user).filter(client=client), filters, client.pk)


def _page(request: StaffRequest, rows: QuerySet[Alert], filters: AlertFilters, client_id: UUID | None) -> AlertPage:
    if filters.status:
        rows = rows.filter(status__in=filters.status)
    rows = read.narrowed(rows, read.InboxQuery(severities=tuple(filters.severity), types=tuple(filters.alert_type)))
    if not filters.silent:
        rows = rows.filter(is_silent=False)
    total, start = rows.order_by().count(), (filters.page - 1) * filters.limit
    ordered = rows.select_related("client").order_by(*ORDERS[filters.sort])
    found = [_out(row) for row in ordered[start : start + filters.limit]]
    record(
        actor=request.user, action="alert.list", object_type="alert", client_id=client_id,
        detail={"count": len(found), "total": total}, now=timezone.now(),
    )  # fmt: skip
    return AlertPage(data=found, pagination=pagination(page=filters.page, limit=filters.limit, total=total))


@router.post(
    "/alerts/bulk", response=AlertsBulkOut, operation_id="changeAlerts", summary="Do the same with several alerts"
)
def change_alerts(request: StaffRequest, body: AlertsBulkIn) -> HttpResponse:
    """Do the same with up to 500 alerts, as one change that can be undone. 409 when none of them allows it."""
    now, user = timezone.now(), request.user
    chosen = read.chosen(user, body.ids)

    def make() -> Answer:
        if body.action == "acknowledge":
            made = handling.acknowledge(chosen, user, now)
        elif body.action == "snooze":
            made = handling.snooze(chosen, _until(user, body, now), user, now)
        elif body.action == "dismiss":
            made = handling.dismiss(chosen, user, now, reason=body.reason)
        elif body.action == "resolve":
            made = handling.resolve(chosen, user, now, note=body.resolution_notes)
        elif body.action == "assign":
            made = handling.assign(chosen, _person(body.assigned_to_id), user, now)
        else:
            made = handling.reopen(chosen, user, now)
        out = AlertsBulkOut(
            changed=made.changed,
            left=list(made.left),
            change_id=made.change.pk if made.change else None,
            data=[_out(row) for row in made.alerts],
        )
        return Answer(200, out.model_dump(mode="json"))

    return once(request, make)


@router.get("/alerts/{alert_id}", response=AlertDetailOut, operation_id="getAlert", summary="Get an alert")
def alert(request: StaffRequest, alert_id: UUID) -> AlertDetailOut:
    """Return an alert with its history and what to do about it."""
    now, found = timezone.now(), read.find(request.user, alert_id)
    advice = advise(facts_of(found, now=now))
    events = [
        AlertEventOut(kind=one.kind, at=one.at, actor=one.actor.name if one.actor else None, detail=one.detail)
        for one in found.events.select_related("actor").order_by("-at", "-id")
    ]
    record(
        actor=request.user, action="alert.read", object_type="alert", object_id=found.pk, client_id=found.client_id,
        now=now,
    )  # fmt: skip
    told = AlertAdviceOut(
        action=advice.action,
        reason=advice.reason,
        points=[point.text for point in advice.points],
        contact_id=UUID(advice.person.contact_id) if advice.person else None,
        mail_subject=advice.mail_subject,
        mail_text=advice.mail_text,
    )
    return AlertDetailOut(**_out(found).model_dump(), events=events, advice=told)


@router.put(
    "/alerts/{alert_id}/acknowledge", response=AlertOut, operation_id="acknowledgeAlert", summary="Take an alert on"
)
def acknowledge(request: StaffRequest, alert_id: UUID) -> AlertOut:
    """Take an alert on and return it; a snoozed one comes back with it. 409 once it is dismissed or resolved."""
    found = [read.find(request.user, alert_id)]
    return _done(handling.acknowledge(found, request.user, timezone.now()))


@router.put("/alerts/{alert_id}/snooze", response=AlertOut, operation_id="snoozeAlert", summary="Put an alert aside")
def snooze(request: StaffRequest, alert_id: UUID, body: SnoozeIn) -> AlertOut:
    """Put an alert aside until a time within a year and return it. 409 once it is dismissed or resolved."""
    now, found = timezone.now(), [read.find(request.user, alert_id)]
    return _done(handling.snooze(found, _until(request.user, body, now), request.user, now))


@router.put("/alerts/{alert_id}/dismiss", response=AlertOut, operation_id="dismissAlert", summary="Dismiss an alert")
def dismiss(request: StaffRequest, alert_id: UUID, body: DismissIn) -> AlertOut:
    """Put an alert away for the rest of its episode and return it. 409 once it is resolved."""
    found = [read.find(request.user, alert_id)]
    return _done(handling.dismiss(found, request.user, timezone.now(), reason=body.reason))


@router.put("/alerts/{alert_id}/resolve", response=AlertOut, operation_id="resolveAlert", summary="Resolve an alert")
def resolve(request: StaffRequest, alert_id: UUID, body: ResolveIn) -> AlertOut:
    """Say that what the alert is about was settled and return it. 409 once it is dismissed."""
    found = [read.find(request.user, alert_id)]
    return _done(handling.resolve(found, request.user, timezone.now(), note=body.resolution_notes))


@router.put("/alerts/{alert_id}/reopen", response=AlertOut, operation_id="reopenAlert", summary="Reopen an alert")
def reopen(request: StaffRequest, alert_id: UUID) -> AlertOut:
    """Bring a snoozed, dismissed or resolved alert back and return it. 409 once its condition has cleared."""
    return _done(handling.reopen([read.find(request.user, alert_id)], request.user, timezone.now()))


@router.put("/alerts/{alert_id}/assign", response=AlertOut, operation_id="assignAlert", summary="Assign an alert")
def assign(request: StaffRequest, alert_id: UUID, body: AssignIn) -> AlertOut:
    """Give an alert to a colleague who sees the client, and return it. 409 once it is dismissed or resolved."""
    found = [read.find(request.user, alert_id)]
    return _done(handling.assign(found, _person(body.assigned_to_id), request.user, timezone.now()))


def _until(user: StaffUser, body: SnoozeIn | AlertsBulkIn, now: datetime) -> datetime:
    if body.until is not None:
        return body.until
    return snooze_until("week" if body.days == 7 else "day", now, zone_of(user))


def _person(user_id: UUID | None) -> StaffUser | None:
    if user_id is None:
        return None
    found = StaffUser.objects.filter(pk=user_id, is_active=True).first()
    if found is None:
        sentence = "No active member of staff has this id."
        raise InvalidInputError(sentence, {"assigned_to_id": sentence})
    return found


def _done(made: handling.Handled) -> AlertOut:
    return _out(made.alerts[0])


def _out(row: Alert) -> AlertOut:
    values: dict[str, Any] = {name: getattr(row, name) for name in SAME}
    texts: dict[str, Any] = {name: getattr(row, name) or None for name in TEXTS}
    return AlertOut(**values, **texts, client_name=row.client.name)
