"""Why the churn risk changed from one prediction to the next, by factor. Pure.

Both are explained with one model, that of the later prediction: along the straight way from the earlier values to the
later ones (churn.additive.explain_against with the earlier values as reference), so that the parts sum to the change
of its log-odds. What another version of the model changed by itself, values being the same, stands beside them. All
together sum to the change of the stored log-odds, and in points to the change of the stored probability.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from bellwether.churn.additive import AdditiveModel, explain_against, terms_of
from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.churn.sentences import Facts, sentence
from bellwether.churn.words import NEUTRAL, number_of

LEAST = 1e-6
"""Log-odds under which a part is rounding and left out."""
STORED_ROUNDING = 1e-3
"""Stored values, parts and log-odds are rounded; what that leaves of a difference goes to its largest part."""


@dataclass(frozen=True)
class Foretold:
    """A stored prediction: the values it saw, its log-odds and probability (0-1) of leaving within 90 days."""

    as_of: date
    inputs: Mapping[str, Any]
    log_odds: float
    p90: float


@dataclass(frozen=True)
class FactorDifference:
    """What a factor changed: `log_odds`, and `points` of the probability in percent points. `before` and `after` are
    the sentences of the feature that moved the most, "" where it was not known."""

    slug: str
    heading: str
    log_odds: float
    points: float
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Difference:
    """The change between two predictions. `lines`: what raised the risk the most first; `model`: log-odds that another
    version of the model changed by itself, `model_points` in points, both 0 for the same version."""

    before: Foretold
    after: Foretold
    lines: tuple[FactorDifference, ...]
    model: float
    model_points: float

    @property
    def log_odds(self) -> float:
        """The change of the log-odds."""
        return self.after.log_odds - self.before.log_odds

    @property
    def points(self) -> float:
        """The change of the 90-day probability in percent points."""
        return 100 * (self.after.p90 - self.before.p90)


def difference(model: AdditiveModel, before: Foretold, after: Foretold, *, facts: Facts | None = None) -> Difference:
    """Return why the risk changed from `before` to `after`; `model` is that of `after`, `facts` of its day."""
    parts = part_differences(model, before.inputs, after.inputs)
    total = after.log_odds - before.log_odds
    of_model = total - math.fsum(parts.values())
    if parts and abs(of_model) < STORED_ROUNDING and any(parts.values()):
        parts[max(parts, key=lambda slug: abs(parts[slug]))] += of_model
        of_model = 0.0
    a_point = _points_of_log_odds(before.p90, after.p90, total)
    return Difference(
        before,
        after,
        tuple(factor_differences(parts, before.inputs, after.inputs, a_point=a_point, facts=facts)),
        of_model if abs(of_model) >= LEAST else 0.0,
        of_model * a_point if abs(of_model) >= LEAST else 0.0,
    )


def part_differences(model: AdditiveModel, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float]:
    """Return what each feature adds to the log-odds of the model's last horizon on the way from `before` to `after`."""
    terms = terms_of(model, frame_of([before, after], model.features))
    reference = terms.values[:, [0, 0], :]
    explained = explain_against(model, terms, reference)
    return {slug: float(part) for slug, part in zip(model.features, explained.parts[1], strict=True)}


def frame_of(inputs: Sequence[Mapping[str, Any]], features: Sequence[str]) -> pl.DataFrame:
    """Return stored values as rows for a model: Float64 columns, null where unknown."""
    return pl.DataFrame(
        {slug: pl.Series([number_of(one, slug) for one in inputs], dtype=pl.Float64) for slug in features}
    )


def factor_differences(
    parts: Mapping[str, float],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    a_point: float,
    facts: Facts | None = None,
) -> list[FactorDifference]:
    """Return the parts by factor, what raised the risk the most first; those that changed nothing are left out.

    `a_point` is how many percent points a unit of log-odds is on this way.
    """
    groups: dict[str, list[str]] = {}
    for slug, part in parts.items():
        known = FEATURES_BY_SLUG.get(slug)
        if part:
            groups.setdefault(known.factor if known else "other", []).append(slug)
    lines = []
    for factor, slugs in groups.items():
        total = math.fsum(parts[slug] for slug in slugs)
        if abs(total) < LEAST:
            continue
        most = max(slugs, key=lambda slug: parts[slug] if total > 0 else -parts[slug])
        lines.append(
            FactorDifference(
                factor,
                NEUTRAL.get(factor, "Other features"),
                total,
                total * a_point,
                sentence(most, number_of(before, most)),
                sentence(most, number_of(after, most), facts),
            )
        )
    return sorted(lines, key=lambda line: -line.log_odds)


def _points_of_log_odds(before: float, after: float, log_odds: float) -> float:
    """Return the percent points of probability for a unit of log-odds between two probabilities."""
    if abs(log_odds) < LEAST:
        return 100 * after * (1 - after)
    return 100 * (after - before) / log_odds
