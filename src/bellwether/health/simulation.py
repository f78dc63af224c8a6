"""What a draft of a scorecard would do to a portfolio today: scores, bands, averages, money. Pure.

The scores come from the engine that makes the stored ones, from the same inputs, so that a draft that comes into force
gives every client exactly the score that was shown before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from bellwether.health.engine import PRODUCT_BANDS, score_measures
from bellwether.health.inputs import Schema
from bellwether.health.scorecard import Scorecard

NO_SCORE = "NA"
BANDS = (*PRODUCT_BANDS, NO_SCORE)
"""The bands from best to worst, and the clients without a score."""

AT_RISK = ("AT_RISK", "CRITICAL")

STANDING: Schema = {
    "client_id": pl.String,
    "name": pl.String,
    "arr": pl.Float64,
    "score": pl.Int32,
    "health_status": pl.String,
}
"""Who the clients are and where they stand: one row per client, in the order of their measures."""

CHANGES: Schema = {
    "client_id": pl.String,
    "name": pl.String,
    "arr": pl.Float64,
    "score_now": pl.Int32,
    "score_draft": pl.Int32,
    "change": pl.Int32,
    "status_now": pl.String,
    "status_draft": pl.String,
    "direction": pl.Int8,
    "touched": pl.Boolean,
}


@dataclass(frozen=True)
class Move:
    """Clients that go from one band to another (words of BANDS), and their ARR together."""

    before: str
    after: str
    clients: int
    arr: float


@dataclass(frozen=True)
class Effect:
    """What a draft does on `day`. `clients` is how many there are, `touched` how many the draft would score.

    Averages are means of the exact whole scores, None where nobody has one. `now` and `draft` count clients by band
    (BANDS). `worse` and `better` count those who change to a worse or a better band; `lost` and `gained` those who lose
    or get a score. `changes` has CHANGES, the largest first: `direction` is 1 for a better band, -1 for a worse one,
    0 for the same or where there is no score.
    """

    day: date | None
    clients: int
    touched: int
    average_now: float | None
    average_draft: float | None
    now: dict[str, int]
    draft: dict[str, int]
    worse: int
    better: int
    lost: int
    gained: int
    arr_at_risk_now: float
    arr_at_risk_draft: float
    moves: tuple[Move, ...]
    changes: pl.DataFrame

    @property
    def changed(self) -> int:
        """How many clients have another score or band than now."""
        return self.changes.filter(_differs()).height


def simulate(
    measures: pl.DataFrame, standing: pl.DataFrame, scorecard: Scorecard, touched: Sequence[bool] | pl.Series
) -> Effect:
    """Return what `scorecard` does to the clients that it would score.

    `measures` is what the engine reads, with previous_score: one row per client, all of one day. `standing` has
    STANDING, `touched` whether the draft would be the configuration of the client; both in the order of `measures`.
    """
    mask = pl.Series("touched", touched, pl.Boolean)
    now = standing.select(
        "client_id", "name", "arr", pl.col("score").alias("score_now"), pl.col("health_status").alias("status_now")
    ).with_columns(mask)
    scored = score_measures(measures.filter(mask), scorecard).select(
        "client_id", pl.col("score").alias("score_draft"), pl.col("health_status").alias("status_draft")
    )
    both = now.join(scored, on="client_id", how="left", maintain_order="left").with_columns(
        pl.when("touched").then(f"{name}_draft").otherwise(f"{name}_now").alias(f"{name}_draft")
        for name in ("score", "status")
    )
    both = both.with_columns(
        (pl.col("score_draft") - pl.col("score_now")).cast(pl.Int32).alias("change"),
        (_rank("status_now") - _rank("status_draft")).sign().fill_null(0).cast(pl.Int8).alias("direction"),
    ).select(*CHANGES)
    return _effect(both, measures["date"].max() if measures.height else None)  # type: ignore[arg-type]


def _effect(both: pl.DataFrame, day: date | None) -> Effect:
    figures = both.select(
        pl.col("score_now").mean().alias("average_now"),
        pl.col("score_draft").mean().alias("average_draft"),
        (pl.col("direction") < 0).sum().alias("worse"),
        (pl.col("direction") > 0).sum().alias("better"),
        (pl.col("score_now").is_not_null() & pl.col("score_draft").is_null()).sum().alias("lost"),
        (pl.col("score_now").is_null() & pl.col("score_draft").is_not_null()).sum().alias("gained"),
        pl.col("arr").filter(pl.col("status_now").is_in(AT_RISK)).sum().alias("arr_at_risk_now"),
        pl.col("arr").filter(pl.col("status_draft").is_in(AT_RISK)).sum().alias("arr_at_risk_draft"),
        pl.col("touched").sum().alias("touched"),
    ).row(0, named=True)
    return Effect(
        day=day,
        clients=both.height,
        now=_counts(both["status_now"]),
        draft=_counts(both["status_draft"]),
        moves=_moves(both),
        changes=largest_first(both),
        **figures,
    )


def largest_first(changes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows so that those who change band come first, then the largest changes, then the most ARR."""
    return changes.sort(
        pl.col("status_now").ne_missing(pl.col("status_draft")),
        pl.col("change").abs().fill_null(-1),
        pl.col("arr").fill_null(0),
        pl.col("name"),
        descending=[True, True, True, False],
    )


def changed_only(changes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of clients whose score or band differs."""
    return changes.filter(_differs())


def _differs() -> pl.Expr:
    other_score = pl.col("score_now").ne_missing(pl.col("score_draft"))
    return other_score | pl.col("status_now").ne_missing(pl.col("status_draft"))


def _counts(status: pl.Series) -> dict[str, int]:
    found = dict(status.fill_null(NO_SCORE).value_counts().iter_rows())
    return {band: int(found.get(band, 0)) for band in BANDS}


def _moves(both: pl.DataFrame) -> tuple[Move, ...]:
    """Return who goes where, the largest ARR first."""
    moved = both.filter(pl.col("status_now").ne_missing(pl.col("status_draft")))
    grouped = (
        moved.group_by(pl.col("status_now").fill_null(NO_SCORE), pl.col("status_draft").fill_null(NO_SCORE))
        .agg(pl.len().alias("clients"), pl.col("arr").sum().alias("arr"))
        .sort("arr", "clients", "status_now", "status_draft", descending=[True, True, False, False])
    )
    return tuple(Move(*row) for row in grouped.iter_rows())


def _rank(column: str) -> pl.Expr:
    """Return the place of a band, 0 for the best; null without a score."""
    places = {band: place for place, band in enumerate(PRODUCT_BANDS)}
    return pl.col(column).replace_strict(places, default=None, return_dtype=pl.Int8)
