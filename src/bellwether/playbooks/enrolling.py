"""Enrols clients that meet triggers, once for each occasion, in the arm that is drawn for them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from bellwether.common.time import day_of
from bellwether.playbooks.assigning import TREATED, arm
from bellwether.playbooks.business_time import due_after, holidays_of
from bellwether.playbooks.choices import EnrolmentState, PlaybookState
from bellwether.playbooks.choosing import Chosen, Standing, capped, choose
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.frames import TriggerFacts
from bellwether.playbooks.models import Enrolment, Playbook
from bellwether.playbooks.outcomes import outcome_due_on
from bellwether.playbooks.services import definition_of
from bellwether.portfolio.models import Client
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

BATCH = 500
COUNTED = (EnrolmentState.COMPLETED, EnrolmentState.EXITED)
"""Ends that begin quiet days; whoever was taken out may be enrolled again."""


def running_playbooks() -> list[tuple[Playbook, Definition]]:
    """Return the running playbooks with their definitions in force, the oldest first: it is asked first."""
    rows = Playbook.objects.filter(state=PlaybookState.RUNNING, version__isnull=False).select_related("version")
    return [(row, definition_of(row.version)) for row in rows.order_by("created_at", "key") if row.version is not None]


def standing_of(playbook_id: UUID | None, *, zone: ZoneInfo) -> Standing:
    """Return where all clients stand, and in one playbook. Four queries at most."""
    found = _everywhere(zone)
    return _in_playbook(found, playbook_id) if playbook_id else found


def _everywhere(zone: ZoneInfo) -> Standing:
    running: dict[str, int] = {}
    for client_id in Enrolment.objects.filter(state=EnrolmentState.ACTIVE).values_list("client_id", flat=True):
        running[client_id.hex] = running.get(client_id.hex, 0) + 1
    rows = (
        Enrolment.objects.filter(state__in=COUNTED).order_by().values_list("client_id").annotate(last=Max("ended_at"))
    )
    return Standing(running=running, ended={pk.hex: day_of(at, zone) for pk, at in rows if at})


def _in_playbook(everywhere: Standing, playbook_id: UUID) -> Standing:
    rows = Enrolment.objects.filter(playbook_id=playbook_id).order_by().values_list("client_id", "episode", "state")
    found = Standing(running=everywhere.running, ended=everywhere.ended)
    for client_id, episode, state in rows:
        found.enrolled.add((client_id.hex, episode))
        if state == EnrolmentState.ACTIVE:
            found.under_way.add(client_id.hex)
    return found


def enrol(playbooks: Iterable[tuple[Playbook, Definition]], facts: TriggerFacts, *, now: datetime) -> int:
    """Enrol who meets the triggers of `playbooks` (in their order: caps hold across them) and return how many.

    Doing it again enrols nobody again. Five queries for each playbook that finds somebody, two for one that does not.
    """
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    everywhere, count = _everywhere(zone), 0
    for playbook, definition in playbooks:
        if definition.trigger.kind == "hand":
            continue
        standing = _in_playbook(everywhere, playbook.pk)
        chosen = [one for one in choose(definition, facts, standing) if one.why_not is None]
        made = _store(playbook, definition, chosen, now=now)
        for one in chosen:
            everywhere.running[one.client_id] = everywhere.running.get(one.client_id, 0) + 1
        count += made
    return count


def enrol_clients(
    playbook: Playbook, clients: Sequence[Client], *, actor: StaffUser | None, now: datetime
) -> list[tuple[Client, Enrolment | None, str]]:
    """Enrol clients by hand: each with its enrolment, or why there is none."""
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    version = playbook.version
    if version is None:
        return [(client, None, "The playbook has no version.") for client in clients]
    definition, today = definition_of(version), day_of(now, zone)
    standing, episode = standing_of(playbook.pk, zone=zone), f"hand:{today.isoformat()}"
    wanted, reasons = [], {}
    for client in clients:
        reason = f"{client.name} is archived." if client.archived_at else ""
        if not reason:
            _, reason = capped(definition.caps, standing, client.pk.hex, episode, today)
        reasons[client.pk] = reason
        if not reason:
            said = f"Enrolled by {actor.name}" if actor else "Enrolled by hand"
            wanted.append(Chosen(client_id=client.pk.hex, episode=episode, since=today, reason=said))
    _store(playbook, definition, wanted, actor=actor, now=now)
    rows = {row.client_id: row for row in Enrolment.objects.filter(playbook=playbook, episode=episode)}
    return [(one, None if reasons[one.pk] else rows.get(one.pk), reasons[one.pk]) for one in clients]


def _store(
    playbook: Playbook,
    definition: Definition,
    chosen: Sequence[Chosen],
    *,
    actor: StaffUser | None = None,
    now: datetime,
) -> int:
    version = playbook.version
    if not chosen or version is None:
        return 0
    clients = {row.pk: row for row in Client.objects.filter(pk__in=[UUID(one.client_id) for one in chosen])}
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    rows = []
    for one in chosen:
        client = clients.get(UUID(one.client_id))
        if client is None:
            continue
        rows.append(
            Enrolment(
                playbook=playbook,
                version=version,
                client=client,
                episode=one.episode[:120],
                # Somebody chose this client: it is treated, and left out of the comparison (playbooks.figures).
                arm=TREATED if actor else arm(version.pk, client.pk, one.episode[:120], definition.hold_out),
                enrolled_at=now,
                enrolled_by=actor,
                step=definition.steps[0].key,
                next_at=first_due(definition, client.country, now, zone),
                baseline=_baseline(client, one),
                outcome_due_on=outcome_due_on(now, definition.outcome),
            )
        )
    before = Enrolment.objects.filter(version=version).count()
    Enrolment.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    made: int = Enrolment.objects.filter(version=version).count() - before
    if made and actor is None:
        detail = {"count": made, "version": version.number}
        record(
            actor=None, action="playbook.enrolled", object_type="playbook", object_id=playbook.pk, detail=detail,
            now=now,
        )  # fmt: skip
    return made


def first_due(definition: Definition, country: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the first step of a client that is enrolled now is due, in UTC."""
    holidays = holidays_of(country, day_of(now, zone)) if definition.business_days else frozenset[date]()
    wait = definition.steps[0].wait_days
    return due_after(now, wait, business=definition.business_days, zone=zone, holidays=holidays)


def _baseline(client: Client, chosen: Chosen) -> Mapping[str, Any]:
    arr = client.annual_recurring_revenue
    return {
        "score": client.current_health_score,
        "status": client.health_status,
        "arr": float(arr) if arr is not None else None,
        "csm": client.csm_user_id.hex if client.csm_user_id else None,
        "renewal_on": client.next_renewal_date.isoformat() if client.next_renewal_date else None,
        "since": chosen.since.isoformat(),
        "reason": chosen.reason,
        "subject_type": chosen.related_type,
        "subject_id": chosen.related_id,
    }
