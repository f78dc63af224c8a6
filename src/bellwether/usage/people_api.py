"""The people of a client in the staff API (api.md, section 1): the list, and the link to a contact."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Len
from django.conf import settings
from django.core.cache import caches
from django.http import Http404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import MOST_PER_PAGE, PageQuery, Pagination, pagination
from bellwether.common.text import Text
from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContactRole
from bellwether.portfolio.models import Client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.usage.engagement import Engagement
from bellwether.usage.people import Asked, People, Person, people_of
from bellwether.usage.people_activities import Activities, activities_of
from bellwether.usage.people_links import NoSuchContactError, link_contact, unlink_contact
from bellwether.usage.workspace import workspace_lake

router = Router(tags=["usage"])

Segment = Literal["all", "stakeholders", "inactive", "champions", "potential", "declining"]
SortWord = Literal[
    "name", "-name", "role", "-role", "last_login", "-last_login", "sessions", "-sessions", "actions", "-actions",
    "active_days", "-active_days", "status", "-status", "rank", "-rank",
]  # fmt: skip


class UserFilters(PageQuery):
    """Filters of the list of users; those given must all hold."""

    limit: int = Field(50, ge=1, le=MOST_PER_PAGE)
    segment: Segment = Field("all", description="stakeholders: linked to a contact; potential: potential champions.")
    status: Engagement | None = None
    search: Annotated[Text, Len(max_length=100)] | None = Field(
        None, description="Words of the contact's name, or of the pseudonym."
    )
    sort: SortWord = Field("-sessions", description="- in front: descending. Users without the value come last.")


class UserContact(Schema):
    """The contact that a user is linked to."""

    id: UUID
    name: str
    role: ContactRole


class UserRow(Schema):
    """A user of the product at the client. Sums are of the last 30 days; days are days of the workspace."""

    id: str = Field(description="The pseudonym.")
    name: str = Field(description="The linked contact's name, else the short pseudonym: User 4C19.")
    role: str | None
    last_login: datetime | None = Field(description="The last event of the last day with an action.")
    days_since_login: int | None
    first_seen: date | None
    total_sessions: int
    total_actions: int
    previous_actions: int = Field(description="Actions of the 30 days before.")
    active_days: int
    primary_activities: list[str] = Field(description="Up to two modules; empty while they are not known.")
    activity: list[int] = Field(description="30 days, the oldest first: 0 for none, 1 to 5 fifths of a busy day.")
    status: Engagement
    is_inactive: bool = Field(description="No login for 14 days or more.")
    is_stakeholder_inactive: bool = Field(description="That, of a key contact.")
    is_champion: bool = Field(description="Among the most engaged tenth.")
    is_potential_champion: bool
    is_power_user: bool = Field(description="Among the fifth with most actions.")
    contact: UserContact | None


class UserPage(Schema):
    """One page of the users of a client, and how many there are in each segment."""

    data: list[UserRow]
    pagination: Pagination
    segments: dict[Segment, int]


class ContactLinkIn(Schema):
    """Which contact a user is."""

    contact_id: UUID


@router.get(
    "/clients/{client_id}/usage/users",
    response=UserPage,
    operation_id="listClientUsers",
    summary="List the users of a client",
)
def users(request: StaffRequest, client_id: UUID, filters: Query[UserFilters]) -> UserPage:
    """Return one page of the people who use the product at the client, services left out."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    people = _people(client, now)
    asked = Asked(
        segment=filters.segment,
        search=filters.search or "",
        sort=filters.sort,
        page=filters.page,
        limit=filters.limit,
        status=filters.status.value if filters.status else "",
    )
    found = people.page(asked)
    rows = found.rows if filters.page <= found.pages else []
    done = _activities(client, people)
    detail = {"count": len(rows), "total": found.total}
    record(
        actor=request.user,
        action="client.people",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail=detail,
        now=now,
    )
    return UserPage(
        data=[_row(person, done) for person in rows],
        pagination=pagination(page=filters.page, limit=filters.limit, total=found.total),
        segments={name: int(count) for name, count in found.counts.items()},  # type: ignore[misc]
    )


@router.put(
    "/clients/{client_id}/usage/users/{user}/contact",
    response=UserRow,
    operation_id="linkClientUser",
    summary="Link a user to a contact",
)
def link(request: StaffRequest, client_id: UUID, user: str, body: ContactLinkIn) -> UserRow:
    """Link the user to a contact of the client and return the user. A user has one contact, a contact one user."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    somebody = _somebody(client, user, now)
    try:
        link_contact(client, somebody, body.contact_id, actor=request.user, now=now)
    except NoSuchContactError as error:
        raise InvalidInputError(str(error), {"contact_id": str(error)}) from error
    return _answer(client, user, now)


@router.delete(
    "/clients/{client_id}/usage/users/{user}/contact",
    response=UserRow,
    operation_id="unlinkClientUser",
    summary="Unlink a user from its contact",
)
def unlink(request: StaffRequest, client_id: UUID, user: str) -> UserRow:
    """Take the link away, if there is one, and return the user."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    unlink_contact(client, _somebody(client, user, now), actor=request.user, now=now)
    return _answer(client, user, now)


def _people(client: Client, now: datetime) -> People:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return people_of(client, lake=workspace_lake(), today=day_of(now, zone), zone=zone, cache=caches["memory"])


def _somebody(client: Client, user: str, now: datetime) -> Person:
    found = _people(client, now).one(user)
    if found is None:
        raise Http404
    return found


def _answer(client: Client, user: str, now: datetime) -> UserRow:
    people = _people(client, now)
    somebody = people.one(user)
    if somebody is None:
        raise Http404
    return _row(somebody, _activities(client, people))


def _activities(client: Client, people: People) -> Activities:
    return activities_of(client, lake=workspace_lake(), today=people.today, cache=caches["memory"])


def _row(person: Person, activities: Activities) -> UserRow:
    contact = person.contact
    return UserRow(
        id=person.user_key,
        name=person.name,
        role=person.role or None,
        last_login=person.last_login_at,
        days_since_login=person.days_since_login,
        first_seen=person.first_seen,
        total_sessions=person.sessions,
        total_actions=person.actions,
        previous_actions=person.actions_before,
        active_days=person.active_days,
        primary_activities=list(activities.by_user.get(person.user_key, ())),
        activity=person.levels,
        status=person.status,
        is_inactive=person.status == Engagement.INACTIVE,
        is_stakeholder_inactive=person.is_stakeholder_inactive,
        is_champion=person.is_champion,
        is_potential_champion=person.is_potential_champion,
        is_power_user=person.is_power_user,
        contact=UserContact(id=contact.id, name=contact.name, role=ContactRole(contact.role)) if contact else None,
    )
