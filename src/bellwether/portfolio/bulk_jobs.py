"""Large bulk changes: made by a worker, with progress, for the person who asked."""

from typing import Any
from uuid import UUID

from django.conf import settings

from bellwether.common.jobs import Counts, JobContext, job, request_job
from bellwether.common.models import JobRun
from bellwether.common.time import day_of
from bellwether.portfolio.bulk import CHANGED, NOT_FOUND, REFUSED, UNCHANGED, BulkChange, apply_bulk, clean_change
from bellwether.portfolio.client_changes import UNSET
from bellwether.staff.models import StaffUser

PEOPLE = ("csm_id", "ae_id")
AT_ONCE = 500
"""More clients than these are changed by a worker."""


def request_bulk(user: StaffUser, ids: list[UUID], change: BulkChange, now: Any) -> JobRun:
    """Return the run that changes the clients, as of these ids, within seconds."""
    arguments = {"user": str(user.pk), "ids": [str(pk) for pk in ids], "change": _as_words(change)}
    return request_job("bulk_change", arguments, requested_by_id=user.pk, now=now)


@job("bulk_change", requestable=True)
def bulk_change(context: JobContext) -> Counts:
    """Make the bulk change in the arguments as its user, who has to be active still; whole or not at all."""
    given = context.arguments
    user = StaffUser.objects.get(pk=given["user"], is_active=True)
    ids = [UUID(text) for text in given["ids"]]
    change = clean_change(_from_words(given["change"]), user)
    context.start("Changing clients", len(ids))
    plan, made = apply_bulk(
        user,
        ids,
        change,
        today=day_of(context.now, settings.BELLWETHER_WORKSPACE_ZONE),
        now=context.now,
        progress=context.advance,
    )
    run = context.ensure_run()
    run.arguments = {key: value for key, value in given.items() if key != "ids"} | {
        "change_id": str(made.pk) if made else "",
        "summary": made.summary if made else "",
    }
    run.save(update_fields=["arguments"])
    return {"clients": plan.count(CHANGED)} | {word: plan.count(word) for word in (UNCHANGED, NOT_FOUND, REFUSED)}


def _as_words(change: BulkChange) -> dict[str, Any]:
    words: dict[str, Any] = {"add_tags": list(change.add_tags), "remove_tags": list(change.remove_tags)}
    if change.segment is not UNSET:
        words["segment"] = change.segment
    for name in PEOPLE:
        person = getattr(change, name)
        if person is not UNSET:
            words[name] = str(person) if person else None
    return words


def _from_words(words: dict[str, Any]) -> BulkChange:
    fields: dict[str, Any] = {name: UUID(words[name]) if words[name] else None for name in PEOPLE if name in words}
    if "segment" in words:
        fields["segment"] = words["segment"]
    return BulkChange(add_tags=tuple(words["add_tags"]), remove_tags=tuple(words["remove_tags"]), **fields)
