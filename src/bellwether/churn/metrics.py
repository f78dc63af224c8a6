"""How well foretold probabilities came true: ranking, accuracy and calibration, with intervals over clients. Pure.

A foretelling is one number a row (client, as-of day): a probability, or what a rule ranks by; high is risky. Intervals
come from a bootstrap of whole clients, since the rows of one client are alike (health.backtest_metrics). Definitions:
docs/reference/churn-model-card.md.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.card import ReliabilityPoint
from bellwether.health import backtest_metrics as ranking
from bellwether.health.backtest_metrics import Tally, cluster_weights, estimate, tally
from bellwether.health.backtest_result import Interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BINS = 10
LIFT_SHARE = 0.1
DRAWS = 400
MOST_VALUES = 512
"""Distinct values in the bootstrap: above them, neighbours in rank are taken as one, for the intervals alone."""
SMALLEST = 1e-12

__all__ = ["Bools", "Floats", "Interval", "Ints", "Tally", "cluster_weights", "estimate", "tally"]


def numbered(names: npt.NDArray[np.object_]) -> tuple[Ints, int]:
    """Return the names as numbers from 0, and how many different ones there are."""
    found = pl.Series(names, dtype=pl.String)
    return (found.rank("dense").cast(pl.Int64) - 1).to_numpy(), found.n_unique()


def auc(values: Floats, came: Bools) -> float:
    """Return how probably a row that came true has the higher value, ties counting half (0-1); NaN without both."""
    return float(ranking.auc(*_sides(values, came))[0])


def average_precision(came: Floats, not_came: Floats) -> Floats:
    """Return per draw the area under precision against recall as steps: sum of (recall gained) × precision.

    Both are draws × values, the highest value *first*. NaN where nothing came.
    """
    found = np.cumsum(came, axis=1)
    rows = np.cumsum(came + not_came, axis=1)
    precision = np.divide(found, rows, out=np.zeros_like(found), where=rows > 0)
    total = came.sum(axis=1)
    area = (came * precision).sum(axis=1)
    result: Floats = np.divide(area, total, out=np.full(len(total), np.nan), where=total > 0)
    return result


def pr_auc(values: Floats, came: Bools) -> float:
    """Return the average precision of the rows (0-1), NaN where nothing came."""
    return float(average_precision(*_sides(values, came))[0])


def brier(probabilities: Floats, came: Bools) -> float:
    """Return the mean squared difference between what was foretold and what came (0-1, lower is better)."""
    return float(np.mean((probabilities - came) ** 2)) if len(came) else float("nan")


def row_log_loss(probabilities: Floats, came: Bools) -> Floats:
    """Return minus the log of the probability that was given to what came, by row."""
    p = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    loss: Floats = -np.where(came, np.log(p), np.log1p(-p))
    return loss


def log_loss(probabilities: Floats, came: Bools) -> float:
    """Return the mean of `row_log_loss` (nats, lower is better)."""
    return float(row_log_loss(probabilities, came).mean()) if len(came) else float("nan")


def lift(values: Floats, came: Bools, share: float = LIFT_SHARE) -> float:
    """Return the rate among the highest `share` of the rows over that of all; NaN where nothing came."""
    return float(ranking.lift(*_sides(values, came), share)[0])


def equal_count_bins(probabilities: Floats, bins: int = BINS) -> Ints:
    """Return the bin of each row, 0 the lowest: bins of as equal a count as ties allow (equal values stay together)."""
    if not len(probabilities):
        return np.zeros(0, np.int64)
    _, at, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    bins_of = np.minimum(np.floor(middle * bins / len(probabilities)), bins - 1)
    return np.unique(bins_of, return_inverse=True)[1].astype(np.int64)[at]


def ece(probabilities: Floats, came: Bools, bins: int = BINS) -> float:
    """Return the expected calibration error: over the bins, the mean distance of foretold from came, by their rows."""
    if not len(came):
        return float("nan")
    at = equal_count_bins(probabilities, bins)
    gap = np.bincount(at, weights=probabilities - came)
    return float(np.abs(gap).sum() / len(came))


def reliability(
    probabilities: Floats, came: Bools, clients: Ints, weights: Floats, bins: int = BINS
) -> tuple[list[ReliabilityPoint], Interval]:
    """Return the points of the reliability plot and the ECE with its interval.

    `weights` (draws × clients) are the bootstrap's. Resampling adds scatter to every bin, so the ECE of the draws is
    too high on average; its excess over that of the sample is taken off each draw, never below 0.
    """
    if not len(came):
        return [], Interval()
    at = equal_count_bins(probabilities, bins)
    count, people = int(at.max()) + 1, weights.shape[1]
    cells = clients * count + at

    def table(by: Floats) -> Floats:
        found: Floats = np.bincount(cells, weights=by, minlength=people * count).astype(np.float64)
        found = found.reshape(people, count)
        return found

    rows, foretold, true = table(np.ones(len(came))), table(probabilities), table(came.astype(np.float64))
    rates = _over(weights @ true, weights @ rows)
    low, high = _quantiles(rates)
    size = rows.sum(axis=0)
    points = [
        ReliabilityPoint(
            float(foretold[:, n].sum() / size[n]), float(true[:, n].sum() / size[n]), low[n], high[n],
            int(size[n]), int((rows[:, n] > 0).sum()),
        )
        for n in range(count)
    ]  # fmt: skip
    value = float(np.abs((foretold - true).sum(axis=0)).sum() / len(came))
    draws = np.abs(weights @ (foretold - true)).sum(axis=1) / np.maximum((weights @ rows).sum(axis=1), 1)
    return points, estimate(value, np.maximum(draws - max(float(draws.mean()) - value, 0.0), 0.0))


@dataclass(frozen=True)
class Ranked:
    """How well values rank the rows: `lift` is that of the highest tenth."""

    auc: Interval
    pr_auc: Interval
    lift: Interval


def ranked(values: Floats, came: Bools, clients: Ints, weights: Floats, most: int = MOST_VALUES) -> Ranked:
    """Return AUC, PR-AUC and lift with their intervals. `clients`: number of each row's client, as in `weights`.

    The samples tell at most `most` values apart.
    """
    drawn = _table(values, came, clients, weights.shape[1], most).drawn(weights)
    return Ranked(
        estimate(auc(values, came), ranking.auc(*drawn)),
        estimate(pr_auc(values, came), average_precision(*drawn)),
        estimate(lift(values, came), ranking.lift(*drawn, LIFT_SHARE)),
    )


def auc_difference(one: Floats, other: Floats, came: Bools, clients: Ints, weights: Floats) -> Interval:
    """Return the AUC of `one` less that of `other` on the same rows, in the same bootstrap samples."""
    people = weights.shape[1]
    draws = [ranking.auc(*_table(values, came, clients, people).drawn(weights)) for values in (one, other)]
    return estimate(auc(one, came) - auc(other, came), draws[0] - draws[1])


def mean_over(values: Floats, clients: Ints, weights: Floats) -> Interval:
    """Return the mean of the rows' values with its interval over clients."""
    if not len(values):
        return Interval()
    people = weights.shape[1]
    sums = np.bincount(clients, weights=values, minlength=people)
    rows = np.bincount(clients, minlength=people).astype(np.float64)
    return estimate(float(values.mean()), _over(weights @ sums, weights @ rows))


