"""What the endpoints of churn risk and expansion take and return. Money is in dollars, probabilities are 0-1."""

import datetime
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import StringConstraints

from bellwether.analytics.churn_query import DEFAULT_SORT, MOST_DAYS, SORTS
from bellwether.churn.choices import Category, ModelKind, Precision
from bellwether.common.paging import PageQuery, Pagination
from bellwether.common.text import Text
from bellwether.portfolio.choices import ContractTier

SEVERAL_CATEGORIES = rf"^({'|'.join(Category)})(,({'|'.join(Category)}))*$"
SEVERAL_TIERS = rf"^({'|'.join(ContractTier)})(,({'|'.join(ContractTier)}))*$"


class ChurnScope(PageQuery):
    """Whose clients; filters that are given must all hold."""

    tier: Annotated[str, StringConstraints(pattern=SEVERAL_TIERS)] | None = Field(
        None, description="One or several with commas."
    )
    industry: Annotated[Text, Len(max_length=100)] | None = None
    csm_id: UUID | None = Field(None, description="Only clients of this CSM, among those that the caller sees.")
    renewal_within: int | None = Field(None, ge=0, le=MOST_DAYS, description="Days from today, both ends included.")
    search: Annotated[Text, Len(max_length=200)] | None = Field(None, description="In name and organisation id.")


class ChurnRiskQuery(ChurnScope):
    """Which clients, in which order. Sums are of the clients that every filter but `category` lets through."""

    category: Annotated[str, StringConstraints(pattern=SEVERAL_CATEGORIES)] | None = Field(
        None, description="One or several with commas."
    )
    sort: Annotated[str, StringConstraints(pattern=rf"^-?({'|'.join(SORTS)})$")] = Field(
        DEFAULT_SORT,
        description=f"{', '.join(SORTS)} (loss: probability × ARR); - in front: descending. Clients without the value "
        "come last.",
    )


class ChurnModelInUse(Schema):
    """The version that predicts now. PRIOR: the expert prior, with no history behind it."""

    version: int
    kind: ModelKind
    trained_at: datetime.datetime
    clients: int
    churned_clients: int


class LossOut(Schema):
    """A sum that may be lost, with its 80 % range; `mean` is null where too little is known for a figure."""

    mean: float | None
    low: float
    high: float


class ExpectedLoss(Schema):
    """What clients that may leave would take with them. The range is simulated from who leaves and from the model's
    doubt together; its ends are quantiles, so that `mean` may lie above both where hardly anybody leaves."""

    arr: LossOut
    arr_share: LossOut | None = Field(description="Of the ARR of the clients; null without any.")
    clients: LossOut
    nobody_leaves: float = Field(description="Probability that nobody leaves.")
    precision: Precision


class QuarterLoss(ExpectedLoss):
    """The same of the coming calendar quarter; its days after the 90th take the hazard of the third month."""

    first: datetime.date
    last: datetime.date


class CategoryCount(Schema):
    """The clients of one category. Expected ARR is null where too little is known for a figure."""

    category: Category
    clients: int
    clients_month_ago: int | None
    arr: float
    expected_churned_arr: float | None


class TierCount(Schema):
    """The predicted clients of one tier."""

    tier: str
    clients: int
    high: int
    medium: int
    low: int
    arr: float
    expected_churned_arr: float | None


class ChurnClient(Schema):
    """A client with its newest prediction. Probabilities are null where `precision` is BAND: too little is known for
    a figure, and `precision_reason` says why."""

    id: UUID
    organization_id: str
    name: str
    contract_tier: str
    industry: str | None
    csm_id: UUID | None
    csm: str | None
    annual_recurring_revenue: float | None
    category: Category
    precision: Precision
    precision_reason: str
    p30: float | None
    p60: float | None
    p90: float | None
    p90_low: float | None = Field(description="Lower end of the 80 % interval.")
    p90_high: float | None
    change_points: int | None = Field(description="Of p90 in percent, against 28 days before.")
    largest_factor: str
    next_renewal_date: datetime.date | None
    renewal_risk: float | None = Field(description="Probability of not renewing then.")
    renewal_risk_low: float | None
    renewal_risk_high: float | None
    predicted_on: datetime.date


class ChurnRisk(Schema):
    """Churn risk of the clients that the caller sees. Nothing is null but `data` empty before the first prediction."""

    model: ChurnModelInUse | None
    predicted_on: datetime.date | None
    month_ago_on: datetime.date | None = Field(description="The day that changes compare with.")
    clients: int
    predicted: int
    next_90_days: ExpectedLoss | None
    month_ago: ExpectedLoss | None = Field(description="What was expected a month ago of the 90 days from then on.")
    next_quarter: QuarterLoss | None
    by_category: list[CategoryCount]
    by_tier: list[TierCount]
    data: list[ChurnClient]
    pagination: Pagination


class ExpansionQuery(ChurnScope):
    """Which clients."""

    signal: Literal["seats", "unlicensed", "growth", "whole"] | None = Field(
        None, description="Only clients with this signal."
    )


class ExpansionSignal(Schema):
    """A sign that a client could grow, in its own numbers."""

    signal: str
    label: str
    reason: str
    points: int


class ExpansionClient(Schema):
    """A client that could grow, with what to propose. `strength` is 0-1: points of its signals over all points."""

    id: UUID
    organization_id: str
    name: str
    contract_tier: str
    csm_id: UUID | None
    csm: str | None
    annual_recurring_revenue: float | None
    health_score: int | None
    churn_category: Category | None
    next_renewal_date: datetime.date | None
    strength: float
    signals: list[ExpansionSignal]
    propose: str


class Expansion(Schema):
    """Clients that could grow, by strength × ARR. `held_back`: how many have signals but are in trouble."""

    clients: int
    arr: float
    held_back: int
    data: list[ExpansionClient]
    pagination: Pagination
