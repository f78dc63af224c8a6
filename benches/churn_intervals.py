"""Do the 80 % intervals of the churn model hold? By trial: `python -m benches.churn_intervals [--trials 60]`.

Worlds with known coefficients, drawn from the expert's prior within the directions; features wander from week to week
(`stay` is their correlation over a week), and the hazard of each week is that of its own row. With `frailty` each
client also has a risk of its own that no feature tells, of this standard deviation in the log-odds. A hazard model is
fitted to the weekly rows, each weighing 7/30, and asked how often its intervals hold the true coefficients (of the
first 30 days) and the true log-odds of rows drawn from the data. Beside the covariance of Laplace, which is in use,
stands the one that is robust to rows of a client being alike (sandwich over clients, the prior's own variance added);
docs/adr/0047 quotes it. With frailty, coefficients are drawn towards 0, so that only the ratio of the deviations says
something.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from tests.churn.worlds import world

from bellwether.churn.additive import Z80, Floats, design
from bellwether.churn.factors import FEATURES_BY_SLUG, SLUGS
from bellwether.churn.fitting import expert_prior, fit_logistic, flat_prior

LEARNED = ("usage_change_month", "days_since_use", "champion_quiet_days", "nps_latest", "seat_use")
PLACES = [0, *(SLUGS.index(slug) + 1 for slug in LEARNED)]
ROWS = 50


@dataclass(frozen=True)
class Case:
    """A kind of world and the prior of the fit."""

    clients: int
    weeks: int
    stay: float
    frailty: float
    expert: bool


CASES = (
    Case(250, 104, 0.97, 0.0, True),
    Case(250, 104, 0.995, 0.0, True),
    Case(250, 104, 0.995, 0.0, False),
    Case(100, 60, 0.97, 0.0, True),
    Case(100, 60, 0.97, 0.0, False),
    Case(250, 104, 0.995, 1.0, True),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=60)
    trials = parser.parse_args().trials
    print(f"{trials} trials each | churns | coefficients held | log-odds held (Laplace, robust) | robust to Laplace")
    for case in CASES:
        found = np.array([trial(case, seed) for seed in range(trials)])
        churns, laplace, robust, eta, eta_robust, ratio = found.mean(axis=0)
        prior = "expert" if case.expert else "flat"
        name = f"{case.clients} clients, {case.weeks} weeks, stay {case.stay}, frailty {case.frailty}, {prior} prior"
        held = f"{laplace:.0%}, {robust:.0%} | {eta:.0%}, {eta_robust:.0%}"
        print(f"{name} | {churns:.0f} | {held} | {ratio:.2f}", flush=True)


def trial(case: Case, seed: int) -> tuple[float, ...]:
    """Return churns, shares held by either covariance (coefficients, then log-odds) and the ratio of deviations."""
    random = np.random.default_rng([seed, 7])
    true = np.zeros(len(SLUGS) + 1)
    true[0] = random.normal(-4.0, 0.3)
    for place, slug in zip(PLACES[1:], LEARNED, strict=True):
        true[place] = drawn(slug, random)
    coefficients = dict(zip(LEARNED, true[PLACES[1:]].tolist(), strict=True))
    found = world(case.clients, case.weeks, coefficients, base=true[0], seed=seed, stay=case.stay, frailty=case.frailty)
    at_risk = found.labels.at_risk[:, 0]
    z = design(found.rows, SLUGS, 0)[at_risk]
    x = np.column_stack([np.ones(len(z)), z])
    y, weights = found.labels.left[at_risk, 0].astype(float), found.labels.weights[at_risk]
    prior = expert_prior(0) if case.expert else flat_prior(0)
    fitted = fit_logistic(x, y, weights, prior)
    clients = found.rows["client_id"].rank("dense").to_numpy()[at_risk].astype(int) - 1
    scores = np.zeros((clients.max() + 1, x.shape[1]))
    p = 1 / (1 + np.exp(-x @ fitted.coefficients))
    np.add.at(scores, clients, x * (weights * (p - y))[:, None])
    laplace = fitted.covariance
    robust = laplace @ (scores.T @ scores + np.diag(1 / prior.doubt**2)) @ laplace
    some = x[random.integers(0, len(x), ROWS)]
    miss = fitted.coefficients - true
    held = [np.mean(np.abs(miss)[PLACES] < Z80 * deviations(one)) for one in (laplace, robust)]
    held += [np.mean(np.abs(some @ miss) < Z80 * spread(some, one)) for one in (laplace, robust)]
    return float(weights @ y), *map(float, held), float(np.mean(deviations(robust) / deviations(laplace)))


def drawn(slug: str, random: np.random.Generator) -> float:
    """Return a coefficient from the expert's prior, within its direction."""
    feature = FEATURES_BY_SLUG[slug]
    while (value := random.normal(feature.weight, feature.doubt)) * feature.direction < 0:
        pass
    return float(value)


def deviations(covariance: Floats) -> Floats:
    """Return the deviations of the learned coefficients."""
    return np.asarray(np.sqrt(np.diag(covariance))[PLACES])


def spread(x: Floats, covariance: Floats) -> Floats:
    """Return the deviations of the log-odds of rows."""
    return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", x, covariance, x)))


if __name__ == "__main__":
    main()
