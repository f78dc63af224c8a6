"""What staff do with activities: log, schedule, complete, move, edit, archive; and their follow-ups.

Every function writes through `changes.changing`: in the access log, with undo. Callers pass clients that `user` may see
and activities of such clients (`visible_activity`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError
from django.shortcuts import get_object_or_404

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.activity_drafts import FARTHEST, ORIGIN, ActivityDraft, Checked, checked
from bellwether.portfolio.changes import Changing, changing, snapshot
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.models import Activity, Change, Client
from bellwether.staff.models import StaffUser

MOST_AT_ONCE = 1_000
BATCH = 500
Listener = Callable[[Changing, Sequence[Activity], StaffUser, datetime], None]
LISTENERS: list[Listener] = []
"""What follows from activities that took place, called within their change: undoing them takes it back as well."""


@dataclass(frozen=True)
class Done:
    """What was written: the activity and the change that can be undone; None where nothing changed."""

    activity: Activity
    change: Change | None


def visible_activity(user: StaffUser, activity_id: UUID) -> Activity:
    """Return the activity with its client and people if `user` may see the client; Http404 otherwise."""
    seen = Activity.objects.visible_to(user).select_related(
        "client", "client__csm_user", "performed_by", "ticket", "follow_up_contact"
    )
    found: Activity = get_object_or_404(seen, pk=activity_id)
    return found


def log(
    user: StaffUser, client: Client, draft: ActivityDraft, *, now: datetime, key: UUID | None = None, origin: str = ""
) -> Done:
    """Write down an activity that took place at `draft.occurred_at` and return it.

    `key` becomes the id: the same log sent twice is stored once, and the first comes back. `origin` says what it was
    logged from, such as "alert:<id>". Raises InvalidInputError by field, ConflictError for an archived client.
    """
    return _make(user, client, draft, planned=False, now=now, key=key, origin=origin)


def schedule(
    user: StaffUser, client: Client, draft: ActivityDraft, *, now: datetime, key: UUID | None = None, origin: str = ""
) -> Done:
    """Plan an activity for `draft.occurred_at`, in the future or not, and return it; `key`, `origin`, errors: `log`."""
    return _make(user, client, draft, planned=True, now=now, key=key, origin=origin)


def _make(
    user: StaffUser,
    client: Client,
    draft: ActivityDraft,
    *,
    planned: bool,
    now: datetime,
    key: UUID | None,
    origin: str,
) -> Done:
    if key is not None and (known := _made_before(user, client, key)) is not None:
        return known
    _refuse_archived(client)
    stored = checked(draft, client, actor=user, planned=planned, now=now, zone=_zone())
    activity = Activity(client=client, **stored.columns)
    if key is not None:
        activity.pk = key
    if origin:
        activity.details = {**activity.details, ORIGIN: origin}
    _place(activity, planned=planned)
    verb = "scheduled" if planned else "logged"
    try:
        with _work(user, f"activity.{verb}", f"{_name(activity)} with {client.name} {verb}", now) as work:
            work.make(activity, stored.many)
            if not planned:
                _follow(work, [activity], user, now)
    except IntegrityError:
        # The same form sent twice at once: the other one was first.
        known = _made_before(user, client, key) if key is not None else None
        if known is None:
            raise ConflictError("Something that this activity names has just changed. Open the form again.") from None
        return known
    return Done(activity, work.change)


def _made_before(user: StaffUser, client: Client, key: UUID) -> Done | None:
    known = Activity.objects.filter(pk=key).first()
    if known is None:
        return None
    made = Change.objects.filter(
        made_by=user,
        undone_at__isnull=True,
        entries__object_id=str(key),
        entries__client=client,
        entries__before__isnull=True,
    ).first()
    if made is None or known.client_id != client.pk:
        raise ConflictError("Another activity has this id. Open the form again.")
    return Done(known, made)


def _place(activity: Activity, *, planned: bool) -> None:
    """Set the times that follow from whether the activity took place: a contact counts on the day it was made."""
    activity.completed_at = None if planned else activity.occurred_at
    if planned:
        activity.scheduled_for = activity.occurred_at


def log_many(
    user: StaffUser, clients: Sequence[Client], draft: ActivityDraft, *, now: datetime, planned: bool = False
) -> Change:
    """Write the same activity down for each of `clients` (1 to MOST_AT_ONCE) and return the one change.

    Contacts and a ticket belong to one client and are refused. Archived clients are a ConflictError that names them.
    The number of queries does not depend on the number of clients.
    """
    if not 1 <= len(clients) <= MOST_AT_ONCE:
        sentence = f"Choose 1 to {MOST_AT_ONCE:,} clients; these are {len(clients):,}."
        raise InvalidInputError(sentence, {"clients": sentence})
    for client in clients:
        _refuse_archived(client)
    stored = checked(draft, None, actor=user, planned=planned, now=now, zone=_zone())
    made = [Activity(client=client, **stored.columns) for client in clients]
    for activity in made:
        _place(activity, planned=planned)
    verb = "scheduled" if planned else "logged"
    summary = f"{_name(made[0])} {verb} for {len(made):,} clients" if len(made) > 1 else ""
    summary = summary or f"{_name(made[0])} with {clients[0].name} {verb}"
    with _work(user, f"activity.{verb}", summary, now) as work:
        _make_all(work, made, stored)
        if not planned:
            _follow(work, made, user, now)
    if work.change is None:
        raise AssertionError("something was made")
    return work.change


def _make_all(work: Changing, made: Sequence[Activity], stored: Checked) -> None:
    Activity.objects.bulk_create(made, batch_size=BATCH)
    people = stored.many["participants"]
    through: Any = Activity.participants.through
    through._default_manager.bulk_create(
        [through(activity_id=one.pk, staffuser_id=person.pk) for one in made for person in people], batch_size=BATCH
    )
    values = snapshot(made[0])
    for one in made:
        work.note(one, None, {**values, "client": str(one.client_id)})


def edit(user: StaffUser, activity: Activity, draft: ActivityDraft, *, now: datetime) -> Done:
    """Change an activity to what `draft` says and return it; whether it took place stays as it is."""
    return _rewrite(user, activity, draft, now=now, kind="activity.changed", verb="changed", complete=False)


def complete(user: StaffUser, activity: Activity, draft: ActivityDraft, *, now: datetime) -> Done:
    """Say that a planned activity took place at `draft.occurred_at`, with what came of it, and return it.

    Raises ConflictError when it was completed already.
    """
    return _rewrite(user, activity, draft, now=now, kind="activity.completed", verb="completed", complete=True)


def _rewrite(
    user: StaffUser, activity: Activity, draft: ActivityDraft, *, now: datetime, kind: str, verb: str, complete: bool
) -> Done:
    summary = f"{_name(activity)} with {activity.client.name} {verb}"
    with _work(user, kind, summary, now) as work:
        fresh = _locked(work, activity)
        if complete and fresh.completed_at is not None:
            raise ConflictError("This activity was completed already.")
        planned = fresh.completed_at is None and not complete
        stored = checked(draft, fresh.client, actor=user, planned=planned, now=now, zone=_zone(), known=fresh)
        origin, before, performer = fresh.details.get(ORIGIN), fresh.occurred_at, fresh.performed_by_id
        for name, value in stored.columns.items():
            setattr(fresh, name, value)
        if origin:
            fresh.details = {**fresh.details, ORIGIN: origin}
        if not fresh.follow_up_required:
            fresh.follow_up_completed_at = None
        if draft.performed_by_id is None:
            fresh.performed_by_id = performer
        if planned or complete or fresh.occurred_at != before:
            _place(fresh, planned=planned)
        work.save(fresh, stored.many)
        if complete:
            _follow(work, [fresh], user, now)
    return Done(fresh, work.change)


def _follow(work: Changing, activities: Sequence[Activity], user: StaffUser, now: datetime) -> None:
    for listener in LISTENERS:
        listener(work, activities, user, now)


def reschedule(user: StaffUser, activity: Activity, to: datetime, *, now: datetime) -> Done:
    """Move a planned activity to another time, which may not lie in the past, and return it."""
    if to < now:
        raise InvalidInputError("Choose a time to come.", {"occurred_at": "Choose a time to come."})
    if to > now + FARTHEST:
        raise InvalidInputError("Choose a nearer time.", {"occurred_at": "This is more than three years ahead."})
    with _work(user, "activity.moved", f"{_name(activity)} with {activity.client.name} moved", now) as work:
        fresh = _locked(work, activity)
        if fresh.completed_at is not None:
            raise ConflictError("This activity took place already; it cannot be moved.")
        fresh.occurred_at = fresh.scheduled_for = to
        work.save(fresh)
    return Done(fresh, work.change)


def archive(user: StaffUser, activity: Activity, *, now: datetime) -> Done:
    """Take an activity out of the records and return it; it no longer counts as contact. Undo brings it back."""
    with _work(user, "activity.archived", f"{_name(activity)} with {activity.client.name} archived", now) as work:
        fresh = _locked(work, activity)
        fresh.archived_at = now
        work.save(fresh)
    return Done(fresh, work.change)


def complete_follow_up(user: StaffUser, activity: Activity, *, now: datetime) -> Done:
    """Tick the follow-up of an activity off and return the activity; one that is done already stays as it is."""
    return _follow_up(user, activity, now=now, kind="follow_up.completed", verb="done", completed=now)


def reopen_follow_up(user: StaffUser, activity: Activity, *, now: datetime) -> Done:
    """Open a follow-up that was ticked off again and return the activity."""
    return _follow_up(user, activity, now=now, kind="follow_up.reopened", verb="open again", completed=None)


def move_follow_up(user: StaffUser, activity: Activity, to: date, *, now: datetime) -> Done:
    """Move an open follow-up to the day `to`, today or later, with its reminder, and return the activity."""
    today = day_of(now, _zone())
    if to < today:
        raise InvalidInputError("Choose today or a later day.", {"follow_up_date": "Choose today or a later day."})
    if (to - today).days > FARTHEST.days:
        raise InvalidInputError("Choose a nearer day.", {"follow_up_date": "This is more than three years ahead."})
    return _follow_up(user, activity, now=now, kind="follow_up.moved", verb=f"moved to {to:%-d %b %Y}", to=to)


def _follow_up(
    user: StaffUser,
    activity: Activity,
    *,
    now: datetime,
    kind: str,
    verb: str,
    completed: datetime | None = None,
    to: date | None = None,
) -> Done:
    with _work(user, kind, f"Follow-up with {activity.client.name} {verb}", now) as work:
        fresh = _locked(work, activity)
        if not fresh.follow_up_required:
            raise ConflictError("This activity has no follow-up.")
        if to is not None:
            if fresh.follow_up_completed_at is not None:
                raise ConflictError("This follow-up is done; open it again to move it.")
            if fresh.follow_up_remind_on and fresh.follow_up_date:
                fresh.follow_up_remind_on = to - (fresh.follow_up_date - fresh.follow_up_remind_on)
            fresh.follow_up_date = to
        elif completed is None or fresh.follow_up_completed_at is None:
            fresh.follow_up_completed_at = completed
        work.save(fresh)
    return Done(fresh, work.change)


def _locked(work: Changing, activity: Activity) -> Activity:
    """Return the activity as it is stored now, locked and noted. Archived ones and those of archived clients stay."""
    fresh: Activity = get_object_or_404(Activity.objects.select_for_update(), pk=activity.pk)
    if fresh.archived_at is not None:
        raise ConflictError("This activity is archived. Undo that first.")
    _refuse_archived(activity.client)
    fresh.client = activity.client
    work.keep(fresh)
    return fresh


def _refuse_archived(client: Client) -> None:
    if client.archived_at is not None:
        raise ConflictError(f"{client.name} is archived; nothing is written to archived clients.")


@contextmanager
def _work(user: StaffUser, kind: str, summary: str, now: datetime) -> Iterator[Changing]:
    with changing(user, kind=kind, summary=summary, today=day_of(now, _zone()), now=now) as work:
        yield work


def _zone() -> ZoneInfo:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return zone


def _name(activity: Activity) -> str:
    text = activity_label(activity)
    return text[:1].upper() + text[1:]
