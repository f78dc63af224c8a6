"""The form of an activity: one for all ten types, for logging, planning, completing and changing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict

from bellwether.common.errors import InvalidInputError
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.portfolio.activity_drafts import ActivityDraft, draft_of
from bellwether.portfolio.activity_fields import COMPLETION, DETAILS, LONGEST_TEXT, MEETING_TYPE, TYPES
from bellwether.portfolio.activity_words import labels_of, suggested_tags
from bellwether.portfolio.agenda import PRESETS, preset_date
from bellwether.portfolio.choices import ActivityOutcome
from bellwether.portfolio.models import Activity, Client, Contact, SupportTicket
from bellwether.staff.models import StaffUser

ON_DATE = "date"
PRESET_LABELS = {"tomorrow": "Tomorrow", "week": "1 week", "two_weeks": "2 weeks", "month": "1 month"}
REMIND = (
    ("0", "On the day"),
    ("1", "1 day before"),
    ("2", "2 days before"),
    ("7", "1 week before"),
    ("", "No reminder"),
)
MOST_TICKETS = 60
NOT_A_TIME = "Give a date and a time, such as 2026-02-12 14:30."
# Where the rules of activities name a field, and where the form has it.
FORM_FIELDS = {
    "client_contacts": "contacts",
    "ticket_id": "ticket",
    "follow_up_contact_id": "follow_up_contact",
    "follow_up_remind_on": "remind",
    "tags": "more_tags",
}

STORED = {
    "duration_minutes": "duration_minutes",
    "client_contacts": "contact_ids",
    "participants": "participant_ids",
    "ticket_id": "ticket_id",
}
"""Fields that only some types have, and where a draft holds them."""
BLANK: dict[str, Any] = {"duration_minutes": None, "client_contacts": (), "participants": (), "ticket_id": None}


class LocalTime(forms.CharField):
    """A time of day as a browser's control or a person writes it, in the zone of the reader. Empty is None."""

    def __init__(self, zone: ZoneInfo, **options: Any) -> None:
        super().__init__(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **options)
        self.zone = zone

    def clean(self, value: Any) -> datetime | None:
        """Return the instant."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return datetime.fromisoformat(text.strip()).replace(tzinfo=self.zone)
        except (ValueError, OverflowError):
            raise forms.ValidationError(NOT_A_TIME) from None


class Tags(forms.MultipleChoiceField):
    """Tags chosen from the suggestions; those offered when the form was opened hold, whatever is suggested by now."""

    def valid_value(self, value: Any) -> bool:
        """Return True: any text is a tag, its length is checked with the others."""
        return True


class Text(forms.CharField):
    """Text without characters that a database refuses."""

    def clean(self, value: Any) -> str:
        """Return the text."""
        return storable_text(super().clean(value))


@dataclass(frozen=True)
class Choices:
    """What can be chosen for an activity of a client: read once for the form, four queries."""

    contacts: Sequence[tuple[str, str]]
    primary: tuple[str, ...]
    people: Sequence[tuple[str, str]]
    tickets: Sequence[tuple[str, str]]
    tags: Sequence[str]


def choices_of(user: StaffUser, client: Client, *, now: datetime, known: Activity | None = None) -> Choices:
    """Return what can be chosen; contacts, colleagues and tickets that stand on `known` are among it."""
    here = list(
        Contact.objects.filter(
            client=client, archived_at__isnull=True, is_active=True, left_company_at__isnull=True
        ).order_by("-is_primary", "name")
    )
    kept = [one for one in known.client_contacts.all() if one not in here] if known is not None else []
    people = list(StaffUser.objects.filter(is_active=True).exclude(pk=user.pk).order_by("first_name", "last_name"))
    if known is not None:
        people += [one for one in known.participants.all() if one not in people]
    team = [one for one in people if user.team_id and one.team_id == user.team_id]
    rest = [one for one in people if one not in team]
    newest = SupportTicket.objects.filter(client=client).order_by("-opened_at")[:MOST_TICKETS]
    shown = sorted(newest, key=lambda one: one.solved_at is not None)
    if known is not None and known.ticket is not None and known.ticket not in shown:
        shown.append(known.ticket)
    return Choices(
        contacts=[(str(one.pk), _contact_text(one)) for one in (*here, *kept)],
        primary=tuple(str(one.pk) for one in here if one.is_primary),
        people=[(str(one.pk), one.name) for one in (*team, *rest)],
        tickets=[(str(one.pk), _ticket_text(one)) for one in shown],
        tags=suggested_tags(user, now=now),
    )


def _contact_text(contact: Contact) -> str:
    role = contact.title or ("" if contact.role == "OTHER" else str(contact.get_role_display()))
    return f"{contact.name}, {role}" if role else contact.name


def _ticket_text(ticket: SupportTicket) -> str:
    name = f"{ticket.external_id}: {ticket.subject}" if ticket.external_id and ticket.subject else str(ticket)
    return f"{name or 'Ticket'} ({ticket.get_status_display().lower()})"


class ActivityForm(forms.Form):
    """The fields of all types; the page shows those of the chosen one, and only they are kept."""

    def __init__(
        self, data: QueryDict | None, *, choices: Choices, zone: ZoneInfo, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="activity-%s")
        labels = labels_of()
        words = [(label, label.capitalize()) for held in labels.values() for label in held]
        stored = str((initial or {}).get("label") or "")
        if stored and stored not in dict(words):
            words.append((stored, stored.capitalize()))
        tags = list(dict.fromkeys((*((initial or {}).get("tags") or ()), *choices.tags)))
        blank = ("", "Not chosen")
        self.fields.update(
            {
                "key": forms.UUIDField(required=False),
                "activity_type": forms.ChoiceField(choices=[(word, one.short) for word, one in TYPES.items()]),
                "label": forms.ChoiceField(required=False, choices=[("", "None"), *words]),
                "subject": Text(required=False, max_length=300, label="Subject"),
                "occurred_at": LocalTime(zone, label="When"),
                "duration_minutes": forms.IntegerField(
                    required=False, min_value=1, max_value=1440, label="Minutes", widget=forms.NumberInput
                ),
                "contacts": _several("With", choices.contacts),
                "participants": _several("Colleagues", choices.people),
                "meeting_type": forms.ChoiceField(
                    required=False, label=MEETING_TYPE.label, choices=[blank, *MEETING_TYPE.choices]
                ),
                "topic": Text(required=False, max_length=LONGEST_TEXT, label="Topic"),
                "completion": forms.ChoiceField(
                    required=False, label=COMPLETION.label, choices=[blank, *COMPLETION.choices]
                ),
                "decisions": Text(required=False, max_length=LONGEST_TEXT, label="Decisions", widget=forms.Textarea),
                "ticket": forms.ChoiceField(required=False, label="Ticket", choices=[("", "None"), *choices.tickets]),
                "outcome": forms.ChoiceField(
                    required=False, label="Outcome", choices=[blank, *ActivityOutcome.choices]
                ),
                "outcome_notes": Text(required=False, label="What came of it", widget=forms.Textarea),
                "description": Text(required=False, label="Notes", widget=forms.Textarea),
                "next_steps": Text(required=False, label="Next steps", widget=forms.Textarea),
                "tags": Tags(required=False, choices=[(tag, tag) for tag in tags], widget=forms.CheckboxSelectMultiple),
                "more_tags": Text(
                    required=False, label="More tags", help_text="With commas between them.", max_length=600
                ),
                "follow_up": forms.BooleanField(required=False, label="Follow up"),
                "follow_up_when": forms.ChoiceField(
                    required=False, choices=[*PRESET_LABELS.items(), (ON_DATE, "On a date")]
                ),
                "follow_up_date": forms.DateField(
                    required=False, label="Date", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
                ),
                "follow_up_text": Text(required=False, max_length=300, label="What to do"),
                "follow_up_contact": forms.ChoiceField(
                    required=False, label="With", choices=[("", "Nobody in particular"), *choices.contacts]
                ),
                "remind": forms.ChoiceField(required=False, label="Reminder", choices=REMIND),
            }
        )

    @property
    def chosen_type(self) -> str:
        """The type that is shown as chosen."""
        value = str(self["activity_type"].value() or "")
        return value if value in TYPES else "CALL"

    def draft(self, *, today: date, known: Activity | None = None) -> ActivityDraft:
        """Return what was typed, once the form is valid. Fields that the type does not have are left out, those of a
        stored activity kept."""
        given = self.cleaned_data
        kind = given["activity_type"]
        has = TYPES[kind].names
        stored = draft_of(known) if known is not None and known.activity_type == kind else None
        labels = (*labels_of().get(kind, ()), stored.label if stored else "")
        values: dict[str, Any] = {
            "duration_minutes": given["duration_minutes"],
            "client_contacts": _ids(given["contacts"]),
            "participants": _ids(given["participants"]),
            "ticket_id": UUID(given["ticket"]) if given["ticket"] else None,
        }
        for name, column in STORED.items():
            if name not in has:
                values[name] = getattr(stored, column) if stored else BLANK[name]
        due = _due_date(given, today) if given["follow_up"] else None
        return ActivityDraft(
            activity_type=kind,
            label=given["label"] if given["label"] in labels else "",
            subject=given["subject"],
            description=given["description"],
            occurred_at=given["occurred_at"],
            duration_minutes=values["duration_minutes"],
            contact_ids=values["client_contacts"],
            participant_ids=values["participants"],
            outcome=given["outcome"] or None,
            outcome_notes=given["outcome_notes"],
            tags=(*given["tags"], *given["more_tags"].split(",")),
            next_steps=given["next_steps"],
            details={detail.name: given[detail.name] for detail in DETAILS if detail.name in has},
            ticket_id=values["ticket_id"],
            follow_up_required=given["follow_up"],
            follow_up_date=due,
            follow_up_text=given["follow_up_text"] if given["follow_up"] else "",
            follow_up_contact_id=UUID(given["follow_up_contact"])
            if given["follow_up"] and given["follow_up_contact"]
            else None,
            follow_up_remind_on=_remind_on(given, due),
        )

    def refuse(self, error: InvalidInputError) -> None:
        """Put the errors of the rules beside their fields; what has no field here stands above them all."""
        for path, sentence in error.errors.items():
            name = FORM_FIELDS.get(path, path.removeprefix("details."))
            self.add_error(name if name in self.fields else None, sentence)


def _several(label: str, choices: Sequence[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        required=False,
        label=label,
        choices=choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="None are known yet.",
    )


def _ids(given: Sequence[str]) -> tuple[UUID, ...]:
    return tuple(UUID(text) for text in given)


def _due_date(given: Mapping[str, Any], today: date) -> date | None:
    word = given["follow_up_when"]
    if word in PRESETS:
        return preset_date(word, today)
    due: date | None = given["follow_up_date"]
    return due


def _remind_on(given: Mapping[str, Any], due: date | None) -> date | None:
    return due - timedelta(days=int(given["remind"])) if due is not None and given["remind"] != "" else None


def first_values(
    *, kind: str, planned: bool, choices: Choices, contact: str = "", now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """Return what a new form is filled with: now or, for a plan, ten o'clock on the next day from Monday to Friday; the
    primary contact; the usual length."""
    local = now.astimezone(zone)
    ahead = {4: 3, 5: 2}.get(local.weekday(), 1)
    planned_at = (local + timedelta(days=ahead)).replace(hour=10, minute=0)
    known = {value for value, _ in choices.contacts}
    return {
        "key": uuid4(),
        "activity_type": kind,
        "occurred_at": _typed(planned_at if planned else local),
        "duration_minutes": TYPES[kind].minutes or 30,
        "contacts": [contact] if contact in known else list(choices.primary),
        "follow_up_when": "week",
        "remind": "0",
    }


def stored_values(activity: Activity, *, complete: bool, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return what the form of a stored activity is filled with; one that is being completed took place by now."""
    draft = draft_of(activity)
    at = min(draft.occurred_at, now) if complete else draft.occurred_at
    gap = (
        (draft.follow_up_date - draft.follow_up_remind_on).days
        if draft.follow_up_date and draft.follow_up_remind_on
        else None
    )
    offered = {value for value, _ in REMIND}
    return {
        "activity_type": draft.activity_type,
        "label": draft.label,
        "subject": draft.subject,
        "occurred_at": _typed(at.astimezone(zone)),
        "duration_minutes": draft.duration_minutes,
        "contacts": [str(pk) for pk in draft.contact_ids],
        "participants": [str(pk) for pk in draft.participant_ids],
        **{detail.name: draft.details.get(detail.name, "") for detail in DETAILS},
        "ticket": str(draft.ticket_id or ""),
        "outcome": draft.outcome or "",
        "outcome_notes": draft.outcome_notes,
        "description": draft.description,
        "next_steps": draft.next_steps,
        "tags": list(draft.tags),
        "follow_up": draft.follow_up_required,
        "follow_up_when": ON_DATE if draft.follow_up_required else "week",
        "follow_up_date": draft.follow_up_date,
        "follow_up_text": draft.follow_up_text,
        "follow_up_contact": str(draft.follow_up_contact_id or ""),
        "remind": str(gap) if str(gap) in offered else "" if draft.follow_up_required else "0",
    }


def _typed(local: datetime) -> str:
    return f"{local:%Y-%m-%dT%H:%M}"


def preset_days(now: datetime, zone: ZoneInfo) -> list[tuple[str, str, date]]:
    """Return the usual dates of a follow-up: word, label, date."""
    today = day_of(now, zone)
    return [(word, PRESET_LABELS[word], preset_date(word, today)) for word in PRESETS]
