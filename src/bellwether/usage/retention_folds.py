"""What stays of daily facts that are too old to be kept by the day: enough for first days, last days and counts of all
time, a few rows for each client and month.

A fold keeps the columns and the file of the month, and folding it again changes nothing. Sums over a month, its first
and its last days are what they were; what lies between is not.
"""

from collections.abc import Callable

import polars as pl

Fold = Callable[[pl.DataFrame], pl.DataFrame]
EVENT = ["organization_id", "event", "module", "feature", "label", "is_service"]
CUSTOM = ["organization_id", "measure"]


def fold_client_days(days: pl.DataFrame) -> pl.DataFrame:
    """Return of client_days each client's first, last and last active row."""
    day = pl.col("date")
    kept = (day == day.min()) | (day == day.max()) | (day == day.filter(pl.col("dau") > 0).max())
    return days.filter(kept.over("organization_id").fill_null(value=False))


def fold_event_days(days: pl.DataFrame) -> pl.DataFrame:
    """Return of event_days one row for each kind of event on its last day, and one on its first for all days before."""
    together = [pl.col("events").sum(), pl.col("users").max(), pl.col("first_ts").min(), pl.col("last_ts").max()]
    return _last_and_before(days, EVENT, together)


def fold_custom_days(days: pl.DataFrame) -> pl.DataFrame:
    """Return of custom_days one row for each measure on its last day, and one on its first for all days before."""
    value = pl.col("last").sort_by("date").drop_nulls().last()
    at = pl.col("last_ts").sort_by("date").drop_nulls().last()
    return _last_and_before(days, CUSTOM, [pl.col("events").sum(), pl.col("total").sum(), value, at])


def fold_custom_users(days: pl.DataFrame) -> pl.DataFrame:
    """Return of custom_users each user's last row of each measure."""
    return _one_of_each(days.sort("date", descending=True), ["organization_id", "user_key", "measure"])


def fold_user_days(days: pl.DataFrame) -> pl.DataFrame:
    """Return of user_days the first row of each user in each role; those without a role are gone."""
    with_role = days.filter(pl.col("role").is_not_null() & ~pl.col("is_service")).sort("date")
    return _one_of_each(with_role, ["organization_id", "user_key", "role"])


def forget(days: pl.DataFrame) -> pl.DataFrame:
    """Return no row."""
    return days.clear()


FOLDS: dict[str, Fold] = {
    "user_days": fold_user_days,
    "event_days": fold_event_days,
    "client_hours": forget,
    "client_days": fold_client_days,
    "custom_days": fold_custom_days,
    "custom_users": fold_custom_users,
}
"""How each kind of facts is folded. user_months stay as they are: who was ever seen is counted from them."""


def _last_and_before(days: pl.DataFrame, key: list[str], together: list[pl.Expr]) -> pl.DataFrame:
    is_last = pl.col("date") == pl.col("date").max().over(key)
    before = days.filter(~is_last).group_by(key).agg(pl.col("date").min(), *together)
    return pl.concat([days.filter(is_last), before.select(days.columns).cast(days.schema)])


def _one_of_each(days: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return days.unique(key, keep="first", maintain_order=True)
