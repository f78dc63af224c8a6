"""Playbooks through the staff API: list, read, try, and enrol clients by hand."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Router

from bellwether.playbooks.api_schemas import (
    DryRunOut,
    EnrolIn,
    EnrolledOut,
    EnrolOut,
    FirstStepOut,
    PlaybookDetail,
    PlaybookList,
    PlaybookOut,
    PlaybookWords,
    WouldEnrolOut,
    WouldNotOut,
)
from bellwether.playbooks.choices import EnrolmentState, PlaybookState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.dry_run import FirstStep, dry_run
from bellwether.playbooks.models import Playbook
from bellwether.playbooks.services import definition_of, enrol_by_hand
from bellwether.playbooks.wording import in_words
from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import visible_clients
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.staff.models import StaffUser

router = Router(tags=["playbooks"])


@router.get("/playbooks", response=PlaybookList, operation_id="listPlaybooks", summary="List playbooks")
def playbooks(request: StaffRequest) -> PlaybookList:
    """Return all playbooks that are not archived, by name."""
    rows = _rows(request.user).exclude(state=PlaybookState.ARCHIVED)
    found = [PlaybookOut(**_plain(row, definition_of(row.version))) for row in rows if row.version is not None]
    _log(request, "playbook.list", {"count": len(found)})
    return PlaybookList(data=found)


@router.get(
    "/playbooks/{playbook_id}", response=PlaybookDetail, operation_id="getPlaybook", summary="Get a playbook"
)  # fmt: skip
def playbook(request: StaffRequest, playbook_id: UUID) -> PlaybookDetail:
    """Return a playbook with its definition in force, as data and in words."""
    row, definition = _found(request.user, playbook_id)
    _log(request, "playbook.read", {}, row)
    words = in_words(definition)
    said = PlaybookWords(**{**vars(words), "conditions": list(words.conditions), "steps": list(words.steps)})
    return PlaybookDetail(**_plain(row, definition), definition=definition.as_data(), words=said)


@router.get(
    "/playbooks/{playbook_id}/dry-run", response=DryRunOut, operation_id="tryPlaybook", summary="Try a playbook"
)  # fmt: skip
def try_playbook(request: StaffRequest, playbook_id: UUID) -> DryRunOut:
    """Return whom the playbook would enrol now among the clients that you see, what it would send first, and who meets
    the trigger but would not be enrolled. Nothing is stored or sent."""
    row, definition = _found(request.user, playbook_id)
    found = dry_run(definition, now=timezone.now(), playbook=row, user=request.user)
    _log(request, "playbook.tried", {"count": found.meeting}, row)
    enrolled = [
        WouldEnrolOut(
            client_id=one.client.pk,
            client_name=one.client.name,
            reason=one.reason,
            arm=one.arm,
            first_step=_first(one.first) if one.first else None,
        )
        for one in found.enrolled
    ]
    others = [
        WouldNotOut(
            client_id=one.client.pk, client_name=one.client.name, reason=one.reason, why=one.why, detail=one.detail
        )
        for one in found.others
    ]
    return DryRunOut(
        clients=found.clients, meeting=found.meeting, hold_out=found.hold_out, enrolled=enrolled, others=others
    )


@router.post(
    "/playbooks/{playbook_id}/enrolments", response={201: EnrolOut}, operation_id="enrolClients",
    summary="Enrol clients by hand",
)  # fmt: skip
def enrol(request: StaffRequest, playbook_id: UUID, body: EnrolIn) -> HttpResponse:
    """Enrol clients that you see in a running playbook and return what came of each.

    Caps hold and the arm is drawn, so a client may be held out. A client that you may not see answers 404 and nobody
    is enrolled. Account executives may not (403).
    """

    def make() -> Answer:
        row, _ = _found(request.user, playbook_id)
        wanted = list(dict.fromkeys(body.client_ids))
        seen = {one.pk: one for one in Client.objects.visible_to(request.user).filter(pk__in=wanted)}
        if set(wanted) - seen.keys():
            raise Http404("One of these clients is not there.")
        done = enrol_by_hand(row, [seen[pk] for pk in wanted], actor=request.user, now=timezone.now())
        found = [
            EnrolledOut(
                client_id=one.client.pk,
                client_name=one.client.name,
                enrolment_id=one.enrolment.pk if one.enrolment else None,
                arm=one.enrolment.arm if one.enrolment else "",
                reason=one.reason,
            )
            for one in done
        ]
        return Answer(201, EnrolOut(data=found).model_dump(mode="json"))

    return once(request, make)


def _rows(user: StaffUser) -> QuerySet[Playbook]:
    seen = Q(enrolments__state=EnrolmentState.ACTIVE)
    if not user.sees_all_clients:
        seen &= visible_clients(user, "enrolments__client__")
    rows: QuerySet[Playbook] = Playbook.objects.select_related("version", "owner").annotate(
        under_way=Count("enrolments", filter=seen, distinct=True)
    )
    return rows.order_by("name")


def _found(user: StaffUser, playbook_id: UUID) -> tuple[Playbook, Definition]:
    row = _rows(user).filter(pk=playbook_id).first()
    if row is None or row.version is None:
        raise Http404("There is no such playbook.")
    return row, definition_of(row.version)


def _plain(row: Playbook, definition: Definition) -> dict[str, Any]:
    words = in_words(definition)
    return {
        "id": row.pk,
        "key": row.key,
        "name": row.name,
        "description": row.description,
        "state": row.state,
        "version": row.version.number if row.version else None,
        "owner": row.owner.name if row.owner else None,
        "trigger": words.trigger,
        "outcome": words.outcome,
        "hold_out": definition.hold_out,
        "under_way": getattr(row, "under_way", 0),
        "started_at": row.started_at,
        "paused_at": row.paused_at,
    }


def _first(step: FirstStep) -> FirstStepOut:
    return FirstStepOut(
        kind=step.kind,
        title=step.title,
        words=step.words,
        due_at=step.due_at,
        contact_id=step.contact.pk if step.contact else None,
        contact_name=step.contact.name if step.contact else None,
        subject=step.subject,
        text=step.text,
        problem=step.problem,
    )


def _log(request: StaffRequest, action: str, detail: dict[str, Any], row: Playbook | None = None) -> None:
    record(
        actor=request.user, action=action, object_type="playbook", object_id=row.pk if row else "", detail=detail,
        now=timezone.now(),
    )  # fmt: skip
