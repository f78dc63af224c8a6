"""Training and predicting churn, in process: `python -m benches.churn_speed [--quick]`.

Made-up weekly rows of 104 weeks with every feature known but a tenth, about 10 % of clients leaving a year. Training is
the three intervals of the dated hazard, labels and covariance included; the challenger is the three boosted intervals
read off as tables and checked. Predicting is 10,000 clients with intervals and exact contributions against the mean of
their cohort. The peer is scikit-learn's LogisticRegression (lbfgs, L2) on the same standardised rows and weights, three
fits without covariance or bounds. Medians of three runs (one with 5,000 clients) by the clock; beside them the time of
the processor, which other work on the machine leaves alone.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from tests.churn.worlds import START, random_rows

from bellwether.churn.additive import AdditiveModel, design, explain, predicted, terms_of
from bellwether.churn.boosting import fit_boosted
from bellwether.churn.factors import SLUGS
from bellwether.churn.fitting import fit_hazard
from bellwether.churn.labelling import Labels, interval_labels

WEEKS = 104
TRAIN_LIMIT_S, SMALL_LIMIT_S, PREDICT_LIMIT_S = 30.0, 2.0, 0.3
LEAVE_A_WEEK = 0.002


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the 5,000 clients")
    given = parser.parse_args()
    print("name | clock | processor | limit | clock to limit")
    for clients, limit in ((250, SMALL_LIMIT_S), (5_000, TRAIN_LIMIT_S)):
        if clients == 250 or not given.quick:
            model = train(clients, limit, 3 if clients == 250 else 1)
    predict(model)


def train(clients: int, limit: float, times: int) -> AdditiveModel:
    """Print what training and its peer take; return the hazard."""
    rows, left, until = history(clients)
    last_days = left.rename({"left_on": "last_day"})
    labels = interval_labels(rows, left, last_days, until)
    own = taken(lambda: fit_hazard(rows, interval_labels(rows, left, last_days, until)), times)
    hazard = fit_hazard(rows, labels)
    boosted = taken(lambda: fit_boosted(rows, labels, seed=1, hazard=hazard), times)
    peer = taken(lambda: library(rows, labels), times)
    name = f"{clients:,} clients, {rows.height:,} rows, {left.height} left"
    show(f"train hazard, {name}", own, limit)
    show(f"train challenger, {name}", boosted, TRAIN_LIMIT_S)
    ratio = f"{own.clock / peer.clock:.2f} by the clock, {own.processor / peer.processor:.2f} of the processor"
    print(f"peer LogisticRegression, same rows | {peer.clock:.2f} s | {peer.processor:.2f} s | hazard to it: {ratio}")
    return hazard


def predict(model: AdditiveModel) -> None:
    """Print what predicting and explaining 10,000 clients takes."""
    rows = random_rows(10_000, unknown=0.1)
    cohorts = np.arange(10_000) % 3

    def run() -> None:
        terms = terms_of(model, rows)
        predicted(model, terms)
        explain(model, terms, cohorts)

    run()
    show("predict and explain 10,000 clients", taken(run, 7), PREDICT_LIMIT_S)


def history(clients: int) -> tuple[pl.DataFrame, pl.DataFrame, date]:
    """Return weekly rows up to the client's end, endings (client_id, left_on) and the last known day."""
    random = np.random.default_rng(clients)
    gone = random.geometric(LEAVE_A_WEEK, clients)
    there = np.arange(WEEKS)[None, :] < gone[:, None]
    client, week = np.nonzero(there)
    ids = pl.Series([f"{number:032x}" for number in range(clients)])
    start = np.datetime64(START)
    rows = random_rows(len(client), unknown=0.1).with_columns(
        ids.gather(client).alias("client_id"),
        pl.Series("as_of", start + (7 * week).astype("timedelta64[D]")).cast(pl.Date),
    )
    leaving = np.flatnonzero(gone < WEEKS)
    days = pl.Series("left_on", start + (7 * gone[leaving] - 3).astype("timedelta64[D]")).cast(pl.Date)
    until = START + timedelta(days=7 * WEEKS)
    return rows, pl.DataFrame({"client_id": ids.gather(leaving), "left_on": days}), until


def library(rows: pl.DataFrame, labels: Labels) -> None:
    """Fit the peer to each interval."""
    for k in range(3):
        used = labels.at_risk[:, k]
        x = design(rows, SLUGS, k)[used]
        LogisticRegression(max_iter=1000).fit(x, labels.left[used, k], sample_weight=labels.weights[used])


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock and of the processor."""

    clock: float
    processor: float


def taken(run: Callable[[], object], times: int) -> Taken:
    """Return the median of how long it takes."""
    clock, processor = [], []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        run()
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - worked)
    return Taken(statistics.median(clock), statistics.median(processor))


def show(name: str, found: Taken, limit: float) -> None:
    """Print a line."""
    print(
        f"{name} | {found.clock:.2f} s | {found.processor:.2f} s | {limit:g} s | {found.clock / limit:.2f}", flush=True
    )


if __name__ == "__main__":
    main()