def share_over(top: Bools, bottom: Bools, clients: Ints, weights: Floats) -> Interval:
    """Return (rows in both) / (rows in `bottom`) with its interval over clients; empty where `bottom` has none."""
    people = weights.shape[1]
    found = np.bincount(clients, weights=(top & bottom).astype(np.float64), minlength=people)
    whole = np.bincount(clients, weights=bottom.astype(np.float64), minlength=people)
    if not whole.sum():
        return Interval()
    return estimate(float(found.sum() / whole.sum()), _over(weights @ found, weights @ whole))


def top_of_each(values: Floats, groups: Ints, most: int) -> Bools:
    """Return which rows are among the `most` highest of their group; ties go to the earlier row, NaN never counts."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.lexsort((-values[known], groups[known]))]
    ordered = groups[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]] if len(order) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    chosen = np.zeros(len(values), bool)
    chosen[order[rank < most]] = True
    return chosen


def psi(training: Floats, newest: Floats, edges: Floats) -> float:
    """Return the population stability index of `newest` against `training`, unknown values (NaN) a bin of their own.

    sum over bins of (n - t) ln(n / t), with t and n the shares in a bin, each with half a row added so that an empty
    bin stays finite. NaN without rows.
    """
    if not len(training) or not len(newest):
        return float("nan")
    shares = []
    for values in (training, newest):
        known = values[~np.isnan(values)]
        counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
        filled = np.r_[counts, len(values) - len(known)] + 0.5
        shares.append(filled / filled.sum())
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def tenth_edges(training: Floats) -> Floats:
    """Return the inner edges of the tenths of the known values, fewer where values tie; empty without known values."""
    known = training[~np.isnan(training)]
    if not len(known):
        return np.zeros(0)
    found: Floats = np.unique(np.quantile(known, np.arange(1, 10) / 10, method="inverted_cdf"))
    return found


def _sides(values: Floats, came: Bools) -> tuple[Floats, Floats]:
    """Return one draw of counts by distinct value, the highest first: rows that came, rows that did not."""
    return tally(-values, came, np.zeros(len(came), np.int64), 1).drawn()


def _table(values: Floats, came: Bools, clients: Ints, count: int, most: int = MOST_VALUES) -> Tally:
    ordered = np.sort(values)
    if len(values) and np.count_nonzero(np.diff(ordered)) >= most:
        ranks = np.searchsorted(ordered, values, side="left")
        values = np.floor(ranks * (most / len(values)))
    return tally(-values, came, clients, count)


def _over(top: Floats, bottom: Floats) -> Floats:
    found: Floats = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
    return found


def _quantiles(draws: Floats) -> tuple[list[float | None], list[float | None]]:
    """Return the percentiles 2.5 and 97.5 of each column, None where no draw has a value."""
    low: list[float | None] = []
    high: list[float | None] = []
    for column in draws.T:
        usable = column[np.isfinite(column)]
        low.append(float(np.quantile(usable, 0.025)) if len(usable) else None)
        high.append(float(np.quantile(usable, 0.975)) if len(usable) else None)
    return low, high
