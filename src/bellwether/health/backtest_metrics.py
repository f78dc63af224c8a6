"""How well a ranking of clients foretells churn: AUC, lift, tenths and curves, with intervals over clients. Pure.

All figures come from one table: per client and distinct value, how many of its rows were followed by churn and how many
were not. A bootstrap over clients (whole clients are drawn, since the rows of one client are alike) is then a product
of matrices. Low values are bad: the worst rows are those with the lowest value.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bellwether.health.backtest_result import Interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CURVE_POINTS = 50
TENTHS = 10


@dataclass(frozen=True)
class Tally:
    """Rows by client and distinct value, the lowest (worst) value first.

    `values` has V distinct values in ascending order; `churned` and `kept` are clients × V counts of rows that were
    followed by churn and of those that were not.
    """

    values: Floats
    churned: Floats
    kept: Floats

    def drawn(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Return churned and kept rows by value, draws × V; `weights` (draws × clients) say how often each is drawn.

        Without weights there is one draw, the sample itself.
        """
        if weights is None:
            return self.churned.sum(axis=0, keepdims=True), self.kept.sum(axis=0, keepdims=True)
        return weights @ self.churned, weights @ self.kept


def tally(values: Floats, churned: Bools, clients: Ints, count: int) -> Tally:
    """Return the tally of rows: value (no NaN), whether churn followed, and the client as a number under `count`."""
    distinct, at = np.unique(values, return_inverse=True)
    cells = clients * max(len(distinct), 1) + at
    shape = (count, len(distinct))
    size = count * len(distinct)

    def table(rows: Bools) -> Floats:
        return np.bincount(cells[rows], minlength=size)[:size].reshape(shape).astype(np.float64)

    return Tally(distinct, table(churned), table(~churned))


def cluster_weights(random: np.random.Generator, clients: int, draws: int) -> Floats:
    """Return how often each client is in each bootstrap sample: draws × clients, every row sums to `clients`."""
    return random.multinomial(clients, np.full(clients, 1 / clients), size=draws).astype(np.float64)


def auc(churned: Floats, kept: Floats) -> Floats:
    """Return per draw how probably a churned row has a lower value than a kept one, ties counting half (0-1).

    Both are draws × V by ascending value. NaN where a draw has no churned or no kept row.
    """
    above = kept.sum(axis=1, keepdims=True) - np.cumsum(kept, axis=1)
    wins = (churned * (above + kept / 2)).sum(axis=1)
    return _ratio(wins, churned.sum(axis=1) * kept.sum(axis=1))


def lift(churned: Floats, kept: Floats, share: float = 1 / TENTHS) -> Floats:
    """Return per draw the churn rate among the worst `share` of rows over that of all rows; NaN without churn.

    Rows with the value at the edge enter by the part that fits, which is what drawing among them gives on average.
    """
    rows = churned + kept
    wanted = share * rows.sum(axis=1)
    taken = np.clip(wanted[:, None] - (np.cumsum(rows, axis=1) - rows), 0, rows)
    part = np.divide(taken, rows, out=np.zeros_like(rows), where=rows > 0)
    found = _ratio((churned * part).sum(axis=1), wanted)
    return _ratio(found, _ratio(churned.sum(axis=1), rows.sum(axis=1)))


@dataclass(frozen=True)
class Tenth:
    """A tenth of the rows, 1 the worst. Rows at an edge belong to both sides by parts, so counts may be fractions."""

    tenth: int
    rows: float
    churned: float
    lowest: float
    highest: float

    @property
    def rate(self) -> float:
        """The share of the rows that were followed by churn."""
        return self.churned / self.rows if self.rows else float("nan")


def tenths(table: Tally) -> list[Tenth]:
    """Return the ten tenths of the rows by value, the worst first; none without rows."""
    churned, kept = (part[0] for part in table.drawn())
    rows = churned + kept
    total = rows.sum()
    if not total:
        return []
    upto, churned_upto = np.cumsum(rows), np.cumsum(churned)
    edges = np.arange(TENTHS + 1) / TENTHS * total
    at_edges = np.interp(edges, [0.0, *upto], [0.0, *churned_upto])
    low = table.values[np.searchsorted(upto, edges[:-1] + 1e-9)]
    high = table.values[np.minimum(np.searchsorted(upto, edges[1:] - 1e-9), len(upto) - 1)]
    found = np.diff(at_edges)
    return [Tenth(n + 1, total / TENTHS, float(found[n]), float(low[n]), float(high[n])) for n in range(TENTHS)]


def roc_curve(table: Tally) -> list[tuple[float, float]]:
    """Return (share of kept rows flagged, share of churned rows flagged) from (0, 0) to (1, 1), at most 50 points."""
    churned, kept = (part[0] for part in table.drawn())
    return _curve(np.cumsum(kept) / kept.sum(), np.cumsum(churned) / churned.sum())


def gains_curve(table: Tally) -> list[tuple[float, float]]:
    """Return (share of all rows flagged, share of churned rows flagged) from (0, 0) to (1, 1), at most 50 points."""
    churned, kept = (part[0] for part in table.drawn())
    rows = churned + kept
    return _curve(np.cumsum(rows) / rows.sum(), np.cumsum(churned) / churned.sum())


def _curve(across: Floats, up: Floats) -> list[tuple[float, float]]:
    across, up = np.concatenate([[0.0], across]), np.concatenate([[0.0], up])
    if len(across) > CURVE_POINTS:
        grid = np.linspace(0.0, 1.0, CURVE_POINTS)
        across, up = grid, np.interp(grid, across, up)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(across, up, strict=True)]


def estimate(value: float, draws: Floats) -> Interval:
    """Return `value` with the percentiles 2.5, 10, 90 and 97.5 of `draws`, draws that are NaN left out."""
    usable = draws[np.isfinite(draws)]
    if not np.isfinite(value) or not len(usable):
        return Interval()
    low95, low80, high80, high95 = (float(q) for q in np.quantile(usable, [0.025, 0.1, 0.9, 0.975]))
    return Interval(float(value), low80, high80, low95, high95)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    found: Floats = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
    return found
