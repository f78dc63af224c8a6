"""What the usage endpoints take and return. Fields of a day are those of PRD-015's ClientUsageMetric."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from bellwether.usage.unusual_days import Kind


class UsageQuery(Schema):
    """A range: the last 7, 30, 90 or 365 days, or the days from `from` to `to`, both included; by default 30 days."""

    days: Literal["7", "30", "90", "365"] | None = None
    from_date: str = Field("", alias="from", max_length=20)
    to_date: str = Field("", alias="to", max_length=20)


class RangeOut(Schema):
    """Days of the workspace's time zone, both included."""

    first: date
    last: date
    days: int


class UsageDayOut(Schema):
    """One day. Numbers are those of people; service users are left out.

    Counts that the preset does not make are null. `expected_low` and `expected_high` bound the DAU that the days before
    led to expect, null where they do not suffice.
    """

    date: date
    daily_active_users: int
    weekly_active_users: int
    monthly_active_users: int
    total_users: int
    new_users: int
    total_sessions: int
    avg_session_duration_seconds: int | None
    avg_session_depth: float | None
    total_actions: int
    logins: int = Field(description="The preset's login events, or sessions where it names none.")
    cases_created: int | None
    cases_closed: int | None
    reports_run: int | None
    disclosures_submitted: int | None
    policies_viewed: int | None
    chatbot_conversations: int | None
    counts: dict[str, int] = Field(description="All counts of the preset, events of the day.")
    actions_by_hour: list[int] = Field(description="Actions by hour of the workspace's time zone; empty without any.")
    before_first_event: bool
    expected_low: int | None
    expected_high: int | None


class FiguresOut(Schema):
    """Figures of a range; null where there is nothing to say."""

    dau: float | None = Field(description="Mean over the working days of the range.")
    wau: float | None = Field(description="Distinct people in the 7 days to the end of the range.")
    mau: float | None = Field(description="Distinct people in the 30 days to the end of the range.")
    stickiness: float | None = Field(description="Mean DAU over the working days of 30 days / MAU, 0-1.")
    session_minutes: float | None
    session_depth: float | None = Field(description="Actions per session.")
    power_users: float | None = Field(description="The top 20 % by actions in 30 days.")


class UsageSummaryOut(FiguresOut):
    """The figures of the client."""

    modules_used: int
    modules_licensed: int | None
    active_users: int = Field(description="Distinct people in the range.")
    total_users: int


class ComparisonOut(Schema):
    """Something to compare with. `change` is the client's figure against it, -0.4 being 40 % less."""

    against: Literal["own", "tier", "all", "best"]
    label: str
    clients: int = Field(description="Peers it rests on; 0 for the client's own past.")
    values: FiguresOut
    change: FiguresOut
    reason: str | None = Field(description="Why there are no values.")


class RoleOut(Schema):
    """Sessions per active user of a role, in the last 90 days of the range at most."""

    role: str | None
    users: int
    sessions: int
    sessions_per_user: float
    baseline: float | None


class AnomalyOut(Schema):
    """An unusual day; `kind` holiday: explained by a public holiday, not an anomaly."""

    date: date
    kind: Kind
    daily_active_users: int
    expected: float
    expected_low: int
    expected_high: int
    reason: str


class UsageOut(Schema):
    """The usage of a client over a range."""

    client_id: UUID
    range: RangeOut
    baseline_range: RangeOut
    time_zone: str
    first_event_on: date | None
    newest_event_at: datetime | None
    no_events_from_any_client_since: date | None
    data: list[UsageDayOut]
    summary: UsageSummaryOut
    comparisons: list[ComparisonOut]
    sessions_by_role: list[RoleOut]
    anomalies: list[AnomalyOut]


class HeatmapOut(Schema):
    """People's actions by weekday and hour: `data[0]` is Monday, each with 24 hours of the workspace's time zone."""

    client_id: UUID
    range: RangeOut
    time_zone: str
    counted: Literal["actions"]
    data: list[list[int]]
    by_hour: dict[str, int]
    by_day_of_week: dict[str, int]
    total: int
    peak: "PeakOut | None"


class PeakOut(Schema):
    """The hour with most actions."""

    weekday: str
    hour: int
    actions: int
