"""Lists of tickets as pages show them: what the address asks for, filters, headings, rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.portfolio.choices import TicketPriority, TicketStatus
from bellwether.portfolio.models import SupportTicket
from bellwether.portfolio.ticket_figures import duration
from bellwether.portfolio.ticket_reading import (
    LAST_PAGE,
    PERIODS,
    SORTS,
    STATUSES,
    WAITING,
    TicketList,
    TicketQuery,
)
from bellwether.web.formatting import full_day, moment, plural

LONGEST = 200
STATUS_LABELS = {"waiting": "Open or pending", "done": "Solved or closed", **dict(TicketStatus.choices)}
PRIORITY_STATUS = {"urgent": "critical", "high": "risk", "normal": "na", "low": "na"}
OWN = ("status", "priority", "escalated", "period", "search", "csm", "sort", "page")
DESCENDING_FIRST = frozenset({"opened", "priority", "age", "response"})


@dataclass(frozen=True)
class Asked:
    """The question, and the address with every choice of it."""

    query: TicketQuery
    address: Address
    default_status: str

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list beyond what the page shows by itself."""
        query = self.query
        same = query.status == self.default_status
        return not same or bool(query.priority or query.escalated or query.period or query.search or query.csm_id)


@dataclass(frozen=True)
class Pick:
    """A filter with its options (value, text); `remove` is the address without it."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str
    remove: str


@dataclass(frozen=True)
class Heading:
    """A column; `href` sorts by it, empty where it cannot."""

    label: str
    classes: str
    href: str = ""
    sorted: str = "none"


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list; `waits` says whether it is not solved yet."""

    ticket_id: UUID
    client_id: UUID
    client: str
    csm: str
    subject: str
    external_id: str
    contact: str
    priority: str
    priority_status: str
    status: str
    waits: bool
    escalated: bool
    opened: str
    age: str
    response: str
    solved: str


@dataclass(frozen=True)
class Listing:
    """A page of the list with everything around it."""

    rows: list[TicketRow]
    headings: list[Heading]
    picks: list[Pick]
    text: str
    previous: str
    next: str
    asked: Asked
    clear: str


def read_asked(values: Mapping[str, str], path: str, *, default_status: str = "", kept: Sequence[str] = ()) -> Asked:
    """Return the question in the address; what cannot be used is left out. `kept` are other choices to carry along.

    A status "all" asks for all where the page shows another one by itself.
    """
    given = {name: values.get(name, "").strip() for name in OWN}
    status = given["status"] or default_status
    page = given["page"]
    period = given["period"]
    query = TicketQuery(
        status=status if status in STATUSES else "",
        priority=given["priority"] if given["priority"] in TicketPriority.values else "",
        escalated=given["escalated"] == "1",
        period=int(period) if period in {str(days) for days in PERIODS} else None,
        search=storable_text(given["search"], LONGEST),
        csm_id=_uuid(given["csm"]),
        sort=given["sort"] if given["sort"].removeprefix("-") in SORTS else "urgency",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 and 0 < int(page) <= LAST_PAGE else 1,
    )
    others = {name: values[name][:LONGEST] for name in kept if values.get(name)}
    address = Address(
        path,
        {
            "status": "all" if default_status and not query.status else query.status * (query.status != default_status),
            "priority": query.priority,
            "escalated": "1" if query.escalated else "",
            "period": str(query.period or ""),
            "search": query.search,
            "csm": str(query.csm_id or ""),
            "sort": "" if query.sort == "urgency" else query.sort,
            "page": "" if query.page == 1 else str(query.page),
            **others,
        },
    )
    return Asked(query, address, default_status)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def listing(
    found: TicketList,
    asked: Asked,
    *,
    now: datetime,
    zone: ZoneInfo,
    with_client: bool,
    csms: Sequence[tuple[str, str]] = (),
) -> Listing:
    """Return the list; `with_client` shows whose ticket each one is, `csms` are (id, name) to narrow by."""
    query = replace(asked.query, page=found.page)
    first = (found.page - 1) * query.limit + 1
    last = first + len(found.rows) - 1
    total = plural(found.total, "ticket")
    return Listing(
        rows=[_row(ticket, now, zone) for ticket in found.rows],
        headings=_headings(asked, with_client),
        picks=_picks(asked, csms),
        text=f"{first:,} to {last:,} of {total}" if found.pages > 1 else total,
        previous=asked.address.with_(page=found.page - 1 if found.page > 2 else None) if found.page > 1 else "",
        next=asked.address.with_(page=found.page + 1) if found.page < found.pages else "",
        asked=asked,
        clear=asked.address.with_(
            **dict.fromkeys(("status", "priority", "escalated", "period", "search", "csm", "page"))
        ),
    )


