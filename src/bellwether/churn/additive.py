"""An additive model of leaving: prediction, interval and exact contributions. Pure; needs NumPy alone.

For interval k (days 30(k-1)+1 to 30k after the as-of day) the log-odds of leaving in it, of clients still there, are

    eta_k = offset + slope * (intercept_k + sum over features of term_jk(value_j))

p30 = h_1, p60 = 1-(1-h_1)(1-h_2), p90 likewise, with h_k = 1/(1+exp(-eta_k)): monotone by construction (formulas.md,
section 4). A term is linear in the standardised value or, from a boosted model, a table of steps over the raw value.
Both are plain numbers, stored as JSON. A model with one interval serves as the renewal risk.

Contributions explain the log-odds of the last horizon against a reference, the mean terms of a cohort. Along the
straight way from the reference to the client each feature moves the log-odds by the integral of

    dG/d eta_k = h_k / p  (G = log(p/(1-p)), p = 1 - product of (1-h_i))

times its own step (Aumann-Shapley), so that the parts sum to the difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.factors import FEATURES_BY_SLUG, HELD_WITHIN, INTERVAL_DAYS, LEAST_RATIO, Feature

Floats = npt.NDArray[np.float64]
Moment = Literal["renewal"] | int
"""Interval of the dated hazard (0, 1, 2), or the coming renewal."""

Z80 = 1.2815515655446004
"""Half the width of an 80 % interval in standard deviations."""
LEAD_CENTRE, LEAD_SCALE = 3.8, 1.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
NODES, NODE_WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


@dataclass(frozen=True)
class Linear:
    """A term that is `weight` times the standardised value; 0 where it is unknown."""

    weight: float


@dataclass(frozen=True)
class Steps:
    """A term that is `values[i]` for edges[i-1] < value <= edges[i] (one more value than edges), `missing` where
    unknown."""

    edges: tuple[float, ...]
    values: tuple[float, ...]
    missing: float


Term = Linear | Steps


@dataclass(frozen=True)
class Interval:
    """The log-odds of one interval. `covariance`: of (intercept, weight of each feature), None where not known."""

    intercept: float
    terms: Mapping[str, Term]
    covariance: Floats | None = None


@dataclass(frozen=True)
class AdditiveModel:
    """A model as data. `moments`: what its intervals are; `offset` and `slope`: its calibration."""

    features: tuple[str, ...]
    intervals: tuple[Interval, ...]
    moments: tuple[Moment, ...] = (0, 1, 2)
    offset: float = 0.0
    slope: float = 1.0

    def as_data(self) -> dict[str, Any]:
        """Return the model as JSON data."""
        return {
            "features": list(self.features),
            "moments": list(self.moments),
            "offset": self.offset,
            "slope": self.slope,
            "intervals": [_interval_as_data(interval) for interval in self.intervals],
        }


def model_from_data(data: Mapping[str, Any]) -> AdditiveModel:
    """Return the model that `as_data` made `data` from."""
    return AdditiveModel(
        features=tuple(data["features"]),
        intervals=tuple(_interval_from_data(interval) for interval in data["intervals"]),
        moments=tuple(data["moments"]),
        offset=float(data["offset"]),
        slope=float(data["slope"]),
    )


Registry = Mapping[str, Feature]
"""Features by slug. The product's own everywhere; others only where the model is tried on data of another kind."""


def standardised(slug: str, values: Floats, moment: Moment, registry: Registry = FEATURES_BY_SLUG) -> Floats:
    """Return z of the values of a feature (NaN: unknown) for an interval: see churn.factors. Unknown gives 0."""
    feature = registry[slug]
    if feature.transform == "term ends in the interval":
        if moment == "renewal":
            z = (np.log1p(np.maximum(values, 0)) - LEAD_CENTRE) / LEAD_SCALE
            return _held(z)
        first, last = INTERVAL_DAYS * int(moment), INTERVAL_DAYS * (int(moment) + 1)
        began = values >= first if moment == 0 else values > first
        return np.where(began & (values <= last), 1.0, 0.0)
    match feature.transform:
        case "log(1 + x)":
            moved = np.log1p(np.maximum(values, 0))
        case "log":
            moved = np.log(np.maximum(values, LEAST_RATIO))
        case _:
            moved = values
    return _held((moved - feature.centre) / feature.scale)


