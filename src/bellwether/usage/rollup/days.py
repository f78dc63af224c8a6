"""The facts of single days from their events. Input: what `rollup.events.prepare` returns, of any number of days.

A day is read into small tables that everything else comes from: `slots` (what each user did in each half hour), `kinds`
(what each user did of each kind) and `roles`, which few events tell. Two events within a half hour are never 30 minutes
apart, so the gaps between sessions can be found between slots, without sorting the events.
"""

import ibis
from ibis.expr.types import Table

SESSION_GAP_US = 30 * 60 * 1_000_000
"""A longer gap between two actions of a user starts a session."""

Keys = tuple[str, ...]

USER_DAY = ("date", "organization_id", "user_key", "is_service")
EVENT = ("event", "module", "feature", "label")


def tally(events: Table, keys: Keys) -> Table:
    """Return how many `events` there are by `keys`, the first and the last."""
    return events.group_by(list(keys)).agg(n=events.count(), first_us=events.us.min(), last_us=events.us.max())


def slots(events: Table) -> Table:
    """Return one row per user, half hour, local hour and whether its events are actions: how many, first and last."""
    return tally(events.filter(events.organization_id != ""), (*USER_DAY, "slot", "hour", "is_action"))


def kinds(events: Table) -> Table:
    """Return one row per user and kind of action: how many, first and last."""
    return tally(events.filter((events.organization_id != "") & events.is_action), (*USER_DAY, *EVENT))


def told_roles(events: Table) -> Table:
    """Return one row per user and role told on the day: when it was told last (`us`)."""
    told = events.filter(events.role.notnull() & events.user_key.notnull() & (events.organization_id != ""))
    return told.group_by([*USER_DAY, "role"]).agg(us=told.us.max())


def roles(told: Table) -> Table:
    """Return each user's last known role of the day; of two at the same instant the first in the alphabet."""
    order = [told.us.desc(), told.role.asc()]
    rank = ibis.row_number().over(ibis.window(group_by=list(USER_DAY), order_by=order))
    return told.mutate(rank=rank).filter(ibis._.rank == 0).drop("rank", "us")


def together(tallies: Table) -> Table:
    """Return `slots`, `kinds` or `told_roles` of several sources as if all events had come from one."""
    measures = {"n": "sum", "first_us": "min", "last_us": "max", "us": "max"}
    counted = {name: getattr(tallies[name], how)() for name, how in measures.items() if name in tallies.columns}
    return tallies.group_by([name for name in tallies.columns if name not in measures]).agg(**counted)


def user_days(slots: Table, kinds: Table, roles: Table, *, by: Keys = USER_DAY, people: Table | None = None) -> Table:
    """Return one row per user and day, with the day's sessions as if no other day existed: `fragments`, their summed
    length `fragment_us`, the first and last action and the end of the first fragment (`head_end_us`). What crosses
    midnight is put together by usage.sessions. Where `by` is a code, `people` tells who that is (rollup.codes).
    """
    acting = slots if people is not None else slots.filter(slots.user_key.notnull())
    within = ibis.window(group_by=[*by, "is_action"], order_by="first_us")
    gaps = acting.mutate(before_us=acting.last_us.lag().over(within))
    gaps = gaps.mutate(is_gap=gaps.is_action & (gaps.first_us - gaps.before_us > SESSION_GAP_US))
    acts = gaps.is_action
    days = gaps.group_by(list(by)).agg(
        actions=gaps.n.sum(where=acts).fill_null(0),
        fragments=gaps.is_gap.sum().fill_null(0) + acts.any().cast("int64"),
        gap_us=(gaps.first_us - gaps.before_us).sum(where=gaps.is_gap).fill_null(0),
        head_end_us=ibis.coalesce(gaps.before_us.min(where=gaps.is_gap), gaps.last_us.max(where=acts)),
        first_action_us=gaps.first_us.min(where=acts),
        last_action_us=gaps.last_us.max(where=acts),
        first_us=gaps.first_us.min(),
        last_us=gaps.last_us.max(),
    )
    length = (days.last_action_us - days.first_action_us).fill_null(0) - days.gap_us
    days = days.mutate(fragment_us=length).drop("gap_us")
    days = _with(days, _modules(kinds, by), by).mutate(modules=ibis._.modules.fill_null(0))
    if people is not None:
        days = days.inner_join(people.filter(people.user_key.notnull()), list(by)).drop(*by)
    return _with(days, roles, USER_DAY)


def event_days(kinds: Table, of: Keys = EVENT) -> Table:
    """Return one row per client, day and kind of action: events, distinct users, first and last."""
    return kinds.group_by(["date", "organization_id", *of, "is_service"]).agg(
        events=kinds.n.sum(),
        users=kinds.user_key.count(),  # a row of kinds is one user, or nobody
        first_us=kinds.first_us.min(),
        last_us=kinds.last_us.max(),
    )


def client_hours(slots: Table) -> Table:
    """Return one row per client and day with any event: `events` of all types and senders, and `actions_by_hour`, 24
    counts of the actions of people by local hour.
    """
    people = slots.is_action & ~slots.is_service & slots.user_key.notnull()
    hours = [slots.n.sum(where=people & (slots.hour == hour)).fill_null(0).cast("int64") for hour in range(24)]
    return slots.group_by(["date", "organization_id"]).agg(
        events=slots.n.sum(), **{f"h{hour:02d}": count for hour, count in enumerate(hours)}
    )


def _modules(kinds: Table, by: Keys) -> Table:
    used = kinds.filter(kinds.module.notnull())
    if "user_key" in by:
        used = used.filter(used.user_key.notnull())
    each = used.group_by([*by, "module"]).agg(n=used.count())
    return each.group_by(list(by)).agg(modules=each.count())


def _with(days: Table, more: Table, by: Keys) -> Table:
    joined = days.left_join(more, list(by))
    return joined.drop(*[name for name in joined.columns if name.endswith("_right")])
