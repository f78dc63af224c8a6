"""One person of a client as the table and the details show it: every text ready to be placed."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from bellwether.dashboard.addresses import Address
from bellwether.portfolio.models import Client
from bellwether.usage.engagement import Engagement
from bellwether.usage.people import Person
from bellwether.usage.people_activities import Activities
from bellwether.web.formatting import DASH, days_ago, days_short, full_day, initials, number, plural

YEAR = 365
LEVEL_WORDS = "Darker means more actions on that day."
PILLS = {
    Engagement.RISING: ("healthy", "trending-up", "Rising"),
    Engagement.ACTIVE: ("healthy", "circle-check", "Active"),
    Engagement.NEW: ("na", "user-round-plus", "New"),
    Engagement.DECLINING: ("monitor", "trending-down", "Declining"),
    Engagement.INACTIVE: ("risk", "moon", "Inactive"),
}


@dataclass(frozen=True)
class Pill:
    """The status of a person: a word of data-status, an icon, the text."""

    status: str
    icon: str
    text: str


@dataclass(frozen=True)
class PersonRow:
    """A person, ready to be placed. `does` None: not known yet."""

    key: str
    href: str
    name: str
    initials: str
    badge: str
    role: str
    last_login: str
    last_login_title: str
    sessions: str
    levels: list[int]
    strip_text: str
    does: str | None
    pill: Pill
    pill_title: str
    marks: list[tuple[str, str]]


def person_row(
    person: Person, client: Client, activities: Activities | None, today: date, *, listed: str = ""
) -> PersonRow:
    """Return `person` ready to be placed."""
    contact = person.contact
    path = reverse("client_person", args=[client.pk, person.user_key])
    active = plural(person.active_days, "active day")
    return PersonRow(
        key=person.user_key,
        href=Address(path, {"from": listed}).with_(),
        name=person.name,
        initials=initials(contact.name) if contact else "",
        badge=badge(person),
        role=person.role or (contact.title if contact else ""),
        last_login=login_short(person),
        last_login_title=login_words(person),
        sessions=number(person.sessions),
        levels=person.levels,
        strip_text=f"{active} of the last 30, {plural(person.actions, 'action')}. {LEVEL_WORDS}",
        does=DASH if not person.actions else activities.text(person.user_key) if activities else None,
        pill=pill(person),
        pill_title=why(person),
        marks=marks(person),
    )


def badge(person: Person) -> str:
    """Return the role of the linked contact, and whether it has left; "" without one."""
    contact = person.contact
    return "" if contact is None else f"{contact.role_label}, left" if contact.has_left else contact.role_label


def pill(person: Person) -> Pill:
    """Return the engagement of `person` as a pill."""
    if person.is_stakeholder_inactive:
        return Pill("critical", "user-round-x", "Stakeholder inactive")
    return Pill(*PILLS[person.status])


def marks(person: Person) -> list[tuple[str, str]]:
    """Return what else sets `person` apart: (text, icon)."""
    found = []
    if person.is_champion:
        found.append(("Champion by use", "star"))
    if person.is_potential_champion:
        found.append(("Potential champion", "sparkle"))
    return found


def why(person: Person) -> str:
    """Return the sentence behind the status of `person`."""
    now, before = plural(person.actions, "action"), number(person.actions_before)
    match person.status:
        case Engagement.INACTIVE:
            return f"{login_words(person)}."
        case Engagement.NEW:
            return f"Seen for the first time on {full_day(person.first_seen)}."
        case _:
            return f"{now} in 30 days, {before} in the 30 days before."


def login_short(person: Person) -> str:
    """Return the age of the last login for tables: "today", "5 d ago", "3 y ago", "never"."""
    if person.days_since_login is None:
        return "never"
    if person.days_since_login >= 2 * YEAR:
        return f"{person.days_since_login // YEAR} y ago"
    return "today" if person.days_since_login <= 0 else f"{days_short(person.days_since_login)} ago"


def login_words(person: Person) -> str:
    """Return the last login in words."""
    if person.last_login is None:
        return "No login is known"
    return f"Last login {days_ago(person.days_since_login)}, {full_day(person.last_login)}"
