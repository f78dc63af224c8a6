"""Weights under which a scorecard would have told churned clients from kept ones better. Pure.

The fit minimises, over weights that are not negative and add to 1,

    sum over churned clients of the mean of log(1 + exp((s_churned - s_kept) / 10))
    + sum of (w - current)^2 / (2 * 0.2^2)

with s the weighted mean of the components, missing ones scaled out as the engine does. The first part is a smooth
count of pairs in the wrong order, 10 points apart being a clear difference; the second is the belief that the weights
in use are right to about 20 points each, which a few churned clients do not outweigh. Solved by projected gradients.
"""

from collections.abc import Callable

import numpy as np

from bellwether.health.backtest_metrics import Bools, Floats, Ints

CLEAR_POINTS = 10.0
BELIEF = 0.2
MOST_KEPT = 2_000
"""Rows of kept clients that are drawn for the fit; more change the sum by less than its spread."""

STEPS = 300


def fit_weights(
    components: Floats, churned: Bools, clients: Ints, current: Floats, random: np.random.Generator
) -> Floats:
    """Return weights (K, >= 0, sum 1) for `components` (rows × K, 0-100, NaN where missing).

    `churned` says which rows churn followed, `clients` whose they are: the rows of a churned client together count
    once. `current` are the weights in use, of any sum.
    """
    prior: Floats = current / current.sum()
    has_any = ~np.isnan(components).all(axis=1)
    lost, kept = np.flatnonzero(churned & has_any), np.flatnonzero(~churned & has_any)
    if len(kept) > MOST_KEPT:
        kept = np.sort(random.choice(kept, MOST_KEPT, replace=False))
    if not len(lost) or not len(kept):
        return prior
    _, at, rows = np.unique(clients[lost], return_inverse=True, return_counts=True)
    loss = _loss(components[lost], components[kept], 1 / rows[at], prior)
    weights, step = prior, 0.05
    value, slope = loss(weights)
    for _ in range(STEPS):
        step *= 2
        while True:
            trial = on_simplex(weights - step * slope)
            moved = trial - weights
            found, next_slope = loss(trial)
            if found <= value + slope @ moved + (moved @ moved) / (2 * step) or step < 1e-9:
                break
            step /= 2
        if np.abs(moved).max() < 1e-6:
            break
        weights, value, slope = trial, found, next_slope
    return weights


def _loss(lost: Floats, kept: Floats, counts: Floats, prior: Floats) -> Callable[[Floats], tuple[float, Floats]]:
    """Return the function of weights that gives the sum to minimise and its slope."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        low, low_slope = _scores(lost, weights)
        high, high_slope = _scores(kept, weights)
        wrong = (low[:, None] - high[None, :]) / CLEAR_POINTS
        each = np.logaddexp(0.0, wrong).mean(axis=1)
        push = np.exp(-np.logaddexp(0.0, -wrong)) * counts[:, None] / (len(high) * CLEAR_POINTS)
        slope = push.sum(axis=1) @ low_slope - push.sum(axis=0) @ high_slope
        away = weights - prior
        return float(counts @ each + away @ away / (2 * BELIEF**2)), slope + away / BELIEF**2

    return loss


def _scores(components: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weighted means (rows) and their slope by the weights (rows × K); 50 where no weight has data."""
    there = ~np.isnan(components)
    values = np.where(there, components, 0.0)
    total = there @ weights
    usable = total > 1e-9
    divisor = np.where(usable, total, 1.0)
    score = np.where(usable, (values @ weights) / divisor, 50.0)
    slope = np.where(there & usable[:, None], (values - score[:, None]) / divisor[:, None], 0.0)
    return score, slope


def on_simplex(values: Floats) -> Floats:
    """Return the nearest point whose parts are not negative and add to 1 (Duchi and others, 2008)."""
    falling = np.sort(values)[::-1]
    over = (np.cumsum(falling) - 1) / np.arange(1, len(values) + 1)
    last = int(np.flatnonzero(falling > over)[-1])
    nearest: Floats = np.maximum(values - over[last], 0.0)
    return nearest


def whole_weights(weights: Floats) -> list[int]:
    """Return whole numbers that add to 100: each rounded down, the largest remainders up, the earlier first."""
    exact = 100 * weights / weights.sum()
    down = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(-(exact - down), kind="stable")
    down[order[: 100 - int(down.sum())]] += 1
    return [int(value) for value in down]
