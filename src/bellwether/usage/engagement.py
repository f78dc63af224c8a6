"""How engaged each person at a client is: last login, sessions, actions, a status in one word, champions. Pure.

Source: US-015-012 and formulas.md, sections 1 (power users) and 6 (KEY_USER_INACTIVE, CHAMPION_RISK); the thresholds
are in docs/reference/people.md. Windows end on the given day, that day included; days are days of the workspace.
Services (bots) are no people and are left out everywhere. A login is a day with at least one action.
"""

from datetime import date, timedelta
from enum import StrEnum

import polars as pl
from polars._typing import PolarsDataType

WINDOW_DAYS = 30
LOOK_BACK_DAYS = 90
"""How many days of user-days `engagement` should be given; an older login is known by the last event only."""

INACTIVE_DAYS = 14
"""KEY_USER_INACTIVE: no login for this many days."""

DECLINING_BELOW, RISING_ABOVE, HALVED = 0.75, 1.25, 0.5
NOTABLE_ACTIONS = 10
COMPARABLE_DAYS = 14
CHAMPIONS_ONE_IN, CHAMPION_ACTIVE_DAYS = 10, 8
POWER_USERS_ONE_IN = 5
LEVELS = 5
PEAK_QUANTILE = 0.95


class Engagement(StrEnum):
    """What a person's use is like; the first that holds, in the order of `engagement`."""

    INACTIVE = "inactive"
    NEW = "new"
    DECLINING = "declining"
    RISING = "rising"
    ACTIVE = "active"


KNOWN: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "user_key": pl.String(),
    "role": pl.String(),
    "is_service": pl.Boolean(),
    "first_seen": pl.Date(),
    "last_seen": pl.Date(),
    "last_seen_at": pl.Datetime("us", "UTC"),
}
"""What the database knows of a user besides the facts: days and instant of the first and the last event of any kind."""

PEOPLE: dict[str, PolarsDataType] = {
    "organization_id": pl.String(),
    "user_key": pl.String(),
    "role": pl.String(),
    "first_seen": pl.Date(),
    "last_login": pl.Date(),
    "last_login_at": pl.Datetime("us", "UTC"),
    "days_since_login": pl.Int32(),
    "sessions": pl.Int64(),
    "actions": pl.Int64(),
    "actions_before": pl.Int64(),
    "active_days": pl.Int64(),
    "minutes": pl.Float64(),
    "status": pl.String(),
    "rank": pl.Int64(),
    "is_champion": pl.Boolean(),
    "is_potential_champion": pl.Boolean(),
    "is_power_user": pl.Boolean(),
}
"""One person at one client. `last_login` (day) and `last_login_at` (last event of it) null: none is known. `sessions`,
`actions`, `active_days` and `minutes` are of the last 30 days, `actions_before` of the 30 days before those. `rank` 1
is the most engaged; null without an action."""

PERSON = ("organization_id", "user_key")


