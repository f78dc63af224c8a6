"""Exact distinct users over 7 and 30 days by the gap method.

Each active day of a user counts on that day and the following ones until the user's next active day or the end of the
window, whichever is first. So each active day adds one on its day and takes one away where it ends, and running sums
give the distinct users: one sort of the active days, no join of ranges, nothing multiplied by the window's length.
"""

from typing import Any

import ibis
from ibis.expr.types import Table

WINDOWS = {"wau": 7, "mau": 30}
"""Days of each window, the date itself included."""

LONGEST = max(WINDOWS.values())

HOURS = [f"h{hour:02d}" for hour in range(24)]


def client_days(user_days: Table, client_hours: Table, new_users: Table, *, calendar: Table) -> Table:
    """Return the rows of client_days on the wanted days of the calendar: those with mau > 0 or any event.

    `calendar` has each `date` with its `day` number (days since 1970-01-01) and whether it `is_wanted`; it begins 29
    days before the first wanted one, and `user_days` and `client_hours` have the same days. `new_users` is all of
    history up to the calendar's end (organization_id, date, new_users), with the calendar's first as `day` of what lies
    before it.
    """
    people = _numbered(user_days.filter(~user_days.is_service))
    hours = _numbered(client_hours)
    changes = ibis.union(
        _changes(people.filter(people.actions > 0)),
        _step(new_users, day=new_users.day, total_users=new_users.new_users),
        _step(hours, day=hours.day),  # a client of whom only bots or nobody in particular is known has rows too
        distinct=False,
    )
    running = _running(changes, calendar)
    days = running.filter(running.is_wanted)
    days = _joined(days, _sums(user_days))
    days = _joined(days, client_hours.select("organization_id", "date", "events", *HOURS))
    days = _joined(days, new_users.select("organization_id", "date", "new_users"))
    days = days.filter((days.mau > 0) | days.events.notnull())
    counts = ["dau", "new_users", "sessions", "session_seconds", "actions", "service_actions", *HOURS]
    filled = {name: days[name].fill_null(0).cast("int64") for name in counts}
    return days.mutate(**filled).drop("events", "day", "is_wanted")


def _numbered(table: Table) -> Table:
    return table.mutate(day=table.date.delta(ibis.date("1970-01-01"), unit="day").cast("int64"))


def _changes(active: Table) -> Table:
    """Return by how much each window's count changes on which day: the gap method's steps."""
    of_user = ibis.window(group_by=["organization_id", "user_key"], order_by="day")
    gap = active.day.lead().over(of_user) - active.day
    spans = active.select("organization_id", "day", gap=ibis.least(ibis.coalesce(gap, LONGEST), LONGEST))
    # Counted before they are put together: a client's users of a day share a few gaps.
    spans = spans.group_by(["organization_id", "day", "gap"]).agg(n=spans.count())
    begin = _step(spans, day=spans.day, **dict.fromkeys(WINDOWS, spans.n))
    ends = [
        _step(spans, day=spans.day + ibis.least(spans.gap, length), **{name: -spans.n})
        for name, length in WINDOWS.items()
    ]
    return ibis.union(begin, *ends, distinct=False)


def _step(table: Table, *, day: Any, **by: Any) -> Table:
    """Return one change a row of `table`: on `day`, each count by what is given, the others by nothing."""
    none = ibis.literal(0)
    columns = {name: by.get(name, none).cast("int64") for name in (*WINDOWS, "total_users")}
    return table.select("organization_id", day=day.cast("int64"), **columns)


def _running(changes: Table, calendar: Table) -> Table:
    """Return each client's counts on each day of the calendar, from its first change on."""
    names = [*WINDOWS, "total_users"]
    steps = changes.group_by(["organization_id", "day"]).agg(**{name: changes[name].sum() for name in names})
    begins = steps.group_by("organization_id").agg(begin=steps.day.min())
    grid = begins.join(calendar, calendar.day >= begins.begin).drop("begin")
    filled = grid.left_join(steps, ["organization_id", "day"]).drop("organization_id_right", "day_right")
    through = ibis.window(group_by="organization_id", order_by="day", preceding=None, following=0)
    return filled.mutate(**{name: filled[name].fill_null(0).sum().over(through).cast("int64") for name in names})


def _sums(user_days: Table) -> Table:
    person = ~user_days.is_service
    return user_days.group_by(["organization_id", "date"]).agg(
        dau=user_days.count(where=person & (user_days.actions > 0)),
        sessions=user_days.sessions.sum(where=person),
        session_seconds=user_days.session_seconds.sum(where=person),
        actions=user_days.actions.sum(where=person),
        service_actions=user_days.actions.sum(where=~person),
    )


def _joined(days: Table, more: Table) -> Table:
    return days.left_join(more, ["organization_id", "date"]).drop("organization_id_right", "date_right")
