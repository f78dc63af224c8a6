"""The history of one activity: who changed what, when, from which value to which (django-auditlog)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from auditlog.models import LogEntry

from bellwether.portfolio.activity_fields import DETAILS
from bellwether.portfolio.choices import ActivityOutcome, ActivityType
from bellwether.portfolio.models import Activity, Change, Contact, SupportTicket
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, clock, full_day

TOGETHER = timedelta(seconds=10)
CLOSE = timedelta(seconds=2)
LABELS = {
    "activity_type": "Type",
    "label": "Called",
    "subject": "Subject",
    "description": "Notes",
    "performed_by": "Done by",
    "client_contacts": "Who took part",
    "participants": "Colleagues",
    "occurred_at": "When",
    "scheduled_for": "Planned for",
    "completed_at": "Completed",
    "duration_minutes": "Minutes",
    "outcome": "Outcome",
    "outcome_notes": "What came of it",
    "tags": "Tags",
    "next_steps": "Next steps",
    "details": "Details",
    "ticket": "Ticket",
    "follow_up_required": "Follow up",
    "follow_up_date": "Follow-up date",
    "follow_up_text": "Follow-up",
    "follow_up_contact": "Follow-up with",
    "follow_up_remind_on": "Reminder",
    "follow_up_completed_at": "Follow-up done",
    "archived_at": "Archived",
}
WORDS = {"activity_type": dict(ActivityType.choices), "outcome": dict(ActivityOutcome.choices)}
PEOPLE: dict[str, Any] = {"performed_by": StaffUser, "follow_up_contact": Contact, "ticket": SupportTicket}
INSTANTS = frozenset({"occurred_at", "scheduled_for", "completed_at", "follow_up_completed_at", "archived_at"})
DAYS = frozenset({"follow_up_date", "follow_up_remind_on"})


@dataclass(frozen=True)
class FieldChange:
    """One field before and after, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryEntry:
    """One edit. `what` is "Recorded" or "Changed"; `who` is empty where the product itself or an import did it."""

    at: datetime
    who: str
    what: str
    changes: tuple[FieldChange, ...] = ()


def history_of(activity: Activity, *, zone: ZoneInfo) -> list[HistoryEntry]:
    """Return the edits, newest first, with instants in `zone`; at most seven queries."""
    entries = list(LogEntry.objects.get_for_object(activity).select_related("actor").order_by("timestamp", "id"))
    makers = list(
        Change.objects.filter(entries__object_id=str(activity.pk)).select_related("made_by").order_by("made_at")
    )
    names = _names(entries)
    found: list[HistoryEntry] = []
    for entry in entries:
        if entry.action == LogEntry.Action.CREATE:
            found.append(HistoryEntry(entry.timestamp, _who(entry, makers), "Recorded"))
            continue
        changes = tuple(_changes(entry.changes or {}, names, zone))
        if not changes:
            continue
        who = _who(entry, makers)
        newest = found[-1] if found else None
        together = newest is not None and entry.timestamp - newest.at <= CLOSE and newest.who == who
        if newest is not None and together and newest.what == "Changed":
            found[-1] = HistoryEntry(newest.at, newest.who, newest.what, newest.changes + changes)
            continue
        if together and all(isinstance(value, Mapping) for value in (entry.changes or {}).values()):
            continue  # the people of a new activity, which are stored after it
        found.append(HistoryEntry(entry.timestamp, who, "Changed", changes))
    if not any(one.what == "Recorded" for one in found):
        made = next((one for one in makers if abs(one.made_at - activity.created_at) <= TOGETHER), None)
        who = made.made_by.name if made and made.made_by else ""
        found.insert(0, HistoryEntry(activity.created_at, who, "Recorded"))
    return found[::-1]


def _who(entry: LogEntry, makers: Sequence[Change]) -> str:
    """Return who made an edit: the signed-in actor or, for a program with a token, the maker of the change."""
    if entry.actor is not None:
        return str(entry.actor)
    near = [one for one in makers if one.made_by and abs(one.made_at - entry.timestamp) <= TOGETHER]
    return near[0].made_by.name if near and near[0].made_by else ""


def _names(entries: Iterable[LogEntry]) -> dict[str, dict[str, str]]:
    """Return names by field and id of the people and tickets that the entries mention."""
    wanted: dict[str, set[UUID]] = {}
    for entry in entries:
        for name in PEOPLE.keys() & (entry.changes or {}).keys():
            for text in entry.changes[name]:
                if _is_id(text):
                    wanted.setdefault(name, set()).add(UUID(text))
    return {
        name: {str(one.pk): str(one) for one in PEOPLE[name]._default_manager.filter(pk__in=list(ids))}
        for name, ids in wanted.items()
    }


def _is_id(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def _changes(given: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], zone: ZoneInfo) -> Iterable[FieldChange]:
    for name, label in LABELS.items():
        if name not in given:
            continue
        value = given[name]
        if isinstance(value, Mapping):
            objects = ", ".join(str(one) for one in value.get("objects", ()))
            added = value.get("operation") == "add"
            yield FieldChange(label, "" if added else objects, f"{objects} added" if added else "")
            continue
        before, after = (_text(name, one, names, zone) for one in value)
        if before != after:
            yield FieldChange(label, before, after)


def _text(name: str, value: Any, names: Mapping[str, Mapping[str, str]], zone: ZoneInfo) -> str:
    if value in (None, "None", "", "[]", "{}"):
        return DASH
    text = str(value)
    if name in WORDS:
        return WORDS[name].get(text, text)
    if name in PEOPLE:
        return names.get(name, {}).get(text, text)
    if name == "follow_up_required":
        return "Yes" if text == "True" else "No"
    if name in INSTANTS | DAYS:
        return _moment(text, zone)
    if name in {"tags", "details"}:
        return _plain(text)
    return text


def _moment(text: str, zone: ZoneInfo) -> str:
    try:
        if len(text) <= 10:
            return full_day(date.fromisoformat(text))
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = instant.astimezone(zone) if instant.tzinfo else instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
    return f"{full_day(local.date())}, {clock(local, zone)}"


def _plain(text: str) -> str:
    """Return a stored list or mapping as words: its quotes and brackets go, names of details become their labels."""
    for detail in DETAILS:
        text = text.replace(f"'{detail.name}'", detail.label)
    return text.strip("[]{}").replace("'", "").replace('"', "")
