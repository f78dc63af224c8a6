"""Changes to support tickets: made, changed, solved, reopened, escalated, taken away. Raises as portfolio.contracts."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.changes import changing
from bellwether.portfolio.choices import TicketPriority, TicketStatus
from bellwether.portfolio.models import Client, Contact, SupportTicket
from bellwether.portfolio.record_changes import Made, fresh, locked_client, repeated, same, write
from bellwether.portfolio.terms import LONGEST_ID
from bellwether.staff.models import StaffUser

SOLVED = frozenset({TicketStatus.SOLVED, TicketStatus.CLOSED})
LONGEST_SUBJECT = 300
MOST_MINUTES = 60 * 24 * 3650
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
SLACK = timedelta(minutes=5)
"""Clocks differ: a time this far ahead is no mistake."""


@dataclass(frozen=True, kw_only=True)
class TicketValues:
    """A ticket. Instants are aware; `solved_at` None of one that has just been solved means now."""

    subject: str
    opened_at: datetime
    priority: str = TicketPriority.NORMAL
    status: str = TicketStatus.OPEN
    solved_at: datetime | None = None
    first_response_minutes: int | None = None
    is_escalated: bool = False
    contact_id: UUID | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The values by the name of their column."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def values_of(ticket: SupportTicket) -> TicketValues:
    """Return what a stored ticket says."""
    return TicketValues(**{one.name: getattr(ticket, one.name) for one in fields(TicketValues)})


def add_ticket(
    client: Client, values: TicketValues, *, actor: StaffUser, today: date, now: datetime, external_id: str = ""
) -> Made[SupportTicket]:
    """Store a new ticket. The same under the same `external_id` again changes nothing; another one is a ConflictError
    naming the one that is there."""
    made = Made[SupportTicket]()
    with changing(actor, kind="ticket.added", summary=f"Ticket “{values.subject}” added", today=today, now=now) as work:
        owner = locked_client(client)
        columns = _checked(owner, values, None, now, external_id)
        if external_id and (known := repeated(SupportTicket, owner, external_id)):
            given = {name: value for name, value in columns.items() if name != "solved_at" or values.solved_at}
            made.record, made.repeated = same(known, given, "ticket"), True
            return made
        made.record = SupportTicket(client=owner, external_id=external_id, **columns)
        work.make(made.record)
    made.change = work.change
    return made


def change_ticket(
    ticket: SupportTicket, values: TicketValues, *, actor: StaffUser, today: date, now: datetime, verb: str = "changed"
) -> Made[SupportTicket]:
    """Store new values of a ticket; `verb` is what the access log and the reader are told was done."""
    made = Made[SupportTicket]()
    with changing(
        actor, kind=f"ticket.{verb.replace(' ', '_')}", summary=f"Ticket “{ticket}” {verb}", today=today, now=now
    ) as work:
        owner = locked_client(ticket.client)
        stored = fresh(SupportTicket, ticket.pk)
        write(work, stored, _checked(owner, values, stored, now))
        made.record = stored
    made.change = work.change
    return made


def solve(ticket: SupportTicket, *, actor: StaffUser, today: date, now: datetime) -> Made[SupportTicket]:
    """Say that a ticket is solved now; one that is solved stays as it is."""
    if ticket.status in SOLVED:
        return Made(ticket)
    values = TicketValues(**values_of(ticket).columns | {"status": TicketStatus.SOLVED, "solved_at": None})
    return change_ticket(ticket, values, actor=actor, today=today, now=now, verb="solved")


def reopen(ticket: SupportTicket, *, actor: StaffUser, today: date, now: datetime) -> Made[SupportTicket]:
    """Say that a solved ticket is open again; its time of solution goes."""
    if ticket.status not in SOLVED:
        return Made(ticket)
    values = TicketValues(**values_of(ticket).columns | {"status": TicketStatus.OPEN, "solved_at": None})
    return change_ticket(ticket, values, actor=actor, today=today, now=now, verb="reopened")


def escalate(
    ticket: SupportTicket, escalated: bool, *, actor: StaffUser, today: date, now: datetime
) -> Made[SupportTicket]:
    """Mark a ticket as escalated, or not any more."""
    values = TicketValues(**values_of(ticket).columns | {"is_escalated": escalated})
    verb = "escalated" if escalated else "no longer escalated"
    return change_ticket(ticket, values, actor=actor, today=today, now=now, verb=verb)


def remove_ticket(ticket: SupportTicket, *, actor: StaffUser, today: date, now: datetime) -> Made[SupportTicket]:
    """Take a ticket away."""
    made = Made[SupportTicket]()
    with changing(actor, kind="ticket.removed", summary=f"Ticket “{ticket}” removed", today=today, now=now) as work:
        locked_client(ticket.client)
        work.remove(fresh(SupportTicket, ticket.pk))
    made.change = work.change
    return made


def _checked(
    client: Client, values: TicketValues, before: SupportTicket | None, now: datetime, external_id: str = ""
) -> dict[str, Any]:
    """Return the columns to store; InvalidInputError by field for what cannot be."""
    columns, found = values.columns, {}
    if not values.subject.strip() and not external_id and (before is None or before.subject):
        found["subject"] = "Say in a few words what it is about."
    if len(values.subject) > LONGEST_SUBJECT:
        found["subject"] = f"is longer than {LONGEST_SUBJECT} characters."
    if len(external_id) > LONGEST_ID:
        found["external_id"] = f"is longer than {LONGEST_ID} characters."
    if values.priority not in TicketPriority.values:
        found["priority"] = f"is one of {', '.join(TicketPriority.values)}."
    if values.status not in TicketStatus.values:
        found["status"] = f"is one of {', '.join(TicketStatus.values)}."
    if problem := _time_problem(values.opened_at, now):
        found["opened_at"] = f"The opening {problem}"
    was_solved = before is not None and before.status in SOLVED
    if values.status in SOLVED and values.solved_at is None and not was_solved:
        columns["solved_at"] = max(now, values.opened_at)
    elif values.solved_at is not None and values.status not in SOLVED and "status" not in found:
        found["solved_at"] = "A ticket that waits has no time of solution; empty it, or choose Solved."
    elif values.solved_at is not None:
        if values.solved_at < values.opened_at:
            found["solved_at"] = "The ticket was solved before it was opened."
        elif problem := _time_problem(values.solved_at, now):
            found["solved_at"] = f"The solution {problem}"
    minutes = values.first_response_minutes
    if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
        found["first_response_minutes"] = "cannot be negative." if minutes < 0 else "is too long; give minutes."
    if problem := contact_problem(client, values.contact_id, before.contact_id if before else None):
        found["contact_id"] = problem
    if found:
        raise InvalidInputError("The ticket cannot be stored.", found)
    return columns


def contact_problem(client: Client, contact_id: UUID | None, before: UUID | None) -> str:
    """Return why a contact cannot be named on a record of `client`; empty for none and the one named before."""
    if contact_id is None or contact_id == before:
        return ""
    known = Contact.objects.filter(client=client, pk=contact_id, archived_at__isnull=True).exists()
    return "" if known else "is no contact of this client."


def _time_problem(moment: datetime, now: datetime) -> str:
    if moment > now + SLACK:
        return "lies ahead."
    return "is too long ago; check the year." if moment < EARLIEST else ""
