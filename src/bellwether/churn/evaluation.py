"""How well a churn model foretells what it has not seen: fitted fold by fold, measured on the pooled rows. Pure.

Each fold's model is fitted by the callable that trains the real one, on what was known at the fold's start, and takes
its calibration from the fold before (churn.calibrating). All candidates are measured on the same rows. Figures:
docs/reference/churn-model-card.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.additive import AdditiveModel, predict
from bellwether.churn.calibrating import calibrated, carried_over
from bellwether.churn.card import FEW_CHURNED, LEAST_CHURNED, Card, Fold, Kind, Pair, State
from bellwether.churn.evaluation_drift import drift_of
from bellwether.churn.evaluation_figures import Measured, Measuring
from bellwether.churn.factors import HORIZONS
from bellwether.churn.folds import (
    FIRST_TRAINING_DAYS,
    LEAST_FOLD_DAYS,
    FoldRows,
    before,
    folds_in_time,
    folds_of_clients,
    known_by,
)
from bellwether.churn.labelling import Labels
from bellwether.churn.metrics import DRAWS, Bools, Floats, Ints, cluster_weights, numbered
from bellwether.common.progress import NoProgress, Progress

Foretells = AdditiveModel | Callable[[pl.DataFrame], Floats]
"""What a fit returns: a model, or a function from rows to probabilities (rows × 3, cumulative)."""
Fit = Callable[[pl.DataFrame, Labels], Foretells]

BASE_RATE = "base-rate"
TITLES = {
    "hazard": "Hazard model",
    "boosted": "Boosted model",
    "expert": "Expert prior",
    "active": "Version in use",
    BASE_RATE: "Base rate",
    "health": "Health score",
    "last-login": "Last login",
    "usage-drop": "Usage drop",
}
KINDS: dict[str, Kind] = {"expert": "prior", BASE_RATE: "base rate", "health": "score"}
LEAST_DAYS = FIRST_TRAINING_DAYS + LEAST_FOLD_DAYS
CAPACITY = 5
"""Clients that a CSM can take up in a week beside the usual work."""


@dataclass(frozen=True)
class Capacity:
    """How many clients can be taken up in a week: `per_week` by each CSM.

    With a column csm_id in the rows each CSM has a list of his or her own; otherwise one list of `per_week` ×
    `watchers` clients serves all, as if CSMs shared the work.
    """

    per_week: int = CAPACITY
    watchers: int = 1


@dataclass(frozen=True)
class Fixed:
    """A model that is not fitted here, such as the one in use. Of rows before `known_until`, the last day that it
    learned from, it has seen what followed, so it is measured from that day on; None: it has seen nothing."""

    model: AdditiveModel
    known_until: date | None = None


@dataclass(frozen=True)
class Evaluation:
    """The card, and what calibrates the models that are then fitted to all rows.

    `last`: of each fitted candidate its model of the last fold, calibrated on that fold, with the fold's rows.
    """

    card: Card
    last: Mapping[str, tuple[AdditiveModel, pl.DataFrame, Labels]]

    def calibrated(self, key: str, model: AdditiveModel) -> AdditiveModel:
        """Return `model`, fitted to all rows as the candidate `key` is, with the calibration of the last fold.

        Without a fold the model is returned as it is.
        """
        if key not in self.last:
            return model
        old, rows, labels = self.last[key]
        return carried_over(old, model, rows, labels)


def evaluate(rows: pl.DataFrame, labels: Labels, left: pl.DataFrame, **given: Any) -> Card:
    """Return the card of `evaluation`, which see."""
    return evaluation(rows, labels, left, **given).card


def evaluation(
    rows: pl.DataFrame,
    labels: Labels,
    left: pl.DataFrame,
    *,
    fit: Mapping[str, Fit],
    rivals: Mapping[str, Floats],
    until: date,
    capacity: Capacity,
    random: np.random.Generator,
    fixed: Mapping[str, Fixed] | None = None,
    titles: Mapping[str, str] | None = None,
    method: Literal["out of time", "held-out clients"] = "out of time",
    calibrate: bool = True,
    progress: Progress | None = None,
    draws: int = DRAWS,
) -> Evaluation:
    """Return the card of the first candidate of `fit`, with all others beside it, and the calibrations.

    `rows`: FEATURE_ROWS (client_id, as_of, features, tier, industry); `labels` of these rows up to `until`; `left` has
    client_id and left_on. `rivals` are scores and rules by row, low where it is bad, NaN where they say nothing.
    `fixed` models come as they are, the others are calibrated unless `calibrate` is false. The base rate of the
    training rows is always among the candidates. Without enough history the card says what is missing and has no
    figures.
    """
    folds = folds_in_time(rows, labels) if method == "out of time" else folds_of_clients(rows, labels, random)
    card = _counted(rows, labels, folds, until, method, next(iter(fit), ""))
    if not folds:
        return Evaluation(card, {})
    told = progress or NoProgress()
    told.start("Measuring on days that the model has not seen", len(fit) * len(folds))
    foretold, last = {}, {}
    for key, how in fit.items():
        foretold[key], ended = _pooled(rows, labels, folds, how, calibrate, told)
        if ended is not None:
            last[key] = ended
    test = np.any([fold.test for fold in folds], axis=0)
    for key, one in (fixed or {}).items():
        foretold[key] = _of_fixed(rows, test, one)
    foretold[BASE_RATE] = _base_rate(rows, labels, folds)
    clients, count = _client_numbers(rows, test)
    measuring = Measuring(
        rows, labels, left, test, clients, cluster_weights(random, count, draws), _listed(rows, capacity)
    )
    pairs = [
        pair
        for key in fit
        for other in foretold
        if other != key and (pair := _pair(measuring, key, other, foretold)) is not None
    ]
    card = replace(card, pairs=pairs, capacity=_capacity_words(rows, capacity))
    if card.state != "not enough history":
        names = {**TITLES, **(titles or {})}
        measured = [
            *(Measured(key, KINDS.get(key, "model"), names.get(key, key), p, p[:, -1]) for key, p in foretold.items()),
            *(Measured(key, KINDS.get(key, "rule"), names.get(key, key), None, -v) for key, v in rivals.items()),
        ]
        drift, window = drift_of(rows, labels)
        candidates = [measuring.candidate(one, measured[: len(fit)]) for one in measured]
        card = replace(card, candidates=candidates, drift=drift, drift_window=window)
    return Evaluation(card, last)


def _counted(
    rows: pl.DataFrame, labels: Labels, folds: Sequence[FoldRows], until: date, method: str, subject: str
) -> Card:
    """Return the card with its counts alone, and whether they are enough."""
    names = rows["client_id"].to_numpy()
    gone = labels.left_within.any(axis=1)

    def people(mask: Bools) -> int:
        return len(set(names[mask]))

    used = labels.used
    test = np.any([fold.test for fold in folds], axis=0) if folds else np.zeros(rows.height, bool)
    days = rows["as_of"].filter(pl.Series(used))
    horizons = {
        str(horizon): float(labels.left_within[:, k].sum() / labels.decided[:, k].sum())
        if labels.decided[:, k].any()
        else None
        for k, horizon in enumerate(HORIZONS)
    }
    churned = people(test & gone)
    state, message = _judged(people(used & gone), churned, bool(folds), method)
    return Card(
        state=state,
        message=message,
        method=method,
        subject=subject,
        first=str(days.min()) if len(days) else None,
        last=str(days.max()) if len(days) else None,
        until=str(until),
        rows=int(used.sum()),
        clients=people(used),
        churned=people(used & gone),
        base_rates=horizons,
        test_rows=int(test.sum()),
        test_clients=people(test),
        test_churned=churned,
        folds=[_fold(rows, labels, fold, names) for fold in folds],
    )


def _fold(rows: pl.DataFrame, labels: Labels, fold: FoldRows, names: npt.NDArray[np.object_]) -> Fold:
    known = known_by(rows, labels, fold.start)
    return Fold(
        start=str(fold.start) if fold.start else None,
        end=str(fold.end) if fold.end else None,
        training_rows=int(fold.train.sum()),
        training_churned=len(set(names[fold.train & known.left.any(axis=1)])),
        rows=int(fold.test.sum()),
        churned=len(set(names[fold.test & labels.left.any(axis=1)])),
    )


def _judged(churned: int, in_test: int, folds: bool, method: str) -> tuple[State, str]:
    """Return whether there is enough to measure by, and a sentence for people."""
    left = f"{churned} client{'s' if churned != 1 else ''} left so far"
    if not folds:
        return "not enough history", (
            f"Not enough history: {left}. A test needs rows of at least {LEAST_DAYS} days whose first 30 days are over."
        )
    where = "in the months that the test covers" if method == "out of time" else "among the clients held out"
    if in_test < LEAST_CHURNED:
        return "not enough history", (
            f"Not enough history: {left}, {in_test} of them {where}; at least {LEAST_CHURNED} are needed there."
        )
    if in_test < FEW_CHURNED:
        return "few", f"Only {in_test} clients left {where}: the intervals are wide, small differences mean nothing."
    return "ok", f"{in_test} clients left {where}."


def _pooled(
    rows: pl.DataFrame, labels: Labels, folds: Sequence[FoldRows], fit: Fit, calibrate: bool, told: Progress
) -> tuple[Floats, tuple[AdditiveModel, pl.DataFrame, Labels] | None]:
    """Return the probabilities of all test rows (NaN elsewhere), and the last fold's model with its rows."""
    models: list[Foretells] = []
    for fold in folds:
        known = known_by(rows, labels, fold.start)
        models.append(fit(rows.filter(pl.Series(fold.train)), known.taken(fold.train)))
        told.advance()
    found = np.full((rows.height, len(HORIZONS)), np.nan)
    for at, fold in enumerate(folds):
        model, by = models[at], before(folds, at)
        if isinstance(model, AdditiveModel) and calibrate and by is not None:
            earlier = _on_fold(models[by], rows, known_by(rows, labels, fold.start), folds[by])
            model = model if earlier is None else carried_over(earlier[0], model, *earlier[1:])
        held = rows.filter(pl.Series(fold.test))
        found[fold.test] = predict(model, held).p if isinstance(model, AdditiveModel) else model(held)
    return found, _on_fold(models[-1], rows, labels, folds[-1]) if calibrate else None


