"""What the endpoints of records share: the record one may see, the answer to a POST, the access log."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Schema

from bellwether.common.problems import ProblemError
from bellwether.common.time import day_of
from bellwether.portfolio.history import acting
from bellwether.portfolio.models import Client
from bellwether.portfolio.record_changes import Made
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

R = TypeVar("R", bound=models.Model)


def by(request: StaffRequest) -> dict[str, Any]:
    """Return who changes something, and when: the arguments actor, today and now of the services."""
    now = timezone.now()
    return {"actor": request.user, "today": workspace_day(now), "now": now}


def workspace_day(now: datetime) -> date:
    """Return the workspace day of an instant."""
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


def seen(request: StaffRequest, model: type[R], pk: UUID) -> R:
    """Return a record of a client that the caller may see; Http404 otherwise."""
    manager: Any = model._default_manager
    found: R = get_object_or_404(manager.visible_to(request.user).select_related("client"), pk=pk)
    return found


def made(request: StaffRequest, make: Callable[[], Made[Any]], out: Callable[[Any], Schema]) -> HttpResponse:
    """Return 201 with what was made; 200 where its natural key was known with the same values and nothing was made."""

    def answer() -> Answer:
        done = do(request, make)
        return Answer(200 if done.repeated else 201, out(done.record).model_dump(mode="json"))

    return once(request, answer)


def do(request: StaffRequest, change: Callable[[], Made[Any]]) -> Made[Any]:
    """Make a change in the name of the caller, so that the history of the records says who it was."""
    with acting(request.user):
        return change()


def some(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a change; a problem 422 if there are none."""
    if not values:
        raise ProblemError(422, "Give at least one field to change.", errors={"": "no field is given"})
    return values


def aware(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the values; a time without a zone, or null where one is needed, is a problem 422 of its field."""
    wrong = {}
    for name in names:
        if name in values and isinstance(values[name], datetime) and values[name].tzinfo is None:
            wrong[name] = "needs a zone, such as 2026-02-12T14:05:00Z."
    if wrong:
        raise ProblemError(422, "Some times have no zone.", errors=wrong)
    return values


def note(
    request: StaffRequest, action: str, kind: str, now: datetime, *, client: Client | None = None, **detail: Any
) -> None:
    """Write down that records were read."""
    client_id = client.pk if client else None
    record(actor=request.user, action=action, object_type=kind, client_id=client_id, detail=detail, now=now)
