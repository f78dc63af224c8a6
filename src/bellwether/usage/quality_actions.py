"""What an administrator can do about the data: set names of events aside, and have days counted anew."""

from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from bellwether.common.errors import BellwetherError, InvalidInputError
from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun
from bellwether.common.time import day_of
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage import jobs  # noqa: F401 (declares the rollup)
from bellwether.usage.dirty import mark_facts
from bellwether.usage.models import IgnoredEvent
from bellwether.usage.tallies import tallied_days
from bellwether.usage.workspace import workspace_lake

LONGEST_NAME = 200
MOST_DAYS = 400
ROLLUP = "rollup"


class NotAdministratorError(BellwetherError):
    """Only administrators may change what holds for the whole workspace."""


def ignore_event(name: str, *, actor: StaffUser, now: datetime) -> bool:
    """Leave the event `name` out of the names that nothing uses; return whether it was not left out before.

    Raises InvalidInputError for a name that no event can have, NotAdministratorError for other roles.
    """
    _check(actor)
    _check_name(name)
    with transaction.atomic():
        _, is_new = IgnoredEvent.objects.get_or_create(name=name, defaults={"ignored_at": now, "ignored_by": actor})
        if is_new:
            record(actor=actor, action="event.ignore", object_type="event", detail={"name": name}, now=now)
    return is_new


def unignore_event(name: str, *, actor: StaffUser, now: datetime) -> bool:
    """Ask about the event `name` again; return whether it was left out. Raises as `ignore_event`."""
    _check(actor)
    _check_name(name)
    with transaction.atomic():
        removed, _ = IgnoredEvent.objects.filter(name=name).delete()
        if removed:
            record(actor=actor, action="event.unignore", object_type="event", detail={"name": name}, now=now)
    return bool(removed)


def request_run(job: str, *, actor: StaffUser, now: datetime) -> JobRun:
    """Ask for the job `job` to run now and return its run; asking again while it waits returns the same.

    Raises UnknownJobError if there is no such job, NotAdministratorError.
    """
    _check(actor)
    run = request_job(job, {}, requested_by_id=actor.pk, now=now)
    record(actor=actor, action="job.request", object_type="job", object_id=run.pk, detail={"job": job}, now=now)
    return run


def request_recount(first: date, last: date, *, actor: StaffUser, now: datetime) -> tuple[JobRun, int]:
    """Mark the days from `first` to `last` that have events, ask for a rollup, and return it and the number of days.

    Scores follow by themselves. Days whose events are gone keep their facts. Raises InvalidInputError for a span that
    cannot be, NotAdministratorError.
    """
    _check(actor)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    if first > last:
        raise InvalidInputError(f"The first day, {first}, is after the last, {last}.", {"first": "is after the last"})
    if last > today:
        raise InvalidInputError(f"{last} lies ahead; take {today} or an earlier day.", {"last": "lies ahead"})
    if (last - first).days >= MOST_DAYS:
        problem = f"Take at most {MOST_DAYS} days at once; for more use bellwether recompute."
        raise InvalidInputError(problem, {"first": f"is more than {MOST_DAYS} days before the last"})
    lake = workspace_lake()
    held = {day for day in lake.event_dates() if first <= day <= last and lake.parts_of(day)}
    days = held | {day for day in tallied_days(lake) if first <= day <= last}
    if not days:
        raise InvalidInputError(f"There are no events from {first} to {last}.", {"first": "no events in this span"})
    mark_facts(days, now=now)
    run = request_job(ROLLUP, {}, requested_by_id=actor.pk, now=now)
    detail = {"first": str(first), "last": str(last), "days": len(days)}
    record(actor=actor, action="data.recount", object_type="job", object_id=run.pk, detail=detail, now=now)
    return run, len(days)


def _check(actor: StaffUser) -> None:
    if not actor.may_configure:
        raise NotAdministratorError("Only administrators may do this.")


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or "\x00" in name:
        raise InvalidInputError("The name of an event has 1 to 200 letters.", {"name": "needs 1 to 200 letters"})
