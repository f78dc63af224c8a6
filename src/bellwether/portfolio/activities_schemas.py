"""What the activity endpoints take and return. Names and values are those of PRD-015 (ClientActivity)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import AwareDatetime, ConfigDict

from bellwether.common.paging import PageQuery, Pagination
from bellwether.common.text import Text
from bellwether.portfolio.activity_fields import LONGEST_MINUTES, LONGEST_TAG, LONGEST_TEXT, MOST_TAGS
from bellwether.portfolio.choices import ActivityOutcome, ActivityType

LONGEST_NOTES = 20_000
MOST_PEOPLE = 200
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)
Notes = Annotated[Text, Len(max_length=LONGEST_NOTES)]
Line = Annotated[Text, Len(max_length=300)]
People = Annotated[list[UUID], Len(max_length=MOST_PEOPLE)]
Tag = Annotated[Text, Len(1, LONGEST_TAG)]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Details = Annotated[dict[Text, Annotated[Text, Len(max_length=LONGEST_TEXT)]], Len(max_length=10)]


class FollowUpState(StrEnum):
    """Open: promised and not done. Overdue: open and its date has passed."""

    OPEN = "open"
    OVERDUE = "overdue"


class ActivityState(StrEnum):
    """Whether an activity took place."""

    DONE = "done"
    PLANNED = "planned"


class ActivityFilters(PageQuery):
    """Filters of the list of activities; those given must all hold."""

    activity_type: ActivityType | None = Field(None, alias="type")
    outcome: ActivityOutcome | None = None
    first: Day | None = Field(None, alias="from", description="First workspace day, included.")
    last: Day | None = Field(None, alias="to", description="Last workspace day, included.")
    performed_by: UUID | None = Field(None, description="Id of a member of staff.")
    follow_up: FollowUpState | None = None
    state: ActivityState | None = None
    tag: Tag | None = None


class ActivityFields(Schema):
    """The fields that creating and changing share."""

    model_config = ConfigDict(extra="forbid")

    subject: Line = Field("", description="Brief; without one the type's name.")
    label: Annotated[Text, Len(max_length=60)] = Field("", description="The workspace's own word, such as check-in.")
    description: Notes | None = None
    performed_by_id: UUID | None = Field(None, description="A member of staff; the caller without it.")
    client_contacts: People = Field([], description="Ids of contacts of the client.")
    participants: People = Field([], description="Ids of further members of staff.")
    duration_minutes: int | None = Field(None, ge=1, le=LONGEST_MINUTES)
    outcome: ActivityOutcome | None = None
    outcome_notes: Notes | None = None
    tags: Annotated[list[Tag], Len(max_length=MOST_TAGS)] = []
    next_steps: Notes | None = None
    details: Details = Field(
        {}, description="Fields of the type: meeting_type, decisions, topic, completion; see the guide on activities."
    )
    ticket_id: UUID | None = None
    follow_up_required: bool = False
    follow_up_date: Day | None = Field(None, description="A date makes a follow-up required by itself.")
    follow_up_text: Line | None = None
    follow_up_contact_id: UUID | None = None
    follow_up_remind_on: Day | None = None


class ActivityIn(ActivityFields):
    """An activity that took place at `occurred_at`, or one that is planned for `scheduled_for`: give one of them."""

    activity_type: ActivityType
    occurred_at: AwareDatetime | None = None
    scheduled_for: AwareDatetime | None = None


class ActivityChangeIn(ActivityFields):
    """What to change; fields that are not given stay. `completed` says that a planned activity took place, at
    `occurred_at` or when it was planned; `follow_up_completed` ticks the follow-up off or opens it again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    activity_type: ActivityType = ActivityType.OTHER
    occurred_at: AwareDatetime | None = None
    scheduled_for: AwareDatetime | None = None
    completed: bool = False
    follow_up_completed: bool = False


class PerformedBy(Schema):
    """The member of staff who did it."""

    id: UUID
    name: str


class ActivityOut(Schema):
    """An activity. `completed_at` is null while it is planned; `ai_summary` and `ai_next_steps` are empty until an
    assistant writes them."""

    id: UUID
    client_id: UUID
    activity_type: ActivityType
    label: str | None
    subject: str
    description: str | None
    performed_by: PerformedBy | None
    performed_by_id: UUID | None
    client_contacts: list[UUID]
    participants: list[UUID]
    occurred_at: datetime
    scheduled_for: datetime | None
    completed_at: datetime | None
    duration_minutes: int | None
    outcome: ActivityOutcome | None
    outcome_notes: str | None
    tags: list[str]
    next_steps: str | None
    details: dict[str, Any]
    ticket_id: UUID | None
    follow_up_required: bool
    follow_up_date: date | None
    follow_up_text: str | None
    follow_up_contact_id: UUID | None
    follow_up_remind_on: date | None
    follow_up_completed: bool
    follow_up_completed_at: datetime | None
    salesforce_activity_id: str | None
    hubspot_engagement_id: str | None
    ai_summary: str | None
    ai_next_steps: list[str]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class ActivityPage(Schema):
    """One page of activities, newest first."""

    data: list[ActivityOut]
    pagination: Pagination
