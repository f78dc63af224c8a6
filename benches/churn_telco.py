"""Does the fit agree with known results? On the 7,043 customers of `telco-churn`, a fictional operator's consumers:

    python -m benches.churn_telco DATA

One snapshot: no as-of days, no later, so nothing here is out of time. What it can show is the plumbing: categories,
blank values (11 customers have no TotalCharges), calibration, exact contributions. The features are the columns, named
in a registry of their own with a neutral prior (coefficients around 0, directions only where they are plain). Published
results reach an AUC of about 0.84, and far more would mean that the label leaks. Five folds of customers.
"""

# ruff: noqa: E402 (Django is set up before its models are imported)
import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
import django

django.setup()

import numpy as np
import polars as pl

from bellwether.churn.additive import explain, log_odds, terms_of
from bellwether.churn.factors import Feature
from bellwether.health.measures import Unit
from benches import churn_rivals as rivals
from benches.churn_rivals import Bools, Floats, Rows

FOLDS = 5
NUMBERS = {
    "tenure": ("Months as a customer", "log(1 + x)", 3.0, 1.2, -1),
    "MonthlyCharges": ("Monthly charges", "as it is", 65.0, 30.0, 0),
    "TotalCharges": ("Charges so far", "log(1 + x)", 7.0, 1.5, 0),
    "SeniorCitizen": ("Senior", "as it is", 0.0, 1.0, 0),
}
"""Column: label, transform, centre, scale, direction."""
WORDS = (
    "gender", "Partner", "Dependents", "PhoneService", "MultipleLines", "InternetService", "OnlineSecurity",
    "OnlineBackup", "DeviceProtection", "TechSupport", "StreamingTV", "StreamingMovies", "Contract",
    "PaperlessBilling", "PaymentMethod",
)  # fmt: skip
DOUBT = 1.0


def main() -> None:
    """Print the table and the checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    began = time.perf_counter()
    rows = read(parser.parse_args().data / "Telco-Customer-Churn.csv")
    blank = rows.frame["TotalCharges"].null_count()
    print(
        f"{len(rows.features)} features of {rows.frame.height:,} customers; {blank} have no charges so far (unknown)."
    )
    tested, results = rivals.run(rows, folds(rows), MODELS, RULES)
    print("\n" + rivals.table(tested, results, "**Left, held-out customers**"))
    print("\n" + contributions(rows))
    print(f"\nAll in {time.perf_counter() - began:.0f} s.")


def neutral(rows: Rows) -> rivals.Prior:
    """Return the prior without an expert: coefficients around 0, give or take 1 per standardised unit."""
    return rivals.neutral(rows.features, float(rows.label.mean()))


MODELS = {
    "Ours: neutral prior, calibrated": rivals.ours(neutral),
    "Ours, not calibrated": rivals.ours(neutral, calibrate=False),
    "Logistic regression (scikit-learn)": rivals.logistic_regression,
    "Gradient boosting (scikit-learn)": rivals.gradient_boosting,
    "Months as a customer": rivals.ranking("tenure", -1.0),
    "Base rate": rivals.base_rate,
}
RULES = ("Months as a customer",)


def read(path: Path) -> Rows:
    """Return the customers as rows; a category becomes a feature of each of its words but the first."""
    table = pl.read_csv(path, infer_schema=False)
    columns = {name: pl.col(name).str.strip_chars().replace("", None).cast(pl.Float64) for name in NUMBERS}
    features = [
        Feature(name, "own", label, Unit.COUNT, label, direction, transform, centre, scale, 0.0, DOUBT)  # type: ignore[arg-type]
        for name, (label, transform, centre, scale, direction) in NUMBERS.items()
    ]
    for name in WORDS:
        for word in sorted(table[name].unique())[1:]:
            slug = f"{name}: {word}"
            columns[slug] = (pl.col(name) == word).cast(pl.Float64)
            features.append(Feature(slug, "own", slug, Unit.COUNT, slug, 0, "as it is", 0.0, 1.0, 0.0, DOUBT))
    frame = table.select(pl.col("customerID").alias("client_id"), **columns)
    label = (table["Churn"] == "Yes").to_numpy()
    return Rows(frame, tuple(features), label, np.ones(frame.height), 30)


def folds(rows: Rows) -> list[tuple[Bools, Bools]]:
    """Return (train, test) of five folds with equal shares of those that left."""
    random = np.random.default_rng(rivals.SEED)
    fold = np.zeros(len(rows.label), np.int64)
    for side in (rows.label, ~rows.label):
        fold[random.permutation(np.flatnonzero(side))] = np.arange(int(side.sum())) % FOLDS
    return [(fold != n, fold == n) for n in range(FOLDS)]


def contributions(rows: Rows) -> str:
    """Check that the contributions of every customer sum to its log-odds, and name the largest coefficients."""
    model = rivals.fit_ours(rows, neutral(rows))
    terms = terms_of(model, rows.frame, rows.registry)
    explained = explain(model, terms, np.zeros(rows.frame.height, np.int64))
    eta = log_odds(model, rows.frame, rows.registry)[:, 0]
    off = float(np.max(np.abs(explained.reference + explained.parts.sum(axis=1) - eta)))
    weights: list[tuple[str, Floats]] = [(slug, term.weight) for slug, term in model.intervals[0].terms.items()]  # type: ignore[union-attr, misc]
    top = sorted(weights, key=lambda one: -abs(float(one[1])))[:6]
    words = ", ".join(f"{slug} {weight:+.2f}" for slug, weight in top)
    return (
        f"Contributions and reference sum to the log-odds of all {rows.frame.height:,} customers, off by at most"
        f" {off:.0e}. Largest coefficients per standardised unit: {words}."
    )


if __name__ == "__main__":
    main()
