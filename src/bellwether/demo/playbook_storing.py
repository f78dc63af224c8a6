"""Writes the playbooks of the demo, their enrolments and interventions, and lets the product measure what it can."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction

from bellwether.demo.companies import Company
from bellwether.demo.playbook_plans import PlaybookPlan, playbook_plans, written
from bellwether.demo.playbook_runs import (
    PAUSED_DAYS,
    SECOND_VERSION,
    Run,
    make_runs,
    planted,
    span_of,
    usage_drops,
    version_id,
)
from bellwether.demo.portfolio import Portfolio
from bellwether.playbooks.assigning import TREATED
from bellwether.playbooks.choices import EnrolmentState, InterventionState, PlaybookState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Enrolment, Intervention, Playbook, PlaybookVersion
from bellwether.playbooks.outcome_kinds import due_on
from bellwether.playbooks.outcomes import LATE_DAYS, measure_outcomes
from bellwether.usage.facts import read_client_days
from bellwether.usage.workspace import workspace_lake

CHUNK = 500
HOUR = 9
APPROVAL_DAYS = 2
REACHED = 0.7
ANSWERED = 0.45
ANSWERS = ("No answer", "Answered")


def store_playbooks(portfolio: Portfolio, *, truth_path: Path, now: datetime) -> dict[str, int]:
    """Store playbooks with two years of runs, measure those that can be, write what was planted to `truth_path`, and
    return how many of each kind."""
    world = portfolio.world
    plan, companies = world.plan, world.companies
    numbers = {one.organization_id: one.number for one in companies}
    days = read_client_days(workspace_lake(), plan.first, plan.today, columns=["organization_id", "date", "dau"])
    playbooks = playbook_plans(world.catalogue.features[0])
    drops = usage_drops(days, numbers, first=plan.first)
    runs = make_runs(plan, playbooks, companies, portfolio.outcomes, drops)
    planted(playbooks, runs).write_parquet(truth_path)
    begun = _instant(plan.day(plan.days - span_of(plan)))
    maker = _Maker(portfolio, {one.key: one for one in playbooks}, begun)
    with transaction.atomic():
        for one in playbooks:
            maker.store(one)
        enrolments = [maker.enrolment(run) for run in runs]
        Enrolment.objects.bulk_create(enrolments, batch_size=CHUNK)
        done = [step for run, row in zip(runs, enrolments, strict=True) for step in maker.interventions(run, row)]
        Intervention.objects.bulk_create(done, batch_size=CHUNK)
    measure_outcomes(now)
    return {"playbooks": len(playbooks), "enrolments": len(enrolments), "interventions": len(done)}


def _instant(day: Any) -> datetime:
    return datetime.combine(day, time(HOUR), UTC)


class _Maker:
    """Makes the rows of one demo."""

    def __init__(self, portfolio: Portfolio, playbooks: Mapping[str, PlaybookPlan], begun: datetime) -> None:
        self.plan, self.until, self.begun = portfolio.world.plan, portfolio.until, begun
        self.companies: Sequence[Company] = portfolio.world.companies
        self.playbooks = playbooks
        self.definitions: dict[tuple[str, int], Definition] = {}
        self.contacts: dict[int, UUID] = {}
        self.names: dict[int, str] = {}
        for row in portfolio.contacts:
            self.contacts.setdefault(row.client, row.id)
            self.names.setdefault(row.client, row.name.split()[0])
        self.staff = {member.id: member.first_name for member in portfolio.staff}
        self.owner = next(member.id for member in portfolio.staff if member.role == "VP_CLIENT_SUCCESS")
        self.rng: np.random.Generator = self.plan.stream("playbook interventions")

    def store(self, one: PlaybookPlan) -> None:
        """Store a playbook with its versions; the last one is in force."""
        ran = one.state != PlaybookState.DRAFT
        shipped = Playbook.objects.filter(key=one.key, state=PlaybookState.DRAFT).exclude(from_preset="")
        shipped.update(version=None)  # the version in force is protected
        shipped.delete()
        playbook = Playbook.objects.create(
            id=self.plan.uuid("playbook", one.key),
            key=one.key,
            name=one.name,
            description=one.description,
            state=one.state,
            owner_id=self.owner,
            created_by_id=self.owner,
            created_at=self.begun,
            updated_at=self.begun,
            started_at=self.begun if ran else None,
            paused_at=_instant(self.plan.today - timedelta(days=PAUSED_DAYS))
            if one.state == PlaybookState.PAUSED
            else None,
        )
        data = [one.definition] if one.earlier is None else [one.earlier, one.definition]
        for number, said in enumerate(data, start=1):
            definition = definition_from_data(said)
            self.definitions[one.key, number] = definition
            playbook.version = PlaybookVersion.objects.create(
                id=version_id(self.plan, one.key, number),
                playbook=playbook,
                number=number,
                definition=definition.as_data(),
                digest=definition.digest,
                note="" if number == 1 else "A call after three days",
                created_by_id=self.owner,
                created_at=self.begun + timedelta(days=(number - 1) * int(span_of(self.plan) * SECOND_VERSION)),
            )
        playbook.save(update_fields=["version"])

    def enrolment(self, run: Run) -> Enrolment:
        """Return the row of a run. An invented outcome is final: the data of the demo know nothing of it."""
        one, company = self.playbooks[run.playbook], self.companies[run.client]
        definition = self.definitions[run.playbook, run.version]
        began, due = _instant(run.day), due_on(run.day, one.days)
        state, ended, step, following, reason = self._course(run, one, definition)
        return Enrolment(
            id=self.plan.uuid("enrolment", run.playbook, company.organization_id, run.day),
            playbook_id=self.plan.uuid("playbook", run.playbook),
            version_id=version_id(self.plan, run.playbook, run.version),
            client_id=company.id,
            episode=run.episode,
            arm=run.arm,
            state=state,
            enrolled_at=began,
            step=step,
            next_at=following,
            ended_at=ended,
            end_reason=reason,
            baseline={"arr": float(company.arr), "reason": one.reason, "since": run.day.isoformat()},
            outcome_due_on=due,
            outcome_value=run.outcome,
            outcome_known_at=None if run.outcome is None else _instant(due),
            outcome_checked_on=None if run.outcome is None else due + timedelta(days=LATE_DAYS),
        )

    def _course(
        self, run: Run, one: PlaybookPlan, definition: Definition
    ) -> tuple[EnrolmentState, datetime | None, str, datetime | None, str]:
        """Return state, end, the step that comes next, when it is due, and why the run ended early."""
        began, age = _instant(run.day), (self.plan.today - run.day).days
        last = definition.steps[-1]
        if len(definition.steps) > 1 and age < one.lasts and one.state == PlaybookState.RUNNING:
            waits = run.arm == TREATED and age <= APPROVAL_DAYS
            step = definition.steps[0] if waits else last
            return EnrolmentState.ACTIVE, None, step.key, None if waits else began + timedelta(days=last.wait_days), ""
        if definition.exit.logged_in and run.outcome == 1 and self.rng.random() < REACHED:
            return EnrolmentState.EXITED, began + timedelta(days=2), last.key, None, "Somebody logged in."
        return EnrolmentState.COMPLETED, began + timedelta(days=last.wait_days), last.key, None, ""

    def interventions(self, run: Run, row: Enrolment) -> list[Intervention]:
        """Return what was done for a run: its first step, and the second one if it came to that."""
        definition = self.definitions[run.playbook, run.version]
        steps = (
            definition.steps[:1] if row.state in {EnrolmentState.ACTIVE, EnrolmentState.EXITED} else definition.steps
        )
        at, found = row.enrolled_at, []
        for step in steps:
            at += timedelta(days=step.wait_days)
            made = Intervention(
                id=self.plan.uuid("intervention", row.pk, step.key),
                key=f"{row.pk.hex}:{step.key}",
                client_id=row.client_id,
                enrolment=row,
                step=step.key,
                kind=step.kind,
                title=step.title,
                assigned_to_id=self.companies[run.client].csm,
                state=InterventionState.OBSERVED,
                scheduled_for=at,
                created_at=at,
                updated_at=at,
            )
            if run.arm == TREATED:
                self._act(made, run, row, at)
            found.append(made)
        return found

    def _act(self, made: Intervention, run: Run, row: Enrolment, at: datetime) -> None:
        one, csm = self.playbooks[run.playbook], self.companies[run.client].csm
        made.contact_id = self.contacts.get(run.client)
        if made.kind == "email":
            made.subject, made.message = made.title, self._message(run)
            if row.state == EnrolmentState.ACTIVE and row.next_at is None:
                made.state = InterventionState.APPROVAL
                return
            made.state, made.approved_at, made.approved_by_id = InterventionState.SENT, at, csm
            if row.state == EnrolmentState.EXITED:
                made.outcome = "Logged in, day 2"
            elif row.state == EnrolmentState.COMPLETED:
                made.outcome = ANSWERS[int(self.rng.random() < ANSWERED)]
        else:
            made.state, made.done_by_id = InterventionState.DONE, csm
            likely = REACHED if run.outcome is None else 0.9 if run.outcome else 0.4
            made.outcome = one.second[0] if self.rng.random() < likely else one.second[1]
        made.done_at = at

    def _message(self, run: Run) -> str:
        company = self.companies[run.client]
        return written(
            self.definitions[run.playbook, run.version].steps[0].text,
            client=company.name,
            contact=self.names.get(run.client, "there"),
            csm=self.staff[company.csm],
        )
