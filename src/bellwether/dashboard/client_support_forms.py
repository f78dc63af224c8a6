"""The forms of tickets and of answers to surveys. Rules are those of portfolio.tickets and portfolio.surveys."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from bellwether.dashboard.record_forms import MomentField, RecordForm, TextField, typed
from bellwether.portfolio.choices import SurveyKind, TicketPriority, TicketStatus
from bellwether.portfolio.models import Client, Contact, SupportTicket, SurveyResponse
from bellwether.portfolio.survey_figures import SCALES
from bellwether.portfolio.surveys import AnswerValues, asked_score
from bellwether.portfolio.tickets import TicketValues

WRONG_TIME = {"invalid": "Write the time like 2026-02-12 14:05."}


def _contact() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label="Contact", required=False, coerce=UUID, empty_value=None)


def _contacts(client: Client, but: Contact | None) -> list[tuple[str, str]]:
    known = Contact.objects.filter(client=client, archived_at__isnull=True).order_by("name")
    choices = [(str(one.pk), one.name) for one in known]
    if but is not None and str(but.pk) not in dict(choices):
        choices.append((str(but.pk), but.name))
    return [("", "Not known"), *choices]


class TicketForm(RecordForm):
    """A ticket; times are typed in the reader's zone."""

    subject = TextField(label="Subject", max_length=300)
    priority = forms.ChoiceField(label="Priority", choices=TicketPriority.choices, initial=TicketPriority.NORMAL)
    status = forms.ChoiceField(label="Status", choices=TicketStatus.choices, initial=TicketStatus.OPEN)
    opened_at = MomentField(label="Opened", error_messages=WRONG_TIME)
    solved_at = MomentField(
        label="Solved", required=False, error_messages=WRONG_TIME, help_text="Empty: now, if it is solved."
    )
    first_response_minutes = forms.IntegerField(
        label="First response after", required=False, help_text="In minutes.",
        error_messages={"invalid": "Write a whole number of minutes."},
    )  # fmt: skip
    contact_id = _contact()
    is_escalated = forms.BooleanField(label="Escalated", required=False)
    wide = ("subject",)

    def __init__(
        self, *args: Any, client: Client, ticket: SupportTicket | None, zone: ZoneInfo, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fields["contact_id"].choices = _contacts(client, ticket.contact if ticket else None)  # type: ignore[attr-defined]
        self.fields["subject"].required = ticket is None or bool(ticket.subject)
        self.fields["opened_at"].help_text = f"In the zone {zone}."

    @staticmethod
    def shown(ticket: SupportTicket | None, zone: ZoneInfo) -> dict[str, Any]:
        """Return what the form shows for a ticket, or for a new one."""
        if ticket is None:
            return {"opened_at": typed(timezone.now(), zone)}
        names = ("subject", "priority", "status", "first_response_minutes", "is_escalated")
        return {
            **{name: getattr(ticket, name) for name in names},
            "opened_at": typed(ticket.opened_at, zone),
            "solved_at": typed(ticket.solved_at, zone),
            "contact_id": str(ticket.contact_id or ""),
        }

    def values(self, given: dict[str, Any], ticket: SupportTicket | None, zone: ZoneInfo) -> TicketValues:
        """Return the ticket that was typed. A time that was not touched keeps its seconds."""
        for name in ("opened_at", "solved_at"):
            before = getattr(ticket, name) if ticket else None
            given[name] = _moment(given[name], before, zone)
        return TicketValues(**given)


def _moment(given: Any, before: Any, zone: ZoneInfo) -> Any:
    if given is None:
        return None
    local = given.replace(tzinfo=zone)
    shown = typed(before, zone)
    if shown is not None and shown.replace(second=0, microsecond=0) == given.replace(
        second=0, microsecond=0, tzinfo=None
    ):
        return before
    return local


class AnswerForm(RecordForm):
    """An answer to a survey."""

    kind = forms.ChoiceField(label="Survey", choices=SurveyKind.choices)
    score = forms.FloatField(label="Answer", error_messages={"invalid": "Write a number."})
    scale = forms.ChoiceField(
        label="CSAT scale", required=False, choices=[(word, word.replace("-", " to ")) for word in SCALES],
        help_text="NPS is always 0 to 10.",
    )  # fmt: skip
    answered_at = MomentField(label="Answered", error_messages=WRONG_TIME)
    contact_id = _contact()
    respondent = TextField(
        label="Respondent", required=False, max_length=200, help_text="An id, where no contact is known."
    )
    comment = TextField(label="Comment", required=False, widget=forms.Textarea, max_length=20_000)
    wide = ("comment",)

    def __init__(
        self, *args: Any, client: Client, answer: SurveyResponse | None, zone: ZoneInfo, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fields["contact_id"].choices = _contacts(client, answer.contact if answer else None)  # type: ignore[attr-defined]
        if answer is not None and answer.scale and answer.scale not in SCALES:
            self.fields["scale"].choices += [(answer.scale, answer.scale.replace("-", " to "))]  # type: ignore[attr-defined]
        self.fields["answered_at"].help_text = f"In the zone {zone}."

    @staticmethod
    def shown(answer: SurveyResponse | None, zone: ZoneInfo) -> dict[str, Any]:
        """Return what the form shows for an answer, or for a new one."""
        if answer is None:
            return {"answered_at": typed(timezone.now(), zone), "kind": "NPS", "scale": "0-100"}
        return {
            "kind": answer.kind,
            "score": f"{asked_score(answer):g}",
            "scale": answer.scale or "0-100",
            "answered_at": typed(answer.answered_at, zone),
            "contact_id": str(answer.contact_id or ""),
            "respondent": answer.respondent,
            "comment": answer.comment,
        }

    def values(self, given: dict[str, Any], answer: SurveyResponse | None, zone: ZoneInfo) -> AnswerValues:
        """Return the answer that was typed."""
        scale = "" if given["kind"] == SurveyKind.NPS or given["scale"] == "0-100" else given["scale"]
        before = answer.answered_at if answer else None
        return AnswerValues(**given | {"scale": scale, "answered_at": _moment(given["answered_at"], before, zone)})