def engagement(user_days: pl.DataFrame, today: date, *, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return PEOPLE for one or many clients, ordered by client and user, as of `today`.

    `user_days` holds the facts of that name (usage.facts.USER_DAYS) of the LOOK_BACK_DAYS days up to `today`; later
    ones are left out. `known` (KNOWN) adds people without any use in that time. The status is the first that holds:

    - inactive: no login for 14 days or more, or known for 14 days or more without one;
    - new: seen for the first time so lately that fewer than 14 of the 30 days before can be compared with;
    - declining: actions of 30 days under 75 % of those of the 30 days before, and 10 or more fewer, or under 50 % of
      10 or more (so that whoever is a CHAMPION_RISK is declining);
    - rising: over 125 % of them, and 10 or more in addition;
    - active: everybody else.

    Actions before are scaled to 30 days for those who were there only for a part of these. Power users are the first
    20 % (rounded up) of those with an action in 30 days, by actions, then active days, then key: as many as the measure
    power_users says. Champions are the first 10 % of the same people (rounded up), by the mean of their places in
    actions and in active days, if they were active on 8 days or more and are not inactive. Potential champions are
    rising, not champions yet, active on 8 days or more and in the better half of that order.
    """
    first = today - timedelta(days=WINDOW_DAYS - 1)
    people = _with_known(_summed(user_days, today, first), known, today - timedelta(days=LOOK_BACK_DAYS - 1))
    since = (pl.lit(today) - pl.col("last_login")).dt.total_days()
    comparable = (pl.lit(first) - pl.col("first_seen")).dt.total_days().clip(0, WINDOW_DAYS)
    people = people.with_columns(days_since_login=since.cast(pl.Int32), comparable=comparable.fill_null(0))
    people = people.with_columns(status=_status(today))
    return _ranked(people).select([pl.col(name).cast(dtype) for name, dtype in PEOPLE.items()]).sort(PERSON)


def activity_levels(
    user_days: pl.DataFrame, user_keys: list[str], today: date, *, days: int = WINDOW_DAYS
) -> dict[str, list[int]]:
    """Return for each of `user_keys` of one client the levels 0-5 of its last `days` days, the oldest first.

    0 is a day without an action; 1 to 5 are fifths of the client's busy day: the 95th percentile of the actions that
    one of its people has on a day with any. So people can be compared, and a single frantic one flattens nobody.
    """
    first = today - timedelta(days=days - 1)
    # A person has one row a day: nothing needs to be summed.
    daily = _people_only(user_days).filter(pl.col("date").is_between(first, today) & (pl.col("actions") > 0))
    peak = daily["actions"].quantile(PEAK_QUANTILE, "lower")
    found = {key: [0] * days for key in user_keys}
    wanted = daily.filter(pl.col("user_key").is_in(user_keys)).select(
        "user_key",
        place=(pl.col("date") - pl.lit(first)).dt.total_days(),
        level=(pl.col("actions") * LEVELS / max(peak or 0, 1)).ceil().clip(1, LEVELS).cast(pl.Int32),
    )
    for key, place, level in wanted.iter_rows():
        found[key][place] = level
    return found


def _people_only(user_days: pl.DataFrame) -> pl.DataFrame:
    return user_days.filter(~pl.col("is_service") & pl.col("user_key").is_not_null())


def _summed(user_days: pl.DataFrame, today: date, first: date) -> pl.DataFrame:
    before = first - timedelta(days=WINDOW_DAYS)
    inside, earlier = pl.col("date") >= first, pl.col("date").is_between(before, first, closed="left")
    acts = pl.col("actions") > 0
    return (
        _people_only(user_days)
        .filter(pl.col("date") <= today)
        .group_by(PERSON)
        .agg(
            role=pl.col("role").sort_by("date").drop_nulls().last(),
            first_seen=pl.col("date").min(),
            last_login=pl.col("date").filter(acts).max(),
            last_login_at=pl.col("last_ts").filter(acts).max(),
            sessions=pl.col("sessions").filter(inside).sum().cast(pl.Int64),
            actions=pl.col("actions").filter(inside).sum(),
            actions_before=pl.col("actions").filter(earlier).sum(),
            active_days=pl.col("date").filter(inside & acts).n_unique().cast(pl.Int64),
            minutes=pl.col("session_seconds").filter(inside).sum() / 60,
        )
    )


def _with_known(people: pl.DataFrame, known: pl.DataFrame | None, covered: date) -> pl.DataFrame:
    """Return `people` with those who are only `known`. Somebody last seen in the days from `covered` on, but without an
    action, has an older login or none: it stays unknown."""
    if known is None:
        return people.with_columns(pl.col("role").fill_null(""))
    persons = (
        known.filter(~pl.col("is_service")).drop("is_service").rename({"role": "known_role", "first_seen": "since"})
    )
    joined = people.join(persons, on=PERSON, how="full", coalesce=True)
    older = pl.col("last_login").is_null() & (pl.col("last_seen") < pl.lit(covered))
    role = pl.coalesce(pl.col("role"), pl.col("known_role"), pl.lit(""))
    counts = ("sessions", "actions", "actions_before", "active_days", "minutes")
    return joined.with_columns(
        role=role,
        first_seen=pl.min_horizontal("first_seen", "since"),
        last_login=pl.when(older).then(pl.col("last_seen")).otherwise(pl.col("last_login")),
        last_login_at=pl.when(older).then(pl.col("last_seen_at")).otherwise(pl.col("last_login_at")),
        **{name: pl.col(name).fill_null(0) for name in counts},
    )


def _status(today: date) -> pl.Expr:
    known_days = (pl.lit(today) - pl.col("first_seen")).dt.total_days()
    away = pl.coalesce(pl.col("days_since_login"), known_days) >= INACTIVE_DAYS
    # Never divided by zero: with fewer comparable days the person is new.
    before = pl.col("actions_before") * WINDOW_DAYS / pl.col("comparable").clip(1)
    fewer, now = before - pl.col("actions"), pl.col("actions")
    fallen = (now < DECLINING_BELOW * before) & (fewer >= NOTABLE_ACTIONS)
    halved = (now < HALVED * before) & (before >= NOTABLE_ACTIONS)
    risen = (now > RISING_ABOVE * before) & (-fewer >= NOTABLE_ACTIONS)
    return (
        pl.when(away)
        .then(pl.lit(Engagement.INACTIVE.value))
        .when(pl.col("comparable") < COMPARABLE_DAYS)
        .then(pl.lit(Engagement.NEW.value))
        .when(fallen | halved)
        .then(pl.lit(Engagement.DECLINING.value))
        .when(risen)
        .then(pl.lit(Engagement.RISING.value))
        .otherwise(pl.lit(Engagement.ACTIVE.value))
    )


def _ranked(people: pl.DataFrame) -> pl.DataFrame:
    """Return `people` with their rank among those of their client who acted in 30 days, and what follows from it."""
    acting = people.filter(pl.col("actions") > 0)
    client = "organization_id"
    places = [pl.col(name).rank("average", descending=True).over(client) for name in ("actions", "active_days")]
    ordered = acting.with_columns(place=(places[0] + places[1]) / 2).sort(
        [client, "place", "actions", "active_days", "user_key"], descending=[False, False, True, True, False]
    )
    ordered = ordered.with_columns(rank=pl.int_range(1, pl.len() + 1).over(client), acting=pl.len().over(client))
    ordered = ordered.sort(
        [client, "actions", "active_days", "user_key"], descending=[False, True, True, False]
    ).with_columns(by_actions=pl.int_range(1, pl.len() + 1).over(client))
    at_work = (pl.col("active_days") >= CHAMPION_ACTIVE_DAYS) & (pl.col("status") != Engagement.INACTIVE.value)
    top = _first("rank", one_in=CHAMPIONS_ONE_IN)
    better_half = pl.col("rank") * 2 <= pl.col("acting") + 1
    rising = pl.col("status") == Engagement.RISING.value
    flags = ordered.select(
        *PERSON,
        "rank",
        is_champion=top & at_work,
        is_potential_champion=rising & at_work & better_half & ~top,
        is_power_user=_first("by_actions", one_in=POWER_USERS_ONE_IN),
    )
    joined = people.join(flags, on=PERSON, how="left")
    return joined.with_columns(pl.col("is_champion", "is_potential_champion", "is_power_user").fill_null(False))


def _first(place: str, *, one_in: int) -> pl.Expr:
    """Return who is among the first one in `one_in`, rounded up, in whole numbers: a fifth of 35 is 7, not 8."""
    return (pl.col(place) - 1) * one_in < pl.col("acting")
