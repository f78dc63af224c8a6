"""The challenger: gradient boosting without interactions, taken out of the library as tables of steps. Pure.

Per interval a HistGradientBoostingClassifier of scikit-learn grows small trees, each over one feature, within the
directions of the features. Its log-odds are then a sum of one step function of each feature, so that they can be
stored as numbers, predicted with NumPy and explained exactly, as the hazard's are. Values are put into at most 32 bins
of equal weight before the fit; the tables have the edges of these bins and are read off the library's public
decision_function, one feature moved at a time. They are then checked against the library on every training row.

The interval of a prediction is that of the hazard fitted to the same rows: its covariance around the boosted log-odds.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.additive import AdditiveModel, Interval, Moment, Steps, raw_values
from bellwether.churn.factors import FEATURES_BY_SLUG, SLUGS, Feature
from bellwether.churn.fitting import FitError, fit_hazard, fit_renewal
from bellwether.churn.labelling import Labels

Floats = npt.NDArray[np.float64]

BINS = 32
TREES, RATE, LEAVES, LEAF_ROWS, RIDGE = 100, 0.08, 4, 50, 5.0
LEAST_CHURNED = 10
"""Fewer clients that left in an interval teach trees nothing."""
MOST_ROWS = 100_000
"""Above this, of the rows in which nobody leaves a share is drawn that weighs as much as all of them."""
AGREES = 1e-9


def fit_boosted(rows: pl.DataFrame, labels: Labels, *, seed: int, hazard: AdditiveModel | None = None) -> AdditiveModel:
    """Return the boosted model of the rows (FEATURE_ROWS) and their labels, uncalibrated.

    `hazard` is the hazard fitted to the same rows, whose covariance gives the intervals; without it, it is fitted here.
    Labels with one interval make a renewal model. Raises FitError where fewer than 10 clients left in an interval, or
    where the tables do not agree with the library.
    """
    moments: tuple[Moment, ...] = ("renewal",) if labels.left.shape[1] == 1 else (0, 1, 2)
    if hazard is None:
        hazard = fit_renewal(rows, labels) if moments == ("renewal",) else fit_hazard(rows, labels)
    raw = raw_values(rows, SLUGS)
    binned = _Binned(raw, labels.used)
    clients = rows["client_id"]
    intervals = []
    for k, moment in enumerate(moments):
        gone = clients.filter(pl.Series(labels.left[:, k])).n_unique()
        if gone < LEAST_CHURNED:
            raise FitError(f"Boosting needs {LEAST_CHURNED} clients that left in each interval; here are {gone}.")
        intercept, terms = _fitted(binned, raw, labels, k, moment, seed)
        intervals.append(Interval(intercept, terms, hazard.intervals[k].covariance))
    return AdditiveModel(SLUGS, tuple(intervals), moments)


class _Binned:
    """The rows' values as numbers of bins (NaN unknown) of the features that vary, and each feature's edges."""

    def __init__(self, raw: dict[str, Floats], used: npt.NDArray[np.bool_]) -> None:
        edges = {slug: _edges(values[used]) for slug, values in raw.items()}
        self.edges = {slug: cuts for slug, cuts in edges.items() if cuts.size or _varies(raw[slug][used])}
        self.codes = np.column_stack([_codes(raw[slug], cuts) for slug, cuts in self.edges.items()])
        self.rows = len(used)


def _varies(values: Floats) -> bool:
    """Return whether some are known and some not: a table may then tell these apart."""
    unknown = np.isnan(values)
    return bool(unknown.any() and not unknown.all())


def _edges(values: Floats) -> Floats:
    """Return the upper ends of the bins but the last: midpoints, so that a value lies clearly on one side."""
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) > BINS:
        distinct = np.unique(np.quantile(known, np.linspace(0, 1, BINS), method="inverted_cdf"))
    return (distinct[:-1] + distinct[1:]) / 2


def _codes(values: Floats, edges: Floats) -> Floats:
    return np.where(np.isnan(values), np.nan, np.searchsorted(edges, values, side="left"))


def _direction(feature: Feature, moment: Moment) -> int:
    """Return the direction on the raw value. Nearness of the term's end is no direction of the days to it."""
    return 0 if feature.transform == "term ends in the interval" else feature.direction


