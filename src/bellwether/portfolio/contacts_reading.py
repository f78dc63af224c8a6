"""Reads of contacts: filtered, sorted, one of them, when each was last met, and the client's stakeholder map."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Max, Q, QuerySet
from django.shortcuts import get_object_or_404

from bellwether.common.time import day_of
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.contact_duplicates import Named, Pair, duplicates
from bellwether.portfolio.contacting import gone
from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.portfolio.stakeholder_map import Stakeholder, StakeholderMap, stakeholder_map
from bellwether.staff.models import StaffUser

STATES = ("there", "left", "archived")
PARTS = ("primary", "billing", "technical")
SORTS = ("name", "role", "engagement", "last_login", "last_contact")
COLUMNS = {
    "name": "name",
    "role": "role",
    "engagement": "engagement_status",
    "last_login": "last_platform_login",
    "last_contact": "last_csm_contact",
}


@dataclass(frozen=True)
class ContactQuery:
    """Which contacts are wanted. `state` is one of STATES or "" (there and left); `part` one of PARTS; `search` words
    of name, title and role. E-mail and phone are not searched: whoever may not read them may not guess them."""

    state: str = ""
    role: str = ""
    part: str = ""
    engagement: str = ""
    search: str = ""
    sort: str = "name"


def find_contact(user: StaffUser, contact_id: UUID) -> Contact:
    """Return the contact, archived or not, with its client; Http404 if `user` may not see it."""
    visible = Contact.objects.visible_to(user).select_related("client", "merged_into")
    found: Contact = get_object_or_404(visible, pk=contact_id)
    return found


def contacts_of(client: Client, query: ContactQuery, *, now: datetime) -> QuerySet[Contact]:
    """Return the contacts of a client, whom the caller may see, that `query` asks for, in its order."""
    found: QuerySet[Contact] = Contact.objects.filter(client=client)
    left = Q(is_active=False) | Q(left_company_at__lte=now)
    found = found.filter(archived_at__isnull=query.state != "archived")
    if query.state in {"there", "left"}:
        found = found.exclude(left) if query.state == "there" else found.filter(left)
    if query.role:
        found = found.filter(role=query.role)
    if query.part:
        found = found.filter(**{f"is_{query.part}": True})
    if query.engagement:
        found = found.filter(engagement_status=query.engagement)
    for word in query.search.split()[:10]:
        found = found.filter(Q(name__icontains=word) | Q(title__icontains=word) | Q(role__icontains=word))
    word, descending = query.sort.removeprefix("-"), query.sort.startswith("-")
    column = F(COLUMNS[word])
    order = column.desc(nulls_last=True) if descending else column.asc(nulls_last=True)
    return found.order_by(order, "name", "pk")


def met_on(client: Client, *, now: datetime, zone: ZoneInfo) -> dict[UUID, date]:
    """Return the workspace day of the last completed conversation with each contact; internal ones are none."""
    done = (
        Activity.objects.filter(client=client, archived_at__isnull=True, completed_at__lte=now)
        .exclude(activity_type=ActivityType.INTERNAL_DISCUSSION)
        .filter(client_contacts__isnull=False)
        .order_by()
    )
    rows = done.values_list("client_contacts").annotate(last=Max("completed_at"))
    return {contact_id: day_of(last, zone) for contact_id, last in rows}


@dataclass(frozen=True)
class Stakeholders:
    """The map of a client's contacts, everybody on it by id, those who are known by e-mail or name twice, and the
    contacts themselves."""

    map: StakeholderMap
    people: dict[UUID, Stakeholder]
    pairs: list[Pair]
    contacts: dict[UUID, Contact]


def stakeholders_of(client: Client, *, now: datetime, zone: ZoneInfo) -> Stakeholders:
    """Return the stakeholders of a client, those who left included but not on the map. Three queries."""
    contacts = {contact.pk: contact for contact in Contact.objects.filter(client=client, archived_at__isnull=True)}
    met, today = met_on(client, now=now, zone=zone), day_of(now, zone)
    recorded = Activity.objects.filter(completed_at__lte=now, archived_at__isnull=True).exists()
    people = {pk: _stakeholder(contact, met.get(pk), today, zone) for pk, contact in contacts.items()}
    named = [Named(contact.pk, contact.name, contact.email) for contact in contacts.values()]
    found = stakeholder_map(list(people.values()), today=today, recorded=recorded)
    return Stakeholders(found, people, duplicates(named), contacts)


def _stakeholder(contact: Contact, met: date | None, today: date, zone: ZoneInfo) -> Stakeholder:
    login = contact.last_platform_login
    return Stakeholder(
        id=contact.pk,
        name=contact.name,
        role=contact.role,
        title=contact.title,
        is_primary=contact.is_primary,
        present=not gone(contact, today, zone),
        known_since=contact.known_since,
        engagement=contact.engagement_status or "",
        met_on=met,
        login_on=day_of(login, zone) if login else None,
    )
