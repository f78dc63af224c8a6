"""The Contacts tab as the page shows it: map, cautions, table; every text ready to be placed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContactRole
from bellwether.portfolio.contacting import gone
from bellwether.portfolio.contacts_reading import Stakeholders
from bellwether.portfolio.masking import masked_email, masked_phone
from bellwether.portfolio.models import Contact
from bellwether.portfolio.stakeholder_map import KEY_ROLES, Caution, Stakeholder, StakeholderMap
from bellwether.web.formatting import DASH, day, days_ago, days_short, full_day, initials, percent, plural

MOST_IN_LANE = 12
ENGAGEMENT = {
    "ACTIVE": ("healthy", "circle-check", "Active"),
    "DECLINING": ("monitor", "trending-down", "Declining"),
    "INACTIVE": ("risk", "moon", "Inactive"),
}
LANES = {
    "EXECUTIVE_SPONSOR": ("Executive sponsor", "Who decides on the renewal."),
    "CHAMPION": ("Champion", "Who speaks for you inside."),
    "ADMIN": ("Admin", "Who runs the product."),
    "USER": ("Users", ""),
    "BILLING": ("Billing", ""),
    "OTHER": ("Others", ""),
}
CAUTIONS = {
    "nobody": ("risk", "user-round-plus", "Nobody is known here.", "Add the first contact."),
    "no_champion": ("risk", "user-round-search", "No champion.", "Find somebody who speaks for you, or give the role."),
    "no_sponsor": ("monitor", "user-round-search", "No executive sponsor.", "Nobody known decides on the renewal."),
    "single_threaded": ("risk", "git-commit-horizontal", "Single-threaded.", "Only one person was met in 90 days:"),
    "quiet_champion": ("critical", "user-round-x", "Champion gone quiet.", "No login for 14 days or more:"),
}
ONLY_ONE = "Only one person is known:"


@dataclass(frozen=True)
class Pill:
    """A status word, an icon, a text."""

    status: str
    icon: str
    text: str


@dataclass(frozen=True)
class Tile:
    """A person on the map. `covered`: True met in 90 days, False not, None no key role."""

    href: str
    name: str
    initials: str
    title: str
    primary: bool
    pill: Pill | None
    met: str
    login: str
    covered: bool | None


@dataclass(frozen=True)
class LaneView:
    """A lane of the map; `more` people are left out."""

    role: str
    label: str
    about: str
    tiles: list[Tile]
    more: int
    is_key: bool


@dataclass(frozen=True)
class CautionView:
    """A caution with the people it is about: (name, address)."""

    status: str
    icon: str
    title: str
    text: str
    people: list[tuple[str, str]]


@dataclass(frozen=True)
class MapView:
    """The stakeholder map. `share` is the coverage, 0-100, None when it cannot be said; `uncovered` name, address."""

    lanes: list[LaneView]
    cautions: list[CautionView]
    coverage: str
    share: int | None
    sentence: str
    uncovered: list[tuple[str, str, str]]


@dataclass(frozen=True)
class PairView:
    """Two contacts who may be one: their names, why, and where they are compared."""

    first: str
    second: str
    why: str
    href: str


@dataclass(frozen=True)
class ContactRow:
    """A contact in the table. `email` and `phone` are masked unless `revealed`; then `mailto` and `tel` lead there."""

    id: UUID
    href: str
    name: str
    initials: str
    title: str
    role: str
    parts: list[str]
    email: str
    phone: str
    mailto: str
    tel: str
    revealed: bool
    pill: Pill | None
    login: str
    login_title: str
    met: str
    met_title: str
    left: str
    archived: bool
    merged: str


def pill_of(status: str | None, *, champion: bool = False) -> Pill | None:
    """Return an engagement status as a pill, None when it is not known; an inactive champion is critical."""
    if not status:
        return None
    word, icon, text = ENGAGEMENT[status]
    return Pill("critical" if champion and status == "INACTIVE" else word, icon, text)


def contact_href(client_id: UUID, contact_id: UUID) -> str:
    """Return the address of one contact."""
    return reverse("client_contact", args=[client_id, contact_id])


def map_view(client_id: UUID, found: Stakeholders, today: date) -> MapView:
    """Return the map of a client's stakeholders."""
    shown = found.map
    keys = len(shown.met) + len(shown.uncovered)
    coverage = shown.coverage
    return MapView(
        lanes=[
            LaneView(
                role=lane.role,
                label=LANES[lane.role][0],
                about=LANES[lane.role][1],
                tiles=[_tile(client_id, person, today) for person in lane.people[:MOST_IN_LANE]],
                more=max(0, len(lane.people) - MOST_IN_LANE),
                is_key=lane.role in KEY_ROLES,
            )
            for lane in shown.lanes
            if lane.people or lane.role in KEY_ROLES
        ],
        cautions=[_caution(client_id, caution, len(found.people)) for caution in shown.warnings],
        coverage=percent(coverage) if coverage is not None else "",
        share=round(100 * coverage) if coverage is not None else None,
        sentence=_sentence(shown, keys),
        uncovered=[
            (person.name, contact_href(client_id, person.id), _last_met(person, today)) for person in shown.uncovered
        ],
    )


