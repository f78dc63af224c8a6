"""What the alert endpoints take and return. Field names are those of PRD-015's ClientAlert."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import AwareDatetime, ConfigDict, model_validator

from bellwether.alerts.handling import LONGEST_NOTE, MOST_AT_ONCE
from bellwether.common.paging import PageQuery, Pagination
from bellwether.common.text import Text

Status = Literal["NEW", "ACKNOWLEDGED", "SNOOZED", "DISMISSED", "RESOLVED"]
Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW"]
Type = Literal[
    "HEALTH_DROP", "CRITICAL_HEALTH", "KEY_USER_INACTIVE", "CHAMPION_RISK", "SUPPORT_SPIKE", "USAGE_DECLINE",
    "FEATURE_ABANDONED", "RENEWAL_APPROACHING", "CONTRACT_UTILIZATION_LOW", "NPS_DETRACTOR", "PAYMENT_ISSUE",
]  # fmt: skip
Sort = Literal["priority", "-created_at", "created_at", "respond_by", "-arr"]
Note = Annotated[Text, Len(max_length=LONGEST_NOTE)]


class AlertFilters(PageQuery):
    """Filters of a client's alerts; those given must all hold, of several words one."""

    status: list[Status] = []
    severity: list[Severity] = []
    alert_type: list[Type] = []
    silent: bool = Field(False, description="Also alerts that nobody was told about, such as of muted clients.")
    sort: Sort = Field("priority", description="priority: severity, then ARR, then age.")


class AlertListFilters(AlertFilters):
    """Filters of all alerts."""

    client_id: UUID | None = None
    csm_id: UUID | None = Field(None, description="CSM of the client.")
    assigned_to_id: UUID | None = None
    search: Annotated[Text, Len(max_length=200)] = Field("", description="In the client's name or the title.")


class AlertOut(Schema):
    """An alert. `evidence` holds the numbers behind it; `ended_on` is the day on which the condition cleared."""

    id: UUID
    client_id: UUID
    client_name: str
    alert_type: str
    severity: str
    title: str
    description: str
    trigger_metric: str | None
    trigger_value: str | None
    trigger_threshold: str | None
    related_entity_type: str | None
    related_entity_id: str | None
    evidence: dict[str, Any]
    root_cause: str | None
    ai_analysis: str | None
    ai_recommended_action: str | None
    arr: Decimal | None
    status: str
    assigned_to_id: UUID | None
    respond_by: datetime | None
    first_response_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by_id: UUID | None
    snoozed_until: datetime | None
    dismissed_at: datetime | None
    dismissed_by_id: UUID | None
    resolved_at: datetime | None
    resolved_by_id: UUID | None
    resolution_notes: str | None
    opened_on: date
    last_fired_on: date
    times_fired: int
    ended_on: date | None
    is_silent: bool
    created_at: datetime
    updated_at: datetime


class AlertPage(Schema):
    """One page of alerts."""

    data: list[AlertOut]
    pagination: Pagination


class AlertEventOut(Schema):
    """Something that happened to an alert; `actor` is null where the product did it."""

    kind: str
    at: datetime
    actor: str | None
    detail: dict[str, Any]


class AlertAdviceOut(Schema):
    """What to do about an alert and why, by rule, with points for the talk."""

    action: str
    reason: str
    points: list[str]
    contact_id: UUID | None
    mail_subject: str
    mail_text: str


class AlertDetailOut(AlertOut):
    """An alert with what happened to it, newest first, and what to do."""

    events: list[AlertEventOut]
    advice: AlertAdviceOut


class SnoozeIn(Schema):
    """Until when: an instant with its offset, or days that keep your time of day, across changes of the clocks too."""

    model_config = ConfigDict(extra="forbid")

    until: AwareDatetime | None = None
    days: Literal[1, 7] | None = None

    @model_validator(mode="after")
    def _one(self) -> "SnoozeIn":
        if (self.until is None) == (self.days is None):
            raise ValueError("Give either until or days.")
        return self


class DismissIn(Schema):
    """Why an alert is put away for the rest of its episode."""

    model_config = ConfigDict(extra="forbid")

    reason: Note = ""


class ResolveIn(Schema):
    """What settled it."""

    model_config = ConfigDict(extra="forbid")

    resolution_notes: Note = ""


class AssignIn(Schema):
    """Who sees to it; null for nobody in particular."""

    model_config = ConfigDict(extra="forbid")

    assigned_to_id: UUID | None


class AlertsBulkIn(Schema):
    """The same for several alerts: those whose state does not allow it are left and told."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Len(1, MOST_AT_ONCE)]
    action: Literal["acknowledge", "snooze", "dismiss", "resolve", "reopen", "assign"]
    until: AwareDatetime | None = None
    days: Literal[1, 7] | None = None
    reason: Note = ""
    resolution_notes: Note = ""
    assigned_to_id: UUID | None = None

    @model_validator(mode="after")
    def _complete(self) -> "AlertsBulkIn":
        if self.action == "snooze" and (self.until is None) == (self.days is None):
            raise ValueError("Give either until or days with snooze.")
        return self


class AlertsBulkOut(Schema):
    """What was done. `left` says why others stayed as they are; `change_id` names the change, which its maker may
    undo."""

    changed: int
    left: list[str]
    change_id: UUID | None
    data: list[AlertOut]
