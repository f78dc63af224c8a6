"""What clients that may leave would take with them: expected sum, and the range that it lies in four times out of five.

Pure. Two things are uncertain: who leaves, and the model itself. A draw takes one shift of the model for all clients
alike, z from the standard normal: the log-odds of each client move by z times the standard deviation that its own 80 %
interval stands for (the upper half for z > 0, the lower half for z < 0). Given that, clients leave independently. One
shift for all says that a model that is wrong is wrong in the same direction everywhere, which errs on the wide side.

The MOST_DRAWN clients with the largest part in the spread are drawn one by one; the others' sum is drawn from the
normal distribution with their exact mean and variance given z. With at most MOST_DRAWN clients nothing is approximated
but by the number of draws.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bellwether.churn.additive import Z80, Floats

DRAWS = 4_000
STRATA = 40
MOST_DRAWN = 250
LOW, HIGH = 0.1, 0.9
LEAST_P = 1e-9
QUARTER_DAYS = 90


@dataclass(frozen=True)
class Loss:
    """A sum that may be lost: `mean` exactly the sum of value x probability, `low` to `high` the 80 % range.

    The range is one of quantiles: where it is unlikely that anybody leaves, both ends are 0 and the mean lies above.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Expected:
    """What may be lost. `arr` in dollars of `whole` dollars; `clients` of `of` clients; `nobody`: the probability
    (0-1) that nobody leaves."""

    arr: Loss
    clients: Loss
    whole: float
    of: int
    nobody: float

    @property
    def share(self) -> Loss | None:
        """The lost share of the ARR (0-1), None without any."""
        return scaled(self.arr, 1 / self.whole) if self.whole > 0 else None

    @property
    def rate(self) -> Loss | None:
        """The lost share of the clients (0-1), None without any."""
        return scaled(self.clients, 1 / self.of) if self.of else None


def scaled(loss: Loss, by: float) -> Loss:
    """Return a loss times a number."""
    return replace(loss, mean=loss.mean * by, low=loss.low * by, high=loss.high * by)


def expected_loss(
    arr: Floats, p: Floats, low: Floats, high: Floats, random: np.random.Generator, *, draws: int = DRAWS
) -> Expected:
    """Return what clients with yearly revenue `arr` (NaN: unknown, counts as 0) and probability `p` (0-1; its 80 %
    interval `low` to `high`) may take with them. The same generator state gives the same range.

    Raises ValueError for a p outside of its interval or of 0-1.
    """
    if np.any(~((low >= 0) & (low <= p + 1e-12) & (p <= high + 1e-12) & (high <= 1))):
        raise ValueError("Every p needs to lie within its interval, and that within 0 and 1.")
    value = np.nan_to_num(np.asarray(arr, np.float64), nan=0.0)
    whole, count = float(value.sum()), len(value)
    if not count:
        nothing = Loss(0.0, 0.0, 0.0)
        return Expected(nothing, nothing, 0.0, 0, 1.0)
    centre, up, down = _log_odds(p), _deviation(p, high), _deviation(low, p)
    lost, left, nobody = _drawn(value, (centre, up, down), random, draws)
    return Expected(
        arr=Loss(float(value @ p), *_range(lost, whole)),
        clients=Loss(float(p.sum()), *_range(left, count)),
        whole=whole,
        of=count,
        nobody=nobody,
    )


def _log_odds(p: Floats) -> Floats:
    held = np.clip(p, LEAST_P, 1 - LEAST_P)
    odds: Floats = np.log(held) - np.log1p(-held)
    return odds


def _deviation(low: Floats, high: Floats) -> Floats:
    """Return the standard deviation of the log-odds that half of an 80 % interval stands for."""
    return (_log_odds(high) - _log_odds(low)) / Z80


def _drawn(
    value: Floats, odds: tuple[Floats, Floats, Floats], random: np.random.Generator, draws: int
) -> tuple[Floats, Floats, float]:
    """Return the sums and the numbers of clients lost in each draw, and how likely it is that nobody leaves.

    The shift is stratified: as many draws from each of STRATA equally likely parts of the normal distribution, so that
    the tails are there at every seed.
    """
    centre, up, down = odds
    p = _sigmoid(centre)
    spread = value**2 * p * (1 - p)
    order = np.argsort(-(spread / max(spread.sum(), 1e-300) + p * (1 - p) / max((p * (1 - p)).sum(), 1e-300)))
    alone, rest = order[:MOST_DRAWN], order[MOST_DRAWN:]
    each = max(1, draws // STRATA)
    shifts = _normal_quantile((np.arange(STRATA) + random.random(STRATA)) / STRATA)
    lost, left, nobody = np.zeros((STRATA, each)), np.zeros((STRATA, each)), np.zeros(STRATA)
    for k, shift in enumerate(shifts):
        chance = _sigmoid(centre + shift * (up if shift > 0 else down))
        nobody[k] = np.exp(np.log1p(-np.minimum(chance, 1 - 1e-12)).sum())
        goes = random.random((each, len(alone))) < chance[alone]
        lost[k], left[k] = goes.astype(np.float64) @ value[alone], goes.sum(axis=1)
        if len(rest):
            more_lost, more_left = _rest(value[rest], chance[rest], random, each)
            lost[k] += more_lost
            left[k] += more_left
    return lost.ravel(), left.ravel(), float(nobody.mean())


def _rest(value: Floats, chance: Floats, random: np.random.Generator, each: int) -> tuple[Floats, Floats]:
    """Return sums and numbers of many clients from the normal distribution with their covariance, at least 0."""
    variance = chance * (1 - chance)
    deviation = float(np.sqrt(variance.sum()))
    number = random.standard_normal(each)
    left = chance.sum() + deviation * number
    together = float(value @ variance)
    slope = together / deviation if deviation > 0 else 0.0
    own = max(float(value**2 @ variance) - slope**2, 0.0) ** 0.5
    lost = value @ chance + slope * number + own * random.standard_normal(each)
    return np.maximum(lost, 0.0), np.maximum(np.rint(left), 0.0)


def _range(drawn: Floats, most: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, (LOW, HIGH), method="inverted_cdf")
    return float(min(low, most)), float(min(high, most))


def _sigmoid(eta: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -eta))


def _normal_quantile(share: npt.NDArray[np.float64]) -> Floats:
    """Return the standard normal quantiles of shares in (0, 1)."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(min(max(float(one), 1e-12), 1 - 1e-12)) for one in share])


def within(p30: Floats, p60: Floats, p90: Floats, first: int, last: int) -> Floats:
    """Return the probability of leaving in the days `first` to `last` after the prediction, both included.

    Between the horizons the hazard is even; after day 90, where nothing is foretold, that of the third month goes on.
    It serves for a calendar quarter that does not begin today.
    """
    return _gone_by(p30, p60, p90, last) - _gone_by(p30, p60, p90, first - 1)


def _gone_by(p30: Floats, p60: Floats, p90: Floats, day: int) -> Floats:
    held = [np.log1p(-np.minimum(p, 1 - 1e-12)) for p in (np.zeros_like(p30), p30, p60, p90)]
    if day <= 0:
        return np.zeros_like(p30)
    k = min((day - 1) // 30, 2)
    stays = held[k] + (held[k + 1] - held[k]) * (day - 30 * k) / 30
    gone: Floats = -np.expm1(stays)
    return gone
