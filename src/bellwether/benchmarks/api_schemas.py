"""What the endpoints of benchmarks take and return."""

import datetime
from typing import Annotated
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.common.text import Text


class MetricBenchmark(Schema):
    """A metric of the client among its peers. Quartiles are null while `hidden` says why, or where not reached yet."""

    metric: str
    label: str
    unit: str = Field(description="points, percent (0-100), number or days.")
    lower_is_better: bool
    value: float | None
    not_reached: bool = Field(description="Time to value has not been reached yet; it counts as the worst.")
    peers: int = Field(description="Peers that report the metric.")
    percentile: float | None = Field(description="Rank percentile 0-100, higher is better.")
    p25: float | None
    median: float | None
    p75: float | None
    mean: float | None
    minimum: float | None = Field(description="Only for roles that see all clients.")
    maximum: float | None = Field(description="Only for roles that see all clients.")
    gap: float | None = Field(description="Client less median, in the unit.")
    gap_points: float | None = Field(description="Percentile less 50.")
    to_median: str
    hidden: str


class LargerGroup(Schema):
    """A group that can be shown instead."""

    cohort: str
    label: str
    peers: int


class ClientBenchmark(Schema):
    """A client against a group. `locked` says why nothing is shown; `peers_needed` how many peers are missing."""

    client_id: UUID
    cohort: str
    title: str
    date: datetime.date | None = Field(description="Day of the figures.")
    peers: int
    locked: str
    peers_needed: int
    nearest_larger: LargerGroup | None
    metrics: list[MetricBenchmark]


class IndustryMetric(Schema):
    """What an industry comes to in a metric; nulls and `hidden` where it may not be shown."""

    metric: str
    label: str
    unit: str
    clients: int
    average: float | None
    p25: float | None
    median: float | None
    p75: float | None
    minimum: float | None = Field(description="Only for roles that see all clients.")
    maximum: float | None = Field(description="Only for roles that see all clients.")
    hidden: str


class IndustryPoint(Schema):
    """The median and mean health on the last night of a month."""

    date: datetime.date
    clients: int
    median: float | None
    average: float | None


class IndustryBenchmark(Schema):
    """An industry. `churn_rate` is churned over clients at the start of the last 12 months, 0-1, of `churn_clients`."""

    industry: str
    date: datetime.date | None
    clients: int
    metrics: list[IndustryMetric]
    churn_rate: float | None
    churn_clients: int | None
    trend: list[IndustryPoint]
    hidden: str


FILTERS = (
    "Attribute to values: tier, industry, size (smb, midmarket, enterprise), tenure (first-year, one-to-three, "
    "longer), region, segment, tag."
)


class CohortIn(Schema):
    """A group to be saved."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[Text, Len(max_length=500)]
    filters: dict[str, list[Text]] = Field(description=FILTERS)
    is_shared: bool = False


class CohortOut(Schema):
    """A saved group. `clients` is how many are in it now."""

    id: UUID
    name: str
    filters: dict[str, list[str]]
    is_shared: bool
    is_own: bool
    owner: str
    clients: int
    updated_at: datetime.datetime
    archived_at: datetime.datetime | None


class CohortList(Schema):
    """Saved groups by name."""

    data: list[CohortOut]
