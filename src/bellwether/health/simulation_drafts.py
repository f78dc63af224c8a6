"""Drafts of a scorecard: a definition with other weights, thresholds or whole components. Pure."""

import copy
from collections.abc import Mapping
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.health.engine import PRODUCT_BANDS

LIMITS = ("healthy", "monitor", "at_risk")
WORDS = dict(zip(LIMITS, PRODUCT_BANDS[:3], strict=True))


def draft_definition(
    base: Mapping[str, Any],
    *,
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return `base` with the weights and thresholds that are given; what is left out stays.

    In a points scorecard the points of a component's formula follow its weight. Bands that bear the product's words
    follow the thresholds. Raises InvalidInputError with a sentence per field: "weights.usage", "weights",
    "thresholds.monitor".
    """
    made = copy.deepcopy(dict(base))
    problems = _weights(made, weights or {}) | _thresholds(made, thresholds or {})
    if problems:
        raise InvalidInputError("The draft cannot be used.", problems)
    return made


def _weights(made: dict[str, Any], weights: Mapping[str, float]) -> dict[str, str]:
    components = {component["key"]: component for component in made["components"]}
    problems = {
        f"weights.{key}": f"is no component; there are {', '.join(components)}."
        for key in weights
        if key not in components
    }
    for key, weight in weights.items():
        if key not in components:
            continue
        if not 0 <= weight <= 100:
            problems[f"weights.{key}"] = f"is {weight:g}; a weight is from 0 to 100."
            continue
        component = components[key]
        if made.get("points") and component["weight"] != weight:
            component["formula"] = _scaled(component["formula"], component["weight"], weight)
        component["weight"] = _plain(weight)
    total = sum(component["weight"] for component in components.values())
    if not problems and abs(total - 100) > 1e-9:
        problems["weights"] = f"sum to {total:g}; they must sum to 100."
    return problems


def _scaled(formula: Mapping[str, Any], before: float, after: float) -> dict[str, Any]:
    """Return the formula of a points scorecard so that it gives up to `after` points instead of `before`."""
    share = after / before if before else 0.0
    made = dict(formula)
    if made.get("kind") == "steps":
        made["steps"] = [[limit, points * share] for limit, points in made["steps"]]
        return made
    if made.get("kind") == "scale":
        made["factor"] *= share
    made["top"] = after
    return made


def _thresholds(made: dict[str, Any], thresholds: Mapping[str, float]) -> dict[str, str]:
    if not thresholds:
        return {}
    problems = {
        f"thresholds.{name}": f"is no threshold; there are {', '.join(LIMITS)}."
        for name in thresholds
        if name not in LIMITS
    }
    found = {"healthy": 80, "monitor": 60, "at_risk": 40} | dict(made.get("thresholds", {}))
    for name in LIMITS:
        value = thresholds.get(name)
        if value is None:
            continue
        if value != int(value) or not 1 <= value <= 100:
            problems[f"thresholds.{name}"] = f"is {value:g}; a threshold is a whole number from 1 to 100."
            continue
        found[name] = int(value)
    if not problems:
        for better, worse in (("healthy", "monitor"), ("monitor", "at_risk")):
            if found[better] < found[worse]:
                problems[f"thresholds.{better}"] = (
                    f"is {found[better]}, below {worse.replace('_', ' ')} at {found[worse]}; "
                    "the better band begins higher."
                )
    made["thresholds"] = found
    words = {word: name for name, word in WORDS.items()}
    for band in made.get("bands", []):
        if band["word"] in words:
            band["minimum"] = found[words[band["word"]]]
    return problems


def _plain(weight: float) -> float | int:
    return int(weight) if weight == int(weight) else weight
