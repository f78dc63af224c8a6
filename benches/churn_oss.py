"""Does the churn model foretell real organisations going silent? On a home that holds the events of `oss-usage` (57
open-source projects read as clients, 2008 to 2026), with the folder of that data set for its labels:

    bellwether import events DATA/events.parquet …      (see docs/how-to/import-your-data.md)
    python -m benches.churn_oss DATA [--keep rows.parquet]

Rows and labels are those of labels_monthly.csv: a row a client and month start, where it was active. The features of a
row are read as known at the end of the day before, so that nothing that was received later is in them. Two labels: no
event in the next 90 days, and activity of 180 days down to a tenth or less. Each is foretold twice:

- out of time: the months are cut at half, five blocks follow; the model of a block learned from the rows whose label
  was known when the block began;
- held-out clients: ten folds of whole clients, of all times.

A third question needs none of these labels: of the clients that ended for good (labels_final.csv), when? There the
product's dated hazard (three intervals of 30 days) is fitted out of time to the day of the last sustained activity, on
the same rows.

Intervals are 95 %, over clients. `--keep` stores the rows that were read (some minutes), and reads them the next time.
"""

# ruff: noqa: E402 (Django is set up before its models are imported)
import argparse
import os
import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
import django

django.setup()

import numpy as np
import polars as pl
from django.utils import timezone

from bellwether.churn.additive import AdditiveModel, predict
from bellwether.churn.calibrating import calibrated, carried_over
from bellwether.churn.factors import FEATURES
from bellwether.churn.fitting import expert_model, fit_hazard
from bellwether.churn.folds import folds_in_time, known_by
from bellwether.churn.labelling import Labels, interval_labels
from bellwether.churn.reading import read_features
from bellwether.health.backtest_reading import ids_by_organization
from bellwether.health.replay import score_frames
from benches import churn_rivals as rivals
from benches.churn_rivals import Bools, Floats, Model, Result, Rows

BLOCKS, CLIENT_FOLDS = 5, 10
MONTH = 365.25 / 12
LABELS = {
    "churn_next_90d": ("No event in the next 90 days", 90),
    "collapse_next_180d": ("Activity of 180 days down to a tenth or less", 180),
}
RULES = ("Health score, usage only", "Days since use", "Users, 30 against 90 days")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    began = time.perf_counter()
    labels = pl.read_csv(asked.data / "labels_monthly.csv", try_parse_dates=True).join(
        ids_by_organization(), left_on="client_id", right_on="organization_id"
    )
    labels = labels.rename({"client_id": "name", "client_id_right": "client_id"})
    frame = kept(asked.keep, sorted(set(labels["as_of"])))
    print(f"Rows read in {time.perf_counter() - began:.0f} s.")
    print(leak_check(frame, asked.data))
    for label, (title, days) in LABELS.items():
        rows = labelled(frame, labels, label, days)
        for words, folds in (("out of time", in_time(rows)), ("held-out clients", by_clients(rows))):
            tested, results = rivals.run(rows, folds, models(days), RULES)
            print("\n" + rivals.table(tested, results, f"**{title}, {words}**"))
    active = frame.join(labels.select("client_id", "as_of"), on=["client_id", "as_of"], how="semi")
    print("\n" + ended_for_good(active, asked.data))
    print(f"\nAll in {time.perf_counter() - began:.0f} s.")


def models(days: int) -> dict[str, Model]:
    """Return what competes; ours first."""

    def expert(rows: Rows) -> rivals.Prior:
        return rivals.expert_within(rows.features, days)

    return {
        "Ours: hazard with expert prior, calibrated": rivals.ours(expert),
        "Ours, not calibrated": rivals.ours(expert, calibrate=False),
        "Ours without expert and directions": rivals.ours(lambda rows: rivals.flat(expert(rows)), calibrate=False),
        "Expert prior alone, no history": rivals.expert_alone(expert),
        "Logistic regression (scikit-learn)": rivals.logistic_regression,
        "Gradient boosting (scikit-learn)": rivals.gradient_boosting,
        "Cox, covariates that change (lifelines)": rivals.cox_over_time(age, MONTH),
        "Health score, usage only": rivals.ranking("score", -1.0),
        "Days since use": rivals.ranking("days_since_use"),
        "Users, 30 against 90 days": rivals.ranking("usage_change_month", -1.0),
        "Base rate": rivals.base_rate,
    }


