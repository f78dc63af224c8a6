"""Learns a version: fits hazard and challenger, measures both out of time, calibrates, decides. Pure; needs SciPy.

The better of hazard and boosted model by out-of-time log loss stands for the new version; it is put before the one in
use only where it is clearly the better of the two on the same rows (churn.card.better).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from bellwether.churn.additive import AdditiveModel
from bellwether.churn.boosting import fit_boosted
from bellwether.churn.calibrating import calibrated, carried_over
from bellwether.churn.card import LEAST_COMPARED, Card, Decision, better, complete
from bellwether.churn.evaluation import LEAST_DAYS, Capacity, Fixed, evaluate
from bellwether.churn.fitting import FitError, fit_hazard, fit_renewal
from bellwether.churn.folds import folds_in_time
from bellwether.churn.labelling import RENEWAL_WINDOW_DAYS, Labels, interval_labels, renewal_labels
from bellwether.churn.metrics import Floats
from bellwether.common.errors import BellwetherError
from bellwether.common.progress import NoProgress, Progress

SEED = 20_260_101
LEAST_CALIBRATING = 5
"""Terms that must have been lost after a renewal model's last day before they calibrate it."""
Key = Literal["hazard", "boosted"]
LEAST_FOR_TREES = 30
"""Clients that left in the rows by which the boosted model is put before the hazard: it has no expert behind it, and
after a dozen leavings its trees call nobody likely to leave (docs/adr/0048)."""


class NotEnoughHistoryError(BellwetherError):
    """There is too little to learn from; the text says what is missing."""


@dataclass(frozen=True)
class History:
    """What is learned from: `rows` (FEATURE_ROWS), how clients and terms ended as churn.reading.Endings, and the last
    day of which leaving is known."""

    rows: pl.DataFrame
    left: pl.DataFrame
    last_days: pl.DataFrame
    terms: pl.DataFrame
    until: date

    def labels(self) -> Labels:
        """Return what followed each row."""
        return interval_labels(self.rows, self.left, self.last_days, self.until)

    def renewals(self, until: date | None = None) -> Labels:
        """Return whether the next term of each row was not renewed, as far as `until` shows (default: all)."""
        return renewal_labels(self.rows, self.terms, self.left, until or self.until, last_days=self.last_days)


@dataclass(frozen=True)
class Incumbent:
    """The version in use. `known_until`: the last day that it learned from, None for the expert prior."""

    hazard: AdditiveModel
    title: str
    known_until: date | None

    @property
    def key(self) -> str:
        """Its name among the candidates."""
        return "expert" if self.known_until is None else "active"


@dataclass(frozen=True)
class Learned:
    """A new version: the models, calibrated, the card, and whether it is put into use."""

    kind: Key
    hazard: AdditiveModel
    renewal: AdditiveModel
    card: Card
    decision: Decision


def learn(
    history: History,
    incumbent: Incumbent,
    *,
    expert: AdditiveModel,
    rivals: Mapping[str, Floats],
    capacity: Capacity,
    must: bool = False,
    progress: Progress | None = None,
) -> Learned:
    """Return a new version learned from all of the history, with its card.

    `rivals`: scores and rules by row, to be compared with. Raises NotEnoughHistoryError where the new version could not
    be compared with the one in use; with `must` only where nobody has left.
    """
    progress = progress or NoProgress()
    rows, labels = history.rows, history.labels()
    _check_enough(rows, labels, must)
    fits = _Fits()
    fixed = {"expert": Fixed(expert)}
    if incumbent.known_until is not None:
        fixed["active"] = Fixed(incumbent.hazard, incumbent.known_until)
    card = evaluate(
        rows,
        labels,
        history.left,
        fit={"hazard": fits.hazard, "boosted": fits.boosted},
        rivals=rivals,
        until=history.until,
        capacity=capacity,
        random=np.random.default_rng(SEED),
        fixed=fixed,
        calibrate=calibrated,
        titles={"active": incumbent.title},
        progress=progress,
    )
    proven = fits.has_boosted and better(card, "boosted", "hazard", least=LEAST_FOR_TREES).better
    key: Key = "boosted" if proven else "hazard"
    decision = better(card, key, incumbent.key)
    progress.start("Learning from everything", 2)
    hazard = _calibrated_hazard(rows, labels, fits, key)
    progress.advance()
    renewal = _calibrated_renewal(history)
    progress.advance()
    in_use = key if decision.better else incumbent.key
    card = complete(card, hazard, subject=key, in_use=in_use, why=decision.reason)
    if fits.fallbacks:
        note = f"Too few clients had left by {fits.fallbacks} of the tests to grow trees: the hazard stands in there."
        card = replace(card, notes=[*card.notes, note])
    return Learned(key, hazard, renewal, card, decision)


