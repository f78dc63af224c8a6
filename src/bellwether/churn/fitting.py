"""Fitting the dated hazard and the renewal risk: maximum a posteriori with the expert's prior. Pure; needs SciPy.

Per interval the log-odds of leaving are linear in the standardised features (churn.factors). The estimate maximises

    sum over rows of weight * log-likelihood  -  sum over coefficients of (b - expert)^2 / (2 doubt^2)

within the directions of the features. With no rows it *is* the expert's prior; a feature that no row knows keeps its
expert coefficient, since an unknown value stands at the centre and says nothing.

The maximum is found by Newton steps, each the exact solution of the quadratic problem within the bounds
(scipy.optimize.lsq_linear). The posterior has one maximum, so it hangs neither on the order of rows nor on the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.additive import AdditiveModel, Interval, Linear, Moment, raw_values, standardised
from bellwether.churn.factors import BASE_DOUBT, BASE_LOG_ODDS, FADING, FEATURES, SLUGS, Feature
from bellwether.churn.labelling import Labels
from bellwether.common.errors import BellwetherError

Floats = npt.NDArray[np.float64]

RENEWAL_LOG_ODDS, RENEWAL_DOUBT = -2.2, 1.0
"""Expert log-odds of not renewing a term with every feature at its centre: one in ten."""
RENEWAL_FADING = 0.75
"""How much of a coefficient the expert expects in the renewal risk, which looks up to 180 days ahead."""
LEAD_WEIGHT = 0.0
"""In the renewal risk the days to the renewal are the lead of the forecast: neither risk nor relief to the expert."""
FLAT_DOUBT = 10.0
"""Doubt of every coefficient where no expert is asked: the data decide, yet no coefficient runs away."""
STEPS = 100
NEAR = 1e-6


class FitError(BellwetherError):
    """The model cannot be fitted to these rows."""


@dataclass(frozen=True)
class Prior:
    """What is thought of (intercept, coefficient of each feature) before any row: means, doubts and bounds."""

    mean: Floats
    doubt: Floats
    low: Floats
    high: Floats


def expert_prior(moment: Moment) -> Prior:
    """Return the expert's prior of an interval: coefficients of churn.factors, faded by how far off the interval is."""
    if moment == "renewal":
        centres = [LEAD_WEIGHT if _is_term(one) else one.weight * RENEWAL_FADING for one in FEATURES]
        base, base_doubt = RENEWAL_LOG_ODDS, RENEWAL_DOUBT
    else:
        # Where the term ends counts in the interval in which it ends, however far off that is.
        centres = [one.weight * (1.0 if _is_term(one) else FADING[int(moment)]) for one in FEATURES]
        base, base_doubt = BASE_LOG_ODDS, BASE_DOUBT
    directions = [0 if moment == "renewal" and _is_term(one) else one.direction for one in FEATURES]
    return Prior(
        np.array([base, *centres]),
        np.array([base_doubt, *(one.doubt for one in FEATURES)]),
        np.array([-np.inf, *(0.0 if direction == 1 else -np.inf for direction in directions)]),
        np.array([np.inf, *(0.0 if direction == -1 else np.inf for direction in directions)]),
    )


def flat_prior(moment: Moment) -> Prior:
    """Return a prior without the expert and without directions, for comparison: centred on 0, wide."""
    expert = expert_prior(moment)
    free = np.full(len(expert.mean), np.inf)
    mean = np.zeros(len(expert.mean))
    mean[0] = expert.mean[0]
    return Prior(mean, np.full(len(mean), FLAT_DOUBT), -free, free)


def _is_term(feature: Feature) -> bool:
    return feature.transform == "term ends in the interval"


def expert_model() -> AdditiveModel:
    """Return the dated hazard as the expert sees it, with the expert's doubt: the model before any history."""
    return _from_priors((0, 1, 2))


def expert_renewal() -> AdditiveModel:
    """Return the renewal risk as the expert sees it."""
    return _from_priors(("renewal",))


def _from_priors(moments: tuple[Moment, ...]) -> AdditiveModel:
    priors = [expert_prior(moment) for moment in moments]
    return AdditiveModel(SLUGS, tuple(_interval(prior.mean, np.diag(prior.doubt**2)) for prior in priors), moments)


def fit_hazard(rows: pl.DataFrame, labels: Labels, *, prior: bool = True) -> AdditiveModel:
    """Return the dated hazard fitted to the rows (FEATURE_ROWS) and what followed them, uncalibrated.

    `prior` False leaves the expert and the directions out. Rows that are not at risk in an interval do not count in it.
    """
    return _fitted(rows, labels, (0, 1, 2), prior)


def fit_renewal(rows: pl.DataFrame, labels: Labels, *, prior: bool = True) -> AdditiveModel:
    """Return the renewal risk fitted to the rows and whether their terms were renewed (labels with one interval)."""
    return _fitted(rows, labels, ("renewal",), prior)


