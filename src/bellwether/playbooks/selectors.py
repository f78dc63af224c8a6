"""What pages read of playbooks: the playbooks, who is enrolled, what was done, what waits. A fixed number of queries.

Playbooks are everybody's; enrolments and interventions are those of clients that the reader may see.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404

from bellwether.common.time import end_of, start_of
from bellwether.playbooks.choices import Arm, EnrolmentState, InterventionState, PlaybookState, StepKind
from bellwether.playbooks.models import Enrolment, Intervention, MessageTemplate, Playbook, PlaybookVersion
from bellwether.staff.models import StaffUser

PERIODS = {30: "Last 30 days", 90: "Last 90 days", 365: "Last year", 0: "Since the beginning"}
STANDARD_PERIOD = 90
WAITING = (InterventionState.APPROVAL, InterventionState.DUE)
BY_HAND = "-"
"""What stands for interventions of no playbook where a playbook is chosen."""


def playbooks(*, archived: bool = False) -> list[Playbook]:
    """Return the playbooks with version and owner, running ones first, then by name; archived ones if asked."""
    rows = Playbook.objects.select_related("version", "owner")
    if not archived:
        rows = rows.exclude(state=PlaybookState.ARCHIVED)
    order = [PlaybookState.RUNNING, PlaybookState.PAUSED, PlaybookState.DRAFT, PlaybookState.ARCHIVED]
    return sorted(rows, key=lambda one: (order.index(PlaybookState(one.state)), one.name.lower()))


def find_playbook(key: str) -> Playbook:
    """Return the playbook with its version and owner; Http404 where there is none."""
    found: Playbook = get_object_or_404(Playbook.objects.select_related("version", "owner"), key=key)
    return found


def versions(playbook: Playbook) -> list[PlaybookVersion]:
    """Return its versions with who made them, newest first."""
    return list(playbook.versions.select_related("created_by").order_by("-number"))


def templates(*, archived: bool = False) -> list[MessageTemplate]:
    """Return the message templates by name."""
    rows = MessageTemplate.objects.select_related("updated_by").order_by("name")
    return list(rows if archived else rows.filter(archived_at__isnull=True))


@dataclass(frozen=True)
class Enrolled:
    """How many of the reader's clients a playbook took in: all, under way, by arm."""

    total: int = 0
    active: int = 0
    treated: int = 0
    held_out: int = 0


def enrolled_counts(user: StaffUser) -> dict[UUID, Enrolled]:
    """Return the counts by playbook id, in one query; playbooks without any of the reader's clients are left out."""
    rows = (
        Enrolment.objects.visible_to(user)
        .order_by()
        .values("playbook_id")
        .annotate(
            total=Count("pk"),
            active=Count("pk", filter=Q(state=EnrolmentState.ACTIVE)),
            treated=Count("pk", filter=Q(arm=Arm.TREATED)),
            held_out=Count("pk", filter=Q(arm=Arm.HELD_OUT)),
        )
    )
    return {row["playbook_id"]: Enrolled(row["total"], row["active"], row["treated"], row["held_out"]) for row in rows}


def enrolments(
    user: StaffUser, *, playbook: Playbook | None = None, client_id: UUID | None = None, state: str = ""
) -> QuerySet[Enrolment]:
    """Return enrolments of visible clients with client, CSM, playbook and version, newest first."""
    found: QuerySet[Enrolment] = Enrolment.objects.visible_to(user)
    if playbook is not None:
        found = found.filter(playbook=playbook)
    if client_id is not None:
        found = found.filter(client_id=client_id)
    if state:
        found = found.filter(state=state)
    return found.select_related("client", "client__csm_user", "playbook", "version").order_by("-enrolled_at", "pk")


def find_enrolment(user: StaffUser, enrolment_id: UUID) -> Enrolment:
    """Return an enrolment of a visible client; Http404 for others."""
    rows = enrolments(user)
    found: Enrolment = get_object_or_404(rows, pk=enrolment_id)
    return found


def find_intervention(user: StaffUser, intervention_id: UUID) -> Intervention:
    """Return an intervention for a visible client with what a page shows of it; Http404 for others."""
    found: Intervention = get_object_or_404(_with_related(Intervention.objects.visible_to(user)), pk=intervention_id)
    return found


@dataclass(frozen=True)
class InterventionQuery:
    """What to list. `playbook` is a key, or BY_HAND. `days` 0: all. `mine`: assigned to the reader."""

    client_id: UUID | None = None
    playbook: str = ""
    kind: str = ""
    state: str = ""
    days: int = STANDARD_PERIOD
    search: str = ""
    mine: bool = False