def _on_fold(
    model: Foretells, rows: pl.DataFrame, labels: Labels, fold: FoldRows
) -> tuple[AdditiveModel, pl.DataFrame, Labels] | None:
    """Return `model` calibrated on the rows of a fold that it has not seen, with those whose outcome is known."""
    known = fold.test & labels.used
    if not isinstance(model, AdditiveModel) or not known.any():
        return None
    held, followed = rows.filter(pl.Series(known)), labels.taken(known)
    return calibrated(model, held, followed), held, followed


def _of_fixed(rows: pl.DataFrame, test: Bools, one: Fixed) -> Floats:
    found = np.full((rows.height, len(HORIZONS)), np.nan)
    use = test if one.known_until is None else test & (rows["as_of"] >= one.known_until).to_numpy()
    if use.any():
        found[use] = predict(one.model, rows.filter(pl.Series(use))).p
    return found


def _base_rate(rows: pl.DataFrame, labels: Labels, folds: Sequence[FoldRows]) -> Floats:
    """Return the share of training rows that left, by interval and put together as a model's are."""
    found = np.full((rows.height, len(HORIZONS)), np.nan)
    for fold in folds:
        known = known_by(rows, labels, fold.start).taken(fold.train)
        weight = known.weights[:, None]
        risk, gone = (weight * known.at_risk).sum(axis=0), (weight * known.left).sum(axis=0)
        hazard = np.divide(gone, risk, out=np.zeros_like(gone), where=risk > 0)
        found[fold.test] = 1 - np.cumprod(1 - hazard)
    return found


