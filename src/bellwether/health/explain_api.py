"""The explanation of a stored score and of its change, for the staff API."""

from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from ninja import Field, Query, Router, Schema

from bellwether.common.errors import InvalidInputError
from bellwether.health.api_schemas import HealthQuery
from bellwether.health.details import newest_score
from bellwether.health.explain_reading import NoScoreError, explained
from bellwether.health.explain_text import as_json
from bellwether.health.scorecards_in_use import scorecard_in_use
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["health"])


class ExplainQuery(HealthQuery):
    """The day to explain, by default that of the newest score, and an earlier one to compare with."""

    day: date | None = Field(None, alias="date")
    since: date | None = None


class ExplainedComponentOut(Schema):
    """A component: `contribution` points of the exact score; `coverage` share of its formula with data, `as_of` the day
    of the newest record behind it, `reason` what is missing."""

    key: str
    label: str
    weight: float
    share: float | None
    value: float | None
    contribution: float | None
    formula: str
    inputs: dict[str, Any]
    coverage: float
    as_of: date | None
    stale_days: int | None
    reason: str


class MeasureMoveOut(Schema):
    """A measure that moved a component, and the points it brought."""

    measure: str
    before: Any
    after: Any
    points: float


class ChangeOut(Schema):
    """Why the score differs from the earlier one as it was seen; the parts add up to `score` exactly."""

    since: date
    before: int
    stored: int | None
    score: int
    late: float
    data: dict[str, float]
    measures: dict[str, list[MeasureMoveOut]]
    lost: list[str]
    lost_points: float
    gained: list[str]
    gained_points: float
    configuration: float
    rounding: float


class ExplainOut(Schema):
    """A score with everything it was made of. `matches`: made again, it is the stored one bit for bit."""

    client_id: UUID
    date: date
    score: int | None
    exact: float | None
    interval: list[int] | None
    status: str
    trend: str
    previous_score: int | None
    coverage: float
    reason: str
    version: str
    components: list[ExplainedComponentOut]
    matches: bool
    differences: list[str]
    change: ChangeOut | None


@router.get(
    "/clients/{client_id}/health/explain",
    response=ExplainOut,
    operation_id="explainClientHealth",
    summary="Explain a score and its change",
)
def explain_health(request: StaffRequest, client_id: UUID, query: Query[ExplainQuery]) -> dict[str, Any]:
    """Return inputs, formulas, components and score of a day, and the change since an earlier day split into causes."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    name = scorecard_in_use(query.scorecard)
    day = query.day
    if day is None:
        newest = newest_score(client, name)
        if newest is None:
            raise InvalidInputError("There is nothing to explain.", {"date": "No score has been made yet."})
        day = newest.date
    if query.since and query.since >= day:
        raise InvalidInputError("The days cannot be compared.", {"since": f"{query.since} is not before {day}."})
    try:
        found = explained(client, day, since=query.since, scorecard=name)
    except NoScoreError as error:
        raise InvalidInputError("There is no score to explain.", {"date": str(error).split("; ")[0] + "."}) from None
    record(
        actor=request.user, action="health.explain", object_type="client", object_id=client.pk, client_id=client.pk,
        detail={"date": day.isoformat()}, now=now,
    )  # fmt: skip
    return as_json(client.name, client.organization_id, found.explanation, found.change) | {"client_id": client.pk}