def age(rows: Rows) -> Floats:
    """Return the client's days since its first event."""
    return np.asarray(rows.frame["tenure_days"].fill_null(0.0).to_numpy(), np.float64)


def kept(path: Path | None, days: Sequence[date]) -> pl.DataFrame:
    """Return the features and the health score of each client at the start of each of `days`."""
    if path is not None and path.exists():
        return pl.read_parquet(path)
    before, now = [day - timedelta(days=1) for day in days], timezone.now()
    frame = read_features(before, now=now)
    scores = pl.concat([scored for _, scored in score_frames(before, now=now, as_known=True)])
    scores = scores.select("client_id", pl.col("date").alias("as_of"), pl.col("score").cast(pl.Float64))
    frame = frame.join(scores, on=["client_id", "as_of"], how="left", maintain_order="left")
    frame = frame.with_columns(pl.col("as_of") + timedelta(days=1))
    if path is not None:
        frame.write_parquet(path)
    return frame


def leak_check(frame: pl.DataFrame, data: Path) -> str:
    """Compare the days since use with a count of our own over the events received before each row's day."""
    events = (
        pl.read_parquet(data / "events.parquet")
        .filter(~pl.col("is_bot"))
        .select(pl.col("client_id").cast(pl.String), pl.col("ts").dt.date().alias("day"), "received_at")
        .join(ids_by_organization(), left_on="client_id", right_on="organization_id")
    )
    checked = agreed = 0
    for (day,), rows in frame.sort("as_of").gather_every(7).group_by("as_of", maintain_order=True):
        begins = pl.lit(day).cast(pl.Datetime("us", "UTC"))
        known = events.filter((pl.col("received_at") < begins) & (pl.col("day") < pl.lit(day)))
        last = known.group_by("client_id_right").agg(pl.col("day").max())
        joined = rows.join(last, left_on="client_id", right_on="client_id_right")
        own = (joined["as_of"] - joined["day"]).dt.total_days() - 1
        both = joined["days_since_use"].is_not_null()
        checked += int(both.sum())
        agreed += int((own == joined["days_since_use"]).filter(both).sum())
    return f"Days since use as counted from the events received by then: {agreed:,} of {checked:,} rows agree."


def labelled(frame: pl.DataFrame, labels: pl.DataFrame, label: str, days: int) -> Rows:
    """Return the rows of which the label is known, with the features that at least one of them knows."""
    known = labels.filter(pl.col(label).is_not_null()).select("client_id", "as_of", label)
    rows = known.join(frame, on=["client_id", "as_of"], how="inner", maintain_order="left").sort("as_of", "client_id")
    if rows.height != known.height:
        print(f"{known.height - rows.height:,} of {known.height:,} labelled rows have no features and are left out.")
    features = tuple(one for one in FEATURES if rows[one.slug].is_not_null().any())
    order = rows["as_of"].to_physical().cast(pl.Int64).to_numpy()
    return Rows(rows, features, (rows[label] == 1).to_numpy(), np.full(rows.height, MONTH / days), days, order)


def in_time(rows: Rows) -> list[tuple[Bools, Bools]]:
    """Return (train, test) of five blocks of months after half of the rows; a label that was open does not train."""
    assert rows.order is not None
    edges = np.quantile(rows.order, np.linspace(0.5, 1, BLOCKS + 1))
    edges[-1] += 1
    return [
        (rows.order + rows.days <= start, (rows.order >= start) & (rows.order < end)) for start, end in pairwise(edges)
    ]


