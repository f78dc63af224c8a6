"""What the endpoints of contracts, outcomes, tickets and surveys take and return. Money is US dollars a year."""

import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.common.paging import PageQuery, Pagination
from bellwether.common.text import Text
from bellwether.portfolio.choices import (
    ContractTier,
    OutcomeKind,
    OutcomeReason,
    SurveyKind,
    TicketPriority,
    TicketStatus,
)
from bellwether.portfolio.terms import MOST_MODULES, MOST_MONEY, MOST_SEATS
from bellwether.portfolio.ticket_reading import SORTS

Money = Annotated[Decimal | None, Field(None, ge=0, le=MOST_MONEY, decimal_places=2)]
Seats = Annotated[int | None, Field(None, ge=0, le=MOST_SEATS)]
Key = Annotated[Text, Len(max_length=200), Field("", description="Natural key within the client, given by its source.")]
Modules = Annotated[list[Annotated[Text, Len(1, 100)]], Len(max_length=MOST_MODULES)]
ReasonCode = Annotated[
    OutcomeReason | Literal[""],
    Field("", description="Why the term ended. Empty: that of the words of `reason`, where they are known."),
]
Reason = Annotated[Text, Len(max_length=100), Field("", description="Words that add to the code.")]
STRICT = ConfigDict(extra="forbid")
CHANGING = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})


class TermIn(Schema):
    """A term of a contract; its last day is included, null is open-ended."""

    model_config = STRICT

    external_id: Key
    start_date: datetime.date
    end_date: datetime.date | None = None
    annual_recurring_revenue: Money
    contract_tier: ContractTier = ContractTier.CUSTOM
    licensed_user_count: Seats
    licensed_modules: Modules = Field([])
    auto_renew: bool | None = None
    allow_overlap: bool = Field(False, description="Store it although it shares days with another term.")


class TermChangeIn(Schema):
    """What to change of a term; fields that are not given stay."""

    model_config = CHANGING

    start_date: datetime.date = Field(None)  # type: ignore[assignment]
    end_date: datetime.date | None = None
    annual_recurring_revenue: Money
    contract_tier: ContractTier = ContractTier.CUSTOM
    licensed_user_count: Seats
    licensed_modules: Modules = Field([])
    auto_renew: bool | None = None
    allow_overlap: bool = Field(False, description="Store it although it shares days with another term.")


class TermOut(Schema):
    """A term of a contract."""

    id: UUID
    client_id: UUID
    external_id: str
    start_date: datetime.date
    end_date: datetime.date | None
    annual_recurring_revenue: float | None
    contract_tier: ContractTier
    licensed_user_count: int | None
    licensed_modules: list[str]
    auto_renew: bool | None
    is_current: bool = Field(description="Whether this is the term that counts today.")
    created_at: datetime.datetime
    updated_at: datetime.datetime


class TermList(Schema):
    """The terms of a client, oldest first, and what about them needs a look."""

    data: list[TermOut]
    troubles: list[str]


class RenewalIn(Schema):
    """A renewal: the new term and when it was decided."""

    model_config = STRICT

    term: TermIn
    decided_on: datetime.date | None = Field(None, description="Today, or the old term's last day if that is over.")
    reason_code: ReasonCode
    reason: Reason
    notes: Annotated[Text, Len(max_length=10_000)] = ""


class ChurnIn(Schema):
    """That a client leaves; `date` is its last day and may lie ahead."""

    model_config = STRICT

    date: datetime.date
    reason_code: ReasonCode
    reason: Reason
    notes: Annotated[Text, Len(max_length=10_000)] = ""
    archive: bool = False


class OutcomeIn(Schema):
    """How a term ended. Only CHURNED may lie ahead. To renew or to end a contract with its terms, use the endpoints
    for that."""

    model_config = STRICT

    external_id: Key
    outcome: OutcomeKind
    date: datetime.date
    reason_code: ReasonCode
    reason: Reason
    notes: Annotated[Text, Len(max_length=10_000)] = ""
    arr_before: Money
    arr_after: Money


class OutcomeChangeIn(Schema):
    """What to change of an outcome; fields that are not given stay."""

    model_config = CHANGING

    outcome: OutcomeKind = OutcomeKind.RENEWED
    date: datetime.date = Field(None)  # type: ignore[assignment]
    reason_code: ReasonCode
    reason: Reason
    notes: Annotated[Text, Len(max_length=10_000)] = ""
    arr_before: Money
    arr_after: Money


