"""Made-up rows for the churn models: features with known distribution, leaving drawn from known coefficients."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.factors import FEATURES, FEATURES_BY_SLUG, SLUGS
from bellwether.churn.labelling import Labels, interval_labels

START = date(2024, 1, 1)


@dataclass(frozen=True)
class World:
    rows: pl.DataFrame
    labels: Labels
    z: dict[str, npt.NDArray[np.float64]]


def raw(slug: str, z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values whose standardised form is z."""
    feature = FEATURES_BY_SLUG[slug]
    moved = feature.centre + feature.scale * z
    match feature.transform:
        case "log(1 + x)":
            return np.expm1(moved)
        case "log":
            return np.exp(moved)
        case "term ends in the interval":
            return np.where(z > 0, 15.0, 200.0)
        case _:
            return moved


def world(
    clients: int,
    weeks: int,
    coefficients: dict[str, float],
    *,
    base: float = -4.0,
    seed: int = 1,
    stay: float = 0.97,
    frailty: float = 0.0,
) -> World:
    """Return weekly rows of clients whose features wander and who leave with the log-odds of a month given.

    The hazard of a week is that of its row. Only features that have a coefficient are known. `frailty` is the standard
    deviation of what each client adds to its log-odds that no feature tells.
    """
    random = np.random.default_rng(seed)
    z = {slug: np.empty((clients, weeks)) for slug in coefficients}
    for path in z.values():
        path[:, 0] = random.normal(size=clients)
        for week in range(1, weeks):
            path[:, week] = stay * path[:, week - 1] + np.sqrt(1 - stay**2) * random.normal(size=clients)
    eta = base + sum(weight * np.clip(z[slug], -3, 3) for slug, weight in coefficients.items())
    if frailty:
        eta = eta + random.normal(0, frailty, (clients, 1))
    hazard = 1 / (1 + np.exp(-eta))
    weekly = 1 - (1 - hazard) ** (7 / 30)
    leaves = random.random((clients, weeks)) < weekly
    gone = np.where(leaves.any(axis=1), leaves.argmax(axis=1), weeks)
    ids = np.array([f"{number:032x}" for number in range(clients)])
    there = np.arange(weeks)[None, :] <= gone[:, None]
    client, weeks_in = np.nonzero(there)
    kept = {slug: path[client, weeks_in] for slug, path in z.items()}
    rows = pl.DataFrame(
        {"client_id": ids[client], "as_of": np.datetime64(START) + (7 * weeks_in).astype("timedelta64[D]")}
        | {slug: raw(slug, values) for slug, values in kept.items()}
    ).with_columns(
        pl.col("as_of").cast(pl.Date), *(pl.lit(None, pl.Float64).alias(slug) for slug in SLUGS if slug not in kept)
    )
    left = pl.DataFrame(
        {
            "client_id": ids[gone < weeks],
            "left_on": [
                START + timedelta(days=7 * int(week) + int(random.integers(1, 8))) for week in gone[gone < weeks]
            ],
        },
        schema={"client_id": pl.String, "left_on": pl.Date},
    )
    until = START + timedelta(days=7 * weeks)
    return World(rows, interval_labels(rows, left, left.rename({"left_on": "last_day"}), until), kept)


def random_rows(count: int, *, seed: int = 1, unknown: float = 0.2) -> pl.DataFrame:
    """Return rows with every feature, a share of the values unknown."""
    random = np.random.default_rng(seed)
    columns = {}
    for feature in FEATURES:
        if feature.transform == "term ends in the interval":
            values = random.integers(0, 400, count).astype(float)
        else:
            values = raw(feature.slug, random.normal(size=count))
        columns[feature.slug] = np.where(random.random(count) < unknown, np.nan, values)
    return pl.DataFrame(
        {"client_id": [f"{number:032x}" for number in range(count)], "as_of": [START] * count} | columns
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
