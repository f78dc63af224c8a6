"""What the endpoints of analytics take and return. Money is in dollars, shares are 0-1."""

import datetime
from typing import Literal, cast
from uuid import UUID

from ninja import Field, Schema

from bellwether.analytics.churn_schemas import ExpectedLoss, LossOut
from bellwether.analytics.periods import DEFAULT

PeriodWord = Literal["quarter", "last_quarter", "month", "year", "custom"]
Dimension = Literal["tier", "industry", "csm", "region", "segment"]


class PeriodQuery(Schema):
    """Which days. They are compared with as many days before."""

    period: PeriodWord = Field(
        cast(PeriodWord, DEFAULT), description="quarter, month and year run to today; custom takes from and to."
    )
    first: datetime.date | None = Field(None, alias="from", description="First day of a custom period.")
    last: datetime.date | None = Field(None, alias="to", description="Last day of a custom period, today if not given.")


class AnalyticsQuery(PeriodQuery):
    """Which days, and whose clients."""

    csm_id: UUID | None = Field(None, description="Only clients of this CSM, among those that the caller sees.")


class PortfolioQuery(AnalyticsQuery):
    """Which days, whose clients, and what to break them down by."""

    by: Dimension = "tier"


class PeriodOut(Schema):
    """The days that figures are about. States are those of `last`, compared with those of `before`."""

    period: PeriodWord
    first: datetime.date
    last: datetime.date
    before: datetime.date = Field(description="The day before the first.")
    compared_from: datetime.date = Field(description="First of as many days that end on `before`.")


class StatusCounts(Schema):
    """Clients by health status; NA are those without a score."""

    HEALTHY: int
    MONITOR: int
    AT_RISK: int
    CRITICAL: int
    NA: int


class PortfolioLevel(Schema):
    """A set of clients on one day."""

    clients: int
    scored: int
    average_health: float | None
    by_status: StatusCounts
    arr: float
    at_risk: int = Field(description="Clients that are at risk or critical.")
    arr_at_risk: float
    arr_at_risk_share: float | None


class RetentionOut(Schema):
    """Twelve months of the clients that were there at their start. Rates are null with fewer than five clients, and
    where nothing is recorded that tells who stayed."""

    since: datetime.date
    until: datetime.date
    clients: int
    lost: int
    arr_start: float
    arr_churned: float
    arr_contraction: float
    arr_expansion: float
    gross: float | None
    net: float | None
    logo: float | None
    churn_rate: float | None = Field(description="The past, not a forecast.")


class BreakdownRow(Schema):
    """The clients with one value of the dimension; `value` is empty for those without one."""

    value: str = Field(description="The value that filters the list of clients; a CSM's id for csm.")
    label: str
    now: PortfolioLevel
    before: PortfolioLevel | None


class MovementOut(Schema):
    """Clients of one kind of movement; `arr` is what they had when they left, or have now."""

    clients: int
    arr: float
    client_ids: list[UUID] = Field(description="Those with the most ARR, at most eight.")


class MovementsOut(Schema):
    """How `before` became `now`: ARR before + joined - left + grown - shrunk = ARR now."""

    joined: MovementOut
    left: MovementOut
    fell_to_at_risk: MovementOut
    recovered: MovementOut
    arr_grown: float
    arr_shrunk: float


class AnalyticsPortfolio(Schema):
    """The portfolio that the caller sees, in figures and words."""

    period: PeriodOut
    now: PortfolioLevel
    before: PortfolioLevel | None
    retention: RetentionOut
    retention_before: RetentionOut
    by: Dimension
    breakdown: list[BreakdownRow]
    movements: MovementsOut
    churn_forecast: ExpectedLoss | None = Field(
        description="Of the 90 days after the newest prediction, whatever the period; null before the first one."
    )
    narrative: list[str] = Field(description="Sentences written by rules from these figures.")


class ScoreBin(Schema):
    """Clients with a score of `from_score` to four more; the last bin has 100 too."""

    from_score: int
    clients: int
    clients_before: int | None


class HealthPoint(Schema):
    """The scores of a day."""

    date: datetime.date
    clients: int
    p25: float
    median: float
    p75: float


class HealthDistribution(Schema):
    """Clients by health: bands, bins of five points, and the course of twelve months."""

    period: PeriodOut
    scored: int
    not_scored: int
    by_status: StatusCounts
    bins: list[ScoreBin]
    trend: list[HealthPoint]