def _headings(asked: Asked, with_client: bool) -> list[Heading]:
    columns = [
        ("", "Ticket", ""),
        *((("client", "Client", ""), ("", "CSM", "c-csm")) if with_client else ()),
        ("priority", "Priority", ""),
        ("", "Status", ""),
        ("opened", "Opened", ""),
        ("age", "Open for, or took", "n"),
        ("response", "First response", "n"),
    ]
    return [Heading(label, classes, *_sort(asked, word)) for word, label, classes in columns]


def _sort(asked: Asked, word: str) -> tuple[str, str]:
    if not word:
        return "", "none"
    first, second = (f"-{word}", word) if word in DESCENDING_FIRST else (word, f"-{word}")
    sort = asked.query.sort
    state = "none" if sort.removeprefix("-") != word else "descending" if sort.startswith("-") else "ascending"
    return asked.address.with_(sort=second if sort == first else first, page=None), state


def _picks(asked: Asked, csms: Sequence[tuple[str, str]]) -> list[Pick]:
    query = asked.query
    default = asked.default_status
    statuses = [("all", "All")] * bool(default) + list(STATUS_LABELS.items())
    offered = [
        (
            "status",
            "Status",
            [("all", "All"), *statuses] if default else statuses,
            query.status or ("all" if default else ""),
        ),
        ("priority", "Priority", [(value, text) for value, text in reversed(TicketPriority.choices)], query.priority),
        ("period", "Opened", [(str(days), f"Last {days} days") for days in PERIODS], str(query.period or "")),
    ]
    if csms:
        offered.append(("csm", "CSM", list(csms), str(query.csm_id or "")))
    return [
        Pick(name, label, options, chosen, asked.address.with_(**{name: None, "page": None}))
        for name, label, options, chosen in offered
    ]


def _row(ticket: SupportTicket, now: datetime, zone: ZoneInfo) -> TicketRow:
    waits = ticket.status in WAITING
    ended = ticket.solved_at or (now if waits else None)
    hours = (ended - ticket.opened_at).total_seconds() / 3600 if ended else None
    minutes = ticket.first_response_minutes
    csm = ticket.client.csm_user
    return TicketRow(
        ticket_id=ticket.pk,
        client_id=ticket.client_id,
        client=ticket.client.name,
        csm=csm.name if csm else "",
        subject=ticket.subject or ticket.external_id or "No subject",
        external_id=ticket.external_id if ticket.subject else "",
        contact=ticket.contact.name if ticket.contact else "",
        priority=str(ticket.get_priority_display()),
        priority_status=PRIORITY_STATUS.get(ticket.priority, "na"),
        status=str(ticket.get_status_display()),
        waits=waits,
        escalated=ticket.is_escalated,
        opened=moment(ticket.opened_at, now, zone),
        age=duration(max(0.0, hours)) if hours is not None else "",
        response=duration(minutes / 60) if minutes is not None else "",
        solved=full_day(day_of(ticket.solved_at, zone)) if ticket.solved_at else "",
    )