def _held(z: Floats) -> Floats:
    held: Floats = np.nan_to_num(np.clip(z, -HELD_WITHIN, HELD_WITHIN), nan=0.0)
    return held


def raw_values(features: pl.DataFrame, slugs: Sequence[str]) -> dict[str, Floats]:
    """Return the column of each feature as Float64, NaN where unknown; a column that is absent is unknown."""
    unknown = np.full(features.height, np.nan)
    return {
        slug: features[slug].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if slug in features.columns
        else unknown
        for slug in slugs
    }


def design(
    features: pl.DataFrame, slugs: Sequence[str], moment: Moment, registry: Registry = FEATURES_BY_SLUG
) -> Floats:
    """Return the standardised values, rows × features, of an interval."""
    values = raw_values(features, slugs)
    return np.column_stack([standardised(slug, values[slug], moment, registry) for slug in slugs])


@dataclass(frozen=True)
class Terms:
    """`values`: intervals × rows × features, uncalibrated. `deviations`: of eta by interval and row (calibrated)."""

    values: Floats
    deviations: Floats


def terms_of(model: AdditiveModel, features: pl.DataFrame, registry: Registry = FEATURES_BY_SLUG) -> Terms:
    """Return what each feature adds to the log-odds of each interval, and how uncertain these are."""
    raw = raw_values(features, model.features)
    shape = (len(model.intervals), features.height)
    values, deviations = np.zeros((*shape, len(model.features))), np.zeros(shape)
    for k, (interval, moment) in enumerate(zip(model.intervals, model.moments, strict=True)):
        x = np.column_stack(
            [np.ones(features.height), *(standardised(slug, raw[slug], moment, registry) for slug in model.features)]
        )
        for j, slug in enumerate(model.features):
            values[k, :, j] = _term_values(interval.terms.get(slug, Linear(0.0)), raw[slug], x[:, j + 1])
        if interval.covariance is not None:
            variance = np.einsum("ij,jk,ik->i", x, interval.covariance, x, optimize=True)
            deviations[k] = model.slope * np.sqrt(np.maximum(variance, 0))
    return Terms(values, deviations)


def log_odds(model: AdditiveModel, features: pl.DataFrame, registry: Registry = FEATURES_BY_SLUG) -> Floats:
    """Return eta (calibrated) of each row and interval, rows × intervals: that of leaving in it if still there."""
    raw = raw_values(features, model.features)
    eta = np.empty((features.height, len(model.intervals)))
    for k, (interval, moment) in enumerate(zip(model.intervals, model.moments, strict=True)):
        eta[:, k] = interval.intercept
        for slug, term in interval.terms.items():
            eta[:, k] += _term_values(term, raw[slug], standardised(slug, raw[slug], moment, registry))
    return model.offset + model.slope * eta


def _term_values(term: Term, raw: Floats, z: Floats) -> Floats:
    return term.weight * z if isinstance(term, Linear) else _stepped(term, raw)


def _stepped(term: Steps, values: Floats) -> Floats:
    at = np.searchsorted(np.asarray(term.edges), values, side="left")
    return np.where(np.isnan(values), term.missing, np.asarray(term.values)[at])


@dataclass(frozen=True)
class Predicted:
    """Probabilities by row: `p`, `low` and `high` are rows × intervals, cumulative over the intervals (0-1)."""

    p: Floats
    low: Floats
    high: Floats


def predict(model: AdditiveModel, features: pl.DataFrame, registry: Registry = FEATURES_BY_SLUG) -> Predicted:
    """Return the probabilities of each row with their 80 % intervals."""
    return predicted(model, terms_of(model, features, registry))


def predicted(model: AdditiveModel, terms: Terms) -> Predicted:
    """Return the probabilities from the terms. Low and high move all intervals at once, which errs on the wide side."""
    eta = _eta(model, terms.values.sum(axis=2))
    spread = Z80 * terms.deviations
    return Predicted(*(_cumulative(_sigmoid(eta + by * spread)).T for by in (0.0, -1.0, 1.0)))


