"""From events to daily facts, as Ibis expressions that any engine Ibis speaks can run.

    events.py   raw rows → each message once, with local hour and label
    codes.py    the same with one number for each user and each kind of event, which DuckDB counts faster
    days.py     events → user_days, event_days, client_hours of those days
    rolling.py  user_days → client_days with exact 1, 7 and 30 day users

Nothing here knows Django, the clock or where files lie; usage.refresh does the reading and writing.
"""

from bellwether.usage.rollup import codes
from bellwether.usage.rollup.days import client_hours, event_days, kinds, roles, slots, together, told_roles, user_days
from bellwether.usage.rollup.events import (
    distinct_ids,
    local_seconds,
    prepare,
    property_text,
    repeated,
    since_epoch,
    without_repeats,
)
from bellwether.usage.rollup.rolling import client_days

__all__ = [
    "client_days",
    "client_hours",
    "codes",
    "distinct_ids",
    "event_days",
    "in_slots",
    "kinds",
    "local_seconds",
    "prepare",
    "property_text",
    "repeated",
    "roles",
    "since_epoch",
    "slots",
    "together",
    "told_roles",
    "user_days",
    "without_repeats",
]
