"""Suggests which clients to hand over to whom, and hands one over."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.http import Http404

from bellwether.analytics import reading
from bellwether.analytics.book import book_on
from bellwether.analytics.csms import known_csms, may_see_scorecard
from bellwether.analytics.executive import Workspace
from bellwether.analytics.keeping import kept
from bellwether.analytics.reading import Scope
from bellwether.analytics.rebalancing import Held, Holder, Plan, rebalance
from bellwether.analytics.workload import weight
from bellwether.common.errors import ConflictError
from bellwether.common.time import day_of
from bellwether.portfolio.changes import changing
from bellwether.portfolio.client_changes import ASSIGN_CSM, ClientChange, NotAllowedError, change_client
from bellwether.portfolio.models import Change, Client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.models import Role, StaffUser


@dataclass(frozen=True)
class Suggested:
    """The plan, the names of the CSMs by id as 32 hex digits, and whether the reader may carry it out."""

    plan: Plan
    names: dict[str, str]
    may_apply: bool


def may_apply(user: StaffUser) -> bool:
    """Return whether `user` may hand clients over."""
    return user.is_active and user.role in ASSIGN_CSM


def suggested_moves(user: StaffUser, space: Workspace) -> Suggested | None:
    """Return what to hand over among the CSMs that `user` leads: all of them, or the own team for a senior CSM; None
    for everybody else."""
    if not may_see_scorecard(user) or user.role == Role.CSM:
        return None
    people = known_csms(user, reading.csms(since=space.since))
    holders = tuple(Holder(one.pk.hex, one.team_id.hex if one.team_id else "") for one in people)
    plan = kept(
        ("moves", Scope(user).key, holders, space.today),
        lambda: rebalance(holders, _held(user, space, {one.pk.hex for one in people}), space.today),
        seconds=reading.KEPT_SECONDS,
        since=space.since,
    )
    return Suggested(plan, {one.pk.hex: one.name for one in people}, may_apply(user))


def _held(user: StaffUser, space: Workspace, csms: set[str]) -> list[Held]:
    found = reading.records(Scope(user), space.scorecard, space.limits, (), today=space.today, since=space.since)
    columns = ("key", "name", "csm", "tier", "region", "status", "arr", "renewal", "start")
    return [
        Held(key, name, csm, tier, region, status, arr or 0.0, renewal, start, weight(tier, status))
        for key, name, csm, tier, region, status, arr, renewal, start in book_on(found, space.today)
        .select(columns)
        .iter_rows()
        if csm in csms
    ]


def hand_over(user: StaffUser, client_id: UUID, giver: UUID, taker: UUID, *, now: datetime) -> tuple[Client, Change]:
    """Assign a visible client of `giver` to `taker`, both CSMs that `user` leads, and return it with the change that
    can be undone.

    Raises Http404 for what the user may not see, NotAllowedError for a role that assigns nobody, ConflictError where
    the client is no longer the giver's.
    """
    if not may_apply(user):
        raise NotAllowedError("Only senior CSMs, the VP client success and administrators assign a CSM.")
    client = visible_client(user, client_id)
    people = {one.pk: one for one in known_csms(user, reading.csms(since=now))}
    if giver not in people or taker not in people:
        raise Http404
    today: date = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    summary = f"{client.name} moved from {people[giver].name} to {people[taker].name}"
    with changing(user, kind="client.reassigned", summary=summary, today=today, now=now) as work:
        locked: Client = Client.objects.select_for_update().get(pk=client.pk)
        if locked.csm_user_id != giver:
            raise ConflictError(f"{locked.name} is no longer {people[giver].name}'s. Look at the suggestions again.")
        work.keep(locked)
        work.save(change_client(locked, ClientChange(csm_id=taker), actor=user, now=now))
    if work.change is None:
        raise ConflictError(f"{locked.name} is {people[taker].name}'s already.")
    return locked, work.change
