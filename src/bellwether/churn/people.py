"""Features of people as of a day: champions, leading users, people who stopped, key contacts who left. Pure.

People are users who are not services. Windows end on the as-of day, as those of measures do.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from bellwether.churn.features import PEOPLE
from bellwether.health.inputs import Schema

PEOPLE_DAYS = 180
"""How far back people are looked at: who was last active before counts as this many days quiet."""
MONTH_DAYS, QUARTER_DAYS = 30, 90
CHAMPION_ROLES = ("CHAMPION", "EXECUTIVE_SPONSOR")
KEY_ROLES = ("CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN")

USER_DAYS: Schema = {
    "organization_id": pl.String,
    "user_key": pl.String,
    "date": pl.Date,
    "actions": pl.Int64,
}
"""What people did: one row per person and day, services left out."""
SIGHTS: Schema = {"organization_id": pl.String, "user_key": pl.String, "first_date": pl.Date}
"""When a person was first seen."""
CONTACTS: Schema = {
    "client_id": pl.String,
    "role": pl.String,
    "user_key": pl.String,
    "is_active": pl.Boolean,
    "known_since": pl.Date,
    "left_on": pl.Date,
    "archived_on": pl.Date,
}
"""Contacts in key roles; days are workspace days."""


def people_features(
    user_days: pl.DataFrame, sights: pl.DataFrame, contacts: pl.DataFrame, clients: pl.DataFrame, days: Sequence[date]
) -> pl.DataFrame:
    """Return PEOPLE of every client of `clients` (client_id, organization_id) on each of `days`.

    `user_days` are USER_DAYS that reach PEOPLE_DAYS back from the first day, `sights` SIGHTS of the users whom contacts
    are linked to, `contacts` CONTACTS. Rows after a day do not count on it.
    """
    frames = [_on(day, user_days, sights, contacts, clients) for day in sorted(set(days))]
    return pl.concat(frames) if frames else pl.DataFrame(schema=PEOPLE)


def _on(
    day: date, user_days: pl.DataFrame, sights: pl.DataFrame, contacts: pl.DataFrame, clients: pl.DataFrame
) -> pl.DataFrame:
    users = _users(day, user_days)
    rows = clients.select("client_id", "organization_id", pl.lit(day, pl.Date).alias("as_of"))
    here = _present(day, contacts)
    for part, key in (
        (_use(users), "organization_id"),
        (_champions(day, users, sights, here, clients), "client_id"),
        (_left(day, contacts, here), "client_id"),
    ):
        rows = rows.join(part, on=key, how="left", maintain_order="left")
    return rows.select(pl.col(name).cast(dtype) for name, dtype in PEOPLE.items())


def _users(day: date, user_days: pl.DataFrame) -> pl.DataFrame:
    """Return one row per person who was active in PEOPLE_DAYS: `quiet` days, actions of 180 and 30 days, and whether
    the person was active in the last 30 days and in the 60 before."""
    quiet = (pl.lit(day, pl.Date) - pl.col("date")).dt.total_days()
    month, quarter = quiet < MONTH_DAYS, quiet.is_between(MONTH_DAYS, QUARTER_DAYS - 1)
    recent = pl.col("date").is_between(day - timedelta(days=PEOPLE_DAYS - 1), day)
    return (
        user_days.lazy()
        .filter(recent & (pl.col("actions") > 0))
        .group_by("organization_id", "user_key")
        .agg(
            quiet.min().alias("quiet"),
            pl.col("actions").sum().alias("actions"),
            pl.col("actions").filter(month).sum().alias("month_actions"),
            month.any().alias("now"),
            quarter.any().alias("before"),
        )
        .collect()
    )


def _use(users: pl.DataFrame) -> pl.DataFrame:
    """Return by organization_id how the leading user, the people of before and the work of the month stand.

    Of leading users with the same number of actions the one counts who was active last.
    """
    lead = pl.col("actions") == pl.col("actions").max()
    before, month = pl.col("before").sum(), pl.col("month_actions").sum()
    return users.group_by("organization_id").agg(
        pl.col("quiet").filter(lead).min().alias("lead_user_quiet_days"),
        pl.when(before > 0).then((pl.col("before") & ~pl.col("now")).sum() / before).alias("people_lost_share"),
        pl.when(month > 0).then(pl.col("month_actions").max() / month).alias("lead_user_share"),
    )


def _present(day: date, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return the contacts who were there at the end of the day. Who is gone since nobody knows when is left out."""
    gone = pl.min_horizontal("left_on", "archived_on")
    return contacts.filter(
        (pl.col("known_since").is_null() | (pl.col("known_since") <= day))
        & (pl.col("is_active") | pl.col("left_on").is_not_null() | pl.col("archived_on").is_not_null())
        & (gone.is_null() | (gone > day))
    )


def _champions(
    day: date, users: pl.DataFrame, sights: pl.DataFrame, present: pl.DataFrame, clients: pl.DataFrame
) -> pl.DataFrame:
    """Return by client_id the least quiet days of its champions and sponsors, where one of them was ever seen."""
    person = ["organization_id", "user_key"]
    linked = (
        present.filter(pl.col("role").is_in(CHAMPION_ROLES) & (pl.col("user_key") != ""))
        .join(clients.select("client_id", "organization_id"), on="client_id", how="inner")
        .join(users.select(*person, "quiet"), on=person, how="left")
        .join(sights.select(*person, "first_date"), on=person, how="left")
    )
    quiet = pl.when(pl.col("quiet").is_not_null() | (pl.col("first_date") <= day)).then(
        pl.col("quiet").fill_null(PEOPLE_DAYS)
    )
    return (
        linked.with_columns(quiet=quiet).group_by("client_id").agg(pl.col("quiet").min().alias("champion_quiet_days"))
    )


def _left(day: date, contacts: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Return by client_id how many left in PEOPLE_DAYS, of clients that have or had a key contact."""
    left = contacts.filter(pl.col("left_on").is_between(day - timedelta(days=PEOPLE_DAYS - 1), day)).select("client_id")
    counted = pl.concat([left.with_columns(left=1), present.select("client_id").with_columns(left=0)])
    return counted.group_by("client_id").agg(pl.col("left").sum().alias("key_contacts_left"))