class OutcomeOut(Schema):
    """How a term ended."""

    id: UUID
    client_id: UUID
    external_id: str
    outcome: OutcomeKind
    date: datetime.date
    reason_code: OutcomeReason | Literal[""] = Field(description="Empty where none is known.")
    reason: str
    notes: str
    arr_before: float | None
    arr_after: float | None
    created_at: datetime.datetime
    updated_at: datetime.datetime


class OutcomeList(Schema):
    """The outcomes of a client, newest first."""

    data: list[OutcomeOut]


class TicketIn(Schema):
    """A support ticket. A solved one without `solved_at` is solved now."""

    model_config = STRICT

    external_id: Key
    subject: Annotated[Text, Len(max_length=300)] = ""
    priority: TicketPriority = TicketPriority.NORMAL
    status: TicketStatus = TicketStatus.OPEN
    opened_at: datetime.datetime
    solved_at: datetime.datetime | None = None
    first_response_minutes: int | None = Field(None, ge=0)
    is_escalated: bool = False
    contact_id: UUID | None = None


class TicketChangeIn(Schema):
    """What to change of a ticket; fields that are not given stay. A ticket that is opened again loses `solved_at`."""

    model_config = CHANGING

    subject: Annotated[Text, Len(max_length=300)] = ""
    priority: TicketPriority = TicketPriority.NORMAL
    status: TicketStatus = TicketStatus.OPEN
    opened_at: datetime.datetime = Field(None)  # type: ignore[assignment]
    solved_at: datetime.datetime | None = None
    first_response_minutes: int | None = Field(None, ge=0)
    is_escalated: bool = False
    contact_id: UUID | None = None


class TicketOut(Schema):
    """A support ticket."""

    id: UUID
    client_id: UUID
    external_id: str
    subject: str
    priority: TicketPriority
    status: TicketStatus
    opened_at: datetime.datetime
    solved_at: datetime.datetime | None
    first_response_minutes: int | None
    is_escalated: bool
    contact_id: UUID | None
    created_at: datetime.datetime
    updated_at: datetime.datetime


TicketSort = Annotated[str, Field("urgency", pattern=rf"^-?({'|'.join(SORTS)})$", description=", ".join(SORTS))]


class TicketFilters(PageQuery):
    """Filters of a list of tickets; those given must all hold."""

    status: Annotated[str, Field("", pattern="^(waiting|done|open|pending|solved|closed)?$")]
    priority: TicketPriority | None = None
    escalated: bool = Field(False, description="Only escalated ones.")
    period: int | None = Field(None, ge=1, le=3650, description="Opened in so many days, today included.")
    search: Annotated[Text, Len(max_length=200)] = Field("", description="In subject, external id and client's name.")
    csm_id: UUID | None = None
    sort: TicketSort


class TicketPage(Schema):
    """One page of tickets."""

    data: list[TicketOut]
    pagination: Pagination


class SurveyIn(Schema):
    """An answer to a survey: NPS 0-10, CSAT on `scale`."""

    model_config = STRICT

    external_id: Key
    kind: SurveyKind
    score: float
    scale: Annotated[Text, Len(max_length=12)] = Field("", description="Of a CSAT answer, such as 1-5; empty: 0-100.")
    answered_at: datetime.datetime
    contact_id: UUID | None = None
    respondent: Annotated[Text, Len(max_length=200)] = Field("", description="An id or pseudonym, no e-mail address.")
    comment: Annotated[Text, Len(max_length=20_000)] = ""


class SurveyChangeIn(Schema):
    """What to change of an answer; fields that are not given stay."""

    model_config = CHANGING

    kind: SurveyKind = SurveyKind.NPS
    score: float = 0
    scale: Annotated[Text, Len(max_length=12)] = ""
    answered_at: datetime.datetime = Field(None)  # type: ignore[assignment]
    contact_id: UUID | None = None
    respondent: Annotated[Text, Len(max_length=200)] = ""
    comment: Annotated[Text, Len(max_length=20_000)] = ""


class SurveyOut(Schema):
    """An answer to a survey. `score` is as stored (NPS 0-10, CSAT 0-100), `score_asked` on `scale`."""

    id: UUID
    client_id: UUID
    external_id: str
    kind: SurveyKind
    score: float
    score_asked: float
    scale: str
    answered_at: datetime.datetime
    contact_id: UUID | None
    respondent: str
    comment: str
    created_at: datetime.datetime
    updated_at: datetime.datetime


class SurveyFilters(PageQuery):
    """Filters of a list of answers."""

    kind: SurveyKind | None = None


class SurveyPage(Schema):
    """One page of answers, newest first."""

    data: list[SurveyOut]
    pagination: Pagination


def given(change: Schema) -> dict[str, Any]:
    """Return the fields that the caller has sent."""
    return change.dict(exclude_unset=True)
