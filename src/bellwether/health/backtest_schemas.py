"""What the endpoints of back-tests take and return."""

import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.health.backtest_parameters import HORIZONS, STEP_DAYS


class BacktestIn(Schema):
    """How to back-test; everything has a default."""

    model_config = ConfigDict(extra="forbid")
    definition: dict[str, Any] | None = Field(
        default=None, description="A draft of the same scorecard to test in place of the configuration."
    )
    first: datetime.date | None = Field(default=None, description="First as-of day; null for all there is.")
    last: datetime.date | None = Field(default=None, description="Last as-of day; null for today.")
    step_days: int = STEP_DAYS
    horizons: list[int] = Field(default=list(HORIZONS), description="Days within which churn counts.")
    against: list[str] | None = Field(
        default=None, description="Rules (last-login, usage-drop) and scorecards to compare with; null for all."
    )
    as_known: bool = Field(default=True, description="False: use what arrived late too.")
    again: bool = Field(default=False, description="Make it anew even where nothing changed.")


class BacktestOut(Schema):
    """A back-test. `state` is none (never asked for), queued, running, done or failed."""

    id: UUID | None
    job_id: UUID | None
    scorecard: str
    digest: str
    state: str
    stage: str = ""
    done: int = 0
    total: int | None = None
    error: str | None = None
    parameters: dict[str, Any] | None = None
    created_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    result: dict[str, Any] | None = Field(
        default=None,
        description="As docs/reference/backtest.md says. Sums of ARR only for roles that see every client.",
    )
