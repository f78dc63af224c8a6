"""A stored prediction in words: its factors with multipliers of the odds and the client's own numbers. Pure.

A factor multiplies the odds of leaving within 90 days by exp(sum of its features' parts), against the reference of the
prediction (churn.additive): all multipliers together turn the reference's odds into the client's. `Impact` is the size
of that multiplier whichever way it goes. What is not known of a client has no sentence: nothing is made up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bellwether.churn.factors import FACTORS, FEATURES, FEATURES_BY_SLUG, Factor, Feature
from bellwether.churn.sentences import Facts, sentence, value_text

HIGH_IMPACT, MEDIUM_IMPACT = 1.5, 1.2
"""Odds multiplied by at least this, or divided by it: high from × 1.5 (÷ 1.5), medium from × 1.2, low below."""
NOTABLE = math.log(1.02)
"""Factors that move the odds by less are left out of short lists."""
UNKNOWN = "Nothing is known of this here; it counts as usual."
NOTHING_STANDS_OUT = "Nothing raises the risk above the average"
LONGEST_REASON = 200
NEUTRAL = {
    "usage_decline": "Usage",
    "low_use": "Depth of use",
    "gone_quiet": "Last use",
    "champion": "Champion",
    "people_lost": "People",
    "adoption_gap": "Adoption",
    "support": "Support",
    "sentiment": "Survey answers",
    "contact_gap": "Contact",
    "renewal_near": "Renewal",
    "contract": "Contract",
    "tenure": "Time as a client",
    "season": "Season",
}
"""What a factor is about, whichever way it goes: for changes, where "Renewal far off" would be said of a near one."""
LONG_STANDING_DAYS = 730


class Impact(StrEnum):
    """How much a factor moves the odds, up or down: see HIGH_IMPACT and MEDIUM_IMPACT."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"

    @property
    def word(self) -> str:
        """The impact as the interface says it: "High"."""
        return self.value.capitalize()


class Prediction(Protocol):
    """What is read of a stored prediction (churn.models.ChurnPrediction)."""

    inputs: Mapping[str, Any]
    contributions: Mapping[str, Any]


@dataclass(frozen=True)
class FeatureLine:
    """A feature: its value (None: unknown) and what it adds to the log-odds. `sentence` is "" where it is unknown."""

    slug: str
    label: str
    description: str
    value: float | None
    value_text: str
    log_odds: float
    sentence: str

    @property
    def multiplier(self) -> float:
        """What the feature multiplies the odds by."""
        return math.exp(self.log_odds)


@dataclass(frozen=True)
class FactorLine:
    """A factor with its features, the largest first. `log_odds` is their sum.

    `heading` is that of a risk or of a relief; `sentence` says it in the client's own numbers; `known` is False where
    no feature of the factor is known.
    """

    slug: str
    heading: str
    log_odds: float
    sentence: str
    known: bool
    features: tuple[FeatureLine, ...] = field(default=())

    @property
    def is_risk(self) -> bool:
        """Whether the factor raises the risk."""
        return self.log_odds > 0

    @property
    def multiplier(self) -> float:
        """What the factor multiplies the odds by."""
        return math.exp(self.log_odds)

    @property
    def impact(self) -> Impact:
        """How much that is."""
        return impact_of(self.log_odds)

    @property
    def is_notable(self) -> bool:
        """Whether a short list shows it."""
        return abs(self.log_odds) >= NOTABLE


def impact_of(log_odds: float) -> Impact:
    """Return how much a change of the log-odds is, up or down."""
    size = math.exp(abs(log_odds))
    return Impact.HIGH if size >= HIGH_IMPACT else Impact.MEDIUM if size >= MEDIUM_IMPACT else Impact.LOW


def multiplier_text(log_odds: float) -> str:
    """Return the multiplier of the odds for people: "× 12", "× 2.4", "× 1.35", "× 0.82", "× 0.045"."""
    value = math.exp(log_odds)
    if value >= 9.95:
        return f"× {value:,.0f}"
    if value >= 1.995:
        text = f"{value:.1f}"
    elif value >= 0.0995:
        text = f"{value:.2f}"
    else:
        text = f"{value:.2g}" if value >= 0.001 else "0.001"
    trimmed = text.rstrip("0").rstrip(".") if "." in text else text
    return f"× {trimmed}" if value >= 0.001 else f"under × {trimmed}"


