"""What trying out a scorecard takes and returns."""

import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.common.paging import PageQuery, Pagination


class SimulateIn(Schema):
    """What the draft changes. What is left out stays as it is in the configuration or in `definition`."""

    model_config = ConfigDict(extra="forbid")
    weights: dict[str, float] | None = Field(None, description="Component to weight, 0-100; all together sum to 100.")
    thresholds: dict[str, float] | None = Field(
        None, description="Where healthy, monitor and at_risk begin, whole numbers from 1 to 100."
    )
    definition: dict[str, Any] | None = Field(
        None, description="A whole scorecard: components, formulas, measures and the rest."
    )


class SimulatedBands(Schema):
    """How many clients are in each band; NA has no score."""

    HEALTHY: int
    MONITOR: int
    AT_RISK: int
    CRITICAL: int
    NA: int


class SimulatedSide(Schema):
    """The portfolio under one configuration. `average` is None where nobody has a score."""

    average: float | None
    distribution: SimulatedBands
    arr_at_risk: float = Field(description="ARR of the clients at risk or critical.")


class SimulatedMove(Schema):
    """Clients that go from one band to another and their ARR together."""

    from_status: str
    to_status: str
    clients: int
    arr: float


class SimulatedChange(Schema):
    """One client now and under the draft; null where there is no score."""

    client_id: UUID
    name: str
    annual_recurring_revenue: float | None
    score_now: int | None
    score_draft: int | None
    change: int | None
    status_now: str | None
    status_draft: str | None
    touched: bool = Field(description="Whether the draft would be the configuration of this client.")


class SimulateQuery(PageQuery):
    """Which of the clients to return."""

    changed: bool = Field(True, description="Only clients whose score or band changes.")


class SimulateOut(Schema):
    """What the draft would do to the clients that the caller sees, on the day of the newest scores.

    `data` has the clients: those that change band first, then the largest changes.
    """

    config_id: UUID
    day: datetime.date | None
    clients: int
    touched: int
    changed: int
    worse: int
    better: int
    lost: int = Field(description="Clients that have a score now and would have none.")
    gained: int = Field(description="Clients that would have a score and have none now.")
    now: SimulatedSide
    draft: SimulatedSide
    moves: list[SimulatedMove]
    data: list[SimulatedChange]
    pagination: Pagination
