"""A client's records as entries of one timeline, in words: the same on the pages, in the API and in exports."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.portfolio.contacting import activity_label, is_contact
from bellwether.portfolio.models import (
    Activity,
    ClientOutcome,
    Contact,
    ContractPeriod,
    SupportTicket,
    SurveyResponse,
)
from bellwether.portfolio.reason_codes import said
from bellwether.portfolio.timeline import Entry, Group, ScoreStep, clipped
from bellwether.web.formatting import day, money, plural

ICONS = {
    "CALL": "phone",
    "EMAIL": "mail",
    "MEETING": "users",
    "QBR": "presentation",
    "TRAINING": "graduation-cap",
    "ONBOARDING": "rocket",
    "SUPPORT_ESCALATION": "siren",
    "EXECUTIVE_TOUCHPOINT": "handshake",
    "INTERNAL_DISCUSSION": "message-square",
}
# How much a kind deserves a mark on the chart. What changes a client's course comes first.
OF_NOTE = {"QBR": 6, "EXECUTIVE_TOUCHPOINT": 6, "SUPPORT_ESCALATION": 7, "ONBOARDING": 4, "TRAINING": 3}
TICKET_WEIGHT = {"urgent": 8, "high": 5}
OUTCOMES = {
    "RENEWED": ("Contract renewed", "file-text", "healthy"),
    "CHURNED": ("Client left", "user-round-x", "critical"),
    "DOWNGRADED": ("Contract reduced", "trending-down", "risk"),
}
SAME_EVENT_DAYS = 14


def of_activity(activity: Activity, people: Sequence[str], *, now: datetime, zone: ZoneInfo) -> Entry:
    """Return an activity as an entry; one that is planned says so."""
    label, kind = activity_label(activity), activity.activity_type
    contact = is_contact(activity, now)
    notes = [clipped(activity.outcome_notes or activity.description)]
    if activity.completed_at is None:
        notes.insert(0, "Planned." if activity.occurred_at > now else "Planned, not marked as done.")
    elif activity.outcome:
        notes.insert(0, f"{activity.get_outcome_display()}.")
    if people:
        notes.append(f"With {', '.join(people[:3])}{' and others' if len(people) > 3 else ''}.")
    same = activity.subject.strip().lower() == label.lower()
    return Entry(
        key=f"activity-{activity.pk}",
        on=day_of(activity.occurred_at, zone),
        group=Group.ACTIVITIES,
        icon=ICONS.get(kind, "circle-dot"),
        title=label if same or not activity.subject else f"{label}: {clipped(activity.subject)}",
        detail=" ".join(note for note in notes if note),
        status="risk" if kind == "SUPPORT_ESCALATION" else "",
        rank=_time_of_day(activity.occurred_at, zone),
        is_contact=contact,
        weight=OF_NOTE.get(kind, 0) if activity.completed_at else 0,
        mark="QBR" if kind == "QBR" else label,
    )


def of_ticket(ticket: SupportTicket, *, today: date, zone: ZoneInfo) -> list[Entry]:
    """Return the opening of a ticket as an entry, and its solution as a second one."""
    opened = day_of(ticket.opened_at, zone)
    name = f"Ticket {ticket.external_id}" if ticket.external_id else "Ticket"
    priority = str(ticket.get_priority_display())
    status = {"urgent": "critical", "high": "risk"}.get(ticket.priority, "")
    open_now = ticket.solved_at is None
    state = f"Open for {plural((today - opened).days, 'day')}." if open_now else ""
    made = [
        Entry(
            key=f"ticket-{ticket.pk}",
            on=opened,
            group=Group.SUPPORT,
            icon="life-buoy",
            title=f"{name} opened",
            detail=" ".join(
                part for part in (_sentence(clipped(ticket.subject)), f"{priority} priority.", state) if part
            ),
            status=status,
            rank=_time_of_day(ticket.opened_at, zone),
            weight=TICKET_WEIGHT.get(ticket.priority, 0),
            mark=f"{priority} ticket" if not ticket.external_id else f"{name}, {priority.lower()}",
        )
    ]
    if ticket.solved_at is not None:
        solved = day_of(ticket.solved_at, zone)
        took = (solved - opened).days
        made.append(
            Entry(
                key=f"ticket-{ticket.pk}-solved",
                on=solved,
                group=Group.SUPPORT,
                icon="circle-check",
                title=f"{name} solved",
                detail="On the day it was opened." if took == 0 else f"After {plural(took, 'day')}.",
                rank=_time_of_day(ticket.solved_at, zone),
            )
        )
    return made


def of_answer(answer: SurveyResponse, *, zone: ZoneInfo) -> Entry:
    """Return a survey answer as an entry."""
    nps = answer.kind == "NPS"
    score = f"{answer.score:g}" if nps else f"{answer.score:.0f}%"
    bad = answer.score <= 6 if nps else answer.score < 50
    kind = "Detractor." if nps and bad else "Promoter." if nps and answer.score >= 9 else ""
    comment = clipped(answer.comment)
    return Entry(
        key=f"answer-{answer.pk}",
        on=day_of(answer.answered_at, zone),
        group=Group.OTHER,
        icon="star",
        title=f"{answer.kind} answer: {score}",
        detail=" ".join(part for part in (kind, f"“{comment}”" if comment else "") if part),
        status="risk" if bad else "",
        rank=_time_of_day(answer.answered_at, zone),
        weight=(6 if bad else 4) if nps else 0,
        mark=f"{answer.kind} {score}",
    )


def of_step(step: ScoreStep, *, today: date) -> Entry:
    """Return a notable change of the score as an entry."""
    fell = step.change < 0
    amount = plural(abs(step.change), "point")
    return Entry(
        key=f"score-{step.on.isoformat()}",
        on=step.on,
        group=Group.SCORE,
        icon="trending-down" if fell else "trending-up",
        title=f"Health {'fell' if fell else 'rose'} {amount} in 7 days, from {step.before} to {step.after}",
        detail=f"From {day(step.since, today)} to {day(step.on, today)}.",
        status="risk" if fell else "healthy",
        rank=1.5,
    )


def of_contract(periods: Sequence[ContractPeriod], outcomes: Iterable[ClientOutcome]) -> list[Entry]:
    """Return the start of each contract period as an entry, except where an outcome tells the same renewal."""
    told = [outcome.date for outcome in outcomes if outcome.outcome in {"RENEWED", "DOWNGRADED"}]
    found = []
    for index, period in enumerate(periods):
        if index and any(abs((period.start_date - when).days) <= SAME_EVENT_DAYS for when in told):
            continue
        parts = [
            f"{money(period.annual_recurring_revenue)} a year" if period.annual_recurring_revenue is not None else ""
        ]
        parts.append(plural(period.licensed_user_count, "seat") if period.licensed_user_count else "")
        detail = ", ".join(part for part in parts if part)
        title = "Contract renewed" if index else "Contract started"
        found.append(
            Entry(
                key=f"period-{period.pk}",
                on=period.start_date,
                group=Group.OTHER,
                icon="file-text",
                title=title,
                detail=_sentence(detail),
                weight=9,
                mark=title,
            )
        )
    return found


def of_outcome(outcome: ClientOutcome) -> Entry:
    """Return how a term ended as an entry."""
    title, icon, status = OUTCOMES[outcome.outcome]
    money_text = ""
    if outcome.arr_before is not None and outcome.arr_after is not None and outcome.arr_before != outcome.arr_after:
        money_text = f"From {money(outcome.arr_before)} to {money(outcome.arr_after)} a year."
    why = said(outcome.reason_code, outcome.reason)
    reason = f"Reason: {why}." if why else ""
    return Entry(
        key=f"outcome-{outcome.pk}",
        on=outcome.date,
        group=Group.OTHER,
        icon=icon,
        title=title,
        detail=" ".join(part for part in (money_text, reason, clipped(outcome.notes)) if part),
        status=status,
        rank=2.5,
        weight=10,
        mark=title,
    )


def of_left(contact: Contact, left_at: datetime, *, zone: ZoneInfo) -> Entry:
    """Return a contact who left at `left_at` as an entry."""
    role = str(contact.get_role_display())
    return Entry(
        key=f"left-{contact.pk}",
        on=day_of(left_at, zone),
        group=Group.OTHER,
        icon="user-round-x",
        title=f"{role} {contact.name} left",
        status="critical" if contact.role == "CHAMPION" else "risk",
        weight=9 if contact.role == "CHAMPION" else 7,
        mark=f"{role} left",
    )


def of_go_live(on: date) -> Entry:
    """Return the day on which a client went live as an entry."""
    return Entry(
        key="go-live",
        on=on,
        group=Group.OTHER,
        icon="flag",
        title="Went live",
        weight=7,
        mark="Went live",
    )


def _time_of_day(instant: datetime, zone: ZoneInfo) -> float:
    local = instant.astimezone(zone)
    return (local.hour * 60 + local.minute) / 1440


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?…" else f"{text}."
