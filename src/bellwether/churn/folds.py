"""The folds of an evaluation: forward in time with an embargo, or by held-out clients. Pure.

In time, a fold's model is fitted on what was known when the fold starts: of a row only the intervals that ended by then
count, whether the client left in them or not. Taking the churns that happened since and leaving the rest undecided
would make churn look frequent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from bellwether.churn.factors import INTERVAL_DAYS
from bellwether.churn.labelling import Labels
from bellwether.churn.metrics import Bools, Ints

MOST_FOLDS = 4
FIRST_TRAINING_DAYS = 120
"""The first fold's model has at least this many days of rows before it, and at least half of all."""
LEAST_FOLD_DAYS = 28


@dataclass(frozen=True)
class FoldRows:
    """One fold: `train` and `test` are masks of the rows; `start` and `end` its as-of days, None for held-out clients.

    What ended by `start` is known to the fold's model; all of `train` where `start` is None.
    """

    train: Bools
    test: Bools
    start: date | None
    end: date | None


def folds_in_time(rows: pl.DataFrame, labels: Labels, most: int = MOST_FOLDS) -> list[FoldRows]:
    """Return up to four folds over the later part of the rows, the oldest first; none without enough history."""
    usable = labels.used
    if not usable.any():
        return []
    days = rows["as_of"].filter(pl.Series(usable))
    first, last = _day(days.min()), _day(days.max())
    begin = first + timedelta(days=max(FIRST_TRAINING_DAYS, (last - first).days // 2))
    length = (last - begin).days + 1
    count = min(most, length // LEAST_FOLD_DAYS)
    if count < 1:
        return []
    edges = [begin + timedelta(days=round(length * n / count)) for n in range(count + 1)]
    as_of = rows["as_of"]
    found = []
    for start, stop in pairwise(edges):
        test = usable & ((as_of >= start) & (as_of < stop)).to_numpy()
        train = known_by(rows, labels, start).used & (as_of < start).to_numpy()
        if test.any() and train.any():
            inside = as_of.filter(pl.Series(test))
            found.append(FoldRows(train, test, _day(inside.min()), _day(inside.max())))
    return found


def folds_of_clients(rows: pl.DataFrame, labels: Labels, random: np.random.Generator, count: int = 5) -> list[FoldRows]:
    """Return folds in each of which other clients are held out altogether, drawn at random."""
    clients = rows["client_id"].unique().sort()
    order = random.permutation(len(clients))
    numbers = pl.DataFrame({"client_id": clients, "fold": pl.Series(order % count, dtype=pl.Int64)})
    of_row = rows.select("client_id").join(numbers, on="client_id", how="left", maintain_order="left")["fold"]
    fold: Ints = of_row.to_numpy()
    usable = labels.used
    parts = [FoldRows(usable & (fold != n), usable & (fold == n), None, None) for n in range(count)]
    return [part for part in parts if part.train.any() and part.test.any()]


def known_by(rows: pl.DataFrame, labels: Labels, day: date | None) -> Labels:
    """Return the labels with the intervals that had not ended by `day` unknown; all of them for None."""
    if day is None:
        return labels
    ends = INTERVAL_DAYS * np.arange(1, labels.at_risk.shape[1] + 1)
    as_of = rows["as_of"].cast(pl.Date).to_physical().cast(pl.Int64).to_numpy()
    ended = as_of[:, None] + ends <= (day - date(1970, 1, 1)).days
    return replace(
        labels,
        at_risk=labels.at_risk & ended,
        left=labels.left & ended,
        decided=labels.decided & ended,
        left_within=labels.left_within & ended,
    )


def before(folds: Sequence[FoldRows], at: int) -> int | None:
    """Return the number of the fold that calibrates the model of fold `at`: the one before it in time, None for the
    first; held-out clients have no order, so there it is the neighbour, in a ring."""
    if folds[at].start is None:
        return (at - 1) % len(folds) if len(folds) > 1 else None
    return at - 1 if at else None


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"an as-of day was expected, not {value!r}")
    return value
