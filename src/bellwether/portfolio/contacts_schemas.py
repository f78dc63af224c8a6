"""What the endpoints of contacts and notes take and return. Names and values are those of PRD-015."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.common.paging import MOST_PER_PAGE, PageQuery, Pagination
from bellwether.common.text import Text
from bellwether.portfolio.choices import ContactRole, EngagementStatus, NoteType

ContactSort = Literal[
    "name", "-name", "role", "-role", "engagement", "-engagement", "last_login", "-last_login",
    "last_contact", "-last_contact",
]  # fmt: skip
REVEAL = "true: e-mail and phone in clear. This is written to the access log."


class ContactFilters(PageQuery):
    """Filters of the list of contacts; those given must all hold."""

    limit: int = Field(50, ge=1, le=MOST_PER_PAGE)
    state: Literal["there", "left", "archived"] | None = Field(None, description="Without: there and left.")
    role: ContactRole | None = None
    part: Literal["primary", "billing", "technical"] | None = None
    engagement_status: EngagementStatus | None = None
    search: Annotated[Text, Len(max_length=200)] | None = Field(None, description="Words of name, title and role.")
    sort: ContactSort = Field("name", description="- in front: descending. Contacts without the value come last.")
    reveal: bool = Field(False, description=REVEAL)


class ContactOut(Schema):
    """A stakeholder at a client."""

    id: UUID
    client_id: UUID
    name: str
    email: str | None = Field(description="Masked, m•••@cobalt.example, unless revealed.")
    phone: str | None = Field(description="Masked, ••• 42, unless revealed.")
    title: str | None
    role: ContactRole
    is_primary: bool
    is_billing: bool
    is_technical: bool
    last_platform_login: datetime | None
    last_csm_contact: datetime | None
    engagement_status: EngagementStatus | None
    user_id: str | None = Field(description="The pseudonym of the platform user that the contact is.")
    salesforce_contact_id: str | None
    hubspot_contact_id: str | None
    notes: str | None
    is_active: bool
    known_since: date | None
    left_company_at: datetime | None
    archived_at: datetime | None
    merged_into_id: UUID | None
    created_at: datetime
    updated_at: datetime


class ContactPage(Schema):
    """One page of the contacts of a client."""

    data: list[ContactOut]
    pagination: Pagination


class ContactFieldsIn(Schema):
    """Fields of a contact; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    email: Text | None = Field(None, description='"" takes it away. The masked form is refused.')
    phone: Text | None = None
    title: Text | None = None
    role: ContactRole | None = None
    is_primary: bool | None = Field(None, description="true: the client's other contacts stop being it.")
    is_billing: bool | None = None
    is_technical: bool | None = None
    engagement_status: EngagementStatus | None = Field(
        None, description="Of a contact who is linked to a platform user, the next measurement says it anew."
    )
    salesforce_contact_id: Text | None = None
    hubspot_contact_id: Text | None = None
    notes: Text | None = None
    known_since: date | None = None


class ContactIn(ContactFieldsIn):
    """A new contact."""

    name: Text


class ContactChangeIn(ContactFieldsIn):
    """What to change of a contact."""

    left_company_at: date | None = Field(None, description="The day on which the contact left; null: is back.")
    archived_at: None = Field(None, description="null: restored from the archive.")


class NoteFilters(PageQuery):
    """Filters of the list of notes; those given must all hold."""

    limit: int = Field(50, ge=1, le=MOST_PER_PAGE)
    scope: Literal["all", "mine", "private", "pinned", "archived"] = Field(
        "all", description="private: your own private notes; archived: only those."
    )
    note_type: NoteType | None = None
    search: Annotated[Text, Len(max_length=200)] | None = Field(None, description="Words of title and content.")


class NoteAuthor(Schema):
    """Who wrote a note."""

    id: UUID
    name: str


class NoteOut(Schema):
    """A note about a client; private ones exist for their author alone."""

    id: UUID
    client_id: UUID
    title: str | None
    content: str = Field(description="Markdown.")
    content_html: str = Field(description="The content as HTML that is safe to place in a page.")
    note_type: NoteType
    is_private: bool
    is_pinned: bool
    created_by_id: UUID
    created_by: NoteAuthor
    version: str = Field(description="Send it with a change, so that nobody's words are overwritten unseen.")
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class NotePage(Schema):
    """One page of the notes of a client: pinned first, then the newest."""

    data: list[NoteOut]
    pagination: Pagination


class NoteFieldsIn(Schema):
    """Fields of a note; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: Text | None = None
    content: Text | None = Field(None, description="Markdown, at most 20,000 characters.")
    note_type: NoteType | None = None
    is_private: bool | None = Field(None, description="true: for the author alone.")
    is_pinned: bool | None = None


class NoteIn(NoteFieldsIn):
    """A new note."""

    content: Text


class NoteChangeIn(NoteFieldsIn):
    """What to change of a note."""

    archived_at: None = Field(None, description="null: restored from the archive.")
    version: str | None = Field(
        None, max_length=40, description="The version that the change was made from; another one stored is a 409."
    )
