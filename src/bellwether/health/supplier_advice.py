"""What to do for a supplier, by rule, from the numbers behind its score (seed 004: `recommendations`). Pure.

Rules look at the components of the suppliers scorecard (formulas.md, section 2.3); what would bring most points comes
first. Every sentence carries the supplier's own number.
"""

from collections.abc import Mapping
from typing import Any

CHECK_IN_DAYS, REMIND_DAYS = 14, 7
LOW_SHARE, LOW_COMPLETION = 0.5, 0.7
FALL = 5
MOST = 3
POINTS = {"login": 30.0, "features": 25.0, "clients": 25.0, "forms": 10.0, "journeys": 10.0}


def recommendations(inputs: Mapping[str, Any], *, change: int | None, at_most: int = MOST) -> list[str]:
    """Return what to do, the most promising first; nothing for a supplier that does well.

    `inputs` are the measures stored with the score, `change` its points against 30 days before, None if unknown.
    """
    found = [_login(inputs), _features(inputs), _clients(inputs)]
    found += [
        _completion(inputs, "form_completion_rate", "forms"),
        _completion(inputs, "journey_performance", "journeys"),
    ]
    if change is not None and change < -FALL:
        found.append((31.0, f"The score fell {-change} points in 30 days: call and ask what changed."))
    known = sorted((one for one in found if one), key=lambda one: -one[0])
    return [text for _, text in known[:at_most]]


def _login(inputs: Mapping[str, Any]) -> tuple[float, str] | None:
    days = inputs.get("days_since_login")
    if days is None:
        return 30.5, "Has not logged in yet: plan an onboarding call."
    if days >= CHECK_IN_DAYS:
        return 30.5, f"No login for {days:g} days: plan a personal check-in call."
    if days >= REMIND_DAYS:
        return 20.0, f"Last login {days:g} days ago: send a re-engagement e-mail with tips."
    return None


def _features(inputs: Mapping[str, Any]) -> tuple[float, str] | None:
    share, tracked = inputs.get("feature_share"), inputs.get("features_tracked")
    if share is None or share >= LOW_SHARE or not tracked:
        return None
    used = round(share * tracked)
    return POINTS["features"] * (1 - share), (
        f"Used {used:g} of {tracked:g} features in 30 days: offer a tour of the others."
    )


def _clients(inputs: Mapping[str, Any]) -> tuple[float, str] | None:
    share = inputs.get("client_activity")
    if share is None:
        return (
            None
            if inputs.get("days_since_login") is None
            else (15.0, "No clients are active yet: help to invite them.")
        )
    if share >= LOW_SHARE:
        return None
    return POINTS["clients"] * (1 - share), (
        f"{round(100 * share)}% of its clients were active in 30 days: help to bring the others back."
    )


def _completion(inputs: Mapping[str, Any], measure: str, what: str) -> tuple[float, str] | None:
    rate = inputs.get(measure)
    if rate is None:
        if inputs.get("days_since_login") is None:
            return None
        return 9.0, f"No {what} were started in 90 days: set up a first one together."
    if rate >= LOW_COMPLETION:
        return None
    advice = "make them shorter" if what == "forms" else "look at where people stop"
    return POINTS[what] * (1 - rate), f"{round(100 * rate)}% of started {what} were completed in 90 days: {advice}."
