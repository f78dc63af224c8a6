"""What the endpoints of churn models and their scoreboard return."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from bellwether.churn.choices import ModelKind, ModelState
from bellwether.common.models import JobState


class ChurnModelOut(Schema):
    """A version of the churn model. `first_as_of` to `last_as_of`: the as-of days that it learned from, null for the
    expert prior; `auc`, `brier` and `ece` are out of time at 90 days, null where there is too little history."""

    id: UUID
    version: int
    kind: ModelKind
    state: ModelState
    trained_at: datetime
    trained_by: str | None = Field(description="Name of who asked for the training; null: the weekly one.")
    activated_at: datetime | None
    retired_at: datetime | None
    first_as_of: date | None
    last_as_of: date | None
    rows: int
    clients: int
    churned_clients: int
    reason: str
    seconds: float
    auc: float | None
    brier: float | None
    ece: float | None


class ChurnModelCard(ChurnModelOut):
    """A version with its card."""

    feature_version: str
    data_digest: str
    card: dict[str, Any] = Field(description="As docs/reference/churn-model-card.md says.")


class ChurnModelList(Schema):
    """Versions, the newest first."""

    data: list[ChurnModelOut]


class ChurnTrainingOut(Schema):
    """A training: the job to ask for at /jobs/{job_id}."""

    job_id: UUID
    state: JobState
    stage: str


class ChurnScoreboardClient(Schema):
    """A client that you see and that left (`left_on`), or that was of category high and stayed (`left_on` null).

    `high_on`: first day of category high in the 90 days before leaving, null for a miss; for one that stayed the last
    day of it. `p90`: the highest in the 90 days before leaving, or that of `high_on`.
    """

    client_id: UUID
    name: str
    left_on: date | None
    high_on: date | None
    p90: float
    rank: int | None = Field(description="Best place by p90 on a day before leaving, 1 the riskiest; null: stayed.")
    ranked: int | None = Field(description="Clients that were predicted on that day; null: stayed.")


class ChurnScoreboardOut(Schema):
    """Stored predictions against what came. No client is named that you do not see; sums are over all clients."""

    first: date | None
    last: date | None
    late: int = Field(description="Predictions stored more than two days after their as-of day; they do not count.")
    horizons: list[dict[str, Any]] = Field(description="As docs/reference/churn-model-card.md says, 30, 60 and 90.")
    losses: list[ChurnScoreboardClient]
    false_alarms: list[ChurnScoreboardClient]