def _check_enough(rows: pl.DataFrame, labels: Labels, must: bool) -> None:
    """Raise NotEnoughHistoryError where too few clients left for any comparison; nothing has been fitted by then."""
    names = rows["client_id"]
    gone = names.filter(pl.Series(labels.left_within.any(axis=1))).n_unique()
    folds = folds_in_time(rows, labels)
    tested = np.any([fold.test for fold in folds], axis=0) if folds else np.zeros(rows.height, bool)
    compared = names.filter(pl.Series(tested & labels.left.any(axis=1))).n_unique()
    clients = f"{gone} client{'s' if gone != 1 else ''} left in the weeks that training looks at"
    if gone == 0:
        raise NotEnoughHistoryError(f"Not enough history: {clients}.")
    if must:
        return
    if not folds:
        raise NotEnoughHistoryError(
            f"Not enough history: {clients}. A comparison takes rows of at least {LEAST_DAYS} days whose first 30 days "
            "are over."
        )
    if compared < LEAST_COMPARED:
        raise NotEnoughHistoryError(
            f"Not enough history: {clients}, {compared} of them in the later months by which versions are compared; "
            f"at least {LEAST_COMPARED} are needed there."
        )


class _Fits:
    """The fits of the folds, each made once: the challenger takes its intervals from the hazard of the same rows."""

    def __init__(self) -> None:
        self.last: dict[Key, AdditiveModel] = {}
        self.fallbacks = 0
        self.has_boosted = False
        self._hazards: dict[int, AdditiveModel] = {}

    def hazard(self, rows: pl.DataFrame, labels: Labels) -> AdditiveModel:
        """Return the hazard of some rows."""
        found = self._hazards.get(rows.height)
        if found is None:
            found = self._hazards[rows.height] = fit_hazard(rows, labels)
        self.last["hazard"] = found
        return found

    def boosted(self, rows: pl.DataFrame, labels: Labels) -> AdditiveModel:
        """Return the challenger of some rows, the hazard where too few clients had left."""
        hazard = self._hazards.get(rows.height) or fit_hazard(rows, labels)
        try:
            self.last["boosted"] = fit_boosted(rows, labels, seed=SEED, hazard=hazard)
            self.has_boosted = True
        except FitError:
            self.last["boosted"] = hazard
            self.fallbacks += 1
        return self.last["boosted"]


def _calibrated_hazard(rows: pl.DataFrame, labels: Labels, fits: _Fits, key: Key) -> AdditiveModel:
    """Return the model of all rows with the calibration of the last fold's model on that fold's rows."""
    folds = folds_in_time(rows, labels)
    last = fits.last.get(key)
    hazard = fit_hazard(rows, labels)
    try:
        whole = hazard if key == "hazard" else fit_boosted(rows, labels, seed=SEED, hazard=hazard)
    except FitError:
        whole = hazard
    if not folds or last is None:
        return whole
    held = folds[-1].test & labels.used
    later, known = rows.filter(pl.Series(held)), labels.taken(held)
    return carried_over(calibrated(last, later, known), whole, later, known)


def _calibrated_renewal(history: History) -> AdditiveModel:
    """Return the renewal risk of all rows, calibrated on the terms that ended after a model of before had learned.

    Where fewer than five of these were lost it stays as the prior and the rows make it.
    """
    rows, labels = history.rows, history.renewals()
    whole = fit_renewal(rows, labels)
    cut = history.until - timedelta(days=RENEWAL_WINDOW_DAYS)
    before = history.renewals(until=cut)
    later = labels.used & ~before.used & (rows["as_of"] >= cut).to_numpy()
    lost = rows["client_id"].filter(pl.Series(later & labels.left[:, 0])).n_unique()
    if lost < LEAST_CALIBRATING or not before.left.any():
        return whole
    held, known = rows.filter(pl.Series(later)), labels.taken(later)
    return carried_over(calibrated(fit_renewal(rows, before), held, known), whole, held, known)
