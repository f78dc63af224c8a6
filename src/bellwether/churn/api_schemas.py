"""What the churn-risk endpoints of one client take and return."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.churn.choices import Category, ModelKind, Precision
from bellwether.churn.words import Impact
from bellwether.common.models import JobState

Number = Annotated[float, Field(allow_inf_nan=False)]


class ChanceOut(Schema):
    """A probability with its 80 % interval, 0-1; all null where only the category is told (`precision` BAND)."""

    probability: float | None
    low: float | None
    high: float | None


class ChurnFeatureOut(Schema):
    """A feature of a factor. `value` null: not known of the client, and no `sentence`."""

    slug: str
    label: str
    value: float | None
    value_text: str
    log_odds: float | None = Field(description="What it adds to the log-odds; null at BAND.")
    sentence: str


class ChurnFactorOut(Schema):
    """A group of features that raises or lowers the risk against the reference, in the client's own numbers."""

    slug: str
    heading: str
    raises: bool
    impact: Impact = Field(
        description="HIGH: the odds times 1.5 or more (or divided by it), MEDIUM from 1.2, else LOW."
    )
    multiplier: float | None = Field(description="What it multiplies the odds of leaving in 90 days by; null at BAND.")
    log_odds: float | None = Field(description="Its part; all parts and the reference sum to `log_odds`. Null at BAND.")
    sentence: str
    features: list[ChurnFeatureOut]


class ChurnReferenceOut(Schema):
    """What the factors are against: the mean of a cohort. Its figures are null at BAND."""

    name: str
    clients: int
    probability_90_days: float | None
    log_odds: float | None


class ChurnDifferenceOut(Schema):
    """What a factor did to a change. Figures are null at BAND."""

    factor: str
    heading: str
    log_odds: float | None
    points: float | None = Field(description="Percent points of the 90-day probability.")
    before: str
    after: str


class ChurnChangeOut(Schema):
    """The change against the prediction of about a month before; the parts sum to it."""

    since: date
    points: float | None
    log_odds: float | None
    raised: bool | None = Field(description="Whether the risk is higher now; null where it is the same.")
    parts: list[ChurnDifferenceOut]
    model_points: float | None = Field(description="What another version of the model changed by itself.")
    model_log_odds: float | None


class ChurnActionOut(Schema):
    """Something to do, why, and what it answers to. `contact_id`: whom to speak to."""

    slug: str
    title: str
    reason: str
    factors: list[str]
    contact_id: UUID | None


class RiskModelOut(Schema):
    """The version that made the prediction."""

    version: int
    kind: ModelKind
    note: str = Field(description="What has to be said about it, such as that no history stands behind it.")
    auc: float | None = Field(description="Out of time, at 90 days; null where it was not measured.")


class LeverOut(Schema):
    """A question that the what-if takes. `value`: as it is now, null for yes or no (1 or 0)."""

    slug: str
    label: str
    unit: str
    value: float | None
    minimum: float
    maximum: float


class ChurnRiskOut(Schema):
    """The newest churn risk of a client. Without one `as_of` and all figures are null and `no_risk_reason` says why.

    `precision` BAND: too little is known for a figure, `precision_reason` says what; probabilities are null then.
    """

    client_id: UUID
    as_of: date | None
    made_at: datetime | None
    no_risk_reason: str | None
    category: Category | None
    precision: Precision | None
    precision_reason: str
    within_30_days: ChanceOut
    within_60_days: ChanceOut
    within_90_days: ChanceOut
    renewal: ChanceOut = Field(description="Of not renewing at `renewal_on`.")
    renewal_on: date | None
    log_odds: float | None
    reference: ChurnReferenceOut | None
    factors: list[ChurnFactorOut] = Field(description="The largest rise first, the largest fall last.")
    change: ChurnChangeOut | None
    similar_clients: list["SimilarClientOut"]
    recommended_actions: list[ChurnActionOut]
    levers: list[LeverOut] = Field(description="What the what-if takes for this client.")
    coverage: float | None = Field(description="Share of the model's features that are known, 0-1.")
    unknown: list[str] = Field(description="Slugs of features that are not known.")
    model: RiskModelOut | None


class SimilarClientOut(Schema):
    """A client whose figures were alike, and what became of it. `client_id` and `name` only where you see it."""

    client_id: UUID | None
    name: str | None
    described: str
    as_of: date
    left: bool
    days_to_leaving: int | None
    alike: list[str] = Field(description="What they had in common, in the other client's numbers.")


class WhatIfIn(Schema):
    """What to change: `levers` as getClientChurnRisk offers them (true or 1 asks a yes-or-no), `inputs` new values of
    features by slug, in their own unit."""

    model_config = ConfigDict(extra="forbid")
    levers: dict[str, Number] = Field(default={}, max_length=40)
    inputs: dict[str, Number] = Field(default={}, max_length=40)


class WhatIfChangedOut(Schema):
    """A feature that was changed."""

    slug: str
    label: str
    before: str
    after: str


class WhatIfSideOut(Schema):
    """The risk on one side of a what-if."""

    category: Category
    within_30_days: ChanceOut
    within_60_days: ChanceOut
    within_90_days: ChanceOut
    renewal: ChanceOut


class WhatIfOut(Schema):
    """What the risk would be: an association in past data, not a promise, as `note` says."""

    as_of: date
    precision: Precision
    before: WhatIfSideOut
    after: WhatIfSideOut
    points: float | None = Field(description="Change of the 90-day probability in percent points; null at BAND.")
    log_odds: float | None
    lowers: bool | None = Field(description="Whether the risk falls; null where nothing changes.")
    changed: list[WhatIfChangedOut]
    factors: list[ChurnDifferenceOut]
    note: str


class ChurnRefreshOut(Schema):
    """The job that predicts anew."""

    job_id: UUID
    state: JobState
    url: str


ChurnRiskOut.model_rebuild()
