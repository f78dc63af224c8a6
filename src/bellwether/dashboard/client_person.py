"""One person at a client in detail, and which contact each user is; every text ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.dashboard.client_people import Undo, read_undo
from bellwether.dashboard.client_people_rows import Pill, badge, login_short, login_words, marks, pill, why
from bellwether.portfolio.choices import KEY_ROLES
from bellwether.portfolio.models import Client, Contact
from bellwether.usage.engagement import LOOK_BACK_DAYS, activity_levels
from bellwether.usage.people import People, Person, days_of, pseudonym_name
from bellwether.usage.people_activities import Activities
from bellwether.usage.people_matching import Candidate, Match, suggestions
from bellwether.usage.people_sources import ROLE_ORDER
from bellwether.web.formatting import DASH, day, full_day, initials, number, plural

WEEKS = 13
MOST_CONTACTS, MOST_SUGGESTED, MOST_CANDIDATES = 200, 3, 1_000


@dataclass(frozen=True)
class Week:
    """Seven days: the first of them, sessions, their share of the busiest week (0-100), and levels 0-5 by day."""

    first: str
    iso: str
    sessions: str
    active_days: str
    share: int
    levels: list[int]


@dataclass(frozen=True)
class ContactChoice:
    """A contact that the person may be linked to; `why` says what speaks for it, `elsewhere` whom it is linked to."""

    id: UUID
    name: str
    role: str
    why: str
    elsewhere: str


@dataclass(frozen=True)
class PersonCard:
    """One person. `contact_id` None: not linked. `may_link`: contacts can be linked, `choices` are those."""

    key: str
    name: str
    pseudonym: str
    initials: str
    badge: str
    role: str
    pill: Pill
    why: str
    marks: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    weeks: list[Week]
    sentence: str
    contact_id: UUID | None
    contact: str
    may_link: bool
    suggested: list[ContactChoice]
    choices: list[ContactChoice]
    client_id: UUID
    back: str


@dataclass(frozen=True)
class SuggestedUser:
    """A user whom a contact might be."""

    key: str
    name: str
    href: str
    role: str
    last_login: str
    why: str


@dataclass(frozen=True)
class ContactRow:
    """A contact with the user that it is linked to, if any, and those it might be."""

    id: UUID
    name: str
    initials: str
    role: str
    title: str
    is_key: bool
    linked: Person | None
    linked_name: str
    linked_href: str
    last_login: str
    pill: Pill | None
    suggested: list[SuggestedUser]


@dataclass(frozen=True)
class LinksCard:
    """All contacts of the client, key roles first."""

    client_id: UUID
    rows: list[ContactRow]
    summary: str
    may_link: bool
    back: str
    here: str
    undo: Undo | None


def person_card(
    client: Client, people: People, user_key: str, *, activities: Activities, back: str, zone: ZoneInfo
) -> PersonCard | None:
    """Return the person of the client with that pseudonym, None if there is none. `back` is where the reader goes."""
    person = people.one(user_key)
    if person is None:
        return None
    contact = person.contact
    contacts = _contacts(client)
    linked = {c.user_key: c for c in contacts if c.user_key}
    matches = suggestions([c for c in contacts if not c.user_key], [candidate(person)], people.today, zone=zone)
    suggested = [] if contact else [_choice(match.contact, match, linked) for match in matches][:MOST_SUGGESTED]
    chosen = {choice.id for choice in suggested} | ({contact.id} if contact else set())
    weeks = _weeks(people, user_key)
    active = sum(level > 0 for week in weeks for level in week.levels)
    return PersonCard(
        key=person.user_key,
        name=person.name,
        pseudonym=person.pseudonym,
        initials=initials(contact.name) if contact else "",
        badge=badge(person),
        role=person.role or (contact.title if contact else ""),
        pill=pill(person),
        why=why(person),
        marks=[*marks(person), *([("Power user", "zap")] if person.is_power_user else [])],
        facts=_facts(person, activities),
        weeks=weeks,
        sentence=f"Active on {active} of the last {LOOK_BACK_DAYS} days. Darker means more actions on that day.",
        contact_id=contact.id if contact else None,
        contact=f"{contact.name}, {contact.role_label}" if contact else "",
        may_link=client.archived_at is None and bool(contacts),
        suggested=suggested,
        choices=[_choice(c, None, linked) for c in contacts if c.pk not in chosen][:MOST_CONTACTS],
        client_id=client.pk,
        back=back,
    )


def links_card(client: Client, people: People, *, values: Mapping[str, str], back: str, zone: ZoneInfo) -> LinksCard:
    """Return the contacts of the client with the users they are linked to, or might be."""
    contacts = _contacts(client)
    free = people.frame.filter(people.frame["link"].is_null()).sort("rank", nulls_last=True).head(MOST_CANDIDATES)
    candidates = [candidate(person) for person in people.persons(free, levels=False)]
    open_contacts = [contact for contact in contacts if not contact.user_key]
    found = suggestions(open_contacts, candidates, people.today, zone=zone)
    rows = [_contact_row(client, contact, people, found) for contact in contacts]
    linked = sum(bool(contact.user_key) for contact in contacts)
    return LinksCard(
        client_id=client.pk,
        rows=rows,
        summary=f"{number(linked)} of {plural(len(contacts), 'contact')} linked to a user." if contacts else "",
        may_link=client.archived_at is None,
        back=back,
        here=reverse("client_people_links", args=[client.pk]),
        undo=read_undo(client, values),
    )


def candidate(person: Person) -> Candidate:
    """Return what a suggestion looks at."""
    return Candidate(
        user_key=person.user_key,
        role=person.role,
        last_login=person.last_login,
        is_champion=person.is_champion or person.is_potential_champion,
        sessions=person.sessions,
    )


def _contacts(client: Client) -> list[Contact]:
    rows = Contact.objects.filter(client=client, archived_at__isnull=True)
    return sorted(rows, key=lambda c: (ROLE_ORDER.get(c.role, len(ROLE_ORDER)), c.name))


def _choice(contact: Contact, match: Match | None, linked: Mapping[str, Contact]) -> ContactChoice:
    elsewhere = f"linked to {pseudonym_name(contact.user_key)}" if contact.user_key in linked else ""
    return ContactChoice(
        contact.pk, contact.name, str(contact.get_role_display()), match.why if match else "", elsewhere
    )


def _contact_row(client: Client, contact: Contact, people: People, found: Sequence[Match]) -> ContactRow:
    linked = people.one(contact.user_key) if contact.user_key else None
    mine = [match for match in found if match.contact.pk == contact.pk][:MOST_SUGGESTED]
    persons = {match.user_key: people.one(match.user_key) for match in mine}
    return ContactRow(
        id=contact.pk,
        name=contact.name,
        initials=initials(contact.name),
        role=str(contact.get_role_display()),
        title=contact.title,
        is_key=contact.role in KEY_ROLES,
        linked=linked,
        linked_name=linked.pseudonym if linked else pseudonym_name(contact.user_key) if contact.user_key else "",
        linked_href=reverse("client_person", args=[client.pk, contact.user_key]) if linked else "",
        last_login=login_short(linked) if linked else "",
        pill=pill(linked) if linked else None,
        suggested=[
            SuggestedUser(
                key=person.user_key,
                name=person.pseudonym,
                href=reverse("client_person", args=[client.pk, person.user_key]),
                role=person.role or "No role",
                last_login=login_short(person),
                why=match.why,
            )
            for match in mine
            if (person := persons[match.user_key])
        ],
    )


def _facts(person: Person, activities: Activities) -> list[tuple[str, str]]:
    minutes = person.minutes / person.sessions if person.sessions else 0
    login = login_words(person).removeprefix("Last login ")
    found = [
        ("Last login", login[0].upper() + login[1:]),
        ("First seen", full_day(person.first_seen)),
        ("Active days, 30 d", number(person.active_days)),
        ("Sessions, 30 d", number(person.sessions) + (f", {number(minutes)} min each" if person.sessions else "")),
        ("Actions, 30 d", f"{number(person.actions)}, {number(person.actions_before)} in the 30 d before"),
        ("Mainly does", activities.text(person.user_key)),
    ]
    if person.rank is not None:
        found.append(("Place", f"{number(person.rank)} by use at this client"))
    return [(label, value or DASH) for label, value in found]


def _weeks(people: People, user_key: str) -> list[Week]:
    """Return the last 13 weeks, the oldest first, each of seven days that end on the weekday of today."""
    days = WEEKS * 7
    first = people.today - timedelta(days=days - 1)
    levels = activity_levels(people.user_days, [user_key], people.today, days=days)[user_key]
    sessions = [0] * days
    for on, count in days_of(people, user_key).select("date", "sessions").iter_rows():
        if 0 <= (place := (on - first).days) < days:
            sessions[place] += count
    sums = [sum(sessions[start : start + 7]) for start in range(0, days, 7)]
    top = max(*sums, 1)
    return [
        _week(first + timedelta(days=7 * n), sums[n], top, levels[7 * n : 7 * n + 7], people.today)
        for n in range(WEEKS)
    ]


def _week(first: date, sessions: int, top: int, levels: list[int], today: date) -> Week:
    active = sum(level > 0 for level in levels)
    return Week(
        first=day(first, today),
        iso=first.isoformat(),
        sessions=number(sessions),
        active_days=number(active),
        share=round(100 * sessions / top),
        levels=levels,
    )
