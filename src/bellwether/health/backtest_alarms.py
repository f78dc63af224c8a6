"""What a flag would have been worth: losses it saw coming, how long before, and how often it cried wolf. Pure."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from bellwether.health.backtest_outcomes import CENSORED
from bellwether.health.backtest_rules import Candidate

CLIENTS_PER_CSM = 25
"""Where no client has a CSM, false alarms are given per 25 clients, about what one person looks after."""


@dataclass(frozen=True)
class Losses:
    """Churned clients by whether they were flagged on the last as-of day before. `arr` sums are None where unknown.

    `without_score` of the missed had no value then. `lead_days` is the median from the first day of the flag that was
    up to the churn, None where nothing was flagged.
    """

    total: int
    flagged: int
    missed: int
    without_score: int
    lead_days: float | None
    lead_low: float | None
    lead_high: float | None
    arr_lost: float | None
    arr_missed: float | None
    arr_unknown: int


@dataclass(frozen=True)
class FalseAlarms:
    """Flags that went up, and those that no churn followed. `rate` is false alarms per week and CSM (or 25 clients)."""

    episodes: int
    false: int
    standing: int
    weeks: float
    rate: float | None


def episodes(rows: pl.DataFrame, candidate: Candidate) -> pl.DataFrame:
    """Return the flag of every row that has a value: client_id, as_of, label, flagged, episode (None without a flag).

    `rows` has client_id, as_of and label by client and day. A flag goes up where the row before was not flagged; days
    without a value neither end nor begin one.
    """
    known = rows.with_columns(flagged=pl.Series(candidate.flagged)).filter(pl.Series(candidate.known))
    before = pl.col("flagged").shift(1).over("client_id").fill_null(False)
    rises = (pl.col("flagged") & ~before).cum_sum()
    return known.with_columns(pl.when("flagged").then(rises).alias("episode"))


def flagged_losses(flags: pl.DataFrame, losses: pl.DataFrame) -> Losses:
    """Return what `flags` (see `episodes`) say of `losses` (client_id, date, arr, last_as_of)."""
    first = flags.filter("flagged").group_by("episode").agg(pl.col("as_of").min().alias("since"))
    found = losses.join(
        flags.rename({"as_of": "last_as_of"}).select("client_id", "last_as_of", "flagged", "episode"),
        on=["client_id", "last_as_of"], how="left", maintain_order="left",
    ).join(first, on="episode", how="left", maintain_order="left")  # fmt: skip
    seen = found.filter(pl.col("flagged").fill_null(False))
    missed = found.filter(~pl.col("flagged").fill_null(False))
    lead = (seen["date"] - seen["since"]).dt.total_days()
    quartiles = [_float(lead.quantile(q, "linear")) for q in (0.25, 0.5, 0.75)]
    priced = losses["arr"].is_not_null().any()
    return Losses(
        total=found.height,
        flagged=seen.height,
        missed=missed.height,
        without_score=found["flagged"].null_count(),
        lead_days=quartiles[1],
        lead_low=quartiles[0],
        lead_high=quartiles[2],
        arr_lost=float(found["arr"].sum()) if priced else None,
        arr_missed=float(missed["arr"].sum()) if priced else None,
        arr_unknown=found["arr"].null_count(),
    )


def false_alarms(flags: pl.DataFrame, *, first: date, watchers: float) -> FalseAlarms:
    """Return how many flags went up for nothing, over `watchers` (CSMs, or clients / 25) and the weeks observed.

    A flag is judged when the day it went up is decided; it is false when churn follows none of its days within the
    horizon. Flags up on the `first` as-of day went up at an unknown time before: they are only counted, as standing.
    """
    by_episode = (
        flags.filter("flagged")
        .group_by("episode")
        .agg(
            pl.col("as_of").min().alias("began"),
            pl.col("label").first().alias("at_first"),
            (pl.col("label") == 1).any().alias("followed"),
        )
        .filter(pl.col("at_first") != CENSORED)
    )
    began = by_episode.filter(pl.col("began") > first)
    false = int((~began["followed"]).sum())
    decided = flags.filter(pl.col("label") != CENSORED)["as_of"]
    last = decided.max()
    weeks = (last - first).days / 7 if isinstance(last, date) else 0.0
    rate = false / (weeks * watchers) if weeks > 0 and watchers > 0 else None
    return FalseAlarms(began.height, false, by_episode.height - began.height, weeks, rate)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | np.floating) else None
