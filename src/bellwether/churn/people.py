"""Features of people as of a day: champions, leading users, people who stopped, key contacts who left. Pure.

People are users who are not services. Windows end on the as-of day, as those of measures do.
"""

import polars as pl

from bellwether.churn.features import MONTH_DAYS, PEOPLE, PEOPLE_DAYS, QUARTER_DAYS
from bellwether.health.inputs import Schema

CHAMPION_ROLES = ("CHAMPION", "EXECUTIVE_SPONSOR")
KEY_ROLES = ("CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN")

ROWS: Schema = {"client_id": pl.String, "organization_id": pl.String, "as_of": pl.Date}
"""The clients and as-of days that features are made for."""
ACTIVE: Schema = {
    "row": pl.UInt32,  # place of the client and as-of day among the rows
    "as_of": pl.Date,
    "user_key": pl.Categorical,
    "date": pl.Date,
    "actions": pl.Int64,
}
"""What people did in the PEOPLE_DAYS up to an as-of day: one row per as-of day, person and day with actions."""
SIGHTS: Schema = {"organization_id": pl.String, "as_of": pl.Date, "user_key": pl.String}
"""People who had been seen by an as-of day, however long ago."""
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
_USE, _CLIENT = ["organization_id", "as_of"], ["client_id", "as_of"]


def people_features(
    rows: pl.DataFrame, active: pl.DataFrame, sights: pl.DataFrame, contacts: pl.DataFrame
) -> pl.DataFrame:
    """Return PEOPLE of `rows` (ROWS), in their order.

    `active` is ACTIVE; `sights` SIGHTS of the people whom contacts are linked to; `contacts` CONTACTS with the as-of
    day `as_of` on which they count: what of them happened after it does not.
    """
    users = _users(rows, active)
    here = _present(contacts)
    found = rows.select(list(ROWS))
    for part, key in (
        (_use(users), _USE),
        (_champions(rows, users, sights, here), _CLIENT),
        (_left(contacts, here), _CLIENT),
    ):
        found = found.join(part, on=key, how="left", maintain_order="left")
    return found.select(pl.col(name).cast(dtype) for name, dtype in PEOPLE.items())


def _users(rows: pl.DataFrame, active: pl.DataFrame) -> pl.DataFrame:
    """Return one row per as-of day and person: `quiet` days, actions of all days and of 30, and whether the person was
    active in the last 30 days and in the 60 before."""
    quiet = (pl.col("as_of") - pl.col("date")).dt.total_days()
    month, quarter = quiet < MONTH_DAYS, quiet.is_between(MONTH_DAYS, QUARTER_DAYS - 1)
    found = (
        active.lazy()
        .group_by("row", "user_key")
        .agg(
            quiet.min().alias("quiet"),
            pl.col("actions").sum().alias("actions"),
            pl.col("actions").filter(month).sum().alias("month_actions"),
            month.any().alias("now"),
            quarter.any().alias("before"),
        )
        .collect()
    )
    places = rows.select(_USE).with_row_index("row")
    return found.join(places, on="row", how="inner").with_columns(pl.col("user_key").cast(pl.String))


def _use(users: pl.DataFrame) -> pl.DataFrame:
    """Return by client and day how the leading user, the people of before and the work of the month stand.

    Of leading users with the same number of actions the one counts who was active last.
    """
    lead = pl.col("actions") == pl.col("actions").max()
    before, month = pl.col("before").sum(), pl.col("month_actions").sum()
    return users.group_by(_USE).agg(
        pl.col("quiet").filter(lead).min().alias("lead_user_quiet_days"),
        pl.when(before > 0).then((pl.col("before") & ~pl.col("now")).sum() / before).alias("people_lost_share"),
        pl.when(month > 0).then(pl.col("month_actions").max() / month).alias("lead_user_share"),
    )


def _present(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return the contacts who were there at the end of the day. Who is gone since nobody knows when is left out."""
    gone = pl.min_horizontal("left_on", "archived_on")
    return contacts.filter(
        (pl.col("known_since").is_null() | (pl.col("known_since") <= pl.col("as_of")))
        & (pl.col("is_active") | gone.is_not_null())
        & (gone.is_null() | (gone > pl.col("as_of")))
    )


def _champions(rows: pl.DataFrame, users: pl.DataFrame, sights: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Return by client and day the least quiet days of its champions and sponsors, where one of them was ever seen."""
    person = [*_USE, "user_key"]
    linked = (
        present.filter(pl.col("role").is_in(CHAMPION_ROLES) & (pl.col("user_key") != ""))
        .join(rows.select(list(ROWS)), on=_CLIENT, how="inner")
        .join(users.select(*person, "quiet"), on=person, how="left")
        .join(sights.select(person).unique().with_columns(seen=True), on=person, how="left")
    )
    quiet = pl.coalesce("quiet", pl.when(pl.col("seen")).then(PEOPLE_DAYS))
    return linked.group_by(_CLIENT).agg(quiet.min().alias("champion_quiet_days"))


def _left(contacts: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Return by client and day how many left in PEOPLE_DAYS, of clients that have or had a key contact."""
    days = (pl.col("as_of") - pl.col("left_on")).dt.total_days()
    left = contacts.filter(days.is_between(0, PEOPLE_DAYS - 1)).select(_CLIENT)
    counted = pl.concat([left.with_columns(left=1), present.select(_CLIENT).with_columns(left=0)])
    return counted.group_by(_CLIENT).agg(pl.col("left").sum().alias("key_contacts_left"))
