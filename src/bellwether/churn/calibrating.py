"""Calibrating a model on rows later than those that it was fitted to: one shift and one slope. Pure; needs NumPy.

    eta' = eta + shift + (slope - 1) (eta - middle)

over the rows of all intervals together, where `middle` is the mean log-odds by weight * p(1-p), at which shift and
slope say different things. Both are MAP estimates: shift around 0 and slope around 1, with the doubts given here. A
churn stands in every interval, so each interval weighs one over their number, and the data weigh as the churns that
they hold: with 10 churns the shift goes about half of the way, with few it stays near 0. The slope stays above 0, so
that ranks never turn.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.additive import AdditiveModel, Registry, log_odds
from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.churn.labelling import Labels

Floats = npt.NDArray[np.float64]

SHIFT_DOUBT, SLOPE_DOUBT = 0.3, 0.2
LEAST_SLOPE = 0.2
STEPS = 60


@dataclass(frozen=True)
class _Pooled:
    """Rows of all intervals that count: `eta`, whether left (0 or 1) and weight."""

    eta: Floats
    left: Floats
    weights: Floats


def calibrated(
    model: AdditiveModel, rows: pl.DataFrame, labels: Labels, registry: Registry = FEATURES_BY_SLUG
) -> AdditiveModel:
    """Return the model with the offset and slope that the rows ask for, in place of those that it had.

    `rows` and `labels` must lie after those that the model was fitted to. Without any the model is uncalibrated.
    """
    plain = replace(model, offset=0.0, slope=1.0)
    pooled = _pooled(plain, rows, labels, registry)
    if not pooled.eta.size:
        return plain
    p = _sigmoid(pooled.eta)
    middle = float(np.average(pooled.eta, weights=pooled.weights * p * (1 - p)))
    shift, slope = _estimated(pooled, middle)
    return replace(model, offset=shift + middle * (1 - slope), slope=slope)


def carried_over(
    old: AdditiveModel,
    new: AdditiveModel,
    rows: pl.DataFrame,
    labels: Labels,
    registry: Registry = FEATURES_BY_SLUG,
) -> AdditiveModel:
    """Return `new` with the calibration of `old`, which was measured on the rows and labels.

    `new` may have been fitted to these rows as well, and then knows already a part of what the calibration of `old`
    corrects. Its offset is therefore set so that over the rows it expects as many churns as `old` does calibrated; the
    slope is that of `old`.
    """
    target = _pooled(old, rows, labels, registry)
    plain = _pooled(replace(new, offset=0.0, slope=1.0), rows, labels, registry)
    if not plain.eta.size:
        return replace(new, offset=old.offset, slope=old.slope)
    expected = float(target.weights @ _sigmoid(target.eta))
    low, high = -20.0, 20.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if float(plain.weights @ _sigmoid(middle + old.slope * plain.eta)) < expected:
            low = middle
        else:
            high = middle
    return replace(new, offset=(low + high) / 2, slope=old.slope)


def _pooled(model: AdditiveModel, rows: pl.DataFrame, labels: Labels, registry: Registry) -> _Pooled:
    eta = log_odds(model, rows, registry)
    used = labels.at_risk
    weights = np.broadcast_to(labels.weights[:, None] / used.shape[1], used.shape)
    return _Pooled(eta[used], labels.left[used].astype(np.float64), weights[used])


def _estimated(pooled: _Pooled, middle: float) -> tuple[float, float]:
    """Return (shift, slope) by Newton steps halved until the posterior rises."""
    x = np.column_stack([np.ones(len(pooled.eta)), pooled.eta - middle])
    precision = 1 / np.array([SHIFT_DOUBT, SLOPE_DOUBT]) ** 2

    def value(b: Floats) -> float:
        eta = pooled.eta + x @ b
        return float(pooled.weights @ (np.logaddexp(0.0, eta) - pooled.left * eta) + 0.5 * precision @ b**2)

    b, found = np.zeros(2), np.inf
    for _ in range(STEPS):
        p = _sigmoid(pooled.eta + x @ b)
        slope = x.T @ (pooled.weights * (p - pooled.left)) + precision * b
        curve = (x * (pooled.weights * p * (1 - p))[:, None]).T @ x + np.diag(precision)
        step = -np.linalg.solve(curve, slope)
        found = value(b)
        while np.max(np.abs(step)) > 1e-12 and value(b + step) > found:
            step = step / 2
        b = b + step
        if np.max(np.abs(step)) < 1e-12:
            break
    if 1 + b[1] < LEAST_SLOPE:
        return _shift_alone(pooled, middle), LEAST_SLOPE
    return float(b[0]), float(1 + b[1])


def _shift_alone(pooled: _Pooled, middle: float) -> float:
    """Return the shift where the slope is at its least."""
    fixed = middle + LEAST_SLOPE * (pooled.eta - middle)
    low, high = -20.0, 20.0
    for _ in range(STEPS):
        shift = (low + high) / 2
        slope = pooled.weights @ (_sigmoid(fixed + shift) - pooled.left) + shift / SHIFT_DOUBT**2
        low, high = (shift, high) if slope < 0 else (low, shift)
    return (low + high) / 2


def _sigmoid(eta: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -eta)))
