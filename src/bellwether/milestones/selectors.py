"""Reads of milestones for pages, exports and the API: of clients that the reader sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.shortcuts import get_object_or_404

from bellwether.milestones.definitions import definitions, rule_of
from bellwether.milestones.models import Milestone, MilestoneProgress
from bellwether.milestones.rules import Rule, progress_text
from bellwether.staff.models import StaffUser

STATES = ("open", "celebrated")
PERIODS = {30: "30 days", 90: "90 days", 365: "12 months", 0: "All time"}
STANDARD_PERIOD = 90
LATELY_DAYS = 30


@dataclass(frozen=True)
class MilestoneQuery:
    """Which milestones: of a type, of a CSM's clients, open (not celebrated) or celebrated, of the last `days`.

    Nothing chosen lets everything through; 0 days are all time.
    """

    kind: str = ""
    csm_id: UUID | None = None
    client_id: UUID | None = None
    state: str = ""
    days: int = STANDARD_PERIOD
    search: str = ""


@dataclass(frozen=True)
class Step:
    """A milestone that a client may reach next. `expected_on` where a day can be said, else None."""

    key: str
    name: str
    text: str
    share: float
    expected_on: date | None
    value: float
    target: float


def visible(user: StaffUser) -> QuerySet[Milestone]:
    """Return the milestones of clients that `user` may see."""
    found: QuerySet[Milestone] = Milestone.objects.visible_to(user)
    return found


def reached(user: StaffUser, query: MilestoneQuery, *, today: date) -> QuerySet[Milestone]:
    """Return the milestones that the query asks for, newest first, with client, CSM and who celebrated."""
    rows = visible(user).select_related("client__csm_user", "celebrated_by")
    if query.kind:
        rows = rows.filter(milestone_type=query.kind)
    if query.csm_id:
        rows = rows.filter(client__csm_user_id=query.csm_id)
    if query.client_id:
        rows = rows.filter(client_id=query.client_id)
    if query.state:
        rows = rows.filter(celebrated_at__isnull=query.state == "open")
    if query.days:
        rows = rows.filter(achieved_on__gt=today - timedelta(days=query.days))
    if query.search:
        rows = rows.filter(client__name__icontains=query.search)
    return rows.order_by("-achieved_on", "client__name", "name", "pk")


def find(user: StaffUser, milestone_id: UUID) -> Milestone:
    """Return the milestone; Http404 for one of a client that `user` does not see."""
    rows = visible(user).select_related("client__csm_user", "celebrated_by")
    found: Milestone = get_object_or_404(rows, pk=milestone_id)
    return found


def coming(user: StaffUser, query: MilestoneQuery) -> QuerySet[MilestoneProgress]:
    """Return how far active clients are from their next milestones: those with a day first, then the nearest.

    Of the query, CSM and search count; `kind` lets through clients whose next milestone is of that type.
    """
    rows = MilestoneProgress.objects.visible_to(user).filter(client__archived_at__isnull=True)
    if query.csm_id:
        rows = rows.filter(client__csm_user_id=query.csm_id)
    if query.client_id:
        rows = rows.filter(client_id=query.client_id)
    if query.search:
        rows = rows.filter(client__name__icontains=query.search)
    if query.kind:
        rows = rows.filter(next_key=query.kind)
    found: QuerySet[MilestoneProgress] = rows.select_related("client__csm_user").order_by(
        F("next_on").asc(nulls_last=True), "-next_share", "client__name"
    )
    return found


def rules_and_names() -> dict[str, tuple[str, Rule]]:
    """Return name and rule of each definition in use, by key, in their order."""
    return {row.key: (row.name, rule_of(row)) for row in definitions(enabled_only=True)}


def steps_of(progress: MilestoneProgress | None, known: Mapping[str, tuple[str, Rule]]) -> list[Step]:
    """Return the next steps of a client, nearest first; those of definitions that are no longer in use are left out."""
    found = []
    for step in progress.steps if progress else ():
        if step["key"] not in known:
            continue
        name, rule = known[step["key"]]
        day = date.fromisoformat(step["expected_on"]) if step["expected_on"] else None
        text = progress_text(rule, step["value"], step["target"])
        found.append(Step(step["key"], name, text, step["share"], day, step["value"], step["target"]))
    return found


@dataclass(frozen=True)
class Summary:
    """Counts over the clients that somebody sees: reached and celebrated in the last 30 days, open of 90 days, and
    clients with a milestone expected in the next 30 days."""

    lately: int
    celebrated: int
    open: int
    soon: int


def summary(user: StaffUser, *, today: date) -> Summary:
    """Return the counts of the head of the page; two queries."""
    since = Q(achieved_on__gt=today - timedelta(days=LATELY_DAYS))
    counts = (
        visible(user)
        .filter(achieved_on__gt=today - timedelta(days=STANDARD_PERIOD))
        .order_by()
        .aggregate(
            lately=Count("pk", filter=since),
            celebrated=Count("pk", filter=since & Q(celebrated_at__isnull=False)),
            open=Count("pk", filter=Q(celebrated_at__isnull=True)),
        )
    )
    soon = coming(user, MilestoneQuery()).filter(next_on__lte=today + timedelta(days=LATELY_DAYS)).order_by().count()
    return Summary(**counts, soon=soon)
