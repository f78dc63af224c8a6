"""The endpoints of churn risk and expansion (api.md, section 1): the same figures as their pages."""

from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.utils import timezone
from ninja import Query, Router

from bellwether.analytics import churn_answers as answers
from bellwether.analytics import reading
from bellwether.analytics.churn_query import ChurnQuery
from bellwether.analytics.churn_reading import ChurnBook, churn_book
from bellwether.analytics.churn_schemas import ChurnRisk, ChurnRiskQuery, Expansion, ExpansionQuery
from bellwether.analytics.expansion_reading import openings
from bellwether.analytics.reading import Scope
from bellwether.common.time import day_of
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["analytics"])


@router.get("/analytics/churn-risk", response=ChurnRisk, operation_id="getChurnRiskAnalytics",
            summary="Sum up churn risk")  # fmt: skip
def churn_risk(request: StaffRequest, query: Query[ChurnRiskQuery]) -> ChurnRisk:
    """Return who may leave within 90 days among the clients that the caller sees, and what that may cost."""
    book, asked = _book(request, query.csm_id), asked_of(query.dict())
    found = answers.churn_risk(book, asked)
    detail = {"count": len(found.data), "query": query.dict(exclude_none=True)}
    record(actor=request.user, action="analytics.churn-risk", detail=detail, now=timezone.now())
    return found


@router.get(
    "/analytics/expansion", response=Expansion, operation_id="getExpansion", summary="List clients that could grow"
)
def expansion(request: StaffRequest, query: Query[ExpansionQuery]) -> Expansion:
    """Return the clients among those that the caller sees that could grow, the most promising first, with reasons.

    Clients in trouble are held back: at risk or critical health, a churn risk above low, an overdue payment.
    """
    _book(request, query.csm_id)
    given = query.dict(exclude_none=True)
    sign = given.pop("signal", "")
    user = request.user
    found = openings(Scope(user), today=_today(), since=reading.last_change(user))
    answer = answers.expansion(found, asked_of(given), sign=sign)
    detail = {"count": len(answer.data), "query": query.dict(exclude_none=True)}
    record(actor=user, action="analytics.expansion", detail=detail, now=timezone.now())
    return answer


def asked_of(given: dict[str, Any]) -> ChurnQuery:
    """Return the query of an address; what is not given is as usual."""
    return ChurnQuery(**{name: value for name, value in given.items() if value is not None})


def _today() -> date:
    return day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)


def _book(request: StaffRequest, csm_id: UUID | None) -> ChurnBook:
    """Return the predictions; a CSM who looks after none of the caller's clients does not exist."""
    user = request.user
    book = churn_book(Scope(user), today=_today(), since=reading.last_change(user))
    if csm_id is not None and csm_id.hex not in book.rows["csm"]:
        raise Http404
    return book