def _fitted(rows: pl.DataFrame, labels: Labels, moments: tuple[Moment, ...], prior: bool) -> AdditiveModel:
    if labels.at_risk.shape != (rows.height, len(moments)):
        raise FitError(f"{rows.height} rows cannot be fitted to labels of shape {labels.at_risk.shape}.")
    used = np.flatnonzero(labels.used)
    labels = labels.taken(used)
    raw = {slug: values[used] for slug, values in raw_values(rows, SLUGS).items()}
    x = np.ones((len(used), len(SLUGS) + 1))
    intervals: list[Interval] = []
    start: Floats | None = None
    for k, moment in enumerate(moments):
        for j, feature in enumerate(FEATURES):
            if k == 0 or _is_term(feature):
                x[:, j + 1] = standardised(feature.slug, raw[feature.slug], moment)
        wanted = expert_prior(moment) if prior else flat_prior(moment)
        weights = labels.weights * labels.at_risk[:, k]
        found = fit_logistic(x, labels.left[:, k].astype(np.float64), weights, wanted, start)
        intervals.append(_interval(found.coefficients, found.covariance))
        start = found.coefficients
    return AdditiveModel(SLUGS, tuple(intervals), moments)


def _interval(coefficients: Floats, covariance: Floats, slugs: Sequence[str] = SLUGS) -> Interval:
    terms = {slug: Linear(float(weight)) for slug, weight in zip(slugs, coefficients[1:], strict=True)}
    return Interval(float(coefficients[0]), terms, covariance)


@dataclass(frozen=True)
class Fitted:
    """`coefficients` (intercept first) and their `covariance`."""

    coefficients: Floats
    covariance: Floats


def fit_logistic(x: Floats, y: Floats, weights: Floats, prior: Prior, start: Floats | None = None) -> Fitted:
    """Return the MAP estimate of a weighted logistic regression within the prior's bounds.

    `x` (rows × coefficients, a column of ones first), `y` 0 or 1, `weights` 0 or more; `start` near the estimate saves
    steps. The covariance is that of Laplace, the inverse curvature at the estimate. It leaves the bounds aside, so that
    the interval of a coefficient at its bound is on the wide side, and takes the weights as they are: in trials its
    80 % intervals hold as often as they say (docs/adr/0047).
    """
    b = np.clip(prior.mean if start is None else start, prior.low, prior.high)
    value = _value(x, y, weights, prior, b)
    for _ in range(STEPS):
        slope, curve = _derivatives(x, y, weights, prior, b)
        step = _bounded_step(slope, curve, prior.low - b, prior.high - b)
        if np.max(np.abs(step)) < NEAR:
            # Steps shrink as their squares: this one is the last, and too small to be seen in value or curvature.
            b = np.clip(b + step, prior.low, prior.high)
            break
        b, value, moved = _searched(x, y, weights, prior, b, value, step)
        if not moved:
            break
    else:
        raise FitError(f"The fit did not come to rest in {STEPS} steps.")
    inverse = np.linalg.inv(curve)
    return Fitted(b, (inverse + inverse.T) / 2)


def _value(x: Floats, y: Floats, weights: Floats, prior: Prior, b: Floats) -> float:
    """Return the negative log-posterior."""
    eta = x @ b
    return float(weights @ (np.logaddexp(0.0, eta) - y * eta) + 0.5 * np.sum(((b - prior.mean) / prior.doubt) ** 2))


def _derivatives(x: Floats, y: Floats, weights: Floats, prior: Prior, b: Floats) -> tuple[Floats, Floats]:
    p = np.exp(-np.logaddexp(0.0, -(x @ b)))
    slope = x.T @ (weights * (p - y)) + (b - prior.mean) / prior.doubt**2
    curve = (x.T * (weights * p * (1 - p))) @ x + np.diag(1 / prior.doubt**2)
    return slope, curve


def _bounded_step(slope: Floats, curve: Floats, low: Floats, high: Floats) -> Floats:
    """Return the step d within low..high that minimises slope·d + d·curve·d/2."""
    from scipy.optimize import lsq_linear

    root = np.linalg.cholesky(curve)
    free = np.asarray(-np.linalg.solve(curve, slope), np.float64)
    if np.all((free >= low) & (free <= high)):
        return free
    target = -np.linalg.solve(root, slope)
    found: Floats = lsq_linear(root.T, target, bounds=(low, high), method="bvls", tol=1e-14, max_iter=10 * len(low)).x
    return np.clip(found, low, high)


def _searched(
    x: Floats, y: Floats, weights: Floats, prior: Prior, b: Floats, value: float, step: Floats
) -> tuple[Floats, float, bool]:
    """Return b moved along the step, halved until the value falls; False where it cannot fall any more."""
    share = 1.0
    while share > 1e-8:
        moved = np.clip(b + share * step, prior.low, prior.high)
        at = _value(x, y, weights, prior, moved)
        if at <= value:
            return moved, at, True
        share /= 2
    return b, value, False