def _sentence(shown: StakeholderMap, keys: int) -> str:
    if not keys:
        return "There are no contacts with a key role: champion, executive sponsor or admin."
    if not shown.recorded:
        return "No conversation has been recorded in this workspace yet."
    return f"{len(shown.met)} of {plural(keys, 'key contact')} met in the last 90 days"


def _last_met(person: Stakeholder, today: date) -> str:
    if person.met_on is None:
        return "never met"
    return f"last met {days_ago((today - person.met_on).days)}"


def _caution(client_id: UUID, caution: Caution, known: int) -> CautionView:
    status, icon, title, text = CAUTIONS[caution.key]
    if caution.key == "single_threaded" and known == 1:
        text = ONLY_ONE
    return CautionView(
        status, icon, title, text, [(who.name, contact_href(client_id, who.id)) for who in caution.who[:5]]
    )


def _tile(client_id: UUID, person: Stakeholder, today: date) -> Tile:
    met, login = person.met_on, person.login_on
    return Tile(
        href=contact_href(client_id, person.id),
        name=person.name,
        initials=initials(person.name),
        title=person.title,
        primary=person.is_primary,
        pill=pill_of(person.engagement, champion=person.role == ContactRole.CHAMPION),
        met=f"Met {days_ago((today - met).days)}" if met else "Never met",
        login=f"Login {days_ago(max(0, (today - login).days))}" if login else "No login known",
        covered=person.is_met(today) if person.role in KEY_ROLES else None,
    )


def pair_views(client_id: UUID, found: Stakeholders) -> list[PairView]:
    """Return the contacts who may be one person, with the address where they are compared."""
    why = {"email": "the same e-mail address", "name": "the same name"}
    return [
        PairView(
            first=found.contacts[pair.first].name,
            second=found.contacts[pair.second].name,
            why=why[pair.reason],
            href=reverse("contact_merge", args=[pair.first]) + f"?other={pair.second}",
        )
        for pair in found.pairs
    ]


def contact_row(
    contact: Contact,
    *,
    met: Mapping[UUID, date],
    revealed: Collection[UUID],
    today: date,
    zone: ZoneInfo,
) -> ContactRow:
    """Return a contact ready to be placed in the table."""
    clear = contact.pk in revealed
    login = day_of(contact.last_platform_login, zone) if contact.last_platform_login else None
    last = met.get(contact.pk) or (day_of(contact.last_csm_contact, zone) if contact.last_csm_contact else None)
    left = day_of(contact.left_company_at, zone) if contact.left_company_at else None
    parts = (("Primary", contact.is_primary), ("Billing", contact.is_billing), ("Technical", contact.is_technical))
    there = not gone(contact, today, zone)
    return ContactRow(
        id=contact.pk,
        href=contact_href(contact.client_id, contact.pk),
        name=contact.name,
        initials=initials(contact.name),
        title=contact.title,
        role=str(contact.get_role_display()),
        parts=[text for text, given in parts if given],
        email=contact.email if clear else masked_email(contact.email),
        phone=contact.phone if clear else masked_phone(contact.phone),
        mailto=f"mailto:{quote(contact.email, safe='@.+-_')}" if clear and contact.email else "",
        tel=f"tel:{''.join(c for c in contact.phone if c.isdigit() or c == '+')}" if clear and contact.phone else "",
        revealed=clear,
        pill=pill_of(contact.engagement_status, champion=contact.role == ContactRole.CHAMPION) if there else None,
        login=_ago(login, today),
        login_title=full_day(login) if login else "No login is known",
        met=_ago(last, today),
        met_title=full_day(last) if last else "No completed conversation is recorded",
        left="" if there else f"Left {day(left, today)}" if left else "No longer active",
        archived=contact.archived_at is not None,
        merged=contact.merged_into.name if contact.merged_into else "",
    )


def _ago(on: date | None, today: date) -> str:
    if on is None:
        return DASH
    days = max(0, (today - on).days)
    return "today" if days == 0 else f"{days_short(days)} ago"


def facts_of(contact: Contact, row: ContactRow, user: str, today: date) -> list[tuple[str, str]]:
    """Return what the page of one contact says beside e-mail and phone: (label, text); empty ones are left out."""
    facts: Sequence[tuple[str, str]] = (
        ("Role", row.role),
        ("Part", ", ".join(row.parts)),
        ("Last contact", f"{row.met}, {row.met_title}" if row.met != DASH else "Never"),
        ("Last login", f"{row.login}, {row.login_title}" if row.login != DASH else "None known"),
        ("Platform user", user),
        ("Known since", full_day(contact.known_since) if contact.known_since else ""),
        ("Salesforce", contact.salesforce_contact_id),
        ("HubSpot", contact.hubspot_contact_id),
    )
    return [(label, text) for label, text in facts if text]
