"""What the job does: note segments, let clients leave, enrol, take steps, and see what became of messages and tasks."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.playbooks.choices import EnrolmentState, PlaybookState
from bellwether.playbooks.conditions import values_of
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.enrolling import enrol, running_playbooks
from bellwether.playbooks.frames import TriggerFacts
from bellwether.playbooks.leaving import leave, recovered
from bellwether.playbooks.models import Enrolment, PlaybookVersion
from bellwether.playbooks.outcomes import measure_outcomes
from bellwether.playbooks.receivers import contacts_of
from bellwether.playbooks.services import definition_of
from bellwether.playbooks.settling import settle
from bellwether.playbooks.stepping import Surroundings, take_steps
from bellwether.playbooks.templates import usable_templates
from bellwether.playbooks.trigger_reading import keep_segments, read_trigger_facts

MOST_STEPS = 2_000
"""Enrolments of which steps are taken in one run; the next run goes on."""


@dataclass(frozen=True)
class Ran:
    """What a run did: clients enrolled, those that left as they recovered, interventions made or observed,
    interventions whose message or task came to an end, and outcomes that became known or changed."""

    enrolled: int = 0
    left: int = 0
    interventions: int = 0
    settled: int = 0
    measured: int = 0


def run(now: datetime, *, progress: Progress | None = None) -> Ran:
    """Run all running playbooks as of `now` and return what was done. Doing it again does nothing again.

    Paused playbooks do nothing. Enrolled clients finish on the version that they were enrolled with.
    """
    progress = progress or NoProgress()
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    keep_segments(today=today)
    settled = settle(now=now)
    outcomes = measure_outcomes(now)
    measured = outcomes.known + outcomes.changed
    playbooks = running_playbooks()
    if not playbooks and not Enrolment.objects.filter(state=EnrolmentState.ACTIVE).exists():
        return Ran(settled=settled, measured=measured)
    versions = _versions_under_way()
    facts = read_trigger_facts([*(one for _, one in playbooks), *versions.values()], today=today)
    left = _let_go(versions, now=now, zone=zone)
    enrolled = enrol(playbooks, facts, now=now)
    made = _take_due(facts, now=now, zone=zone, progress=progress)
    return Ran(enrolled=enrolled, left=left, interventions=made, settled=settled, measured=measured)


def _versions_under_way() -> dict[UUID, Definition]:
    rows = PlaybookVersion.objects.filter(enrolments__state=EnrolmentState.ACTIVE).distinct()
    return {row.pk: definition_of(row) for row in rows}


def _let_go(versions: dict[UUID, Definition], *, now: datetime, zone: ZoneInfo) -> int:
    """End the enrolments of clients that recovered or were archived; also while their playbook is paused."""
    rows = list(Enrolment.objects.filter(state=EnrolmentState.ACTIVE).select_related("client"))
    rows = [row for row in rows if row.version_id in versions]
    if not rows:
        return 0
    contacts = contacts_of({row.client_id for row in rows if row.baseline.get("subject_type") == "contact"})
    found = recovered(rows, versions, contacts=contacts)
    for row in rows:
        if row.pk in found:
            state = EnrolmentState.CANCELLED if row.client.archived_at else EnrolmentState.EXITED
            leave(row, state, found[row.pk], now=now)
    return len(found)


def _take_due(facts: TriggerFacts, *, now: datetime, zone: ZoneInfo, progress: Progress) -> int:
    due = list(
        Enrolment.objects.filter(
            state=EnrolmentState.ACTIVE, next_at__lte=now, playbook__state=PlaybookState.RUNNING
        )
        .order_by("next_at", "pk")
        .values_list("pk", "client_id", "version_id")[:MOST_STEPS]
    )  # fmt: skip
    if not due:
        return 0
    versions = _versions_under_way()
    names = [step.when.field for one in versions.values() for step in one.steps if step.when]
    clients = {client for _, client, _ in due}
    around = Surroundings(
        now=now,
        zone=zone,
        values=values_of(facts, names, [client.hex for client in clients]),
        contacts=contacts_of(clients),
        templates=usable_templates(),
    )
    made: Counter[str] = Counter()
    if len(due) > 100:
        progress.start("Taking the steps of playbooks", len(due))
    for pk, _, version_id in due:
        made["all"] += take_steps(pk, versions[version_id], around)
        if len(due) > 100:
            progress.advance()
    return made["all"]
