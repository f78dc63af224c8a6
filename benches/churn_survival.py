"""Does the discrete hazard hold its own as a survival model? On the 2,000 companies of `saas-survival-pysurvival`:

    python -m benches.churn_survival DATA

Each company has the months that it was a customer (0 to 12) and whether it left or was still there (censored). It
becomes a row for each month in which it was at risk; the hazard of a month is fitted with the product's one-interval
fit on the columns and on how long the company had been a customer, with a neutral prior. From the hazards follows the
chance of staying t months, as from the product's own intervals. Five folds of companies.

Concordance is Harrell's. AUC and Brier of a horizon count companies whose state at it is known, each weighed by the
inverse of its chance of not being censored before (Kaplan-Meier). Intervals are 95 %, over companies, 300 draws. The
columns are of the time of the snapshot, not of each month: clicks and minutes grow while a company stays, so the
figures flatter every model alike. They compare models; they say nothing of how well churn can be foretold.
"""

# ruff: noqa: E402 (Django is set up before its models are imported)
import argparse
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
import django

django.setup()

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from bellwether.churn.factors import Feature
from bellwether.health.measures import Unit
from benches import churn_rivals as rivals
from benches.churn_rivals import Floats, Ints, Model, Rows

FOLDS, MONTHS, DRAWS = 5, 12, 300
HORIZONS = (3, 6)
NUMBERS = {
    "product_data_storage": ("log", 6.9, 1.0), "csat_score": ("as it is", 7.0, 2.0),
    "articles_viewed": ("log(1 + x)", 1.2, 0.7), "smartphone_notifications_viewed": ("log(1 + x)", 0.5, 0.7),
    "marketing_emails_clicked": ("log(1 + x)", 2.5, 0.7), "social_media_ads_viewed": ("log(1 + x)", 0.5, 0.7),
    "minutes_customer_support": ("log(1 + x)", 1.5, 1.0),
}  # fmt: skip
"""Column: transform, centre, scale."""
WORDS = ("product_travel_expense", "product_payroll", "product_accounting", "company_size", "us_region")
TIME = {"month": ("as it is", 4.0, 2.5), "month (log)": ("log", 1.2, 0.6), "first month": ("as it is", 0.0, 1.0)}


@dataclass(frozen=True)
class Companies:
    """`frame` has client_id and the columns, `months` and `left` by company; `features` of the columns."""

    frame: pl.DataFrame
    months: Ints
    left: npt.NDArray[np.bool_]
    features: tuple[Feature, ...]

    def taken(self, which: npt.NDArray[np.bool_]) -> "Companies":
        """Return some of the companies."""
        return replace(
            self, frame=self.frame.filter(pl.Series(which)), months=self.months[which], left=self.left[which]
        )


Survival = Callable[[Companies, Companies], Floats]
"""Fits on the first companies and returns the chance of the others to stay 1 to 12 months, companies × months."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    began = time.perf_counter()
    companies = read(parser.parse_args().data / "churn.csv")
    count = len(companies.left)
    fold = np.random.default_rng(rivals.SEED).permutation(count) % FOLDS
    stays, seconds = {}, {}
    for name, model in MODELS.items():
        start = time.perf_counter()
        found = np.empty((count, MONTHS))
        for n in range(FOLDS):
            found[fold == n] = model(companies.taken(fold != n), companies.taken(fold == n))
        stays[name], seconds[name] = found, time.perf_counter() - start
    print(f"{count:,} companies, {int(companies.left.sum())} left, {int(companies.months.sum()):,} months at risk.\n")
    print(figures(companies, stays, seconds))
    print(f"\nAll in {time.perf_counter() - began:.0f} s.")


def read(path: Path) -> Companies:
    """Return the companies; a category becomes a feature of each of its words but the first."""
    table = pl.read_csv(path)
    columns: dict[str, pl.Expr] = {name: pl.col(name).cast(pl.Float64) for name in NUMBERS}
    features = [_feature(name, *how) for name, how in NUMBERS.items()]
    for name in WORDS:
        for word in sorted(table[name].unique())[1:]:
            columns[f"{name}: {word}"] = (pl.col(name) == word).cast(pl.Float64)
            features.append(_feature(f"{name}: {word}", "as it is", 0.0, 1.0))
    frame = table.with_row_index("row").select(pl.col("row").cast(pl.String).alias("client_id"), **columns)
    months = table["months_active"].cast(pl.Int64).to_numpy()
    return Companies(frame, months, (table["churned"] == 1).to_numpy(), tuple(features))


def _feature(slug: str, transform: str, centre: float, scale: float) -> Feature:
    return Feature(slug, "own", slug, Unit.COUNT, slug, 0, transform, centre, scale, 0.0, 1.0)  # type: ignore[arg-type]


def by_months(companies: Companies, months: Ints) -> Rows:
    """Return a row for each company and month from 1 to `months`, labelled where the company left at its end."""
    at = np.repeat(np.arange(len(months)), months)
    month = np.concatenate([np.arange(1, n + 1) for n in months]) if len(at) else np.zeros(0, np.int64)
    timed = {"month": month, "month (log)": month, "first month": month == 1}
    frame = companies.frame[at].with_columns(
        **{name: pl.Series(values.astype(float)) for name, values in timed.items()}
    )
    label = (month == companies.months[at]) & companies.left[at]
    features = (*companies.features, *(_feature(name, *how) for name, how in TIME.items()))
    return Rows(frame, features, label, np.ones(len(at)), 30)


def discrete(model: Model) -> Survival:
    """Return the survival that follows from a model of each month's hazard."""

    def run(train: Companies, test: Companies) -> Floats:
        whole = np.full(len(test.left), MONTHS)
        hazard = model(by_months(train, train.months), by_months(test, whole)).reshape(-1, MONTHS)
        return np.cumprod(1 - hazard, axis=1)

    return run


