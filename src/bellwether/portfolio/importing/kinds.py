"""What a kind of record is to the importer: its fields, its natural key, and how a parsed row becomes a row of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Model

from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.values import BOOLEAN, Reading, text
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import StaffUser

CLIENT_ID_ALIASES = (
    "clientid",
    "accountid",
    "customerid",
    "companyid",
    "tenantid",
    "orgid",
    "groupid",
    "contextgroupid",
    "workspaceid",
    "organisationid",
    "organization",
    "account",
    "customer",
    "client",
    "tenant",
    "whatid",
)


class RowError(Exception):
    """A row cannot become a record; the text is the reason shown to the operator."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How an import runs. `pseudonym` turns the id of a platform user into its key; `now` is the import's clock."""

    now: datetime
    today: date
    reading: Reading = field(default_factory=Reading)
    dry_run: bool = False
    create_clients: bool = False
    pseudonym: Callable[[str], str] = lambda user_id: ""


@dataclass(frozen=True, kw_only=True)
class Lookups:
    """What the rows of a chunk refer to: staff by e-mail, and contacts of the chunk's clients by e-mail."""

    staff: Mapping[str, StaffUser]
    contacts: Mapping[tuple[UUID, str], Contact]


@dataclass(frozen=True, kw_only=True)
class RowContext:
    """What `prepare` may look at besides the row's own values. `client` is None for the kind clients."""

    client: Client | None
    given: frozenset[str]
    lookups: Lookups
    options: ImportOptions

    def contact(self, email: str) -> Contact | None:
        """Return the client's contact with this e-mail address, None if there is none."""
        return self.lookups.contacts.get((self.client.pk, email.lower())) if self.client else None


@dataclass(kw_only=True)
class Prepared:
    """A row as our columns: those it says, those that only a new record gets, and what it is linked with."""

    columns: dict[str, Any]
    on_create: dict[str, Any] = field(default_factory=dict)
    links: list[Any] | None = None


Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of record that can be imported.

    `identity` are the fields of the derived external id when the source gives none; with `repeats`, rows that agree in
    them are different records and are told apart by their order. `unique` are columns that no two records of a client
    share. `affected` returns the first day whose scores a record can change, None for every day. `infer` returns
    constants that the names of the mapped columns give away, such as the kind of survey.
    """

    name: str
    about: str
    model: type[Model]
    fields: tuple[Field, ...]
    prepare: Callable[[Values, RowContext], Prepared]
    affected: Callable[[Any], date | None]
    key_text: str
    identity: tuple[str, ...] = ()
    repeats: bool = False
    unique: tuple[str, ...] = ()
    link: Literal["", "tags", "client_contacts"] = ""
    infer: Callable[[dict[str, str]], dict[str, str]] = lambda columns: {}
    notices: Callable[[tuple[str, ...]], list[str]] = lambda ignored: []
    needs_contacts: bool = False
    key_column: str = "external_id"


def client_field() -> Field:
    """Return the field that names the client of a record."""
    return Field(
        name="organization_id",
        parser=text(200),
        required=True,
        aliases=(*CLIENT_ID_ALIASES, "company", "accountname", "companyname"),
        about="The client: its organization id, else its Salesforce or HubSpot id, else its name.",
    )


def external_id_field(*aliases: str) -> Field:
    """Return the field of the record's id in the system it comes from."""
    return Field(
        name="external_id",
        parser=text(200),
        aliases=(*aliases, "id"),
        about="The record's id in its source; derived from other fields when empty.",
    )


def deleted_field() -> Field:
    """Return the field by which a source says that it no longer has the record."""
    return Field(
        name="is_deleted",
        parser=BOOLEAN,
        aliases=("isarchived", "archived", "deleted", "fivetrandeleted"),
        about="Deleted in the source.",
    )


def archived(values: Values, context: RowContext, stored: datetime | None = None) -> dict[str, Any]:
    """Return the archived_at that a row with `is_deleted` asks for; the importer keeps an earlier instant."""
    if "is_deleted" not in context.given:
        return {}
    return {"archived_at": context.options.now if values["is_deleted"] else None}


def refuse_deleted(values: Values) -> None:
    """Raise RowError for a record that its source has deleted, of a kind that cannot be archived."""
    if values.get("is_deleted"):
        raise RowError("is_deleted: the source has deleted this record")


def staff_member(values: Values, name: str, context: RowContext) -> StaffUser | None:
    """Return the member of staff whose e-mail `values[name]` is; None if empty. Raises RowError for a stranger."""
    email = values.get(name)
    if not email:
        return None
    user = context.lookups.staff.get(email)
    if user is None:
        raise RowError(f"{name} '{email}' is nobody on staff (add them with: bellwether user add)")
    return user


def only_given(values: Values, context: RowContext, *names: str) -> dict[str, Any]:
    """Return those of `names` that this import says something about."""
    return {name: values[name] for name in names if name in context.given}


def day_of_instant(instant: datetime) -> date:
    """Return the UTC day of an instant less one, so that no workspace zone makes it too late a day to recompute."""
    return date.fromordinal(instant.astimezone(UTC).date().toordinal() - 1)
