"""What happened lately with a client, as moments with a sentence each: for the operations console and its API."""

from dataclasses import dataclass
from datetime import datetime

from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.models import Activity, Client, SupportTicket, SurveyResponse
from bellwether.portfolio.timeline import clipped

AT_MOST = 12


@dataclass(frozen=True)
class Happening:
    """Something that happened at an instant (UTC); `icon` is the name of its drawing."""

    at: datetime
    text: str
    icon: str


def recent_activity(client: Client, *, now: datetime, at_most: int = AT_MOST) -> list[Happening]:
    """Return the newest conversations, tickets and survey answers up to `now`, newest first. Three queries."""
    done = Activity.objects.filter(
        client=client, archived_at__isnull=True, completed_at__isnull=False, occurred_at__lte=now
    )
    found = [
        Happening(one.occurred_at, _joined(activity_label(one), one.subject), "message-circle")
        for one in done.order_by("-occurred_at")[:at_most]
    ]
    tickets = SupportTicket.objects.filter(client=client, opened_at__lte=now).order_by("-opened_at")[:at_most]
    for ticket in tickets:
        name = f"Ticket {ticket.external_id}" if ticket.external_id else "Ticket"
        found.append(Happening(ticket.opened_at, _joined(f"{name} opened", ticket.subject), "life-buoy"))
        if ticket.solved_at is not None and ticket.solved_at <= now:
            found.append(Happening(ticket.solved_at, _joined(f"{name} solved", ticket.subject), "circle-check"))
    answers = SurveyResponse.objects.filter(client=client, answered_at__lte=now).order_by("-answered_at")[:at_most]
    for answer in answers:
        scale = "of 10" if answer.kind == "NPS" else "of 100"
        found.append(Happening(answer.answered_at, f"{answer.kind} answer: {answer.score:g} {scale}", "star"))
    found.sort(key=lambda one: (one.at, one.text), reverse=True)
    return found[:at_most]


def _joined(what: str, subject: str) -> str:
    about = clipped(subject, at_most=100)
    return f"{what}: {about}" if about and about.lower() != what.lower() else what