def interventions(user: StaffUser, query: InterventionQuery, *, today: date, zone: ZoneInfo) -> QuerySet[Intervention]:
    """Return the interventions for visible clients that `query` lets through, newest first.

    The date of one is when it was done, else when it is planned for, else when it was made.
    """
    found = of(user, query)
    if query.days:
        since = start_of(today - timedelta(days=query.days), zone)
        found = found.filter(Q(done_at__gte=since) | Q(done_at__isnull=True, created_at__gte=since))
    return _with_related(found).order_by("-created_at", "-pk")


def of(user: StaffUser, query: InterventionQuery) -> QuerySet[Intervention]:
    """Return the interventions that `query` lets through at any time, not ordered."""
    found: QuerySet[Intervention] = Intervention.objects.visible_to(user)
    if query.client_id is not None:
        found = found.filter(client_id=query.client_id)
    if query.playbook == BY_HAND:
        found = found.filter(enrolment__isnull=True)
    elif query.playbook:
        found = found.filter(enrolment__playbook__key=query.playbook)
    if query.kind in StepKind.values:
        found = found.filter(kind=query.kind)
    if query.state in InterventionState.values:
        found = found.filter(state=query.state)
    if query.search:
        found = found.filter(
            Q(client__name__icontains=query.search)
            | Q(title__icontains=query.search)
            | Q(outcome__icontains=query.search)
        )
    if query.mine:
        found = found.filter(_of_person(user))
    return found


def waiting(user: StaffUser, *, mine: bool = False) -> QuerySet[Intervention]:
    """Return what waits for a person, oldest first: messages to approve, tasks and calls, and what failed."""
    found: QuerySet[Intervention] = Intervention.objects.visible_to(user).filter(
        Q(state__in=(*WAITING, InterventionState.FAILED))
        | Q(state=InterventionState.SCHEDULED, kind__in=(StepKind.TASK, StepKind.CALL, StepKind.CRM_TASK))
    )
    if mine:
        found = found.filter(_of_person(user))
    return _with_related(found).order_by("scheduled_for", "created_at", "pk")


def _of_person(user: StaffUser) -> Q:
    """Return the condition for what is one's own: assigned to one, or, assigned to nobody, for one's clients."""
    return Q(assigned_to=user) | Q(assigned_to__isnull=True, client__csm_user=user)


def _with_related(rows: QuerySet[Intervention]) -> QuerySet[Intervention]:
    return rows.select_related(
        "client", "client__csm_user", "contact", "assigned_to", "enrolment", "enrolment__playbook", "enrolment__version"
    )


@dataclass(frozen=True)
class Waiting:
    """How much waits for people, of the reader's clients: due by the end of today, overdue, to approve."""

    due: int = 0
    overdue: int = 0
    approvals: int = 0


def waiting_counts(user: StaffUser, *, today: date, zone: ZoneInfo, mine: bool = False) -> Waiting:
    """Return the counts, in one query. What has no date is due since it was made."""
    rows: QuerySet[Intervention] = Intervention.objects.visible_to(user).filter(state__in=WAITING)
    if mine:
        rows = rows.filter(_of_person(user))
    ending, beginning = end_of(today, zone), start_of(today, zone)
    due = Q(scheduled_for__lt=ending) | Q(scheduled_for__isnull=True)
    late = Q(scheduled_for__lt=beginning) | Q(scheduled_for__isnull=True, created_at__lt=beginning)
    found: dict[str, Any] = rows.aggregate(
        due=Count("pk", filter=due),
        overdue=Count("pk", filter=late),
        approvals=Count("pk", filter=Q(state=InterventionState.APPROVAL)),
    )
    return Waiting(**found)


def runs_since(user: StaffUser, since: datetime) -> int:
    """Return how many enrolments of visible clients began at `since` or later."""
    return int(Enrolment.objects.visible_to(user).filter(enrolled_at__gte=since).count())


def busy(user: StaffUser, client_id: UUID) -> list[Enrolment]:
    """Return the enrolments of a client that are under way, newest first."""
    return list(enrolments(user, client_id=client_id, state=EnrolmentState.ACTIVE))


def startable(client_id: UUID) -> list[Playbook]:
    """Return the playbooks that a client may be put into by hand: running ones that it is not in now, by name."""
    here = Enrolment.objects.filter(playbook=OuterRef("pk"), client_id=client_id, state=EnrolmentState.ACTIVE)
    rows = Playbook.objects.filter(state=PlaybookState.RUNNING, version__isnull=False).select_related(
        "version", "owner"
    )
    return list(rows.exclude(Exists(here)).order_by("name"))