def parts_of(prediction: Prediction) -> dict[str, float]:
    """Return the log-odds of each feature of a stored prediction."""
    found = prediction.contributions.get("parts") or {}
    return {str(slug): float(part) for slug, part in found.items()}


def factors(prediction: Prediction, facts: Facts | None = None) -> list[FactorLine]:
    """Return the factors of a stored prediction, the largest rise first, the largest fall last."""
    return factor_lines(prediction.inputs, parts_of(prediction), facts)


def factor_lines(inputs: Mapping[str, Any], parts: Mapping[str, float], facts: Facts | None = None) -> list[FactorLine]:
    """Return every factor that a part belongs to, the largest rise first. Together the lines hold all parts.

    `facts`: counts behind the ratios (churn.sentences.Facts). Parts of features that are not in the registry any more
    stand under a factor "other".
    """
    lines = []
    for factor in FACTORS:
        features = [feature for feature in FEATURES if feature.factor == factor.slug and feature.slug in parts]
        if features:
            lines.append(_line(factor, features, inputs, parts, facts))
    unknown = {slug: part for slug, part in parts.items() if slug not in FEATURES_BY_SLUG}
    if unknown:
        rest = tuple(
            FeatureLine(slug, slug, "", number_of(inputs, slug), "", part, "") for slug, part in unknown.items()
        )
        lines.append(FactorLine("other", "Other features", sum(unknown.values()), "", False, rest))
    return sorted(lines, key=lambda line: -line.log_odds)


def _line(
    factor: Factor,
    features: Sequence[Feature],
    inputs: Mapping[str, Any],
    parts: Mapping[str, float],
    facts: Facts | None,
) -> FactorLine:
    lines = [feature_line(feature, inputs, parts[feature.slug], facts) for feature in features]
    lines.sort(key=lambda line: -abs(line.log_odds))
    total = sum(line.log_odds for line in lines)
    said = _telling(lines, total)
    known = any(line.value is not None for line in lines)
    heading = _heading(factor, total, inputs)
    return FactorLine(factor.slug, heading, total, said.sentence if said else UNKNOWN, known, tuple(lines))


def _heading(factor: Factor, total: float, inputs: Mapping[str, Any]) -> str:
    """Return the heading of a risk or a relief; of the time as a client, which has no direction, only if it is true."""
    days = number_of(inputs, "tenure_days")
    if factor.slug == "tenure" and (days is None or (days >= LONG_STANDING_DAYS) == (total > 0)):
        return NEUTRAL["tenure"]
    return factor.risk if total > 0 else factor.relief


def _telling(lines: Sequence[FeatureLine], total: float) -> FeatureLine | None:
    """Return the known feature that moves the factor's way the most; None where nothing is known."""
    known = [line for line in lines if line.sentence]
    sign = 1 if total > 0 else -1
    return max(known, key=lambda line: sign * line.log_odds, default=None)


def feature_line(feature: Feature, inputs: Mapping[str, Any], part: float, facts: Facts | None = None) -> FeatureLine:
    """Return one feature of a prediction."""
    value = number_of(inputs, feature.slug)
    return FeatureLine(
        feature.slug,
        feature.label,
        feature.description,
        value,
        value_text(feature.slug, value),
        part,
        sentence(feature.slug, value, facts),
    )


def number_of(inputs: Mapping[str, Any], slug: str) -> float | None:
    """Return the value of a feature, None where it is unknown."""
    value = inputs.get(slug)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def churn_reason(inputs: Mapping[str, Any], parts: Mapping[str, float], facts: Facts | None = None) -> str:
    """Return the sentence of the factor that raises the risk the most, for lists: at most 200 characters.

    Of a factor of which nothing is known its heading; where no factor raises the odds by 2 %, NOTHING_STANDS_OUT.
    """
    sums: dict[str, float] = {}
    for slug, part in parts.items():
        known = FEATURES_BY_SLUG.get(slug)
        if known is not None:
            sums[known.factor] = sums.get(known.factor, 0.0) + part
    top = max(FACTORS, key=lambda factor: sums.get(factor.slug, 0.0))
    if sums.get(top.slug, 0.0) < NOTABLE:
        return NOTHING_STANDS_OUT
    features = [feature for feature in FEATURES if feature.factor == top.slug and feature.slug in parts]
    line = _line(top, features, inputs, parts, facts)
    return (line.sentence if line.known else line.heading)[:LONGEST_REASON]


def joint(lines: Sequence[FactorLine]) -> float:
    """Return the log-odds of all lines together."""
    return math.fsum(line.log_odds for line in lines)
