"""What somebody wants to write down as an activity, and whether it can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.activity_fields import LONGEST_MINUTES, checked_details, checked_tags
from bellwether.portfolio.choices import ActivityOutcome, ActivityType
from bellwether.portfolio.models import Activity, Client, Contact, SupportTicket
from bellwether.staff.models import StaffUser

CLOCKS_DIFFER = timedelta(minutes=5)
FARTHEST = timedelta(days=3 * 365)
LONGEST_NOTES = 20_000


@dataclass(frozen=True, kw_only=True)
class ActivityDraft:
    """An activity as somebody gives it. `occurred_at` is when it took place or, for a planned one, when it will.

    `performed_by_id` None is the one who logs it. A `follow_up_date` makes a follow-up required by itself.
    """

    activity_type: str
    subject: str = ""
    label: str = ""
    description: str = ""
    occurred_at: datetime
    duration_minutes: int | None = None
    performed_by_id: UUID | None = None
    contact_ids: tuple[UUID, ...] = ()
    participant_ids: tuple[UUID, ...] = ()
    outcome: str | None = None
    outcome_notes: str = ""
    tags: tuple[str, ...] = ()
    next_steps: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    ticket_id: UUID | None = None
    follow_up_required: bool = False
    follow_up_date: date | None = None
    follow_up_text: str = ""
    follow_up_contact_id: UUID | None = None
    follow_up_remind_on: date | None = None


@dataclass(frozen=True)
class Checked:
    """A draft that can be stored: the columns, and the sets by name."""

    columns: dict[str, Any]
    many: dict[str, list[Any]]


def draft_of(activity: Activity) -> ActivityDraft:
    """Return a stored activity as a draft, to be changed. Two queries."""
    details = {name: value for name, value in activity.details.items() if name != ORIGIN}
    return ActivityDraft(
        activity_type=activity.activity_type,
        subject=activity.subject,
        label=activity.label,
        description=activity.description,
        occurred_at=activity.occurred_at,
        duration_minutes=activity.duration_minutes,
        performed_by_id=activity.performed_by_id,
        contact_ids=tuple(activity.client_contacts.values_list("pk", flat=True)),
        participant_ids=tuple(activity.participants.values_list("pk", flat=True)),
        outcome=activity.outcome,
        outcome_notes=activity.outcome_notes,
        tags=tuple(activity.tags),
        next_steps=activity.next_steps,
        details=details,
        ticket_id=activity.ticket_id,
        follow_up_required=activity.follow_up_required,
        follow_up_date=activity.follow_up_date,
        follow_up_text=activity.follow_up_text,
        follow_up_contact_id=activity.follow_up_contact_id,
        follow_up_remind_on=activity.follow_up_remind_on,
    )


ORIGIN = "from"
"""The key of Activity.details that says what an activity was logged from, such as "alert:…"."""


def checked(
    draft: ActivityDraft,
    client: Client | None,
    *,
    actor: StaffUser,
    planned: bool,
    now: datetime,
    zone: ZoneInfo,
    known: Activity | None = None,
) -> Checked:
    """Return what to store. `client` None: for several clients, so without contacts and ticket; at most four queries.

    `known` is the activity that is being changed: people who stood on it already may stay, whoever they are by now.
    Raises InvalidInputError that names every field that is wrong.
    """
    errors: dict[str, str] = {}
    kind = draft.activity_type
    if kind not in ActivityType.values:
        raise _refused({"activity_type": f"Choose one of {', '.join(ActivityType.values)}."})
    if draft.outcome is not None and draft.outcome not in ActivityOutcome.values:
        errors["outcome"] = f"Choose one of {', '.join(ActivityOutcome.values)}."
    details, wrong = checked_details(kind, draft.details)
    errors |= wrong
    tags, wrong_tags = checked_tags(draft.tags)
    if wrong_tags:
        errors["tags"] = wrong_tags
    _check_texts(draft, errors)
    _check_times(draft, errors, planned=planned, now=now)
    _check_follow_up(draft, errors, zone=zone)
    contacts = _contacts(draft, client, errors, known)
    people = _people(draft, errors, actor, known)
    _check_ticket(draft, client, errors)
    if errors:
        raise _refused(errors)
    label = " ".join(draft.label.split())
    required = draft.follow_up_required or draft.follow_up_date is not None
    columns = {
        "activity_type": kind,
        "label": label,
        "subject": " ".join(draft.subject.split()) or (label.capitalize() if label else str(ActivityType(kind).label)),
        "description": draft.description.strip(),
        "occurred_at": draft.occurred_at,
        "duration_minutes": draft.duration_minutes,
        "performed_by_id": draft.performed_by_id or actor.pk,
        "outcome": draft.outcome,
        "outcome_notes": draft.outcome_notes.strip(),
        "tags": tags,
        "next_steps": draft.next_steps.strip(),
        "details": details,
        "ticket_id": draft.ticket_id,
        "follow_up_required": required,
        "follow_up_date": draft.follow_up_date,
        "follow_up_text": " ".join(draft.follow_up_text.split()) if required else "",
        "follow_up_contact_id": draft.follow_up_contact_id if required else None,
        "follow_up_remind_on": draft.follow_up_remind_on if required else None,
    }
    return Checked(columns, {"client_contacts": contacts, "participants": people})


def _refused(errors: dict[str, str]) -> InvalidInputError:
    return InvalidInputError("The activity cannot be saved: " + " ".join(errors.values()), errors)


def _check_texts(draft: ActivityDraft, errors: dict[str, str]) -> None:
    limits = {"subject": 300, "label": 60, "follow_up_text": 300} | dict.fromkeys(
        ("description", "outcome_notes", "next_steps"), LONGEST_NOTES
    )
    for name, most in limits.items():
        length = len(getattr(draft, name))
        if length > most:
            errors[name] = f"Write at most {most:,} characters; these are {length:,}."
    minutes = draft.duration_minutes
    if minutes is not None and not 0 < minutes <= LONGEST_MINUTES:
        errors["duration_minutes"] = f"Give 1 to {LONGEST_MINUTES:,} minutes."


def _check_times(draft: ActivityDraft, errors: dict[str, str], *, planned: bool, now: datetime) -> None:
    at = draft.occurred_at
    if at.tzinfo is None:
        errors["occurred_at"] = "Give the time with its zone, such as 2026-02-01T10:00:00Z."
    elif not planned and at > now + CLOCKS_DIFFER:
        errors["occurred_at"] = "This time is still to come. Schedule the activity instead, or correct the time."
    elif at > now + FARTHEST:
        errors["occurred_at"] = "This is more than three years ahead."
    elif at.year < 1990:
        errors["occurred_at"] = "This is before 1990."


def _check_follow_up(draft: ActivityDraft, errors: dict[str, str], *, zone: ZoneInfo) -> None:
    on, remind = draft.follow_up_date, draft.follow_up_remind_on
    if draft.follow_up_required and on is None:
        errors["follow_up_date"] = "Give the date of the follow-up."
    if on is None or "occurred_at" in errors:
        return
    day = day_of(draft.occurred_at, zone)
    if on < day:
        errors["follow_up_date"] = f"The follow-up cannot be before the activity itself, {day.isoformat()}."
    elif on > day + FARTHEST:
        errors["follow_up_date"] = "This is more than three years ahead."
    if remind is not None and remind > on:
        errors["follow_up_remind_on"] = "The reminder cannot come after the follow-up."


def _contacts(
    draft: ActivityDraft, client: Client | None, errors: dict[str, str], known: Activity | None
) -> list[Contact]:
    wanted = {pk for pk in (*draft.contact_ids, draft.follow_up_contact_id) if pk is not None}
    if not wanted:
        return []
    found = {one.pk: one for one in Contact.objects.filter(client=client, pk__in=wanted)} if client else {}
    before = set(known.client_contacts.values_list("pk", flat=True)) if known else set()
    gone = {pk for pk, one in found.items() if one.archived_at is not None and pk not in before}
    name = client.name if client else "one client: contacts cannot be chosen for several at once"
    if set(draft.contact_ids) - found.keys() or set(draft.contact_ids) & gone:
        errors["client_contacts"] = f"Choose contacts of {name}."
    follow = draft.follow_up_contact_id
    if follow is not None and (follow not in found or (follow in gone and known is None)):
        errors["follow_up_contact_id"] = f"Choose a contact of {name}."
    return [found[pk] for pk in dict.fromkeys(draft.contact_ids) if pk in found]


def _people(draft: ActivityDraft, errors: dict[str, str], actor: StaffUser, known: Activity | None) -> list[StaffUser]:
    performer = draft.performed_by_id
    wanted = {pk for pk in (*draft.participant_ids, performer) if pk is not None and pk != actor.pk}
    if not wanted:
        return []
    found = {actor.pk: actor} | {one.pk: one for one in StaffUser.objects.filter(pk__in=wanted)}
    before = set(known.participants.values_list("pk", flat=True)) | {known.performed_by_id} if known else set()
    usable = {pk for pk, one in found.items() if one.is_active or pk in before}
    if performer is not None and performer not in usable:
        errors["performed_by_id"] = "Choose an active member of staff."
    if set(draft.participant_ids) - usable:
        errors["participants"] = "Choose active members of staff."
    return [found[pk] for pk in dict.fromkeys(draft.participant_ids) if pk in found]


def _check_ticket(draft: ActivityDraft, client: Client | None, errors: dict[str, str]) -> None:
    if draft.ticket_id is None:
        return
    if client is None or not SupportTicket.objects.filter(client=client, pk=draft.ticket_id).exists():
        errors["ticket_id"] = f"Choose a ticket of {client.name if client else 'one client'}."
