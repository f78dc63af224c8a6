"""How close does the churn model come to an oracle? Run on a demo, whose churn comes from a known hazard:

    bellwether demo --clients 1500 --days 700 --no-serve --home var/demo-big
    python -m benches.churn_demo --home var/demo-big

The truth comes from demo/truth.parquet, which the product never reads. Features are read by the product's own reading,
as they were known, for each Monday from the 90th day on. Models are fitted fold by fold on what was known at the start
of the fold and calibrated on the fold before, as for the model card (churn.evaluation). The oracle knows the true
hazard, the latent health of the day and the ends of terms, not the future; "path" knows the health that came, which
nobody can. All are measured on the same rows, of the days after the training, with intervals over clients. Exit status
1 where the model's AUC at 90 days is more than 0.02 below the oracle's, or its calibration error is 0.03 or more.
"""

# ruff: noqa: E402 (Django is set up before its models are imported)
import argparse
import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--home", type=Path, help="home of the demo; otherwise BELLWETHER_HOME")
parser.add_argument("--hindsight", action="store_true", help="read the features from all that is there today: quicker")
parser.add_argument("--rows", type=Path, help="a Parquet file that keeps the features for the next run")
parser.add_argument("--seed", type=int, default=1)
ARGUMENTS = parser.parse_args()
if ARGUMENTS.home:
    os.environ["BELLWETHER_HOME"] = str(ARGUMENTS.home)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
import django

django.setup()

import numpy as np
import polars as pl
from django.conf import settings
from django.utils import timezone

from bellwether.churn.additive import AdditiveModel
from bellwether.churn.boosting import fit_boosted
from bellwether.churn.card import Card
from bellwether.churn.evaluation import Capacity, Evaluation, Fit, Fixed, evaluation
from bellwether.churn.fitting import FitError, expert_model, fit_hazard
from bellwether.churn.labelling import Labels, interval_labels
from bellwether.churn.metrics import Floats
from bellwether.churn.reading import Endings, read_endings, read_features
from bellwether.demo.home import read_marker, truth_path
from bellwether.health.backtest_reading import ids_by_organization

FARTHEST, WORST_ECE = 0.02, 0.03
FIRST_DAYS = 90
"""Features look back so far."""
TITLES = {"oracle": "Oracle", "path": "Oracle, path known"}