class AtRiskClient(Schema):
    """A client that is at risk or critical today."""

    id: UUID
    name: str
    health_score: int | None
    health_status: str
    arr: float | None
    next_renewal_date: datetime.date | None
    csm_id: UUID | None


class AtRiskSummary(Schema):
    """The clients at risk today, those with the most ARR first."""

    clients: int
    arr: float
    share: float | None = Field(description="Of all ARR that the caller sees.")
    data: list[AtRiskClient] = Field(description="At most 200.")


class RenewalMonth(Schema):
    """What is due in a month. `expected` leaves out `without_expectation`; `low` and `high` take the past rates at the
    ends of their 95% intervals."""

    first: datetime.date
    last: datetime.date
    clients: int
    arr: float
    arr_at_risk: float
    arr_by_status: dict[str, float]
    expected: float | None
    low: float | None
    high: float | None
    by_own_probability: float = Field(description="ARR of clients with a renewal probability of their own.")
    by_past_rate: float = Field(description="ARR of clients that the past rate of their status stands for.")
    without_expectation: float


class RenewalRate(Schema):
    """How many terms renewed, by the status 90 days before their end; null with fewer than 20 terms."""

    status: str = Field(description="HEALTHY, MONITOR or BELOW_60 (at risk or critical).")
    terms: int
    renewed: int | None
    share: float | None
    low: float | None
    high: float | None


class RenewalQuarterOut(Schema):
    """What is due in a calendar quarter, the present one from today on, and what the renewal model expects to be lost
    of it. `expected_loss` is null where nothing is foretold, and its mean where too little is known for a figure."""

    name: str
    first: datetime.date
    last: datetime.date
    clients: int
    arr: float
    arr_foretold: float = Field(description="ARR of clients with a renewal risk.")
    arr_far: float = Field(description="Of it, due later than the renewal model has learned from.")
    expected_loss: LossOut | None


class RenewalForecast(Schema):
    """Renewals of the next twelve months and what the expectation rests on. The churn model has a part in `quarters`
    alone."""

    quarters: list[RenewalQuarterOut] = Field(description="Empty before the first prediction.")

    months: list[RenewalMonth]
    total: RenewalMonth
    overdue_clients: int = Field(description="Clients with a renewal date that has passed.")
    rates: list[RenewalRate]


class RateSpread(Schema):
    """The middle of all CSMs in one rate."""

    p25: float
    median: float
    p75: float
    csms: int


class CsmMetricsRow(Schema):
    """One CSM by name. Rates are null where too little is known."""

    csm_id: UUID
    name: str
    team: str
    clients: int
    arr: float
    average_health: float | None
    gross_retention: float | None
    logo_retention: float | None
    nps: float | None
    nps_answers: int
    health_change: float | None
    activities: dict[str, int] = Field(description="Completed in the period, by type.")
    activities_per_client: float | None = Field(description="Per client and 30 days.")
    overdue_follow_ups: int
    expected_churned_arr: float | None = Field(
        description="ARR × 90-day churn probability, summed; null where too little is known."
    )
    alert_response_hours: float | None = Field(
        description="Median of the alerts made in the period; null while none was answered."
    )
    workload: float = Field(description="1 is a full book.")


class VeiledCsm(Schema):
    """Another CSM without a name: the label means nothing and changes. Rates are coarse."""

    label: str
    nps: int | None
    health_change: int | None
    activities_per_client: float | None
    workload: float


class CsmPerformance(Schema):
    """The scorecard as the caller may see it: all by name for the VPs and administrators, the own team for a senior
    CSM, oneself for a CSM; the others without names."""

    period: PeriodOut
    named: list[CsmMetricsRow]
    others: list[VeiledCsm]
    hidden: str = Field(description="Why others are not shown; empty where they are.")
    spreads: dict[str, RateSpread] = Field(description="By rate: gross, stayed, nps, health_change, per_client, "
                                                        "workload.")  # fmt: skip


class CsmMonth(Schema):
    """Activities of a month by type."""

    month: datetime.date
    activities: dict[str, int]


class LostClient(Schema):
    """A client that churned or left within twelve months."""

    id: UUID
    name: str
    arr: float
    date: datetime.date | None


class CsmMetrics(Schema):
    """One CSM with the course of twelve months."""

    period: PeriodOut
    csm: CsmMetricsRow
    spreads: dict[str, RateSpread]
    trend: list[HealthPoint]
    months: list[CsmMonth]
    lost: list[LostClient]
