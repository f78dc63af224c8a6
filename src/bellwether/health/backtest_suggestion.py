"""Suggested weights: fitted on the past, checked on what came after it. Pure."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from bellwether.health import backtest_metrics as metrics
from bellwether.health.backtest_evaluation import DRAWS, LEAST_CHURNED, verdict
from bellwether.health.backtest_outcomes import CENSORED
from bellwether.health.backtest_result import Interval, Suggestion
from bellwether.health.backtest_weights import fit_weights, whole_weights
from bellwether.health.engine import score_measures
from bellwether.health.scorecard import Scorecard, parse_scorecard

TRAIN_SHARE = 0.6
"""The split leaves about so much of the churned clients to the fit."""


def suggest(
    measures: pl.DataFrame,
    scored: pl.DataFrame,
    labels: pl.DataFrame,
    definition: dict[str, Any],
    card: Scorecard,
    *,
    horizon: int,
    random: np.random.Generator,
    draws: int = DRAWS,
) -> Suggestion:
    """Return better weights for `card`, if there are any that hold on later days.

    `measures` and `scored` (as the engine gives them) have the rows of `labels` (client_id, as_of, label) in the same
    order. The fit sees rows whose horizon ended by the split; the check sees rows from the split on, without clients
    that churned in the fit's rows. A suggestion is made where the 95 % interval of the gain lies above 0.
    """
    base = Suggestion("none", "", horizon, current=card.weights)
    if card.points:
        return replace(base, message="A scorecard of points has its weights in its formulas: none are suggested.")
    if len(card.components) < 2:
        return replace(base, message="There is one component only, so there is nothing to weigh.")
    decided = labels.with_row_index("row").filter(pl.col("label") != CENSORED)
    split = best_split(decided, horizon)
    train, test = part_at(decided, split, horizon) if split else (decided.clear(), decided.clear())
    base = replace(base, split=str(split) if split else None, train=_counts(train), test=_counts(test))
    if min(base.train["churned"], base.test["churned"]) < LEAST_CHURNED:
        return replace(
            base,
            state="not enough history",
            message="Not enough history for suggestions: "
            f"{base.train['churned']} churned clients to learn from and {base.test['churned']} later ones to check on; "
            f"at least {LEAST_CHURNED} of each are needed.",
        )
    keys = [component.key for component in card.components]
    columns = scored[train["row"]].select(pl.col(key).cast(pl.Float64).fill_null(float("nan")) for key in keys)
    weights = whole_weights(
        fit_weights(
            columns.to_numpy(),
            (train["label"] == 1).to_numpy(),
            train["client_id"].rank("dense").cast(pl.Int64).to_numpy(),
            np.array([component.weight for component in card.components]),
            random,
        )
    )
    changed = with_weights(definition, dict(zip(keys, weights, strict=True)))
    again = score_measures(measures[test["row"]], parse_scorecard(changed))
    gain, before, after = gain_of(scored[test["row"]]["score"], again["score"], test, random, draws)
    found = replace(base, gain=gain, auc_current=before, auc_suggested=after)
    if verdict(gain) != "better" or weights == [component.weight for component in card.components]:
        return replace(found, message=f"No better weights found: {_gain_words(gain)}.")
    return replace(
        found,
        state="found",
        weights=dict(zip(keys, weights, strict=True)),
        definition=changed,
        message=f"These weights would have ranked clients better from {split} on: {_gain_words(gain)}.",
    )


def best_split(decided: pl.DataFrame, horizon: int) -> date | None:
    """Return the as-of day that best leaves 60 % of the churned clients to the fit and 40 % to the check."""
    best, found = 0.0, None
    for day in decided["as_of"].unique().sort():
        train, test = (
            part.filter(pl.col("label") == 1)["client_id"].n_unique() for part in part_at(decided, day, horizon)
        )
        worth = min(train / TRAIN_SHARE, test / (1 - TRAIN_SHARE))
        if worth > best:
            best, found = worth, day
    return found


def part_at(decided: pl.DataFrame, split: date, horizon: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows to fit on, whose horizon is over by `split`, and those to check on, of other churned clients."""
    train = decided.filter(pl.col("as_of") + timedelta(days=horizon) <= split)
    churned = train.filter(pl.col("label") == 1).select("client_id").unique()
    test = decided.filter(pl.col("as_of") >= split).join(churned, on="client_id", how="anti", maintain_order="left")
    return train, test


def with_weights(definition: dict[str, Any], weights: dict[str, int]) -> dict[str, Any]:
    """Return a copy of the definition with these weights by component."""
    changed = deepcopy(definition)
    for component in changed["components"]:
        component["weight"] = weights[component["key"]]
    return changed


def gain_of(
    before: pl.Series, after: pl.Series, rows: pl.DataFrame, random: np.random.Generator, draws: int
) -> tuple[Interval, float | None, float | None]:
    """Return the AUC gained on rows that have both scores, and the AUC before and after."""
    both = (before.is_not_null() & after.is_not_null()).to_numpy()
    clients = rows.filter(pl.Series(both))["client_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    churned = (rows["label"] == 1).to_numpy()[both]
    count = int(clients.max()) + 1 if len(clients) else 0
    if not count:
        return Interval(), None, None
    weights = metrics.cluster_weights(random, count, draws)
    old, new = (
        metrics.tally(scores.cast(pl.Float64).to_numpy()[both], churned, clients, count) for scores in (before, after)
    )
    values = metrics.auc(*old.drawn()), metrics.auc(*new.drawn())
    many = metrics.auc(*new.drawn(weights)) - metrics.auc(*old.drawn(weights))
    gain = metrics.estimate(float((values[1] - values[0])[0]), many)
    return gain, float(values[0][0]), float(values[1][0])


def _gain_words(gain: Interval) -> str:
    if gain.value is None:
        return "the scores of later days cannot be compared"
    return f"AUC {gain.value:+.3f} on later days, 95% interval {gain.low95:+.3f} to {gain.high95:+.3f}"


def _counts(rows: pl.DataFrame) -> dict[str, Any]:
    first, last = rows["as_of"].min(), rows["as_of"].max()
    return {
        "rows": rows.height,
        "clients": rows["client_id"].n_unique(),
        "churned": rows.filter(pl.col("label") == 1)["client_id"].n_unique(),
        "first": str(first) if first else None,
        "last": str(last) if last else None,
    }
