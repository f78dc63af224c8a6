"""How often people of each role come. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from bellwether.usage.periods import BASELINE_DAYS

LONGEST_DAYS = 90
NO_ROLE = ""


@dataclass(frozen=True)
class RoleSessions:
    """Sessions per active user of a role: `users` active in the range, and the mean of the windows before it.

    `baseline` None: nobody of the role was active in them.
    """

    role: str
    users: int
    sessions: int
    per_user: float
    baseline: float | None


def role_sessions(
    user_days: pl.DataFrame,
    first: date,
    last: date,
    *,
    known_roles: Mapping[str, str],
) -> list[RoleSessions]:
    """Return the roles of one client's people from `first` to `last`, those with most users first; NO_ROLE is last.

    A user has the role last seen on one of the days, else that of `known_roles` by user key. The baseline is the mean
    over the whole windows as long as the range, in the BASELINE_DAYS before it, in which the role was active. A range
    over LONGEST_DAYS counts with its last LONGEST_DAYS. Service users are left out.
    """
    first = max(first, last - timedelta(days=LONGEST_DAYS - 1))
    baseline_first = first - timedelta(days=BASELINE_DAYS)
    length = (last - first).days + 1
    people = user_days.filter(~pl.col("is_service"), pl.col("actions") > 0, pl.col("date") <= last)
    seen = people.sort("date").group_by("user_key").agg(pl.col("role").drop_nulls().last())
    other = pl.DataFrame(
        {"user_key": list(known_roles), "_known": list(known_roles.values())},
        schema={"user_key": pl.String, "_known": pl.String},
    )
    roles = seen.join(other, on="user_key", how="left").select(
        "user_key", role=pl.coalesce("role", "_known").fill_null(NO_ROLE)
    )
    back = (pl.lit(first) - pl.col("date")).dt.total_days()
    windows = (
        people.filter(pl.col("date") >= baseline_first)
        .drop("role")
        .join(roles, on="user_key")
        .with_columns(window=pl.when(back <= 0).then(0).otherwise((back - 1) // length + 1))
        .filter((pl.col("window") == 0) | (pl.col("window") * length <= (first - baseline_first).days))
        .group_by("role", "window")
        .agg(pl.col("user_key").n_unique().alias("users"), pl.col("sessions").sum())
        .with_columns(per_user=pl.col("sessions") / pl.col("users"))
    )
    before = windows.filter(pl.col("window") > 0).group_by("role").agg(pl.col("per_user").mean())
    usual = dict(before.iter_rows())
    found = [
        RoleSessions(row["role"], row["users"], row["sessions"], row["per_user"], usual.get(row["role"]))
        for row in windows.filter(pl.col("window") == 0).iter_rows(named=True)
    ]
    return sorted(found, key=lambda item: (item.role == NO_ROLE, -item.users, item.role))