def main() -> int:
    """Print the figures and their ratios to the limits; return the exit status."""
    marker = read_marker(settings.HOME)
    if marker is None:
        print(f"{settings.HOME} is not the home of a demo. Make one with bellwether demo --no-serve.")
        return 2
    plan = marker.plan
    began = time.perf_counter()
    first = plan.day(FIRST_DAYS)
    days = [first + timedelta(days=-first.weekday() % 7 + 7 * week) for week in range((plan.days - FIRST_DAYS) // 7)]
    rows = read_rows(days)
    truth = pl.read_parquet(truth_path(settings.HOME)).join(ids_by_organization(), on="organization_id")
    endings = read_endings()
    print(f"{rows.height:,} rows of {len(days)} Mondays read in {time.perf_counter() - began:.0f} s; "
          f"{endings.left.height} of {plan.clients} clients left.")  # fmt: skip
    began = time.perf_counter()
    labels = interval_labels(rows, endings.left, endings.last_days, plan.today)
    found = measured(rows, labels, endings, truth, plan.today)
    print(f"Measured in {time.perf_counter() - began:.0f} s.\n")
    return told(found.card)


def read_rows(days: list[date]) -> pl.DataFrame:
    """Return the features of the Mondays, read or kept."""
    kept = ARGUMENTS.rows
    if kept and kept.exists():
        return pl.read_parquet(kept)
    rows = read_features(days, now=timezone.now(), as_known=not ARGUMENTS.hindsight)
    if kept:
        rows.write_parquet(kept)
    return rows


def measured(rows: pl.DataFrame, labels: Labels, endings: Endings, truth: pl.DataFrame, until: date) -> Evaluation:
    """Return the evaluation of the model with its rivals and the oracle beside it."""

    def boosted(train: pl.DataFrame, known: Labels) -> AdditiveModel:
        try:
            return fit_boosted(train, known, seed=ARGUMENTS.seed)
        except FitError:  # too few have left so far
            return fit_hazard(train, known)

    return evaluation(
        rows,
        labels,
        endings.left,
        fit={
            "hazard": fit_hazard,
            "boosted": boosted,
            "oracle": known_by_nobody(truth, ["p30", "p60", "p90"]),
            "path": known_by_nobody(truth, ["p90_path"] * 3),
        },
        rivals={},
        fixed={"expert": Fixed(expert_model())},
        until=until,
        capacity=Capacity(),
        random=np.random.default_rng(ARGUMENTS.seed),
        titles=TITLES,
    )


def known_by_nobody(truth: pl.DataFrame, columns: list[str]) -> Fit:
    """Return a "fit" that learns nothing and tells the true probabilities of rows, NaN where these are not known."""
    names = [f"chance_{n}" for n in range(len(columns))]
    chances = (pl.col(column).fill_null(float("nan")).alias(name) for column, name in zip(columns, names, strict=True))
    known = truth.select("client_id", pl.col("date").alias("as_of"), *chances)

    def foretell(rows: pl.DataFrame) -> Floats:
        keys = ["client_id", "as_of"]
        return rows.select(keys).join(known, on=keys, how="left", maintain_order="left").select(names).to_numpy()

    return lambda _rows, _labels: foretell


def told(card: Card) -> int:
    """Print the card's figures; return 1 where the model is too far from the oracle or badly calibrated."""
    print(f"{card.message} {card.test_rows:,} rows of {card.test_clients:,} clients, {len(card.folds)} folds: "
          f"{card.folds[0].start} to {card.folds[-1].end}. 95 % intervals over clients.")  # fmt: skip
    if not card.candidates:
        return 1
    by_key = {one.key: one for one in card.candidates}
    for horizon in ("30", "60", "90"):
        print(
            f"\n{horizon} days{'':<16}{'AUC':>7}{'95 %':>14}{'PR-AUC':>8}{'Brier':>9}{'log loss':>10}"
            f"{'ECE':>8}{'95 %':>9}{'foretold':>10}{'came':>8}"
        )
        for one in card.candidates:
            if one.key == "path" and horizon != "90":
                continue
            f = one.horizons[horizon]
            print(f"{one.title:<23}{f.auc.value:>7.3f} ({f.auc.low95:.3f}-{f.auc.high95:.3f}){f.pr_auc.value:>8.3f}"
                  f"{f.brier.value:>9.4f}{f.log_loss.value:>10.4f}{f.ece.value:>8.4f} (-{f.ece.high95:.3f})"
                  f"{f.foretold:>10.4f}{f.came:>8.4f}   {f.churned} left")  # fmt: skip
    model, oracle = by_key["hazard"].horizons["90"], by_key["oracle"].horizons["90"]
    behind = by_key["oracle"].ahead["hazard"]
    gap = oracle.auc.value - model.auc.value
    print(f"\nmethod: model less oracle on the same rows {behind.value.value:+.3f} "
          f"({behind.value.low95:+.3f} to {behind.value.high95:+.3f}), {behind.churned} clients left")  # fmt: skip
    print(f"AUC behind the oracle, 90 days   {gap:>7.3f}   limit {FARTHEST}   ratio {gap / FARTHEST:.2f}")
    error = model.ece.value
    print(f"calibration error, 90 days       {error:>7.4f}   limit {WORST_ECE}   ratio {error / WORST_ECE:.2f}")
    return int(gap > FARTHEST or model.ece.value >= WORST_ECE)


if __name__ == "__main__":
    sys.exit(main())
