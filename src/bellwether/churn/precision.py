"""Whether a churn probability may be shown as a figure, or the sample is too thin for one. Pure.

A band (a category with its reason) is shown in place of a figure where there is no history to learn from, where fewer
than 10 clients have left in the training data, where under half of the features with an expert weight are known of the
client, or where the 80 % interval reaches from the low into the high category and so leaves the category open.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.additive import raw_values
from bellwether.churn.factors import FEATURES, Feature

LEAST_CHURNED = 10
LEAST_KNOWN = 0.5
LOW_BELOW, HIGH_ABOVE = 0.2, 0.5
"""Category of the 90-day probability: low under 20 %, high above 50 %, medium between (formulas.md, section 4)."""

Kind = Literal["PRIOR", "HAZARD", "BOOSTED"]
Category = Literal["LOW", "MEDIUM", "HIGH"]
Precision = Literal["FIGURE", "BAND"]
Judged = tuple[Precision, str]
"""FIGURE with no words, or BAND with its reason."""

WEIGHTED: tuple[Feature, ...] = tuple(feature for feature in FEATURES if feature.weight != 0)
SOURCES: Mapping[str, tuple[str, ...]] = {
    "usage": (
        "usage_change_month",
        "usage_change_week",
        "seat_use",
        "stickiness",
        "daily_users",
        "days_since_use",
        "days_since_login",
        "people_lost_share",
        "lead_user_share",
        "lead_user_quiet_days",
    ),
    "features in use": ("feature_breadth", "feature_share_used"),
    "linked contacts": ("champion_quiet_days", "key_contacts_left", "stakeholder_coverage"),
    "tickets": ("ticket_ratio", "open_tickets"),
    "surveys": ("csat_90d", "nps_latest"),
    "activities": ("days_since_contact",),
    "contract": ("days_to_renewal", "payment_late", "renewal_signal", "licensed_users"),
}
"""Where features come from, in words that say what is missing; a source is missing where all its features are."""


def category(p90: float) -> Category:
    """Return the category of a 90-day probability (0-1)."""
    if p90 < LOW_BELOW:
        return "LOW"
    return "HIGH" if p90 > HIGH_ABOVE else "MEDIUM"


def model_reason(kind: Kind, churned_clients: int) -> str:
    """Return why no prediction of this model is a figure; empty where they may be."""
    if kind == "PRIOR":
        return "Expert prior, no history yet"
    if not churned_clients:
        return "No client has left so far"
    if churned_clients < LEAST_CHURNED:
        clients = "1 client has" if churned_clients == 1 else f"{churned_clients} clients have"
        return f"Only {clients} left so far"
    return ""


def judge(
    kind: Kind,
    churned_clients: int,
    features: pl.DataFrame,
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
) -> list[Judged]:
    """Return the precision of each client's prediction and, for a band, why.

    `churned_clients` have left in the training data; `features` are the rows predicted (null where unknown); `low` and
    `high` bound the 80 % interval of the 90-day probability (0-1).
    """
    of_all = model_reason(kind, churned_clients)
    if of_all:
        return [("BAND", of_all)] * features.height
    raw = raw_values(features, [feature.slug for feature in WEIGHTED])
    known = {slug: ~np.isnan(values) for slug, values in raw.items()}
    counts = np.sum(list(known.values()), axis=0)
    return [
        _judged(int(count), [slug for slug in known if known[slug][row]], float(low[row]), float(high[row]))
        if count < LEAST_KNOWN * len(WEIGHTED) or (low[row] < LOW_BELOW and high[row] > HIGH_ABOVE)
        else ("FIGURE", "")
        for row, count in enumerate(counts)
    ]


def coverage(features: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Return the share of the features with an expert weight that are known, by row (0-1)."""
    raw = raw_values(features, [feature.slug for feature in WEIGHTED])
    return np.asarray(np.mean([~np.isnan(values) for values in raw.values()], axis=0), np.float64)


def _judged(count: int, known: Sequence[str], low: float, high: float) -> Judged:
    if count < LEAST_KNOWN * len(WEIGHTED):
        missing = [source for source, slugs in SOURCES.items() if not set(slugs) & set(known)]
        features = f"Only {count} of {len(WEIGHTED)} features are known"
        return "BAND", f"{features}: no {', '.join(missing)}" if missing else features
    return "BAND", f"The interval reaches from low ({low:.0%}) to high ({high:.0%})"