def _eta(model: AdditiveModel, sums: Floats) -> Floats:
    intercepts = np.array([interval.intercept for interval in model.intervals])
    eta: Floats = model.offset + model.slope * (intercepts.reshape(-1, *[1] * (sums.ndim - 1)) + sums)
    return eta


def _sigmoid(eta: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -eta))


def _cumulative(hazard: Floats) -> Floats:
    """Return 1 - product of (1 - h) over the first axis, exact for small hazards too."""
    found: Floats = -np.expm1(np.cumsum(np.log1p(-np.minimum(hazard, 1 - 1e-12)), axis=0))
    return found


@dataclass(frozen=True)
class Explained:
    """`log_odds` of the last horizon by row, `reference` its value for the row's cohort, `parts` rows × features.

    reference + sum of the parts = log_odds.
    """

    log_odds: Floats
    reference: Floats
    parts: Floats


def explain(model: AdditiveModel, terms: Terms, cohorts: npt.NDArray[np.int64]) -> Explained:
    """Return the contributions of each row against the mean terms of its cohort (a number from 0 for each row)."""
    count = int(cohorts.max(initial=-1)) + 1
    sizes = np.bincount(cohorts, minlength=count)
    means = np.stack(
        [
            np.stack([np.bincount(cohorts, weights=column, minlength=count) for column in interval.T], axis=1)
            / np.maximum(sizes, 1)[:, None]
            for interval in terms.values
        ]
    )
    return explain_against(model, terms, means[:, cohorts])


def explain_against(model: AdditiveModel, terms: Terms, reference: Floats) -> Explained:
    """Return the contributions of each row against reference terms (intervals × rows × features)."""
    steps = model.slope * (terms.values - reference)
    start, end = _eta(model, reference.sum(axis=2)), _eta(model, terms.values.sum(axis=2))
    pull = np.zeros_like(start)
    for node, weight in zip(NODES, NODE_WEIGHTS, strict=True):
        hazard = _sigmoid(start + node * (end - start))
        pull += weight * hazard / np.maximum(_cumulative(hazard)[-1], 1e-300)
    parts = np.einsum("ki,kij->ij", pull, steps)
    log_odds, reference_odds = _log_odds(end), _log_odds(start)
    # What the quadrature leaves (about 1e-10) goes to the parts by their size, so that the sum is exact.
    size = np.abs(parts)
    total = size.sum(axis=1, keepdims=True)
    left = (log_odds - reference_odds - parts.sum(axis=1))[:, None]
    parts = parts + np.divide(size, total, out=np.zeros_like(size), where=total > 0) * left
    return Explained(log_odds, reference_odds, parts)


def _log_odds(eta: Floats) -> Floats:
    """Return log(p/(1-p)) of the last horizon: log(1-p) is the sum of log(1-h)."""
    stays = -np.logaddexp(0.0, eta).sum(axis=0)
    odds: Floats = np.log(np.maximum(-np.expm1(stays), 1e-300)) - stays
    return odds


def _interval_as_data(interval: Interval) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    for slug, term in interval.terms.items():
        if isinstance(term, Linear):
            terms[slug] = {"weight": term.weight}
        else:
            terms[slug] = {"edges": list(term.edges), "values": list(term.values), "missing": term.missing}
    covariance = None if interval.covariance is None else interval.covariance.tolist()
    return {"intercept": interval.intercept, "terms": terms, "covariance": covariance}


def _interval_from_data(data: Mapping[str, Any]) -> Interval:
    terms: dict[str, Term] = {
        slug: Linear(float(term["weight"]))
        if "weight" in term
        else Steps(tuple(term["edges"]), tuple(term["values"]), float(term["missing"]))
        for slug, term in data["terms"].items()
    }
    covariance = None if data["covariance"] is None else np.asarray(data["covariance"], np.float64)
    return Interval(float(data["intercept"]), terms, covariance)
