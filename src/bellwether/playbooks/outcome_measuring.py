"""What became of enrolments, for each kind of outcome and all clients at once. Pure.

A window is the days after the day of enrolment, `days` of them: what happened on the day itself may have been before.
Every function takes DUE and returns MEASURED, one row an enrolment: a value, or None and why the data do not tell.
"""

from collections.abc import Collection
from datetime import timedelta

import polars as pl

from bellwether.health.inputs import Schema

DUE: Schema = {
    "enrolment_id": pl.String,
    "client_id": pl.String,
    "organization_id": pl.String,
    "enrolled_on": pl.Date,
    "last_on": pl.Date,
    "feature": pl.String,
    "at_least": pl.Float64,
    "user_key": pl.String,
    "left_on": pl.Date,
}
"""Whose windows are over. `last_on`: last day of the window; `user_key`: the person the occasion is about, else null;
`left_on`: when the client was archived, else null."""
MEASURED: Schema = {"enrolment_id": pl.String, "value": pl.Float64, "detail": pl.String}
PERSON_DAYS: Schema = {"organization_id": pl.String, "user_key": pl.String, "date": pl.Date}
LOGIN_DAYS: Schema = {"organization_id": pl.String, "date": pl.Date}
DAU: Schema = {"organization_id": pl.String, "date": pl.Date, "dau": pl.Float64}
SCORES: Schema = {"client_id": pl.String, "date": pl.Date, "score": pl.Float64}
ENDS: Schema = {"client_id": pl.String, "date": pl.Date, "outcome": pl.String}
USES: Schema = {"organization_id": pl.String, "feature": pl.String, "date": pl.Date}
ANSWERS: Schema = {"client_id": pl.String, "date": pl.Date, "score": pl.Float64}

SCORE_AGE = 7
"""A day without a score takes the newest of the days before, at most this many."""
RECOVERED_SHARE = 0.9
GOOD_CSAT = 75.0
"""4 on a scale of 1 to 5."""
BEFORE_DAYS = 30
LAST_DAYS = 7
NPS_DAYS = 365
NO_USE = "No use of this client is known"


def logins(due: pl.DataFrame, *, people: pl.DataFrame, clients: pl.DataFrame, seen: Collection[str]) -> pl.DataFrame:
    """Return 1 where the person the occasion is about was active in the window, or anybody of the client if it is about
    nobody. `people` is PERSON_DAYS, `clients` LOGIN_DAYS, `seen` the organizations that ever sent events."""
    about = due.filter(pl.col("user_key").is_not_null())
    others = due.filter(pl.col("user_key").is_null())
    found = pl.concat(
        [
            _happened(about, people, ["organization_id", "user_key"]),
            _happened(others, clients, ["organization_id"]),
        ]
    )
    return _judged(due, found, known=pl.col("organization_id").is_in(list(seen)), otherwise=NO_USE)


