"""What playbooks bring, through the staff API."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from ninja import Router

from bellwether.playbooks.figures import ArmFigures, Figures
from bellwether.playbooks.models import Playbook
from bellwether.playbooks.reading import Result, result_of, results, summary
from bellwether.playbooks.results_schemas import (
    PlaybookArmOut,
    PlaybookEstimateOut,
    PlaybookFiguresOut,
    PlaybookResultDetail,
    PlaybookResultList,
    PlaybookResultOut,
    PlaybookVersionFiguresOut,
)
from bellwether.playbooks.uplift import Estimate
from bellwether.playbooks.wording import outcome_words
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["playbooks"])


@router.get(
    "/playbooks/results", response=PlaybookResultList, operation_id="listPlaybookResults",
    summary="List what playbooks bring",
)  # fmt: skip
def list_results(request: StaffRequest) -> PlaybookResultList:
    """Return the measured effect of every playbook that is not archived, over all clients of the workspace."""
    found = results(request.user)
    whole = summary(found)
    _log(request, {"count": len(found)})
    return PlaybookResultList(
        data=[PlaybookResultOut(**_plain(one)) for one in found],
        running=whole.running,
        runs=whole.runs,
        saved_arr=_estimate(whole.saved),
        evidence=dict(whole.words),
    )


@router.get(
    "/playbooks/{playbook_id}/results", response=PlaybookResultDetail, operation_id="getPlaybookResults",
    summary="Get what a playbook brings",
)  # fmt: skip
def get_results(request: StaffRequest, playbook_id: UUID) -> PlaybookResultDetail:
    """Return the measured effect of a playbook and of each of its versions. The rank is in the list alone."""
    row = Playbook.objects.filter(pk=playbook_id, version__isnull=False).select_related("version", "owner").first()
    if row is None:
        raise Http404("There is no such playbook.")
    found = result_of(row, request.user)
    _log(request, {}, row)
    versions = [
        PlaybookVersionFiguresOut(
            number=one.version.number,
            hold_out=one.definition.hold_out,
            outcome=outcome_words(one.definition.outcome),
            counts=one.counts,
            figures=_figures(one.figures),
        )
        for one in found.versions
    ]
    return PlaybookResultDetail(**_plain(found), versions=versions)


def _plain(found: Result) -> dict[str, Any]:
    return {
        "id": found.playbook.pk,
        "key": found.playbook.key,
        "name": found.playbook.name,
        "state": found.playbook.state,
        "outcome": found.outcome,
        "unit": "share" if found.counting.binary else "points",
        "hold_out": found.definition.hold_out,
        "figures": _figures(found.figures),
        "saved_arr_reason": found.saved_reason,
        "value_per_hour": _estimate(found.value.per_hour),
        "value_unit": found.value.unit,
        "minutes_per_client": found.minutes,
        "minutes_logged": found.minutes_logged,
        "rank": found.rank,
    }


def _figures(found: Figures) -> PlaybookFiguresOut:
    return PlaybookFiguresOut(
        treated=_arm(found.treated),
        held_out=_arm(found.held_out),
        by_hand=found.by_hand,
        uplift=_estimate(found.uplift),
        evidence=found.evidence.word,
        reason=found.evidence.reason,
        next_look=found.evidence.next_look,
        saved_arr=_estimate(found.saved),
        warnings=list(found.warnings),
    )


def _arm(found: ArmFigures) -> PlaybookArmOut:
    return PlaybookArmOut(
        enrolled=found.enrolled,
        known=found.known,
        waiting=found.waiting,
        unknown=found.unknown,
        reached=found.reached,
        value=found.value,
    )


def _estimate(found: Estimate | None) -> PlaybookEstimateOut | None:
    return PlaybookEstimateOut(value=found.value, low=found.low, high=found.high) if found else None


def _log(request: StaffRequest, detail: dict[str, Any], row: Playbook | None = None) -> None:
    record(
        actor=request.user,
        action="playbook.results",
        object_type="playbook",
        object_id=row.pk if row else "",
        detail=detail,
        now=timezone.now(),
    )