def _pair(measuring: Measuring, key: str, other: str, foretold: Mapping[str, Floats]) -> Pair | None:
    difference, rows, churned = measuring.paired(foretold[key], foretold[other])
    return Pair(key, other, difference, rows, churned) if rows else None


def _listed(rows: pl.DataFrame, capacity: Capacity) -> tuple[Ints, int]:
    """Return the list that each row competes for, as a number by week (and CSM), and how many fit on one."""
    names = rows["as_of"].cast(pl.String)
    most = capacity.per_week * max(capacity.watchers, 1)
    if "csm_id" in rows.columns:
        names, most = names + " " + rows["csm_id"].fill_null(""), capacity.per_week
    return numbered(names.to_numpy())[0], most


def _capacity_words(rows: pl.DataFrame, capacity: Capacity) -> str:
    each = f"{capacity.per_week} client{'s' if capacity.per_week != 1 else ''}"
    if "csm_id" in rows.columns:
        return f"{each} per CSM and week"
    total = capacity.per_week * max(capacity.watchers, 1)
    return f"{total} clients a week, {each} for each of {max(capacity.watchers, 1)} CSMs"


def _client_numbers(rows: pl.DataFrame, test: Bools) -> tuple[Ints, int]:
    """Return each test row's client as a number from 0, -1 elsewhere, and how many clients there are."""
    found = np.full(rows.height, -1, np.int64)
    found[test], count = numbered(rows["client_id"].filter(pl.Series(test)).to_numpy())
    return found, count
