"""The people of a client as a table: in the usage tab, and on a page of its own; every text ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import caches
from django.http import QueryDict
from django.urls import reverse

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_people_rows import PersonRow, login_short, person_row
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.usage.client_user_days import ClientUserDays
from bellwether.usage.people import DEFAULT_SORT, SEGMENTS, SORTS, Asked, PeoplePage, Person, people_of
from bellwether.usage.people_activities import Activities, kept_activities
from bellwether.usage.people_links import in_words, read_token
from bellwether.usage.workspace import workspace_lake
from bellwether.web.formatting import number, plural

CARD_ROWS, PAGE_ROWS = 8, 50
SHOWN_NAMES = 3
SEGMENT_LABELS = {
    "all": "All",
    "stakeholders": "Stakeholders",
    "inactive": "Inactive",
    "champions": "Champions",
    "potential": "Potential champions",
    "declining": "Declining",
}
# (sort word, heading, class, whether the first click sorts descending)
COLUMNS = (
    ("name", "User", "", False),
    ("role", "Role", "c-role", False),
    ("last_login", "Last login", "n", True),
    ("sessions", "Sessions", "n", True),
    ("", "30 days", "c-strip", False),
    ("", "Mainly does", "c-contact", False),
    ("status", "Engagement", "", False),
)
NOTHING = {
    "all": ("No users yet", "Users appear here once events of this client with a user id have arrived."),
    "stakeholders": (
        "No contact is linked",
        "Link contacts to users to see here how the key people use the product.",
    ),
    "inactive": ("Nobody is inactive", "Everybody has logged in within the last 14 days."),
    "champions": ("No champions", "Nobody was active on 8 of the last 30 days or more."),
    "potential": ("No potential champions", "Nobody's use is rising far enough."),
    "declining": ("Nobody is declining", "Nobody's use has fallen notably against the 30 days before."),
}


@dataclass(frozen=True)
class Choice:
    """One of several ways to show the table; `fragment` is where only the table comes from."""

    text: str
    href: str
    fragment: str
    current: bool
    count: str = ""


@dataclass(frozen=True)
class Column:
    """A heading; `link` sorts by it, None if it cannot be sorted by."""

    label: str
    classes: str
    link: Choice | None
    sorted: str
    descending: bool


@dataclass(frozen=True)
class Quiet:
    """Key contacts to look after: why, and (name, address, detail) of the first of them."""

    title: str
    people: list[tuple[str, str, str]]
    more: Choice | None


@dataclass(frozen=True)
class Undo:
    """What was just done to a link, in words, and the token that takes it back; no token if nothing can be."""

    text: str
    token: str
    failed: bool = False


@dataclass(frozen=True)
class PeopleCard:
    """The table of people. `whole`: the page of its own. `activities` is where what they mainly do comes from; empty
    when it stands in the rows already."""

    client_id: UUID
    name: str
    whole: bool
    summary: str
    note: str
    segments: list[Choice]
    columns: list[Column]
    rows: list[PersonRow]
    foot: str
    previous: Choice | None
    next: Choice | None
    search: str
    search_path: str
    fragment_path: str
    hidden: list[tuple[str, str]]
    quiet: Quiet | None
    at_risk: Quiet | None
    nothing: tuple[str, str]
    known: int
    reset: Choice
    show_all: str
    export: str
    link_page: str
    may_link: bool
    activities: str
    activities_page: str
    activities_reason: str
    here: str
    undo: Undo | None = None


def people_card(
    client: Client,
    *,
    user: StaffUser,
    values: QueryDict,
    today: date,
    now: datetime,
    zone: ZoneInfo,
    address: Address,
    whole: bool = False,
    activities: Activities | None = None,
    user_days: ClientUserDays | None = None,
) -> PeopleCard:
    """Return the table of the people of `client`, which `user` may see, as `values` (the query of the page) ask for it.

    `address` is that of the page which the table stands on, with its other choices. `whole` is for the page of its
    own: more rows and every segment. `activities` are what people mainly do where that was computed already, and
    `user_days` those of the client where the page reads them for other things too.
    """
    lake, cache = workspace_lake(), caches["memory"]
    people = people_of(client, lake=lake, today=today, zone=zone, cache=cache, user_days=user_days)
    today, asked = people.today, read_asked(values, whole=whole)
    page = people.page(asked)
    done = activities or kept_activities(client, today, cache=cache)
    links = _Links(address, client, asked, whole=whole)
    active = f"{number(page.active)} active in 30 days."
    inactive = page.counts["inactive"]
    away = f"{number(inactive)} {'has' if inactive == 1 else 'have'} not logged in for 14 days or more."
    return PeopleCard(
        client_id=client.pk,
        name=client.name,
        whole=whole,
        summary=f"{plural(page.counts['all'], 'user')}, {active} {away}" if page.counts["all"] else "",
        note="Users are pseudonyms; a name appears only where a contact is linked.",
        segments=_segments(page, asked, links, whole=whole),
        columns=_columns(asked, links),
        rows=[person_row(person, client, done, today, listed=address.query.get("from", "")) for person in page.rows],
        foot=_foot(page, asked),
        previous=links.to("Previous", people_page=page.page - 1) if whole and page.page > 1 else None,
        next=links.to("Next", people_page=page.page + 1) if whole and page.page < page.pages else None,
        search=asked.search,
        search_path=address.path,
        fragment_path=links.fragment_path,
        hidden=links.hidden(),
        quiet=_quiet(page.quiet, client, links),
        at_risk=_at_risk(page.at_risk, client, links),
        nothing=NOTHING[asked.segment] if not asked.search else ("No user matches", "No name or pseudonym matches."),
        known=page.counts["all"],
        reset=links.to("Show all users", people=None, people_search=None, people_page=None),
        show_all=_show_all(client, asked, address),
        export=reverse("client_people_export", args=[client.pk]),
        link_page=reverse("client_people_links", args=[client.pk]),
        may_link=client.archived_at is None,
        activities=_activities_path(client, page.rows) if done is None else "",
        activities_page=address.with_(**links.current, people_does="1") + "#people",
        activities_reason=done.reason if done and page.active else "",
        here=address.with_(**links.current),
        undo=read_undo(client, values),
    )


def read_asked(values: Mapping[str, str], *, whole: bool) -> Asked:
    """Return what the address asks for; what cannot be used is left out."""
    segment, sort, page = values.get("people", ""), values.get("people_sort", ""), values.get("people_page", "")
    return Asked(
        segment=segment if segment in SEGMENTS else "all",
        search=values.get("people_search", "")[:100],
        sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
        page=max(1, int(page)) if whole and page.isascii() and page.isdigit() and len(page) < 8 else 1,
        limit=PAGE_ROWS if whole else CARD_ROWS,
    )


def read_undo(client: Client, values: Mapping[str, str]) -> Undo | None:
    """Return what was just done to a link, if the address says so in a token that is ours and still fresh."""
    given = values.get("people_undo", "")
    done = read_token(given, client) if given else None
    return Undo(in_words(done), given if done.changes else "", done.failed) if done else None


class _Links:
    """Makes the addresses of the table: of the page that it stands on, and of the table alone."""

    def __init__(self, address: Address, client: Client, asked: Asked, *, whole: bool) -> None:
        self.address, self.whole = address, whole
        self.current: dict[str, str | None] = {
            "people": None if asked.segment == "all" else asked.segment,
            "people_sort": None if asked.sort == DEFAULT_SORT else asked.sort,
            "people_search": asked.search or None,
            "people_page": None if asked.page == 1 else str(asked.page),
        }
        self.fragment_path = reverse("client_people", args=[client.pk])
        self.alone = Address(self.fragment_path, dict(address.query) | ({} if whole else {"card": "1"}))

    def to(self, text: str, *, current: bool = False, count: str = "", **changes: object) -> Choice:
        """Return the link that makes `changes`."""
        wanted = self.current | changes
        return Choice(text, self.address.with_(**wanted) + "#people", self.alone.with_(**wanted), current, count)

    def hidden(self) -> list[tuple[str, str]]:
        """Return what a search keeps."""
        kept = dict(self.alone.query) | {name: value for name, value in self.current.items() if value}
        return [(name, value) for name, value in kept.items() if name not in {"people_search", "people_page"} and value]


def _segments(page: PeoplePage, asked: Asked, links: _Links, *, whole: bool) -> list[Choice]:
    shown = [name for name in SEGMENTS if whole or name != "potential" or asked.segment == "potential"]
    return [
        links.to(
            SEGMENT_LABELS[name],
            current=name == asked.segment,
            count="" if name == "all" else number(page.counts[name]),
            people=None if name == "all" else name,
            people_page=None,
        )
        for name in shown
    ]


def _columns(asked: Asked, links: _Links) -> list[Column]:
    word, descending = asked.sort.removeprefix("-"), asked.sort.startswith("-")
    columns = []
    for name, label, classes, first_descending in COLUMNS:
        ordered = ("descending" if descending else "ascending") if name and name == word else ""
        turned = not descending if ordered else first_descending
        sort = f"-{name}" if turned else name
        link = links.to(label, people_sort=None if sort == DEFAULT_SORT else sort, people_page=None) if name else None
        columns.append(Column(label, classes, link, ordered, descending if ordered else first_descending))
    return columns


def _foot(page: PeoplePage, asked: Asked) -> str:
    if not page.rows:
        return ""
    first = (page.page - 1) * asked.limit + 1
    if page.pages == 1 or first == 1:
        return f"{number(len(page.rows))} of {plural(page.total, 'user')}."
    return f"{number(first)} to {number(first + len(page.rows) - 1)} of {plural(page.total, 'user')}."


def _quiet(quiet: Sequence[Person], client: Client, links: _Links) -> Quiet | None:
    if not quiet:
        return None
    one = len(quiet) == 1
    title = f"{plural(len(quiet), 'key contact')} {'has' if one else 'have'} not logged in for 14 days or more."
    return _watched(title, [(person, login_short(person).removesuffix(" ago")) for person in quiet], client, links)


def _at_risk(found: Sequence[Person], client: Client, links: _Links) -> Quiet | None:
    if not found:
        return None
    who = "1 champion uses" if len(found) == 1 else f"{number(len(found))} champions use"
    title = f"{who} the product less than half as much as in the 30 days before."
    told = [(person, f"{number(person.actions)} actions, {number(person.actions_before)} before") for person in found]
    return _watched(title, told, client, links)


def _watched(title: str, found: Sequence[tuple[Person, str]], client: Client, links: _Links) -> Quiet:
    people = []
    for person, detail in found[:SHOWN_NAMES]:
        role = person.contact.role_label if person.contact else ""
        people.append((person.name, reverse("client_person", args=[client.pk, person.user_key]), f"{role}, {detail}"))
    more = links.to(f"and {number(len(found) - SHOWN_NAMES)} more", people="stakeholders", people_page=None)
    return Quiet(title, people, more if len(found) > SHOWN_NAMES else None)


def _show_all(client: Client, asked: Asked, address: Address) -> str:
    kept = {"people": "" if asked.segment == "all" else asked.segment, "from": address.query.get("from", "")}
    return Address(reverse("client_people", args=[client.pk]), kept).with_()


def _activities_path(client: Client, rows: Sequence[Person]) -> str:
    """Return where the words for the rows come from; empty where nobody did anything."""
    active = [row.user_key for row in rows if row.actions]
    if not active:
        return ""
    query = QueryDict(mutable=True)
    query.setlist("user", active)
    return f"{reverse('client_people_activities', args=[client.pk])}?{query.urlencode()}"
