"""The agenda of staff: what is to be done about clients, by when. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What an item of the agenda is: something promised after an activity, or an activity that is planned."""

    FOLLOW_UP = "follow_up"
    PLANNED = "planned"


class Phase(StrEnum):
    """When an item is due, in the order in which they are shown."""

    OVERDUE = "overdue"
    TODAY = "today"
    THIS_WEEK = "this_week"
    LATER = "later"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to do. `on` is its workspace day, None where no date was given; `at` the time of a planned activity.

    `what` is the sentence to show, `about` the subject of the activity that it follows from. `owner` is who has to do
    it: the one who did the activity or, where that one no longer sees the client, the client's CSM.
    """

    kind: Kind
    activity_id: UUID
    client_id: UUID
    client_name: str
    activity_type: str
    label: str
    what: str
    about: str
    on: date | None
    at: datetime | None = None
    owner_id: UUID | None = None
    owner: str = ""
    contact: str = ""
    remind_on: date | None = None
    done_at: datetime | None = None

    def overdue_days(self, today: date) -> int:
        """Return for how many days it has been overdue; 0 when it is not."""
        return max(0, (today - self.on).days) if self.on and self.done_at is None else 0


def week_end(today: date) -> date:
    """Return the Sunday of the week of `today`."""
    return today + timedelta(days=6 - today.weekday())


def phase_of(item: Item, today: date) -> Phase:
    """Return when the item is due; one without a date is due later."""
    if item.done_at is not None:
        return Phase.DONE
    if item.on is None:
        return Phase.LATER
    if item.on < today:
        return Phase.OVERDUE
    if item.on == today:
        return Phase.TODAY
    return Phase.THIS_WEEK if item.on <= week_end(today) else Phase.LATER


def by_phase(items: Iterable[Item], today: date) -> dict[Phase, list[Item]]:
    """Return the items of each phase, soonest first (those without a date last); what is done, newest first."""
    found: dict[Phase, list[Item]] = {phase: [] for phase in Phase}
    for item in items:
        found[phase_of(item, today)].append(item)
    for phase, held in found.items():
        if phase is Phase.DONE:
            held.sort(key=lambda item: (item.done_at, item.client_name), reverse=True)
        else:
            held.sort(key=_order)
    return found


def _order(item: Item) -> tuple[bool, date, float, str, str]:
    time = item.at.timestamp() if item.at else 0.0
    return item.on is None, item.on or date.max, time, item.client_name, str(item.activity_id)


def in_month(day: date) -> date:
    """Return the same day of the next month, or its last day where that month is shorter."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    return date(year, month, day.day)


PRESETS = ("tomorrow", "week", "two_weeks", "month")
"""Usual dates of a follow-up."""


def preset_date(preset: str, today: date) -> date:
    """Return the date of one of PRESETS, counted from today; KeyError for another word."""
    dates = {
        "tomorrow": today + timedelta(days=1),
        "week": today + timedelta(days=7),
        "two_weeks": today + timedelta(days=14),
        "month": in_month(today),
    }
    return dates[preset]
