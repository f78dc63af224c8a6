"""Drift: how far the newest values of the features are from those that the model learned from. Pure."""

from datetime import date, timedelta

import polars as pl

from bellwether.churn.additive import raw_values
from bellwether.churn.card import Drift
from bellwether.churn.factors import FEATURES
from bellwether.churn.labelling import Labels
from bellwether.churn.metrics import psi, tenth_edges
from bellwether.web.formatting import full_day

NEWEST_DAYS = 28
SOME, MUCH = 0.1, 0.25


def drift_of(rows: pl.DataFrame, labels: Labels) -> tuple[list[Drift], str]:
    """Return the drift of each feature, the furthest first, and the days compared in words.

    The newest four weeks of rows against those before them that the model learned from. The season is left out: four
    weeks of it never look like a year.
    """
    last = rows["as_of"].max()
    if not isinstance(last, date):
        return [], ""
    since = last - timedelta(days=NEWEST_DAYS - 1)
    newest = rows.filter(pl.col("as_of") >= since)
    training = rows.filter(pl.Series(labels.used) & (rows["as_of"] < since))
    slugs = [feature.slug for feature in FEATURES if feature.factor != "season"]
    before, after = raw_values(training, slugs), raw_values(newest, slugs)
    found = []
    for feature in FEATURES:
        if feature.slug not in before:
            continue
        value = psi(before[feature.slug], after[feature.slug], tenth_edges(before[feature.slug]))
        usable = value == value
        found.append(Drift(feature.slug, feature.label, value if usable else None, words(value if usable else None)))
    found.sort(key=lambda one: -(one.psi if one.psi is not None else -1.0))
    return found, f"{full_day(since)} to {full_day(last)} against the training rows before"


def words(value: float | None) -> str:
    """Return what a PSI means: "stable" under 0.1, "some drift" up to 0.25, "much drift" above."""
    if value is None:
        return "nothing to compare"
    if value < SOME:
        return "stable"
    return "some drift" if value <= MUCH else "much drift"
