"""Measures from the daily facts: people, sessions, logins, own customers and counts of events. Pure."""

import numpy as np
import polars as pl

from bellwether.health.grids import NEVER, Floats, Grid, Ints, Placed, known, ratio
from bellwether.health.inputs import MeasureInputs, MeasureSettings

SESSION_DAYS = 30
FORGET_DAYS = 30
MINIMUM_HISTORY_DAYS = 14
NO_DAY = 2**40


def first_days(inputs: MeasureInputs, grid: Grid) -> Ints:
    """Return per client the day number of its first event, NO_DAY where there is none up to the last wanted date."""
    placed = grid.place(inputs.client_days.select("organization_id", "date"), by="organization_id", day="date")
    first = np.full(grid.clients, NO_DAY, dtype=np.int64)
    np.minimum.at(first, placed.row, placed.day)
    return first


def usage_measures(inputs: MeasureInputs, grid: Grid, settings: MeasureSettings) -> dict[str, Floats]:
    """Return the usage measures as (clients, dates) arrays, NaN before a client's first event."""
    placed = grid.place(inputs.client_days, by="organization_id", day="date")
    first = first_days(inputs, grid)[:, None]
    started = first <= grid.wanted
    history = grid.wanted - first + 1
    day_values = {name: placed.frame[name].to_numpy() for name in ("dau", "wau", "mau", "total_users")}
    mau = grid.on_day(placed, day_values["mau"])
    everybody = np.maximum(grid.last_of(placed, day_values["total_users"]), mau)
    means = _mean_daily_users(placed, day_values["dau"], grid, first[:, 0], settings.working_days)
    measures = {
        "dau": known(grid.on_day(placed, day_values["dau"]), started),
        "wau": known(grid.on_day(placed, day_values["wau"]), started),
        "mau": known(mau, started),
        "active_users_30d": known(mau, started),
        "total_users": known(everybody, started),
        "power_users": known(-(-mau // 5), started),
        **{f"dau_avg_{days}d": known(mean, started) for days, mean in means.items()},
        "stickiness": known(ratio(means[30], mau), started),
        "dau_change": known(ratio(means[7], means[30]) - 1, started & (history >= MINIMUM_HISTORY_DAYS)),
        "days_since_use": _days_since_use(placed, day_values["dau"], grid),
        "days_since_login": _days_since_login(inputs, placed, day_values["dau"], grid, settings),
    }
    sums = {
        name: grid.window(grid.sums(placed, placed.frame[name].to_numpy()), SESSION_DAYS)
        for name in ("sessions", "session_seconds", "actions")
    }
    measures["sessions"] = known(ratio(sums["sessions"], np.clip(history, 0, SESSION_DAYS)), started)
    measures["session_minutes"] = known(ratio(sums["session_seconds"] / 60, sums["sessions"]), started)
    measures["session_depth"] = known(ratio(sums["actions"], sums["sessions"]), started)
    measures["client_activity"] = _client_activity(inputs, grid, settings)
    return measures


def _mean_daily_users(
    placed: Placed, dau: Ints, grid: Grid, first: Ints, working_days: frozenset[int]
) -> dict[int, Floats]:
    """Return the mean DAU over the working days of 7, 30 and 90 days, days before `first` left out; NaN without any."""
    columns = np.arange(grid.days) + grid.origin
    is_working = np.isin((columns + 3) % 7 + 1, list(working_days))  # 1970-01-01 was a Thursday, ISO weekday 4
    working_so_far = np.cumsum(is_working)
    before_first = np.concatenate([[0], working_so_far])[grid.column_of(first)]
    counted = is_working[placed.column]
    running = grid.sums(placed.where(counted), dau[counted])
    means = {}
    for days in (7, 30, 90):
        start = np.maximum(grid.take(working_so_far[None, :], days), before_first[:, None])
        means[days] = ratio(grid.window(running, days), grid.take(working_so_far[None, :]) - start)
    return means


def _days_since_use(placed: Placed, dau: Ints, grid: Grid) -> Floats:
    used = placed.where(dau > 0)
    last = grid.last_of(used, used.day)
    return known(grid.wanted - last, last > NEVER)


def _days_since_login(
    inputs: MeasureInputs, placed: Placed, dau: Ints, grid: Grid, settings: MeasureSettings
) -> Floats:
    if settings.login_events:
        wanted = pl.col("event").is_in(list(settings.login_events)) & ~pl.col("is_service")
        logins = grid.place(inputs.event_days.filter(wanted), by="organization_id", day="date")
    else:
        logins = placed.where(dau > 0)
    last = grid.last_of(logins, logins.day)
    return known(grid.wanted - last, last > NEVER)


def _client_activity(inputs: MeasureInputs, grid: Grid, settings: MeasureSettings) -> Floats:
    """Return the share of the client's own customers active in 30 days; each active day counts until the next one.

    A person is a customer from the first day on which it has the preset's role.
    """
    nothing = np.full((grid.clients, len(grid.dates)), np.nan)
    if not settings.customer_role:
        return nothing
    person = ["organization_id", "user_key"]
    people = inputs.user_days.filter(~pl.col("is_service"))
    since = (
        people.filter(pl.col("role") == settings.customer_role)
        .group_by(person)
        .agg(pl.col("date").min().alias("since"))
    )
    active = (
        people.filter(pl.col("actions") > 0)
        .join(since, on=person, how="inner")
        .filter(pl.col("date") >= pl.col("since"))
        .sort(*person, "date")
        .with_columns(pl.col("date").shift(-1).over(person).alias("next"))
    )
    placed = grid.place(active, by="organization_id", day="date")
    until = placed.frame["next"].cast(pl.Int32).cast(pl.Int64).fill_null(NO_DAY).to_numpy()
    active_now = grid.cover(placed.row, placed.day, np.minimum(until, placed.day + FORGET_DAYS))
    known_people = grid.place(since, by="organization_id", day="since")
    known_now = grid.window(grid.sums(known_people), None)
    return ratio(active_now, known_now)
