"""What playbooks and interventions add to the stream of a client."""

from collections.abc import Iterator

from bellwether.common.time import day_of
from bellwether.playbooks.choices import Arm, InterventionState, StepKind
from bellwether.playbooks.models import Enrolment, Intervention
from bellwether.portfolio.timeline import Entry, Group
from bellwether.portfolio.timeline_stream import Asked, FewEntries, Made, add_source
from bellwether.web.formatting import moment

ICONS = {
    StepKind.EMAIL: "mail",
    StepKind.IN_APP: "message-square-text",
    StepKind.CALL: "phone",
    StepKind.TASK: "square-check",
    StepKind.SLACK: "hash",
    StepKind.TAG: "tag",
    StepKind.CRM_TASK: "square-check",
    StepKind.WAIT: "hourglass",
    StepKind.BRANCH: "split",
}
"""The icon of each kind of step."""
TOLD = (InterventionState.SENT, InterventionState.DONE, InterventionState.FAILED, InterventionState.SKIPPED)
MOST = 1_000


def register() -> None:
    """Add the sources of this package; called once when Django starts."""
    add_source(FewEntries("intervention", "playbook", _interventions))
    add_source(FewEntries("enrolment", "playbook", _enrolments))


def _interventions(asked: Asked) -> Iterator[Made]:
    rows = Intervention.objects.filter(client=asked.client, state__in=TOLD).select_related(
        "done_by", "assigned_to", "contact", "enrolment__playbook"
    )
    for row in rows.order_by("-created_at")[:MOST]:
        at = row.done_at or row.updated_at
        playbook = row.enrolment.playbook.name if row.enrolment else ""
        by = row.done_by.name if row.done_by else ""
        outcome = row.failure if row.state == InterventionState.FAILED else row.outcome
        details = [
            (label, text)
            for label, text in (
                ("Playbook", playbook or "By hand"),
                ("State", str(row.get_state_display())),
                ("To", row.contact.name if row.contact else ""),
                ("Subject", row.subject),
                ("Outcome", outcome),
            )
            if text
        ]
        yield Made(
            Entry(
                key=f"intervention-{row.pk}",
                on=day_of(at, asked.zone),
                group=Group.OTHER,
                icon=ICONS.get(StepKind(row.kind), "list-checks"),
                title=f"{row.get_kind_display()}: {row.title}",
                detail=". ".join(part for part in (playbook, outcome) if part),
                status="critical" if row.state == InterventionState.FAILED else "",
                rank=1.5,
            ),
            tuple(details),
            object_id=str(row.pk),
            by=by,
            at=at,
        )


def _enrolments(asked: Asked) -> Iterator[Made]:
    rows = Enrolment.objects.filter(client=asked.client).select_related("playbook", "version", "enrolled_by")
    for row in rows.order_by("-enrolled_at")[:MOST]:
        held_out = row.arm == Arm.HELD_OUT
        title = f"Held out of {row.playbook.name}" if held_out else f"Playbook started: {row.playbook.name}"
        details = [("Version", str(row.version.number)), ("Arm", str(row.get_arm_display()))]
        if row.ended_at is not None:
            details.append((str(row.get_state_display()), moment(row.ended_at, asked.now, asked.zone)))
        if row.end_reason:
            details.append(("Reason", row.end_reason))
        yield Made(
            Entry(
                key=f"enrolment-{row.pk}",
                on=day_of(row.enrolled_at, asked.zone),
                group=Group.OTHER,
                icon="list-checks",
                title=title,
                detail="Observed only, so that the effect can be measured." if held_out else row.end_reason,
                rank=1.4,
            ),
            tuple(details),
            object_id=str(row.pk),
            by=row.enrolled_by.name if row.enrolled_by else "",
            at=row.enrolled_at,
        )
