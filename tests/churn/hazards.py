"""The expert model written out from the registry, for tests of what stands on a model."""

import numpy as np

from bellwether.churn.additive import AdditiveModel, Interval, Linear
from bellwether.churn.factors import BASE_DOUBT, BASE_LOG_ODDS, FADING, FEATURES, SLUGS


def hazard(scale: float = 1.0) -> AdditiveModel:
    """Return the expert hazard of the three intervals, its coefficients times `scale`."""
    spread = np.diag([0.1 * BASE_DOUBT**2, *(0.05 * feature.doubt**2 for feature in FEATURES)])
    intervals = [
        Interval(BASE_LOG_ODDS, {one.slug: Linear(scale * fading * one.weight) for one in FEATURES}, spread)
        for fading in FADING
    ]
    return AdditiveModel(SLUGS, tuple(intervals))


def renewal() -> AdditiveModel:
    """Return a renewal risk with the expert's coefficients."""
    terms = {one.slug: Linear(one.weight) for one in FEATURES if one.slug != "days_to_renewal"}
    return AdditiveModel(SLUGS, (Interval(-2.0, terms),), moments=("renewal",))
