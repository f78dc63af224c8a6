"""What the table of contacts is narrowed to and sorted by, as the address carries it."""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest

from bellwether.dashboard.addresses import Address
from bellwether.portfolio.choices import ContactRole
from bellwether.portfolio.contacts_reading import PARTS, SORTS, STATES, ContactQuery

LONGEST_SEARCH = 200
SORTED = (
    ("name", "Name", ""),
    ("role", "Role", ""),
    ("", "E-mail and phone", ""),
    ("engagement", "Engagement", ""),
    ("last_login", "Last login", "n"),
    ("last_contact", "Last contact", "n"),
)
"""Columns of the table: the word to sort by ("" for none), the label, the class."""
STATE_LABELS = {"": "There and left", "there": "There", "left": "Left", "archived": "Archived"}
PART_LABELS = {"primary": "Primary", "billing": "Billing", "technical": "Technical"}
ENGAGEMENT_LABELS = {"ACTIVE": "Active", "DECLINING": "Declining", "INACTIVE": "Inactive"}


@dataclass(frozen=True)
class ContactView:
    """What is asked for, and the part of the address that says so."""

    query: ContactQuery
    page: int
    address: dict[str, str]


def read_view(request: HttpRequest) -> ContactView:
    """Return what the address asks for; what cannot be used is left out."""
    given = request.GET
    sort = given.get("sort", "name")
    state, role, part = given.get("state", ""), given.get("role", ""), given.get("part", "")
    engagement, page = given.get("engagement", ""), given.get("page", "1")
    query = ContactQuery(
        state=state if state in STATES else "",
        role=role if role in ContactRole.values else "",
        part=part if part in PARTS else "",
        engagement=engagement if engagement in ENGAGEMENT_LABELS else "",
        search=given.get("search", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        sort=sort if sort.removeprefix("-") in SORTS else "name",
    )
    address = {
        "state": query.state,
        "role": query.role,
        "part": query.part,
        "engagement": query.engagement,
        "search": query.search,
        "sort": "" if query.sort == "name" else query.sort,
    }
    return ContactView(query, int(page) if page.isdecimal() and 0 < len(page) < 6 and int(page) else 1, address)


@dataclass(frozen=True)
class Choice:
    """A select of the filters: name, label, (value, text) and what is chosen."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str


@dataclass(frozen=True)
class Filters:
    """The filters of the table. `hidden` goes along; `any` is whether the table is narrowed; `reset` widens it."""

    choices: list[Choice]
    search: str
    hidden: list[tuple[str, str]]
    any: bool
    reset: str

    @classmethod
    def of(cls, view: ContactView, address: Address) -> Self:
        """Return the filters of `view`."""
        query = view.query
        lists = (
            ("state", "Status", list(STATE_LABELS.items()), query.state),
            ("role", "Role", [("", "All roles"), *ContactRole.choices], query.role),
            ("part", "Part", [("", "All parts"), *PART_LABELS.items()], query.part),
            ("engagement", "Engagement", [("", "Any engagement"), *ENGAGEMENT_LABELS.items()], query.engagement),
        )
        kept = {name: address.query.get(name, "") for name in ("sort", "from")}
        return cls(
            choices=[Choice(*one) for one in lists],
            search=query.search,
            hidden=[(name, value) for name, value in kept.items() if value],
            any=any((query.state, query.role, query.part, query.engagement, query.search)),
            reset=address.with_(state=None, role=None, part=None, engagement=None, search=None),
        )
