"""What the client endpoints take and return. Names and values are those of PRD-015."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict, StringConstraints

from bellwether.common.paging import MOST_PER_PAGE, PageQuery, Pagination
from bellwether.common.text import Text
from bellwether.portfolio.choices import AlertLevel, ContractTier, HealthStatus, HealthTrend, PaymentStatus
from bellwether.portfolio.listing import CHURN_CATEGORIES, NOT_SCORED, SORTS

MOST_DOLLARS = Decimal("999999999999.99")


def _several(words: Iterable[str]) -> str:
    one = f"({'|'.join(words)})"
    return f"^{one}(,{one})*$"


SOME_STATUSES = _several([*HealthStatus.values, NOT_SCORED])
SOME_TIERS = _several(ContractTier.values)
SOME_CHURN = _several(CHURN_CATEGORIES)
Impact = Literal["high", "medium", "low"]


class View(StrEnum):
    """The saved views of the portfolio page."""

    ALL = "all"
    AT_RISK = "at_risk"
    RENEWALS = "renewals"
    MINE = "mine"
    NO_CONTACT = "no_contact"


UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ViewWord = Annotated[str, StringConstraints(pattern=f"^({'|'.join(View)}|{UUID_PATTERN})$")]
SortWord = Annotated[
    str, StringConstraints(pattern=rf"^-?({'|'.join(SORTS)}|m\.[a-z][a-z0-9_]{{1,59}})$")
]  # m.<slug>: a custom measure


class ClientFilters(PageQuery):
    """Filters of the list of clients; those given must all hold."""

    limit: int = Field(50, ge=1, le=MOST_PER_PAGE)
    health_status: Annotated[str, StringConstraints(pattern=SOME_STATUSES)] | None = Field(
        None, description="One or several with commas; NA: without a score."
    )
    tier: Annotated[str, StringConstraints(pattern=SOME_TIERS)] | None = Field(
        None, description="One or several with commas."
    )
    industry: Annotated[Text, Len(max_length=100)] | None = None
    segment: Annotated[Text, Len(max_length=100)] | None = None
    region: Annotated[Text, Len(max_length=100)] | None = None
    tag: Annotated[Text, Len(max_length=60)] | None = None
    csm_id: UUID | None = None
    ae_id: UUID | None = None
    search: Annotated[Text, Len(max_length=200)] | None = Field(None, description="In name and organisation id.")
    churn_category: Annotated[str, StringConstraints(pattern=SOME_CHURN)] | None = Field(
        None, description="LOW, MEDIUM or HIGH; one or several with commas."
    )
    churn_min: int | None = Field(
        None, ge=0, le=100, description="Clients whose churn risk is known as a band alone are left out."
    )
    churn_max: int | None = Field(None, ge=0, le=100)
    score_min: int | None = Field(None, ge=0, le=100)
    score_max: int | None = Field(None, ge=0, le=100)
    change_max: int | None = Field(
        None, ge=-100, le=100, description="Change of health at most; -10: it fell by 10 points or more."
    )
    no_contact: int | None = Field(None, ge=0, le=3650, description="Days since the last contact, at least.")
    quiet: int | None = Field(None, ge=0, le=3650, description="Days since the last usage, at least.")
    follow_up: Literal["overdue", "week"] | None = Field(None, description="week: due within seven days or overdue.")
    renewal_month: Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])$")] | None = None
    renewal_within: int | None = Field(None, ge=0, le=3650, description="Days from today, both ends included.")
    arr_min: float | None = Field(None, ge=0, le=1e12)
    arr_max: float | None = Field(None, ge=0, le=1e12)
    measure: Annotated[Text, Len(max_length=60)] | None = Field(
        None, description="A custom measure; only clients with a value, within the limits where they are given."
    )
    measure_min: float | None = Field(None, ge=-1e15, le=1e15)
    measure_max: float | None = Field(None, ge=-1e15, le=1e15)
    view: ViewWord | None = Field(
        None, description="A view there always is, or the id of a saved one; what is given besides goes first."
    )
    sort: SortWord = Field(
        "-priority",
        description=f"{', '.join(SORTS)}, or m. and the slug of a custom measure; - in front: descending. Clients "
        "without the value come last.",
    )


class Person(Schema):
    """A member of staff."""

    id: UUID
    name: str


class RiskFactorOut(Schema):
    """A reason for concern, found by rule in the client's own figures; the client page shows the same."""

    factor: str
    impact: Impact
    detail: str


class ClientRow(Schema):
    """A client as lists show it. Money is in US dollars a year, scores are 0-100, `churn_risk_score` in percent."""

    id: UUID
    organization_id: str
    name: str
    industry: str | None
    region: str | None
    segment: str | None
    contract_tier: ContractTier
    annual_recurring_revenue: float | None
    current_health_score: int | None
    health_status: HealthStatus | None
    health_trend: HealthTrend | None
    health_trend_change: int | None
    health_coverage: float | None = Field(description="Share of weight that had data, 0-1.")
    health_interval_low: int | None = Field(
        description="The score is not below this, whatever the missing data are; null where nothing is missing."
    )
    health_interval_high: int | None
    health_missing: list[str] = Field(description="Keys of the components without all of their data.")
    health_reason: str | None = Field(description="Why there is no score.")
    scored_on: date | None
    churn_risk_score: int | None = Field(
        description="Of leaving within 90 days; null without a prediction and where churn_is_band."
    )
    churn_low: int | None = Field(description="Lower end of its 80 % interval.")
    churn_high: int | None
    churn_category: Literal["LOW", "MEDIUM", "HIGH"] | None
    churn_is_band: bool = Field(description="Too little is known for a figure: the category is all there is.")
    churn_change: int | None = Field(description="Points against four weeks before.")
    churn_reason: str | None = Field(description="The largest factor, in the client's own numbers.")
    next_renewal_date: date | None
    days_to_renewal: int | None
    last_csm_contact_at: datetime | None
    csm: Person | None
    ae: Person | None
    tags: list[str]
    ai_risk_factors: list[RiskFactorOut]


class ClientDetail(ClientRow):
    """Everything about a client but its score's parts."""

    employee_count: int | None
    location: str | None
    country: str | None
    contract_start_date: date | None
    contract_end_date: date | None
    licensed_modules: list[str]
    licensed_user_count: int | None
    payment_status: PaymentStatus | None
    renewal_probability: int | None
    auto_renew: bool | None
    health_components: dict[str, int | None]
    alert_level: AlertLevel
    salesforce_account_id: str | None
    hubspot_company_id: str | None
    crm_sync_enabled: bool
    last_crm_sync_at: datetime | None
    go_live_date: date | None
    last_activity_at: datetime | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class PriorityFactor(Schema):
    """One factor of a client's priority: the client's own figure as text, and what it multiplies by."""

    key: str
    label: str
    figure: str
    value: float


class ListedClient(ClientRow):
    """A client with its place in the order of priority: the product of its factors (docs: the portfolio page)."""

    priority: float
    priority_factors: list[PriorityFactor]


class ClientPage(Schema):
    """One page of clients."""

    data: list[ListedClient]
    pagination: Pagination


class ClientChangeIn(Schema):
    """What to change; fields that are not given stay. Assigning people depends on the role."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    tags: Annotated[list[Annotated[Text, Len(1, 60)]], Len(max_length=50)] = Field([], description="Replaces all tags.")
    segment: Annotated[Text, Len(max_length=100)] = ""
    csm_id: UUID | None = None
    ae_id: UUID | None = None
    alert_level: AlertLevel = AlertLevel.DASHBOARD_ONLY
