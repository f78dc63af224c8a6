"""What the endpoints of configurations of the health score take and return."""

import datetime
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.common.text import Text

Weight = Annotated[float | None, Field(ge=0, le=100)]
Limit = Annotated[int | None, Field(ge=0, le=100)]


class HealthConfigIn(Schema):
    """A new version. What is left out stays as in the version it is based on; a whole `definition` replaces that."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[Text, Len(max_length=120)] = ""
    description: Annotated[Text, Len(max_length=2000)] = ""
    reason: Annotated[Text, Len(max_length=300)] = ""
    applies_to_tier: str | None = Field(None, description="STARTER, PROFESSIONAL, ENTERPRISE or CUSTOM; null: all.")
    applies_to_segment: str | None = Field(None, description="Null: all segments.")
    applies_to_client_id: UUID | None = Field(None, description="One client; at most one of the three is given.")
    usage_weight: Weight = None
    adoption_weight: Weight = None
    support_weight: Weight = None
    relationship_weight: Weight = None
    contract_weight: Weight = None
    outcome_weight: Weight = None
    healthy_threshold: Limit = None
    monitor_threshold: Limit = None
    at_risk_threshold: Limit = None
    weights: dict[str, float] | None = Field(None, description="Component to weight, for scorecards of other parts.")
    definition: dict[str, Any] | None = Field(None, description="See docs/reference/scorecards.md.")


class HealthConfigReason(Schema):
    """Why what is in force changes."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[Text, Len(max_length=300)]


class HealthConfigActivation(HealthConfigReason):
    """Why a version comes into force, and from which day on scores are made anew with it; without one, today."""

    since: datetime.date | None = None


class HealthConfigOut(Schema):
    """A version of a scorecard. The `..._weight` of components that it does not have are null.

    `is_active`: in force now; `is_draft`: never was.
    """

    id: UUID
    scorecard: str
    version: int
    name: str
    description: str
    applies_to_tier: str | None
    applies_to_segment: str | None
    applies_to_client_id: UUID | None
    scope: str = Field(description="In words.")
    usage_weight: float | None
    adoption_weight: float | None
    support_weight: float | None
    relationship_weight: float | None
    contract_weight: float | None
    outcome_weight: float | None
    healthy_threshold: int
    monitor_threshold: int
    at_risk_threshold: int
    components: dict[str, float] = Field(description="Weight by component.")
    definition: dict[str, Any]
    digest: str
    is_active: bool
    is_default: bool
    is_draft: bool
    previous_version_id: UUID | None
    reason: str
    activated_at: datetime.datetime | None = Field(description="When it last came into force.")
    created_at: datetime.datetime
    updated_at: datetime.datetime = Field(description="As created_at: a version never changes.")
    created_by_id: UUID | None


class HealthConfigList(Schema):
    """The versions of a scorecard, newest first."""

    scorecard: str
    data: list[HealthConfigOut]


class HealthConfigDifference(Schema):
    """What changes from the version `against` to the one asked for, a phrase each."""

    id: UUID
    against_id: UUID
    differences: list[str]