def _fitted(
    binned: _Binned, raw: dict[str, Floats], labels: Labels, k: int, moment: Moment, seed: int
) -> tuple[float, dict[str, Steps]]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    used, weights = _drawn(labels, k, np.random.default_rng([seed, k]))
    slugs = list(binned.edges)
    x, y = binned.codes[used], labels.left[used, k]
    model = HistGradientBoostingClassifier(
        learning_rate=RATE,
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAF_ROWS,
        l2_regularization=RIDGE,
        monotonic_cst=[_direction(FEATURES_BY_SLUG[slug], moment) for slug in slugs],
        interaction_cst="no_interactions",
        early_stopping=False,
        random_state=seed,
    )
    # One thread: on rows by the ten thousand the library's threads wait longer for each other than they work.
    with threadpool_limits(1):
        model.fit(x, y, sample_weight=weights)
        intercept, tables = _read_off(model, x, binned)
        own = np.asarray(model.decision_function(x), np.float64)
    terms = {
        slug: _steps(binned.edges[slug], table[:-1], float(table[-1]))
        for slug, table in zip(slugs, tables, strict=True)
    }
    _check(own, {slug: raw[slug][used] for slug in slugs}, intercept, terms)
    return intercept, terms


def _drawn(labels: Labels, k: int, random: np.random.Generator) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the numbers of the rows to learn from and their weights: all, or of the many that stay a share."""
    used = np.flatnonzero(labels.at_risk[:, k])
    weights = labels.weights[used]
    stays = ~labels.left[used, k]
    room = MOST_ROWS - int(np.count_nonzero(~stays))
    staying = int(np.count_nonzero(stays))
    if staying <= room:
        return used, weights
    share = max(room, MOST_ROWS // 2) / staying
    kept = ~stays | (random.random(len(used)) < share)
    return used[kept], np.where(stays, weights / share, weights)[kept]


def _read_off(model: Any, x: Floats, binned: _Binned) -> tuple[float, list[Floats]]:
    """Return the intercept and each feature's table over its bins and unknown, with mean 0 over the rows."""
    sizes = [len(cuts) + 2 for cuts in binned.edges.values()]
    grid = np.zeros((sum(sizes) + 1, len(sizes)))
    ends = np.cumsum(sizes)
    for j, (end, size) in enumerate(zip(ends, sizes, strict=True)):
        grid[end - size : end, j] = [*range(size - 1), np.nan]
    found = np.asarray(model.decision_function(grid), np.float64)
    base = float(found[-1])
    tables, intercept = [], base
    for j, (end, size) in enumerate(zip(ends, sizes, strict=True)):
        table = found[end - size : end] - base
        at = np.where(np.isnan(x[:, j]), size - 1, x[:, j]).astype(np.int64)
        mean = float(table[at].mean())
        intercept += mean
        tables.append(table - mean)
    return intercept, tables


def _steps(edges: Floats, values: Floats, missing: float) -> Steps:
    """Return the table without the edges at which nothing changes."""
    turns = np.flatnonzero(np.diff(values) != 0)
    return Steps(tuple(edges[turns].tolist()), tuple(values[[0, *(turns + 1)]].tolist()), missing)


def _check(own: Floats, raw: dict[str, Floats], intercept: float, terms: dict[str, Steps]) -> None:
    """Raise FitError unless the tables give the library's own log-odds on every row."""
    total = np.full(len(own), intercept)
    for slug, term in terms.items():
        at = np.searchsorted(np.asarray(term.edges), raw[slug], side="left")
        total += np.where(np.isnan(raw[slug]), term.missing, np.asarray(term.values)[at])
    off = float(np.max(np.abs(total - own), initial=0.0))
    if off > AGREES:
        raise FitError(f"The boosted model cannot be kept as tables: they differ by {off:.2g} from the library's own.")
