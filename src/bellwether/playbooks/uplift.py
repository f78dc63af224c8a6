"""Differences between the two arms of a playbook with their intervals. Pure.

Proportions: Newcombe's hybrid score interval (R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10).
Means: Welch's interval (B. L. Welch, Biometrika 34 (1947) 28-35). See docs/reference/uplift.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

SHOWN_CONFIDENCE = 0.95
FEWEST_DEGREES = 5
"""Fewer degrees of freedom are refused: the expansion of Student's t is too far off there."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval, in the unit of the figure; differences are treated minus held out."""

    value: float
    low: float
    high: float

    @property
    def above(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0

    @property
    def below(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.high < 0

    def times(self, factor: float) -> "Estimate":
        """Return the estimate of `factor` times the figure; the factor is not negative."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def wilson(successes: int, number: int, confidence: float = SHOWN_CONFIDENCE) -> Estimate:
    """Return a proportion (0-1) with Wilson's score interval. `number` is at least 1."""
    z = _z(confidence)
    share = successes / number
    centre = (successes + z * z / 2) / (number + z * z)
    half = z / (number + z * z) * sqrt(number * share * (1 - share) + z * z / 4)
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def difference_of_proportions(
    treated: tuple[int, int], held_out: tuple[int, int], confidence: float = SHOWN_CONFIDENCE
) -> Estimate:
    """Return share treated minus share held out with Newcombe's interval; both are (successes, number), number > 0."""
    one, other = wilson(*treated, confidence), wilson(*held_out, confidence)
    value = one.value - other.value
    return Estimate(
        value,
        max(-1.0, value - sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)),
        min(1.0, value + sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)),
    )


def difference_of_means(
    treated: Sequence[float] | np.ndarray,
    held_out: Sequence[float] | np.ndarray,
    confidence: float = SHOWN_CONFIDENCE,
) -> Estimate:
    """Return mean treated minus mean held out with Welch's interval. Each arm has at least FEWEST_DEGREES + 1 values,
    else ValueError."""
    one, other = np.asarray(treated, float), np.asarray(held_out, float)
    value = float(one.mean() - other.mean())
    parts = one.var(ddof=1) / one.size, other.var(ddof=1) / other.size
    variance = float(sum(parts))
    if variance == 0:
        return Estimate(value, value, value)
    degrees = variance**2 / (parts[0] ** 2 / (one.size - 1) + parts[1] ** 2 / (other.size - 1))
    half = t_quantile(0.5 + confidence / 2, float(degrees)) * sqrt(variance)
    return Estimate(value, value - half, value + half)


def difference(treated: np.ndarray, held_out: np.ndarray, *, binary: bool, confidence: float) -> Estimate:
    """Return the difference of the arms' outcomes: of proportions for `binary` ones (0 or 1), else of means."""
    if binary:
        return difference_of_proportions(
            (int(treated.sum()), treated.size), (int(held_out.sum()), held_out.size), confidence
        )
    return difference_of_means(treated, held_out, confidence)


def t_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t by its expansion about the normal one (Abramowitz and Stegun 26.7.5).

    Up to a probability of 0.995 it is off by less than 0.004 from FEWEST_DEGREES on, by less than 0.000004 from 19 on.
    Raises ValueError for fewer degrees of freedom than FEWEST_DEGREES.
    """
    if degrees < FEWEST_DEGREES:
        raise ValueError(f"{degrees} degrees of freedom are fewer than {FEWEST_DEGREES}")
    x = NormalDist().inv_cdf(probability)
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + sum(term / degrees**power for power, term in enumerate(terms, 1))


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
