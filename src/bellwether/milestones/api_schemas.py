"""What the milestone endpoints take and return."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema

from bellwether.common.paging import PageQuery, Pagination
from bellwether.common.text import Text


class MilestoneFilters(PageQuery):
    """Filters of the list of milestones; those given must all hold."""

    milestone_type: Annotated[Text, Len(max_length=60)] | None = None
    csm_id: UUID | None = None
    celebrated: bool | None = None
    since: date | None = Field(None, description="Reached on this day or later.")
    until: date | None = Field(None, description="Reached on this day or earlier.")


class MilestoneOut(Schema):
    """A milestone that a client reached. Not `exact`: on `achieved_on` or before it."""

    id: UUID
    client_id: UUID
    client_name: str
    milestone_type: str
    name: str
    sentence: str
    achieved_on: date
    exact: bool
    value: float | None
    target: float | None
    detected_at: datetime
    celebrated: bool
    celebrated_at: datetime | None
    celebrated_by: str | None


class MilestonePage(Schema):
    """One page of milestones, newest first."""

    data: list[MilestoneOut]
    pagination: Pagination


class MilestoneStep(Schema):
    """How far a client is from a milestone; `share` 0-1, `expected_on` where a day can be said."""

    milestone_type: str
    name: str
    value: float
    target: float
    share: float
    expected_on: date | None


class ClientMilestones(Schema):
    """What a client reached, newest first, and its next milestones, nearest first."""

    client_id: UUID
    reached: list[MilestoneOut]
    coming: list[MilestoneStep]