def by_clients(rows: Rows) -> list[tuple[Bools, Bools]]:
    """Return (train, test) of ten folds of whole clients, those with an outcome spread over them."""
    clients = rows.clients
    ever = np.zeros(int(clients.max()) + 1, bool)
    ever[clients[rows.label]] = True
    random = np.random.default_rng(rivals.SEED)
    fold = np.zeros(len(ever), np.int64)
    at = np.concatenate([random.permutation(np.flatnonzero(ever)), random.permutation(np.flatnonzero(~ever))])
    fold[at] = np.arange(len(at)) % CLIENT_FOLDS
    return [(fold[clients] != n, fold[clients] == n) for n in range(CLIENT_FOLDS)]


def ended_for_good(frame: pl.DataFrame, data: Path) -> str:
    """Return the figures of the product's dated hazard: leaves on the day of the last sustained activity."""
    ids = ids_by_organization()
    final = pl.read_csv(data / "labels_final.csv", try_parse_dates=True).join(
        ids, left_on="client_id", right_on="organization_id"
    )
    gone = final["status"].is_in(["churned", "churned_stray"])
    left = final.filter(gone).select(
        pl.col("client_id_right").alias("client_id"), pl.col("last_sustained_activity").dt.date().alias("left_on")
    )
    observed = final.filter(~gone).select(
        pl.col("client_id_right").alias("client_id"), pl.col("observed_until").dt.date().alias("last_day")
    )
    last_days = pl.concat([left.rename({"left_on": "last_day"}), observed])
    until = max(final["observed_until"].dt.date())
    rows = frame.sort("as_of", "client_id")
    labels = interval_labels(rows, left, last_days, until, step_days=30)
    folds = folds_in_time(rows, labels, BLOCKS)
    fitted: dict[str, list[Floats]] = {}
    tested, rates, seconds = [], [], 0.0
    for fold in folds:
        known = known_by(rows, labels, fold.start)
        train, inside = rows.filter(pl.Series(fold.train)), known.taken(fold.train)
        test = rows.filter(pl.Series(fold.test))
        began = time.perf_counter()
        model = trained(train, inside)
        seconds += time.perf_counter() - began
        for name, one in (("Ours: dated hazard, p90", model), ("Expert prior alone, no history", expert_model())):
            fitted.setdefault(name, []).append(predict(one, test).p[:, -1])
        for name, slug, sign in (("Days since use", "days_since_use", 1), ("Health score, usage only", "score", -1)):
            values = sign * test[slug].cast(pl.Float64).to_numpy()
            fitted.setdefault(name, []).append(np.where(np.isnan(values), np.nanmedian(values), values))
        tested.append(np.flatnonzero(fold.test))
        decided = inside.decided[:, -1]
        rates.append(np.full(test.height, inside.left_within[decided, -1].mean() if decided.any() else 0.0))
    at = np.concatenate(tested)
    decided = labels.decided[at, -1]
    at = at[decided]
    whole = Rows(rows[at], (), labels.left_within[at, -1], np.ones(len(at)), 90)
    results = [
        Result(name, np.concatenate(parts)[decided], seconds if n == 0 else 0.0, name not in RULES)
        for n, (name, parts) in enumerate(fitted.items())
    ]
    results.append(Result("Base rate", np.concatenate(rates)[decided], 0.0, True))
    return rivals.table(whole, results, "**Ended for good within 90 days (last sustained activity), out of time**")


def trained(rows: pl.DataFrame, labels: Labels) -> AdditiveModel:
    """Return the dated hazard as training makes it: fitted, and calibrated on the newest fifth of the days."""
    model = fit_hazard(rows, labels)
    edge = rows["as_of"].sort()[int(rows.height * (1 - rivals.CALIBRATION_SHARE))]
    newest = (rows["as_of"] >= edge).to_numpy()
    before = known_by(rows, labels, edge)
    later = rows.filter(pl.Series(newest))
    checked = calibrated(
        fit_hazard(rows.filter(pl.Series(~newest)), before.taken(~newest)), later, labels.taken(newest)
    )
    return carried_over(checked, model, later, labels.taken(newest))


if __name__ == "__main__":
    main()
