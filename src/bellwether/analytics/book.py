"""Which clients there were on a day, with their ARR, score and status of that day. Pure.

A `Records` holds frames with one row a client, contract term and outcome. Money is in dollars, days are the
workspace's.
"""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

BANDS = ("HEALTHY", "MONITOR", "AT_RISK", "CRITICAL")
LOW = ("AT_RISK", "CRITICAL")
DIMENSIONS = ("tier", "industry", "csm", "region", "segment")

CLIENTS = {
    "key": pl.String,
    "name": pl.String,
    "tier": pl.String,
    "industry": pl.String,
    "segment": pl.String,
    "region": pl.String,
    "csm": pl.String,
    "arr": pl.Float64,
    "score": pl.Int64,
    "status": pl.String,
    "renewal": pl.Date,
    "probability": pl.Int64,
    "active": pl.Boolean,
    "start": pl.Date,
    "gone": pl.Date,
    "churned": pl.Date,
}
"""One row a client, archived or not. `start`: when the first contract began; `gone`: when an archived client left;
`churned`: when it churned without coming back."""
PERIODS = {"key": pl.String, "start": pl.Date, "arr": pl.Float64}
OUTCOMES = {"key": pl.String, "date": pl.Date, "outcome": pl.String, "before": pl.Float64, "after": pl.Float64}
SCORES = {"key": pl.String, "date": pl.Date, "score": pl.Int64}


@dataclass(frozen=True)
class Limits:
    """From which score a client counts as healthy, to be monitored, at risk; critical is below."""

    healthy: int = 80
    monitor: int = 60
    at_risk: int = 40


@dataclass(frozen=True)
class Records:
    """What is known of the clients of one reader. `scores` holds past days; today's score is the client's own."""

    clients: pl.DataFrame
    periods: pl.DataFrame
    outcomes: pl.DataFrame
    scores: pl.DataFrame
    today: date
    limits: Limits = Limits()

    def of_csm(self, csm: str) -> "Records":
        """Return the same of the clients that are assigned to `csm` today."""
        return replace(self, clients=self.clients.filter(pl.col("csm") == csm))


def first_terms(clients: pl.DataFrame, periods: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return `clients` with `start`, `gone` and `churned` as the terms and outcomes say.

    It comes with `start` as the client's record has it, `gone` as the day it was archived. A churn counts unless the
    client renewed or began a term after it; an archived client was gone from its churn on, if that was earlier.
    """
    began = periods.group_by("key").agg(pl.col("start").min().alias("began"), pl.col("start").max().alias("newest"))
    churns = outcomes.filter(pl.col("outcome") == "CHURNED").group_by("key").agg(pl.col("date").max().alias("lost"))
    kept = outcomes.filter(pl.col("outcome") != "CHURNED").group_by("key").agg(pl.col("date").max().alias("kept"))
    joined = clients.drop("churned").join(began, on="key", how="left")
    joined = joined.join(churns, on="key", how="left").join(kept, on="key", how="left")
    back = pl.max_horizontal("kept", "newest")
    churned = pl.when(pl.col("lost").is_not_null() & (back.is_null() | (back <= pl.col("lost")))).then("lost")
    return (
        joined.with_columns(churned.alias("churned"), pl.coalesce("began", "start").alias("start"))
        .with_columns(
            pl.when(pl.col("gone").is_not_null()).then(pl.min_horizontal("gone", "churned")).alias("gone"),
        )
        .select(*CLIENTS)
    )


def book_on(records: Records, day: date) -> pl.DataFrame:
    """Return the clients of `day` with `arr`, `score` and `status` of that day.

    Today: those that are not archived, as their records say. An earlier day: those that had begun and were not gone;
    one whose beginning is not known had. Tier, industry, region, segment and CSM are today's.
    """
    if day >= records.today:
        return records.clients.filter("active")
    rows = records.clients.filter(
        (pl.col("start").is_null() | (pl.col("start") <= day)) & (pl.col("gone").is_null() | (pl.col("gone") > day))
    )
    on_day = records.scores.filter(pl.col("date") == day).select("key", "score")
    rows = rows.drop("score", "status").join(on_day, on="key", how="left", maintain_order="left")
    rows = rows.join(_arr_on(records, day), on="key", how="left", maintain_order="left")
    return rows.with_columns(
        pl.coalesce("known_arr", "arr").alias("arr"), band(pl.col("score"), records.limits).alias("status")
    ).select(*CLIENTS)


def band(score: pl.Expr, limits: Limits) -> pl.Expr:
    """Return the status of a score; null for none."""
    return (
        pl.when(score.is_null())
        .then(None)
        .when(score >= limits.healthy)
        .then(pl.lit("HEALTHY"))
        .when(score >= limits.monitor)
        .then(pl.lit("MONITOR"))
        .when(score >= limits.at_risk)
        .then(pl.lit("AT_RISK"))
        .otherwise(pl.lit("CRITICAL"))
    )


def _arr_on(records: Records, day: date) -> pl.DataFrame:
    """Return key and `known_arr`: of the term that began last by `day`; else what the outcomes around it say."""
    term = _last(records.periods.filter((pl.col("start") <= day) & pl.col("arr").is_not_null()), "start", "arr")
    since = records.outcomes.filter((pl.col("date") <= day) & pl.col("after").is_not_null())
    until = records.outcomes.filter((pl.col("date") > day) & pl.col("before").is_not_null())
    found = records.clients.select("key")
    parts = (
        ("term", term),
        ("after", _last(since, "date", "after")),
        ("before", _last(until, "date", "before", keep="first")),
    )
    for name, part in parts:
        found = found.join(part.rename({"value": name}), on="key", how="left")
    return found.select("key", pl.coalesce("term", "after", "before").alias("known_arr"))


def _last(rows: pl.DataFrame, by: str, column: str, *, keep: str = "last") -> pl.DataFrame:
    value = pl.col(column).last() if keep == "last" else pl.col(column).first()
    return rows.sort(by).group_by("key", maintain_order=True).agg(value.alias("value"))
