"""What the portfolio's records add to the stream of a client: conversations, tickets, answers, notes, contract."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from bellwether.portfolio.activity_fields import DETAILS
from bellwether.portfolio.models import (
    Activity,
    ClientOutcome,
    Contact,
    ContractPeriod,
    Note,
    SupportTicket,
    SurveyResponse,
)
from bellwether.portfolio.reason_codes import said
from bellwether.portfolio.search import matching_ids
from bellwether.portfolio.timeline import Entry, Group, clipped
from bellwether.portfolio.timeline_changes import CHANGES
from bellwether.portfolio.timeline_stream import Asked, FewEntries, Made, ManyRows, Person, add_source
from bellwether.portfolio.timeline_words import (
    of_activity,
    of_answer,
    of_contract,
    of_go_live,
    of_left,
    of_outcome,
    of_ticket,
)
from bellwether.web.formatting import day, moment, money, plural

Details = tuple[tuple[str, str], ...]
NOTES = {"RISK": "triangle-alert", "OPPORTUNITY": "trending-up", "STRATEGY": "compass"}


def register() -> None:
    """Add the sources of this package; called once when Django starts."""
    for source in (
        ManyRows("activity", "activity", "occurred_at", _activities, _show_activities),
        ManyRows("ticket", "ticket", "opened_at", _tickets, _show_opened),
        ManyRows("ticket-solved", "ticket", "solved_at", _tickets, _show_solved),
        ManyRows("survey", "survey", "answered_at", _answers, _show_answers),
        ManyRows("note", "note", "created_at", _notes, _show_notes),
        FewEntries("contract", "contract", _contract),
        FewEntries("contact", "contact", _people),
        CHANGES,
    ):
        add_source(source)


def _with_words(rows: QuerySet[Any], kind: str, asked: Asked) -> QuerySet[Any]:
    return rows.filter(pk__in=matching_ids(kind, asked.words, asked.client.pk)) if asked.words else rows


def _activities(asked: Asked) -> QuerySet[Activity]:
    rows = Activity.objects.filter(client=asked.client, archived_at__isnull=True)
    if asked.person is not None and asked.person.who == "staff":
        joined = Activity.participants.through.objects.filter(staffuser_id=asked.person.id).values("activity_id")
        rows = rows.filter(Q(performed_by_id=asked.person.id) | Q(pk__in=joined))
    elif asked.person is not None:
        met = Activity.client_contacts.through.objects.filter(contact_id=asked.person.id).values("activity_id")
        rows = rows.filter(pk__in=met)
    return _with_words(rows, "activity", asked).select_related("performed_by", "ticket", "follow_up_contact")


def _show_activities(rows: list[Activity], asked: Asked) -> list[Made]:
    contacts, staff = names_of(rows)
    return [
        Made(
            of_activity(row, contacts.get(row.pk, []), now=asked.now, zone=asked.zone),
            activity_details(row, contacts.get(row.pk, []), staff.get(row.pk, []), now=asked.now, zone=asked.zone),
            by=row.performed_by.name if row.performed_by else "",
        )
        for row in rows
    ]


def names_of(rows: Collection[Activity]) -> tuple[dict[UUID, list[str]], dict[UUID, list[str]]]:
    """Return the names of the contacts and of the other staff of each activity, in two queries."""
    contacts: dict[UUID, list[str]] = defaultdict(list)
    staff: dict[UUID, list[str]] = defaultdict(list)
    ids = [row.pk for row in rows]
    met = Activity.client_contacts.through.objects.filter(activity_id__in=ids).order_by("contact__name")
    for activity_id, name in met.values_list("activity_id", "contact__name"):
        contacts[activity_id].append(name)
    joined = Activity.participants.through.objects.filter(activity_id__in=ids).select_related("staffuser")
    for row in joined.order_by("staffuser__first_name"):
        staff[row.activity_id].append(row.staffuser.name)
    return contacts, staff


def activity_details(
    activity: Activity, contacts: list[str], staff: list[str], *, now: datetime, zone: ZoneInfo
) -> Details:
    """Return everything that is recorded about an activity, as (label, text)."""
    today = now.astimezone(zone).date()
    kept = activity.details if isinstance(activity.details, dict) else {}
    follow_up = ""
    if activity.follow_up_date or activity.follow_up_text:
        due = f"due {day(activity.follow_up_date, today)}" if activity.follow_up_date else ""
        state = "done" if activity.follow_up_completed_at else due
        follow_up = ", ".join(part for part in (activity.follow_up_text, state) if part)
    named = activity.ticket and (activity.ticket.external_id or activity.ticket.subject)
    return _known(
        ("When", moment(activity.occurred_at, now, zone)),
        ("Logged by", activity.performed_by.name if activity.performed_by else ""),
        ("With", ", ".join(contacts)),
        ("Also there", ", ".join(staff)),
        ("Duration", plural(activity.duration_minutes, "minute") if activity.duration_minutes else ""),
        ("Description", activity.description),
        ("Outcome", str(activity.get_outcome_display()) if activity.outcome else ""),
        ("Notes", activity.outcome_notes),
        *((one.label, one.text(str(kept[one.name]))) for one in DETAILS if kept.get(one.name)),
        ("Next steps", activity.next_steps),
        ("Follow-up", follow_up),
        ("Ticket", str(named or "")),
        ("Tags", ", ".join(str(tag) for tag in activity.tags) if isinstance(activity.tags, list) else ""),
    )


def _tickets(asked: Asked) -> QuerySet[SupportTicket] | None:
    if asked.person is not None and asked.person.who == "staff":
        return None
    rows = SupportTicket.objects.filter(client=asked.client)
    if asked.person is not None:
        rows = rows.filter(contact_id=asked.person.id)
    return _with_words(rows, "ticket", asked).select_related("contact")


def _show_opened(rows: list[SupportTicket], asked: Asked) -> list[Made]:
    return [_ticket(row, 0, asked) for row in rows]


def _show_solved(rows: list[SupportTicket], asked: Asked) -> list[Made]:
    return [_ticket(row, 1, asked) for row in rows]


def _ticket(ticket: SupportTicket, place: int, asked: Asked) -> Made:
    answered = ticket.first_response_minutes
    details = _known(
        ("Subject", ticket.subject),
        ("Priority", str(ticket.get_priority_display())),
        ("State", str(ticket.get_status_display())),
        ("Opened", moment(ticket.opened_at, asked.now, asked.zone)),
        ("First answer", f"after {plural(answered, 'minute')}" if answered is not None else ""),
        ("Solved", moment(ticket.solved_at, asked.now, asked.zone) if ticket.solved_at else ""),
        ("Escalated", "Yes" if ticket.is_escalated else ""),
        ("Opened by", ticket.contact.name if ticket.contact else ""),
    )
    entry = of_ticket(ticket, today=asked.today, zone=asked.zone)[place]
    return Made(entry, details, by=ticket.contact.name if ticket.contact else "")


def _answers(asked: Asked) -> QuerySet[SurveyResponse] | None:
    if asked.person is not None and asked.person.who == "staff":
        return None
    rows = SurveyResponse.objects.filter(client=asked.client)
    if asked.person is not None:
        rows = rows.filter(contact_id=asked.person.id)
    return _with_words(rows, "answer", asked).select_related("contact")


def _show_answers(rows: list[SurveyResponse], asked: Asked) -> list[Made]:
    return [
        Made(
            of_answer(row, zone=asked.zone),
            _known(
                ("Answered", moment(row.answered_at, asked.now, asked.zone)),
                ("By", row.contact.name if row.contact else ""),
                ("Score", f"{row.score:g} of {10 if row.kind == 'NPS' else 100}"),
                ("Comment", row.comment),
            ),
            by=row.contact.name if row.contact else "",
        )
        for row in rows
    ]


def _notes(asked: Asked) -> QuerySet[Note] | None:
    if asked.person is not None and asked.person.who == "contact":
        return None
    rows = Note.objects.visible_to(asked.user).filter(client=asked.client, archived_at__isnull=True)
    if asked.person is not None:
        rows = rows.filter(created_by_id=asked.person.id)
    return _with_words(rows, "note", asked).select_related("created_by")


def _show_notes(rows: list[Note], asked: Asked) -> list[Made]:
    return [Made(_note(row, asked.zone), _note_details(row, asked), by=row.created_by.name) for row in rows]


def _note(note: Note, zone: ZoneInfo) -> Entry:
    kind = str(note.get_note_type_display())
    title = f"{kind} note" if note.note_type != "GENERAL" else "Note"
    return Entry(
        key=f"note-{note.pk}",
        on=note.created_at.astimezone(zone).date(),
        group=Group.OTHER,
        icon=NOTES.get(note.note_type, "sticky-note"),
        title=f"{title}: {clipped(note.title)}" if note.title else title,
        detail=clipped(note.content),
    )


def _note_details(note: Note, asked: Asked) -> Details:
    return _known(
        ("Written", moment(note.created_at, asked.now, asked.zone)),
        ("By", note.created_by.name),
        ("Private", "Only you can see this note." if note.is_private else ""),
        ("Note", note.content),
    )


def _contract(asked: Asked) -> Iterator[Made]:
    periods = list(ContractPeriod.objects.filter(client=asked.client).order_by("start_date"))
    outcomes = list(ClientOutcome.objects.filter(client=asked.client).order_by("date"))
    by_key = {f"period-{period.pk}": period for period in periods}
    for entry in of_contract(periods, outcomes):
        period = by_key[entry.key]
        yield Made(entry, _term(period, asked.today), str(period.pk))
    for outcome in outcomes:
        yield Made(of_outcome(outcome), _ending(outcome, asked.today), str(outcome.pk))
    if asked.client.go_live_date:
        yield Made(of_go_live(asked.client.go_live_date))


def _term(period: ContractPeriod, today: date) -> Details:
    arr = period.annual_recurring_revenue
    return _known(
        ("From", day(period.start_date, today)),
        ("Until", day(period.end_date, today) if period.end_date else ""),
        ("ARR", money(arr) if arr is not None else ""),
        ("Tier", str(period.get_contract_tier_display())),
        ("Seats", f"{period.licensed_user_count:,}" if period.licensed_user_count else ""),
        ("Modules", ", ".join(map(str, period.licensed_modules))),
        ("Renews by itself", "" if period.auto_renew is None else "Yes" if period.auto_renew else "No"),
    )


def _ending(outcome: ClientOutcome, today: date) -> Details:
    return _known(
        ("On", day(outcome.date, today)),
        ("ARR before", money(outcome.arr_before) if outcome.arr_before is not None else ""),
        ("ARR after", money(outcome.arr_after) if outcome.arr_after is not None else ""),
        ("Reason", said(outcome.reason_code, outcome.reason)),
        ("Notes", outcome.notes),
    )


def _people(asked: Asked) -> Iterator[Made]:
    rows = Contact.objects.filter(client=asked.client, archived_at__isnull=True, left_company_at__isnull=False)
    for contact in rows:
        left_at = contact.left_company_at
        if left_at is None:
            continue
        details = _known(
            ("Name", contact.name),
            ("Title", contact.title),
            ("Role", str(contact.get_role_display())),
            ("Left", day(left_at.astimezone(asked.zone).date(), asked.today)),
        )
        person = frozenset({Person("contact", contact.pk)})
        entry = of_left(contact, left_at, zone=asked.zone)
        yield Made(entry, details, str(contact.pk), people=person, at=left_at)


def _known(*pairs: tuple[str, str]) -> Details:
    return tuple((label, text.strip()) for label, text in pairs if text and text.strip())
