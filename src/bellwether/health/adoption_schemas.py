"""What the adoption endpoints take and return. Names and words are those of PRD-015 (ClientFeatureAdoption)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema

from bellwether.health.room_to_grow import Rule


class AdoptionStatus(StrEnum):
    """How far a feature is adopted."""

    NOT_LICENSED = "NOT_LICENSED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    NOT_USED = "NOT_USED"
    LIGHT_USE = "LIGHT_USE"
    ACTIVE_USE = "ACTIVE_USE"
    POWER_USE = "POWER_USE"


class UsageTrend(StrEnum):
    """The last 30 days against the 30 before; beyond a tenth it is no longer stable."""

    INCREASING = "INCREASING"
    DECREASING = "DECREASING"
    STABLE = "STABLE"
    NO_USE = "NO_USE"


class FeatureAdoptionOut(Schema):
    """The adoption of one feature by a client."""

    client_id: UUID
    feature_key: str
    feature_name: str
    module: str
    category: str
    is_licensed: bool
    licensed_at: date | None = Field(description="Null: always, or not licensed.")
    is_configured: bool
    configured_at: date | None
    adoption_status: AdoptionStatus | None = Field(description="Null while the client has no events.")
    first_used_at: datetime | None
    last_used_at: datetime | None
    usage_30_days: int
    usage_before_30_days: int = Field(description="Use in the 30 days before those.")
    usage_trend: UsageTrend
    usage_in_period: int = Field(description="Use in the feature's own period.")
    period_days: int
    expected_usage: int | None = Field(description="Uses expected in the period of this tier; null for shares and any.")
    expected_share: float | None = Field(description="The share that should go well, 0-1.")
    share_of_expected: float | None = Field(description="Use, or the share that went well, over what is expected.")
    adoption_percentile: int | None = Field(description="Among the tier's clients, 0-100; null under five peers.")
    peers: int
    peers_using: float | None = Field(description="Share of the peers with any use in the period, 0-1.")


class OpportunityOut(Schema):
    """Room to grow, found by a stated rule."""

    rule: Rule
    feature_key: str | None
    title: str
    text: str
    peers_using: float | None


class AdoptionOut(Schema):
    """The adoption of a client on a day."""

    client_id: UUID
    date: date
    adoption_score: int | None = Field(description="100 × used over licensed features; null without either.")
    features_licensed: int
    features_used: int
    features_tracked: int
    features_adopted: int = Field(description="Features of the catalogue that were ever used.")
    licensed_not_used: int
    licensed_not_used_before: int = Field(description="The same 30 days earlier.")
    adoption_percentile: int | None
    tier_median: int | None
    peers: int
    features: list[FeatureAdoptionOut]
    opportunities: list[OpportunityOut]


class UsePointOut(Schema):
    """The uses of a stretch of days, both included."""

    first: date
    last: date
    uses: int


class FeatureUserOut(Schema):
    """Somebody who uses the feature, by pseudonym."""

    user_key: str
    role: str | None
    is_service: bool
    uses: int
    last_used_at: datetime


class FeatureDetailOut(FeatureAdoptionOut):
    """One feature with its use by day and its users of 30 days."""

    events: list[str | dict[str, str]]
    daily_usage: list[UsePointOut]
    active_users_30_days: int | None = Field(
        description="Null where the raw events are not kept, not all read, or unreadable."
    )
    top_users: list[FeatureUserOut]


class LicenceIn(Schema):
    """What a client has of a feature; fields that are not given stay as they are."""

    is_licensed: bool | None = None
    licensed_at: date | None = None
    is_configured: bool | None = None
    configured_at: date | None = None


class FeatureIn(Schema):
    """A feature of the catalogue."""

    key: str = Field("", description="Made from the name if empty; it never changes.")
    name: str
    module: str = ""
    category: str = ""
    description: str = ""
    events: list[str | dict[str, str]] = Field(
        description='Names, or tables such as {"event": "commit", "feature": "tests"}.'
    )
    target: Literal["expected", "share", "any"] = "expected"
    expected: float | None = Field(None, description="Uses in the period, or a share 0-1.")
    expected_by_tier: dict[str, float] = Field(default_factory=dict)
    within: list[str] = Field(default_factory=list, description="Labels that count as going well, for a share.")
    period: Literal["month", "quarter", "year"] = "month"

    def as_data(self) -> dict[str, Any]:
        """Return the feature as the catalogue checks it."""
        given = self.dict()
        if given["target"] == "any" or given["expected"] is None:
            given.pop("expected")
        return given


class FeatureOut(FeatureIn):
    """A feature as it is stored."""

    key: str
    archived: bool


class FeaturesOut(Schema):
    """The catalogue in its order."""

    data: list[FeatureOut]