def cox(train: Companies, test: Companies) -> Floats:
    """Return lifelines' Cox model of proportional hazards."""
    from lifelines import CoxPHFitter

    def design(companies: Companies) -> pd.DataFrame:
        rows = Rows(companies.frame, companies.features, companies.left, np.ones(len(companies.left)), 30)
        return pd.DataFrame(rows.standard(), columns=[one.slug for one in companies.features])

    frame = design(train)
    frame["months"], frame["left"] = train.months, train.left
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = CoxPHFitter(penalizer=0.01).fit(frame, "months", "left")
        found = fitter.predict_survival_function(design(test), times=range(1, MONTHS + 1))
    return np.asarray(found.to_numpy().T, np.float64)


def all_alike(train: Companies, test: Companies) -> Floats:
    """Return the training companies' own Kaplan-Meier curve for everybody."""
    from lifelines import KaplanMeierFitter

    curve = KaplanMeierFitter().fit(train.months, train.left).predict(range(1, MONTHS + 1)).to_numpy()
    return np.tile(curve, (len(test.left), 1))


def neutral(rows: Rows) -> rivals.Prior:
    """Return the prior without an expert: coefficients around 0, give or take 1 per standardised unit."""
    return rivals.neutral(rows.features, float(rows.label.mean()))


MODELS: Mapping[str, Survival] = {
    "Ours: monthly hazard, neutral prior, calibrated": discrete(rivals.ours(neutral)),
    "Ours, not calibrated": discrete(rivals.ours(neutral, calibrate=False)),
    "Cox, proportional hazards (lifelines)": cox,
    "Logistic regression by month (scikit-learn)": discrete(rivals.logistic_regression),
    "Gradient boosting by month (scikit-learn)": discrete(rivals.gradient_boosting),
    "All alike (Kaplan-Meier)": all_alike,
}


def figures(companies: Companies, stays: Mapping[str, Floats], seconds: Mapping[str, float]) -> str:
    """Return the table: concordance, AUC and Brier of the horizons, and the Brier over months 1 to 9 together."""
    heads = [f"{what}, {month} months" for what in ("AUC", "Brier") for month in HORIZONS]
    lines = [
        "| model | concordance | " + " | ".join(heads) + " | Brier, months 1 to 9 | fits, s |",
        "|---" * (4 + len(heads)) + "|",
    ]
    draws = np.random.default_rng(rivals.SEED).integers(len(companies.left), size=(DRAWS, len(companies.left)))
    for name, found in stays.items():
        point = measured(companies, found, np.arange(len(companies.left)))
        sample = np.array([measured(companies, found, draw) for draw in draws])
        low, high = np.nanquantile(sample, [0.025, 0.975], axis=0)
        cells = [f"{v:.3f} ({a:.3f} to {b:.3f})" for v, a, b in zip(point, low, high, strict=True)]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {seconds[name]:.1f} |")
    return "\n".join(lines)


def measured(companies: Companies, stays: Floats, at: Ints) -> Floats:
    """Return concordance, AUC by horizon, Brier by horizon and the mean Brier of months 1 to 9, of some companies."""
    from lifelines.utils import concordance_index

    months, left, chance = companies.months[at], companies.left[at], stays[at]
    uncensored = not_censored(months, left)
    areas, squares = [], {}
    for month in range(1, 10):
        gone, there = left & (months <= month), months > month
        weights = np.where(gone, 1 / uncensored[np.maximum(months - 1, 0)], np.where(there, 1 / uncensored[month], 0.0))
        risk = 1 - chance[:, month - 1]
        squares[month] = float((weights * (risk - gone) ** 2).sum() / len(at))
        if month in HORIZONS:
            areas.append(weighted_auc(risk, gone, there, weights))
    concordance = concordance_index(months, chance.sum(axis=1), left)
    return np.array([concordance, *areas, *(squares[month] for month in HORIZONS), np.mean(list(squares.values()))])


def not_censored(months: Ints, left: npt.NDArray[np.bool_]) -> Floats:
    """Return the chance of not being censored through each month from 0 on; who leaves in a month is not at risk."""
    chance, found = 1.0, []
    for month in range(MONTHS + 1):
        at_risk = (months > month) | ((months == month) & ~left)
        censored = ((months == month) & ~left).sum()
        chance *= 1 - censored / at_risk.sum() if at_risk.sum() else 1.0
        found.append(max(chance, 1e-3))
    return np.array(found)


def weighted_auc(risk: Floats, gone: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_], weights: Floats) -> float:
    """Return how probably a company that left has the higher risk than one that stayed, ties counting half."""
    values, at = np.unique(risk, return_inverse=True)
    lost = np.bincount(at[gone], weights=weights[gone], minlength=len(values))
    kept = np.bincount(at[there], weights=weights[there], minlength=len(values))
    below = np.cumsum(kept) - kept / 2
    return float((lost * below).sum() / (lost.sum() * kept.sum()))


if __name__ == "__main__":
    main()
