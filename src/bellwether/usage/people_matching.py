"""Which platform user a contact might be: words of the role and title, last logins, engagement. Suggestions only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContactRole
from bellwether.portfolio.models import Contact

LEAST_POINTS = 2
SAME_LOGIN, NEAR_LOGIN, SHARED_WORD, FITTING_ROLE, BY_USE = 4, 2, 3, 3, 2
NEAR_DAYS = 1
DULL_WORDS = frozenset(
    {"and", "chief", "director", "for", "head", "junior", "lead", "manager", "officer", "senior", "the", "user", "vice"}
)
FITTING: dict[str, frozenset[str]] = {
    ContactRole.ADMIN: frozenset({"admin", "administrator", "owner"}),
    ContactRole.EXECUTIVE_SPONSOR: frozenset({"executive", "president", "sponsor", "leadership"}),
    ContactRole.BILLING: frozenset({"billing", "finance", "accounting", "accountant"}),
}


@dataclass(frozen=True)
class Candidate:
    """A platform user who is linked to nobody. `last_login` is a day of the workspace."""

    user_key: str
    role: str
    last_login: date | None
    is_champion: bool
    sessions: int


@dataclass(frozen=True)
class Match:
    """A contact that might be a user, with the points that speak for it and why in words."""

    contact: Contact
    user_key: str
    points: int
    why: str


def suggestions(
    contacts: Sequence[Contact], candidates: Sequence[Candidate], today: date, *, zone: ZoneInfo
) -> list[Match]:
    """Return the matches with LEAST_POINTS or more, the best first; none for contacts who have left.

    A last login on the same day is 4 points (the day next to it 2), a word that the contact's title shares with the
    user's role 3, a role that fits the contact's 3, much use for a champion 2. Ties go to the busier user.
    """
    found = [
        match
        for contact in contacts
        if contact.is_active
        for somebody in candidates
        if (match := _match(contact, somebody, zone)) is not None
    ]
    busy = {somebody.user_key: somebody.sessions for somebody in candidates}
    return sorted(found, key=lambda match: (-match.points, -busy[match.user_key], match.contact.name, match.user_key))


def _match(contact: Contact, somebody: Candidate, zone: ZoneInfo) -> Match | None:
    points, reasons = 0, []
    if contact.last_platform_login is not None and somebody.last_login is not None:
        apart = abs((day_of(contact.last_platform_login, zone) - somebody.last_login).days)
        if apart <= NEAR_DAYS:
            points += NEAR_LOGIN if apart else SAME_LOGIN
            reasons.append("a day from the contact's last login" if apart else "same last login")
    role = _words(somebody.role)
    if shared := sorted(role & _words(contact.title)):
        points += SHARED_WORD
        reasons.append(f"“{shared[0]}” in title and role")
    if role & FITTING.get(contact.role, frozenset()):
        points += FITTING_ROLE
        reasons.append("role fits")
    if contact.role == ContactRole.CHAMPION and somebody.is_champion:
        points += BY_USE
        reasons.append("champion by use")
    if points < LEAST_POINTS:
        return None
    return Match(contact, somebody.user_key, points, ", ".join(reasons).capitalize())


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in DULL_WORDS)
