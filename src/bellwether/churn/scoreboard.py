"""The scoreboard: what was foretold when it was foretold, against what came. Pure.

It rests on stored predictions alone, which are never changed; nothing is foretold anew. A prediction counts once its
horizon has passed, and only if it was stored at most two days after its as-of day: docs/reference/churn-model-card.md.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from bellwether.churn import metrics
from bellwether.churn.card import ReliabilityPoint
from bellwether.churn.factors import HORIZONS
from bellwether.churn.labelling import interval_labels
from bellwether.churn.metrics import Bools, Floats, Interval, Ints

PREDICTIONS = {
    "client_id": pl.String,
    "as_of": pl.Date,
    "made_on": pl.Date,
    "version": pl.Int64,
    "p30": pl.Float64,
    "p60": pl.Float64,
    "p90": pl.Float64,
    "category": pl.String,
}
"""`made_on` is the workspace day on which the prediction was stored, `version` that of its model."""

MADE_WITHIN_DAYS = 2
LEAST_CHURNED = 5
"""Fewer clients that left leave AUC and calibration error out."""
DRAWS = 200
MOST_VALUES = 200
SEED = 7
BANDS = ("LOW", "MEDIUM", "HIGH")
LOOK_BACK_DAYS = HORIZONS[-1]


@dataclass(frozen=True)
class Sum:
    """Predictions of one kind (`name`): a month, version or category. `foretold`: sum of the probabilities; `came`:
    how many were followed by leaving. AUC and ECE are None with fewer than 5 clients that left."""

    name: str
    predictions: int
    clients: int
    churned: int
    foretold: float
    came: int
    brier: float | None = None
    auc: float | None = None
    ece: float | None = None


@dataclass(frozen=True)
class Board:
    """One horizon. `predictions`: one per client and week; `waiting`: those whose horizon is not over, the next of
    which is over on `next_on`. `months` count one prediction per client and month, the first."""

    days: int
    predictions: int
    clients: int
    churned: int
    foretold: float
    came: int
    brier: Interval
    auc: Interval
    ece: Interval
    points: list[ReliabilityPoint] = field(default_factory=list)
    bands: list[Sum] = field(default_factory=list)
    months: list[Sum] = field(default_factory=list)
    versions: list[Sum] = field(default_factory=list)
    waiting: int = 0
    next_on: str | None = None


@dataclass(frozen=True)
class Loss:
    """A client that left, and what had been foretold in the 90 days before. `high_on`: first day of category high,
    None if it never was (a miss); `p90`: the highest; `rank`: the best place by p90 on a day, of `ranked` clients."""

    client_id: str
    left_on: date
    high_on: date | None
    days_before: int | None
    p90: float
    rank: int
    ranked: int


@dataclass(frozen=True)
class Alarm:
    """A client of category high on `as_of` that was still there 90 days later; `p90` of that day."""

    client_id: str
    as_of: date
    p90: float


@dataclass(frozen=True)
class Scoreboard:
    """Every horizon, who left (the newest first), and who was held for likely to leave and stayed."""

    boards: list[Board]
    losses: list[Loss]
    alarms: list[Alarm]
    late: int
    first: date | None
    last: date | None


def weekly(predictions: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the first prediction (PREDICTIONS) of each client and ISO week, and how many were stored too late."""
    in_time = predictions.filter((pl.col("made_on") - pl.col("as_of")).dt.total_days().is_between(0, MADE_WITHIN_DAYS))
    kept = (
        in_time.with_columns(pl.col("as_of").dt.truncate("1w").alias("week"))
        .sort("as_of", "made_on", "version")
        .unique(["client_id", "week"], keep="first", maintain_order=True)
    )
    return kept.drop("week"), predictions.height - in_time.height


def scoreboard(predictions: pl.DataFrame, left: pl.DataFrame, last_days: pl.DataFrame, until: date) -> Scoreboard:
    """Return the scoreboard of stored predictions (PREDICTIONS) on the day `until`.

    `left` has client_id and left_on, `last_days` client_id and last_day, as labelling.interval_labels takes them.
    """
    rows, late = weekly(predictions)
    if not rows.height:
        return Scoreboard([_empty(days) for days in HORIZONS], [], [], late, None, None)
    labels = interval_labels(rows, left, last_days, until)
    clients, count = metrics.numbered(rows["client_id"].to_numpy())
    people = _People(clients, metrics.cluster_weights(np.random.default_rng(SEED), count, DRAWS))
    boards = [
        _board(rows, labels.decided[:, k], labels.left_within[:, k], k, until, people) for k in range(len(HORIZONS))
    ]
    return Scoreboard(
        boards,
        _losses(rows, left, until),
        _alarms(rows, labels.decided[:, -1] & ~labels.left_within[:, -1]),
        late,
        _day(rows["as_of"].min()),
        _day(rows["as_of"].max()),
    )  # fmt: skip


def as_data(found: Scoreboard) -> dict[str, Any]:
    """Return the scoreboard without its clients as JSON data."""
    return {
        "first": str(found.first) if found.first else None,
        "last": str(found.last) if found.last else None,
        "late": found.late,
        "horizons": [asdict(board) for board in found.boards],
    }


