"""What the operations portal reads of health (seeds 000, 001 and 003). Field names and words are those of its parts."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict, StrictBool

from bellwether.common.text import Text
from bellwether.portfolio.choices import AlertLevel


class PortalTrend(StrEnum):
    """Against the previous stored score: beyond 5 points up or down."""

    IMPROVING = "IMPROVING"
    STABLE = "STABLE"
    DECLINING = "DECLINING"


class PortalRisk(StrEnum):
    """HIGH under 40, or under 60 and declining; MEDIUM under 70, or declining; else LOW."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Light(StrEnum):
    """Green from 80, amber from 60, else red; never green while under half of the weight has data."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class PortalSize(StrEnum):
    """By employees: under 250, to 999, more."""

    ALL = "all"
    ENTERPRISE = "enterprise"
    MIDMARKET = "midmarket"
    SMB = "smb"


class PortalComponents(Schema):
    """Component scores, 0-100; null where there is nothing to make one from."""

    login: int | None
    caseResolution: int | None  # noqa: N815 (the portal's names)
    campaignCompletion: int | None  # noqa: N815
    featureAdoption: int | None  # noqa: N815
    ticketVolume: int | None = Field(description="100 without tickets, 10 less for each of the last 30 days.")  # noqa: N815


NO_DATA = "Components that rest on no data, whatever number the rule gave them."
COVERAGE = "Share of weight that had data, 0-1."


class TenantHealth(Schema):
    """A stored score of an organization. `calculatedAt` lies on the day that the score is of."""

    id: str
    organizationId: str  # noqa: N815
    calculatedAt: datetime  # noqa: N815
    loginScore: int | None  # noqa: N815
    caseResolutionScore: int | None  # noqa: N815
    campaignCompletionScore: int | None  # noqa: N815
    featureAdoptionScore: int | None  # noqa: N815
    supportTicketScore: int | None  # noqa: N815
    overallScore: int | None  # noqa: N815
    trend: PortalTrend | None
    riskLevel: PortalRisk | None  # noqa: N815
    previousScore: int | None  # noqa: N815
    alertLevel: AlertLevel  # noqa: N815
    coverage: float = Field(description=COVERAGE)
    noData: list[str] = Field(description=NO_DATA)  # noqa: N815


class PortalHistoryQuery(Schema):
    """How many days, ending today."""

    days: int = Field(30, ge=1, le=1_096)


class PortalJob(Schema):
    """The job that was asked for; `/api/v1/client-success/jobs/{jobId}` says how far it is."""

    jobId: str  # noqa: N815


class PortalClient(Schema):
    """A client on the console. `trend` is in points against the previous stored score, 0 without one."""

    id: str = Field(description="The organization's id.")
    name: str
    healthScore: int | None  # noqa: N815
    trend: int
    components: PortalComponents
    alertsEnabled: bool = Field(description="Whether the alert level is PROACTIVE.")  # noqa: N815
    lastActivity: datetime | None  # noqa: N815
    light: Light | None
    riskLevel: PortalRisk | None  # noqa: N815
    coverage: float = Field(description=COVERAGE)
    noData: list[str] = Field(description=NO_DATA)  # noqa: N815


class PortalPortfolio(Schema):
    """The clients that the caller sees, by name."""

    clients: list[PortalClient]


class PortalHappening(Schema):
    """Something that happened with a client."""

    timestamp: datetime
    description: str


class PortalClientHealth(PortalClient):
    """One client with what happened lately, newest first."""

    alertLevel: AlertLevel  # noqa: N815
    recentActivity: list[PortalHappening]  # noqa: N815


class AlertsIn(Schema):
    """Whether a client's alerts are proactive."""

    model_config = ConfigDict(extra="forbid")

    enabled: StrictBool


class AlertsOut(Schema):
    """The alert level that holds now."""

    alertsEnabled: bool  # noqa: N815
    alertLevel: AlertLevel  # noqa: N815


class PortalBenchmarkQuery(Schema):
    """The group to compare with; `all` or nothing for any."""

    size: PortalSize = PortalSize.ALL
    industry: Annotated[Text, Len(max_length=100)] = Field(
        "all", description="The name of an industry or its beginning, such as financial."
    )


class PortalSpread(Schema):
    """What a group publishes of a metric. Lowest and highest value only for roles that see all clients."""

    p25: float
    median: float
    p75: float
    peerCount: int  # noqa: N815
    mean: float | None
    min: float | None
    max: float | None


class PortalMetrics(Schema):
    """Percent, 0-100; null where unknown. `caseResolutionDays` does not follow from daily facts and is always null."""

    attestationCompletion: float | None  # noqa: N815
    caseResolutionDays: float | None  # noqa: N815
    loginRate: float | None = Field(description="Users of the last 7 days, of all users.")  # noqa: N815
    featureAdoption: float | None  # noqa: N815


class PortalSpreads(Schema):
    """The spread of each metric, null where it may not be shown."""

    attestationCompletion: PortalSpread | None  # noqa: N815
    caseResolutionDays: PortalSpread | None  # noqa: N815
    loginRate: PortalSpread | None  # noqa: N815
    featureAdoption: PortalSpread | None  # noqa: N815


class PortalBenchmarksOut(Schema):
    """A group, and where the clients that the caller sees stand. Clients are named by their organization's id."""

    peerCount: int  # noqa: N815
    benchmarks: PortalSpreads
    clientMetrics: dict[str, PortalMetrics]  # noqa: N815
    clientPercentiles: dict[str, PortalMetrics] = Field(description="Rank percentiles, 100 is best.")  # noqa: N815
    hidden: str = Field(description="Why the group is not shown; empty if it is.")
    day: date | None = Field(description="The night that the figures are of.")
