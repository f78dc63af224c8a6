"""What the health endpoints take and return. Names are those of PRD-015's API."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from bellwether.common.models import JobState
from bellwether.common.paging import MOST_PER_PAGE, PageQuery, Pagination
from bellwether.health.levels import Level
from bellwether.portfolio.choices import HealthStatus, HealthTrend


class ComponentOut(Schema):
    """A component: half-up score 0-100, null without data; good from 75, fair from 60."""

    score: int | None
    weight: float
    status: Level | None


class ComponentDataOut(Schema):
    """What a component rests on."""

    coverage: float = Field(description="Share of the component's formula that had data, 0-1.")
    as_of: date | None = Field(None, description="Day of the newest record behind it.")
    stale_days: int | None = None
    reason: str = Field("", description="What is missing.")


class BenchmarksOut(Schema):
    """Peers' average and the client's percentile, 0-100; null under five peers."""

    tier_average: int | None
    tier_percentile: int | None
    industry_average: int | None
    industry_percentile: int | None


class DriverOut(Schema):
    """A part of the change of the score. `kind`: data, lost, gained, late, configuration or other."""

    kind: str
    component: str = Field(description="Key of the component, empty for what is none's.")
    label: str
    points: float = Field(description="Points of the score; the drivers add up to its change.")
    sentence: str = Field(description="The driver with the client's own numbers.")


class HealthOut(Schema):
    """The current health of a client with everything that explains it."""

    client_id: UUID
    scorecard: str
    scored_on: date | None
    overall_score: int | None
    health_status: HealthStatus | None
    health_trend: HealthTrend | None
    trend_change: int | None
    trend_period: str
    components: dict[str, ComponentOut]
    benchmarks: BenchmarksOut
    drivers: list[DriverOut] = Field(description="What the score changed by since `drivers_since`, largest first.")
    drivers_since: date | None = Field(description="The oldest score of the last 30 days, at least 7 days back.")
    ai_analysis: str = Field(description="Made by rule from the figures below.")
    ai_recommended_actions: list[str]
    coverage: float = Field(description="Share of weight that had data, 0-1.")
    component_data: dict[str, ComponentDataOut] = Field({}, description="What each component rests on.")
    interval_low: int | None = Field(None, description="The score is not below this, whatever the missing data are.")
    interval_high: int | None = None
    no_score_reason: str | None
    inputs: dict[str, Any] = Field(description="The measures that the score was made from.")
    weights_version: str | None


class Step(StrEnum):
    """How dense a history is: every day, or the last scored day of each week (from Monday) or month."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class HealthQuery(Schema):
    """Which scorecard; by default the workspace's main one."""

    scorecard: str = Field("", max_length=60, description="One of the scorecards in use, default the main one.")


class HistoryQuery(PageQuery):
    """Days from `from` to `to`, both included; by default the last 90."""

    limit: int = Field(MOST_PER_PAGE, ge=1, le=MOST_PER_PAGE)
    from_date: date | None = Field(None, alias="from")
    to_date: date | None = Field(None, alias="to")
    scorecard: str = Field("", max_length=60, description="One of the scorecards in use, default the main one.")
    step: Step = Field(Step.DAY, description="day, or the last scored day of each week or month.")


class HealthDay(Schema):
    """The score of one day."""

    date: date
    overall_score: int | None
    health_status: HealthStatus | None
    usage_score: int | None
    adoption_score: int | None
    support_score: int | None
    relationship_score: int | None
    contract_score: int | None
    outcome_score: int | None
    components: dict[str, int | None]
    coverage: float
    weights_version: str
    weights_snapshot: dict[str, float]
    notable_events: list[str]


class HistoryPage(Schema):
    """Days, oldest first."""

    data: list[HealthDay]
    pagination: Pagination


class RefreshOut(Schema):
    """The job that makes the score again."""

    job_id: UUID
    state: JobState
    url: str


class SourceOut(Schema):
    """A figure that a sentence rests on."""

    name: str
    value: Any


class SentenceOut(Schema):
    """One sentence with its figures."""

    text: str
    sources: list[SourceOut]


class SummaryOut(Schema):
    """What the figures say about a client, in sentences made by rule."""

    client_id: UUID
    ai_summary: str
    ai_summary_generated_at: datetime
    scored_on: date | None
    sentences: list[SentenceOut]
