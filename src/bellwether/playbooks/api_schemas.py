"""What the endpoints of playbooks take and return."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema

from bellwether.playbooks.choices import PlaybookState


class PlaybookOut(Schema):
    """A playbook in words; `version` is the number of the version in force, `under_way` counts clients that you see."""

    id: UUID
    key: str
    name: str
    description: str
    state: PlaybookState
    version: int | None
    owner: str | None
    trigger: str
    outcome: str
    hold_out: int = Field(description="Percent of the enrolled clients that are held out.")
    under_way: int
    started_at: datetime | None
    paused_at: datetime | None


class PlaybookWords(Schema):
    """What a playbook does, in sentences."""

    trigger: str
    conditions: list[str]
    steps: list[str]
    exit: str
    caps: str
    outcome: str
    hold_out: str


class PlaybookDetail(PlaybookOut):
    """A playbook with its definition (docs/reference/playbook-definition.md) and the same in words."""

    definition: dict[str, Any]
    words: PlaybookWords


class PlaybookList(Schema):
    """All playbooks that are not archived, by name."""

    data: list[PlaybookOut]


class FirstStepOut(Schema):
    """What would happen first for a client; `problem` says why it would fail, empty where it would not."""

    kind: str
    title: str
    words: str
    due_at: datetime
    contact_id: UUID | None
    contact_name: str | None
    subject: str
    text: str
    problem: str


class WouldEnrolOut(Schema):
    """A client that would be enrolled now, in its arm (empty where it is not drawn yet)."""

    client_id: UUID
    client_name: str
    reason: str
    arm: str
    first_step: FirstStepOut | None


class WouldNotOut(Schema):
    """A client that meets the trigger and would not be enrolled."""

    client_id: UUID
    client_name: str
    reason: str
    why: str = Field(description="condition, under_way, enrolled, running or quiet.")
    detail: str


class DryRunOut(Schema):
    """What a playbook would do now for the clients that you see. Nothing is stored or sent."""

    clients: int
    meeting: int
    hold_out: int
    enrolled: list[WouldEnrolOut]
    others: list[WouldNotOut]


class EnrolIn(Schema, extra="forbid"):
    """Clients to enrol by hand."""

    client_ids: Annotated[list[UUID], Len(min_length=1, max_length=200)]


class EnrolledOut(Schema):
    """What came of enrolling a client: its enrolment, or why there is none."""

    client_id: UUID
    client_name: str
    enrolment_id: UUID | None
    arm: str
    reason: str


class EnrolOut(Schema):
    """What came of each client, in the order asked for."""

    data: list[EnrolledOut]