def score_changes(due: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return the score at the end of the window less that on the day of enrolment, in points."""
    ordered = scores.filter(pl.col("score").is_not_null()).sort("date")
    before = _score_on(due, "enrolled_on", ordered).rename({"score": "before"})
    after = _score_on(due, "last_on", ordered).rename({"score": "after"})
    joined = due.join(before, on="enrolment_id", how="left").join(after, on="enrolment_id", how="left")
    return joined.select(
        "enrolment_id",
        value=pl.col("after") - pl.col("before"),
        detail=pl.when(pl.col("before").is_null())
        .then(pl.lit("There was no score at enrolment"))
        .when(pl.col("after").is_null())
        .then(pl.lit("There is no score at the end of the window"))
        .otherwise(pl.lit("")),
    )


def churned(due: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """Return 1 where the client left in the window."""
    left = ends.filter(pl.col("outcome") == "CHURNED")
    found = _happened(due, left, ["client_id"])
    archived = pl.col("left_on").is_not_null() & (pl.col("left_on") <= pl.col("last_on"))
    known = ~archived | pl.col("enrolment_id").is_in(found["enrolment_id"].to_list())
    return _judged(due, found, known=known, otherwise="Archived without saying whether it left")


def renewals(due: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """Return 1 where a term was renewed in the window, for less too, and 0 where the client left.

    `ends` has RENEWED, DOWNGRADED and CHURNED; new terms of a contract without an outcome are RENEWED. The first end in
    the window counts.
    """
    first = (
        _within(due, ends, ["client_id"])
        .sort("date", "outcome")
        .group_by("enrolment_id", maintain_order=True)
        .agg(pl.col("outcome").first())
    )
    joined = due.join(first, on="enrolment_id", how="left")
    return joined.select(
        "enrolment_id",
        value=(pl.col("outcome") != "CHURNED").cast(pl.Float64),
        detail=_why(pl.col("outcome").is_null(), "No renewal is recorded in the window"),
    )


def features_used(due: pl.DataFrame, uses: pl.DataFrame, *, known: Collection[str]) -> pl.DataFrame:
    """Return 1 where the feature was used in the window. `uses` is USES, `known` the features of the catalogue."""
    found = _happened(due, uses, ["organization_id", "feature"])
    return _judged(
        due, found, known=pl.col("feature").is_in(list(known)), otherwise="The catalogue has no such feature"
    )


def recovered(due: pl.DataFrame, dau: pl.DataFrame, *, working_days: Collection[int]) -> pl.DataFrame:
    """Return 1 where the mean of daily users in the last week of the window is back at `at_least` (0.9) of the mean of
    the 30 days that end a week before enrolment. `working_days` are ISO weekdays, Monday 1; other days do not count."""
    mask = [day in working_days for day in range(1, 8)]
    working = dau.filter(pl.col("date").dt.weekday().is_in(list(working_days)))
    first, last = pl.col("enrolled_on") - timedelta(days=LAST_DAYS + BEFORE_DAYS - 1), pl.col("enrolled_on")
    before = _mean(due, working, first, last - timedelta(days=LAST_DAYS), mask).rename({"mean": "before"})
    start = pl.col("last_on") - timedelta(days=LAST_DAYS - 1)
    after = _mean(due, working, start, pl.col("last_on"), mask).rename({"mean": "after"})
    share = pl.col("at_least").fill_null(RECOVERED_SHARE)
    share = pl.when(share > 1).then(share / 100).otherwise(share)
    joined = due.join(before, on="enrolment_id").join(after, on="enrolment_id")
    missing = pl.col("before") == 0
    return joined.select(
        "enrolment_id",
        value=pl.when(~missing).then((pl.col("after") >= share * pl.col("before") - 1e-9).cast(pl.Float64)),
        detail=_why(missing, "There was no use before the enrolment to compare with"),
    )


def good_answers(due: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Return 1 where the mean of the CSAT answers in the window (0-100) is at least `at_least`, by default 75.

    Levels up to 5 are read on the scale of 1 to 5.
    """
    level = pl.col("at_least").fill_null(GOOD_CSAT)
    level = pl.when(level <= 5).then((level - 1) * 25).otherwise(level)
    means = _within(due, answers, ["client_id"]).group_by("enrolment_id").agg(pl.col("score").mean())
    joined = due.join(means, on="enrolment_id", how="left")
    return joined.select(
        "enrolment_id",
        value=(pl.col("score") >= level - 1e-9).cast(pl.Float64),
        detail=_why(pl.col("score").is_null(), "Nobody answered a CSAT question in the window"),
    )


def better_answers(due: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Return 1 where the last NPS answer in the window is better than the last one of the year before enrolment."""
    ordered = answers.sort("date")
    after = _within(due, ordered, ["client_id"]).group_by("enrolment_id").agg(after=pl.col("score").last())
    before = (
        due.join(ordered, on="client_id")
        .filter(pl.col("date").is_between(pl.col("enrolled_on") - timedelta(days=NPS_DAYS), pl.col("enrolled_on")))
        .sort("date")
        .group_by("enrolment_id")
        .agg(before=pl.col("score").last())
    )
    joined = due.join(before, on="enrolment_id", how="left").join(after, on="enrolment_id", how="left")
    return joined.select(
        "enrolment_id",
        value=(pl.col("after") > pl.col("before")).cast(pl.Float64),
        detail=pl.when(pl.col("before").is_null())
        .then(pl.lit("There was no NPS answer before the enrolment"))
        .when(pl.col("after").is_null())
        .then(pl.lit("Nobody answered the NPS question in the window"))
        .otherwise(pl.lit("")),
    )


def empty(schema: Schema) -> pl.DataFrame:
    """Return a frame of `schema` without rows."""
    return pl.DataFrame(schema=schema)


def _within(due: pl.DataFrame, facts: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return due.join(facts, on=on).filter(
        (pl.col("date") > pl.col("enrolled_on")) & (pl.col("date") <= pl.col("last_on"))
    )


def _happened(due: pl.DataFrame, facts: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return _within(due, facts, on).select("enrolment_id").unique()


def _judged(due: pl.DataFrame, found: pl.DataFrame, *, known: pl.Expr, otherwise: str) -> pl.DataFrame:
    happened = pl.col("enrolment_id").is_in(found["enrolment_id"].to_list())
    return due.select(
        "enrolment_id",
        value=pl.when(known).then(happened.cast(pl.Float64)),
        detail=_why(~known, otherwise),
    )


def _why(missing: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(missing).then(pl.lit(reason)).otherwise(pl.lit(""))


def _score_on(due: pl.DataFrame, day: str, ordered: pl.DataFrame) -> pl.DataFrame:
    wanted = due.select("enrolment_id", "client_id", date=pl.col(day)).sort("date")
    return wanted.join_asof(
        ordered, on="date", by="client_id", strategy="backward", tolerance=f"{SCORE_AGE}d", check_sortedness=False
    ).select("enrolment_id", "score")


def _mean(due: pl.DataFrame, dau: pl.DataFrame, first: pl.Expr, last: pl.Expr, mask: list[bool]) -> pl.DataFrame:
    """Return the mean of `dau` over the working days from `first` to `last`; days without facts had no use."""
    spans = due.select("enrolment_id", "organization_id", first=first, last=last)
    sums = (
        spans.join(dau, on="organization_id")
        .filter(pl.col("date").is_between(pl.col("first"), pl.col("last")))
        .group_by("enrolment_id")
        .agg(pl.col("dau").sum())
    )
    days = pl.business_day_count(pl.col("first"), pl.col("last") + timedelta(days=1), week_mask=mask)
    return spans.join(sums, on="enrolment_id", how="left").select(
        "enrolment_id", mean=pl.when(days > 0).then(pl.col("dau").fill_null(0) / days).otherwise(0.0)
    )
