"""The metrics that clients are compared by, and their values from a stored score. Pure. Source: formulas.md, section 5.

Values are floats; NaN (None where stored) is not known, infinity is time to value that has not been reached yet.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """One metric. `unit` is points, percent, number or days; `sub` says in words what is counted."""

    key: str
    label: str
    sub: str
    unit: str
    lower_is_better: bool = False
    short: str = ""


METRICS: tuple[Metric, ...] = (
    Metric("health", "Health score", "", "points", short="Health"),
    Metric("usage_intensity", "Usage intensity", "monthly users per seat", "percent", short="Usage"),
    Metric("adoption", "Feature adoption", "of licensed features", "percent", short="Adoption"),
    Metric("support", "Support health", "component score", "points", short="Support"),
    Metric("tickets", "Tickets", "per 100 seats, fewer is better", "number", lower_is_better=True),
    Metric(
        "time_to_value", "Time to value", "days, fewer is better", "days", lower_is_better=True, short="Time to value"
    ),
    Metric("satisfaction", "Satisfaction", "CSAT, last 90 days", "points"),
)
BY_KEY: dict[str, Metric] = {metric.key: metric for metric in METRICS}
RADAR = ("health", "usage_intensity", "adoption", "support", "time_to_value")
PORTAL = ("attestation_completion", "login_rate", "feature_adoption")
"""What the operations portal compares, 0-100 each."""

STORED = (*(metric.key for metric in METRICS), *PORTAL)


def values_of(
    overall: int | None, inputs: Mapping[str, Any], components: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Return the metrics of one score row (percent as 0-100), without time to value; None where there is no data.

    Usage intensity is mau / seats, adoption is used over licensed features (where nothing is licensed, features used
    in 30 days over tracked ones), tickets are those of 30 days per 100 seats.
    """
    seats = _number(inputs.get("licensed_user_count"))
    adoption = _share(inputs.get("features_used"), inputs.get("features_licensed"))
    if adoption is None:
        share = _number(inputs.get("feature_share"))
        adoption = None if share is None else 100 * share
    return {
        "health": _number(overall),
        "usage_intensity": _share(inputs.get("mau"), seats),
        "adoption": adoption,
        "support": _number(components.get("support")),
        "tickets": _share(inputs.get("tickets_30d"), seats),
        "satisfaction": _number(inputs.get("csat_90d")),
        "attestation_completion": _share(inputs.get("assignments_completed"), inputs.get("assignments_total")),
        "login_rate": _share(inputs.get("wau"), inputs.get("total_users")),
        "feature_adoption": adoption,
    }


def to_stored(value: float | None) -> float | str | None:
    """Return `value` as JSON can hold it: infinity becomes the word "never", NaN None."""
    if value is None or math.isnan(value):
        return None
    return "never" if math.isinf(value) else value


def from_stored(value: float | str | None) -> float:
    """Return what to_stored was given, NaN for None."""
    if value is None:
        return math.nan
    return math.inf if value == "never" else float(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _share(part: Any, whole: Any) -> float | None:
    above, below = _number(part), _number(whole)
    return None if above is None or not below else 100 * above / below