@dataclass(frozen=True)
class _People:
    """The number of each row's client, and how often each client is in each bootstrap sample."""

    clients: Ints
    weights: Floats


def _board(rows: pl.DataFrame, decided: Bools, came: Bools, k: int, until: date, people: _People) -> Board:
    days = HORIZONS[k]
    over = (rows["as_of"] <= until - timedelta(days=days)).to_numpy()
    open_days = rows["as_of"].filter(pl.Series(~over))
    soonest = _day(open_days.min())
    waiting = int((~over).sum())
    next_on = str(soonest + timedelta(days=days)) if soonest else None
    part, truth = rows.filter(pl.Series(decided)), came[decided]
    if not part.height:
        return replace(_empty(days), waiting=waiting, next_on=next_on)
    p = part[f"p{days}"].to_numpy()
    clients, weights = people.clients[decided], people.weights
    churned = len(np.unique(clients[truth]))
    points: list[ReliabilityPoint] = []
    ece, auc = Interval(), Interval()
    if churned >= LEAST_CHURNED and not truth.all():
        points, ece = metrics.reliability(p, truth, clients, weights)
        auc = metrics.ranked(p, truth, clients, weights, MOST_VALUES).auc
    first_of_month = _first_of_month(part)
    return Board(
        days=days,
        predictions=part.height,
        clients=len(np.unique(clients)),
        churned=churned,
        foretold=float(p.sum()),
        came=int(truth.sum()),
        brier=metrics.mean_over((p - truth) ** 2, clients, weights),
        auc=auc,
        ece=ece,
        points=points,
        bands=[
            _sum(name, p, truth, clients, (part["category"] == name).to_numpy())
            for name in BANDS
            if (part["category"] == name).any()
        ],
        months=_by(part["as_of"].dt.strftime("%Y-%m"), p, truth, clients, first_of_month),
        versions=_by(part["version"].cast(pl.String), p, truth, clients, np.ones(part.height, bool), key=int),
        waiting=waiting,
        next_on=next_on,
    )


def _empty(days: int) -> Board:
    return Board(days, 0, 0, 0, 0.0, 0, Interval(), Interval(), Interval())


def _first_of_month(part: pl.DataFrame) -> Bools:
    marked = part.select("client_id", "as_of").with_columns(
        (pl.col("as_of") == pl.col("as_of").min().over("client_id", pl.col("as_of").dt.truncate("1mo"))).alias("first")
    )
    found: Bools = marked["first"].to_numpy()
    return found


def _by(names: pl.Series, p: Floats, came: Bools, clients: Ints, use: Bools, key: Any = str) -> list[Sum]:
    text = names.to_numpy()
    return [_sum(str(name), p, came, clients, use & (text == name)) for name in sorted(set(text[use]), key=key)]


def _sum(name: str, p: Floats, came: Bools, clients: Ints, use: Bools) -> Sum:
    part, truth, who = p[use], came[use], clients[use]
    churned = len(np.unique(who[truth]))
    enough = churned >= LEAST_CHURNED and not truth.all()
    return Sum(
        name,
        int(use.sum()),
        len(np.unique(who)),
        churned,
        float(part.sum()),
        int(truth.sum()),
        metrics.brier(part, truth) if len(part) else None,
        metrics.auc(part, truth) if enough else None,
        metrics.ece(part, truth) if enough else None,
    )


def _losses(rows: pl.DataFrame, left: pl.DataFrame, until: date) -> list[Loss]:
    gone = left.select("client_id", "left_on").drop_nulls().filter(pl.col("left_on") <= until)
    placed = rows.with_columns(
        pl.col("p90").rank("min", descending=True).over("as_of").cast(pl.Int64).alias("rank"),
        pl.len().over("as_of").cast(pl.Int64).alias("ranked"),
    )
    before = placed.join(gone, on="client_id").filter(
        (pl.col("as_of") < pl.col("left_on"))
        & (pl.col("as_of") >= pl.col("left_on") - pl.duration(days=LOOK_BACK_DAYS))
    )
    found = (
        before.group_by("client_id", "left_on")
        .agg(
            pl.col("as_of").filter(pl.col("category") == "HIGH").min().alias("high_on"),
            pl.col("p90").max(),
            pl.col("rank").min(),
            pl.col("ranked").sort_by("rank", "as_of").first(),
        )
        .sort(["left_on", "client_id"], descending=[True, False])
    )
    return [
        Loss(name, on, high, (on - high).days if high else None, p90, rank, ranked)
        for name, on, high, p90, rank, ranked in found.select(
            "client_id", "left_on", "high_on", "p90", "rank", "ranked"
        ).iter_rows()
    ]


def _alarms(rows: pl.DataFrame, stayed: Bools) -> list[Alarm]:
    found = (
        rows.filter(pl.Series(stayed) & (pl.col("category") == "HIGH"))
        .sort("as_of", descending=True)
        .unique("client_id", keep="first", maintain_order=True)
    )
    return [Alarm(*row) for row in found.select("client_id", "as_of", "p90").iter_rows()]


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
