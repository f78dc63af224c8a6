"""What the churn risk would be, were the client's figures others: an association in past data, not a promise. Pure.

The changed values go through the very model of the prediction; the change is explained by factor as between two
predictions (churn.differences).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from bellwether.churn.additive import AdditiveModel, predict, raw_values
from bellwether.churn.differences import LEAST, FactorDifference, factor_differences, frame_of, part_differences
from bellwether.churn.precision import category as category_of
from bellwether.churn.renewals import TERM_END, in_step
from bellwether.churn.words import number_of

NOTE = "An association in past data, not a promise: clients with such figures left this often."


@dataclass(frozen=True)
class Chance:
    """A probability with its 80 % interval, all 0-1."""

    p: float
    low: float
    high: float


@dataclass(frozen=True)
class Horizons:
    """The chances of leaving within 30, 60 and 90 days, and of not renewing (None without one to come)."""

    days: tuple[Chance, ...]
    renewal: Chance | None
    log_odds: float

    @property
    def category(self) -> str:
        """LOW, MEDIUM or HIGH by the 90-day probability (churn.choices.Category)."""
        return category_of(self.days[-1].p)


@dataclass(frozen=True)
class WhatIf:
    """The risk as it is and as it would be, what was changed, and what each factor does to the log-odds."""

    before: Horizons
    after: Horizons
    changed: Mapping[str, float]
    lines: tuple[FactorDifference, ...]
    note: str = NOTE

    @property
    def points(self) -> float:
        """The change of the 90-day probability in percent points."""
        return 100 * (self.after.days[-1].p - self.before.days[-1].p)

    @property
    def log_odds(self) -> float:
        """The change of the log-odds of leaving within 90 days."""
        return self.after.log_odds - self.before.log_odds


def what_if(
    hazard: AdditiveModel,
    renewal: AdditiveModel | None,
    inputs: Mapping[str, Any],
    changed: Mapping[str, float],
) -> WhatIf:
    """Return what the risk would be with `changed` values in place of those of `inputs`.

    `renewal` is None where no renewal is foretold of the client. With another renewal date the coming renewal is
    settled, and no risk of it is given.
    """
    slugs = sorted({*hazard.features, *(renewal.features if renewal else ())})
    then = {slug: number_of(inputs, slug) for slug in slugs} | dict(changed)
    frame = frame_of([inputs, then], slugs)
    before, after = _horizons(hazard, renewal, frame, renewed="days_to_renewal" in changed)
    parts = part_differences(hazard, inputs, then)
    total = after.log_odds - before.log_odds
    moved = after.days[-1].p - before.days[-1].p
    p = before.days[-1].p
    a_point = 100 * (moved / total if abs(total) > LEAST else p * (1 - p))
    lines = factor_differences(parts, inputs, then, a_point=a_point)
    return WhatIf(before, after, dict(changed), tuple(lines))


def _horizons(
    hazard: AdditiveModel, renewal: AdditiveModel | None, frame: pl.DataFrame, *, renewed: bool
) -> list[Horizons]:
    found = predict(hazard, frame)
    coming = in_step(predict(renewal, frame), found, raw_values(frame, [TERM_END])[TERM_END]) if renewal else None
    horizons = []
    for row in range(frame.height):
        days = tuple(
            Chance(float(found.p[row, k]), float(found.low[row, k]), float(found.high[row, k]))
            for k in range(found.p.shape[1])
        )
        chance = None
        if coming is not None and not (row and renewed):
            chance = Chance(float(coming.p[row, 0]), float(coming.low[row, 0]), float(coming.high[row, 0]))
        p = min(max(days[-1].p, 1e-12), 1 - 1e-12)
        horizons.append(Horizons(days, chance, float(np.log(p) - np.log1p(-p))))
    return horizons
