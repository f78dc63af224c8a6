"""Joins alerts to what lies below them: activities acknowledge, undo leaves a trace, webhooks know their events."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bellwether.alerts import news, timeline_source
from bellwether.alerts.handling import acknowledge_with, note_taken_back
from bellwether.alerts.telling import declare_events
from bellwether.portfolio.activities import LISTENERS
from bellwether.portfolio.activity_drafts import ORIGIN
from bellwether.portfolio.changes import TAKEN_BACK, Changing
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.models import Activity
from bellwether.staff.models import StaffUser

LABEL = "alerts.alert"
ORIGIN_PREFIX = "alert:"


def register() -> None:
    """Do the joining; twice is once."""
    if after_activities not in LISTENERS:
        LISTENERS.append(after_activities)
    TAKEN_BACK[LABEL] = note_taken_back
    declare_events()
    news.declare_events()
    timeline_source.register()


def after_activities(work: Changing, activities: Sequence[Activity], user: StaffUser, now: datetime) -> None:
    """Acknowledge alerts with activities that just took place: the one that an activity was logged from, and after a
    word with the client the new ones of that client. Undoing the activity takes it back."""
    detail = {"activity": str(activities[0].pk)} if len(activities) == 1 else {"activities": len(activities)}
    named = {
        UUID(origin.removeprefix(ORIGIN_PREFIX)): activity.client_id
        for activity in activities
        if (origin := str(activity.details.get(ORIGIN, ""))).startswith(ORIGIN_PREFIX) and _is_id(origin)
    }
    since = {
        one.client_id: one.occurred_at for one in activities if one.activity_type != ActivityType.INTERNAL_DISCUSSION
    }
    acknowledge_with(work, named, since, user, now, detail)


def _is_id(origin: str) -> bool:
    try:
        UUID(origin.removeprefix(ORIGIN_PREFIX))
    except ValueError:
        return False
    return True
