"""What differs between two definitions of a scorecard, in words. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.health.formulas import Labels, parse_formula
from bellwether.health.measures import MEASURE_LABELS

LIMITS = {"healthy": "Healthy", "monitor": "Monitor", "at_risk": "At risk"}
DEFAULT_LIMITS = {"healthy": 80, "monitor": 60, "at_risk": 40}
TREND = {
    "against": "compares with", "days": "days", "at_least": "days at least", "threshold": "margin",
    "up": "word for up", "down": "word for down", "flat": "word for flat",
}  # fmt: skip


def difference_in_words(
    before: Mapping[str, Any], after: Mapping[str, Any], *, labels: Labels = MappingProxyType({})
) -> list[str]:
    """Return what changes from one definition to another, a phrase each; empty where they say the same.

    "Support +5, Usage −5", "Outcomes added at 10%", "Healthy from 75 instead of 80". Formulas are in their own words;
    `labels` names custom measures, whose slug stands for those that it lacks.
    """
    old, new = _components(before), _components(after)
    found = _weights(old, new)
    found += [f"{new[key]['label']} added at {new[key]['weight']:g}%" for key in new if key not in old]
    found += [f"{old[key]['label']} removed ({old[key]['weight']:g}%)" for key in old if key not in new]
    for key in new:
        if key in old:
            found += _component(old[key], new[key], labels)
    if not found and list(old) != list(new):
        found.append("The components stand in another order")
    return found + _limits(before, after) + _rules(before, after)


def _components(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {component["key"]: component for component in definition.get("components", [])}


def _weights(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> list[str]:
    moves = [(new[key]["label"], new[key]["weight"] - old[key]["weight"]) for key in new if key in old]
    moved = sorted((move for move in moves if abs(move[1]) > 1e-9), key=lambda move: -move[1])
    text = ", ".join(f"{label} {'+' if by > 0 else '−'}{abs(by):g}" for label, by in moved)
    return [text] if text else []


def _component(old: Mapping[str, Any], new: Mapping[str, Any], labels: Labels) -> list[str]:
    label, found = new["label"], []
    if old["label"] != label:
        found.append(f"{old['label']} is called {label}")
    if bool(old.get("whole")) != bool(new.get("whole")):
        found.append(f"{label}: {'rounded' if new.get('whole') else 'no longer rounded'} before it is weighted")
    if _same(old["formula"], new["formula"]):
        return found
    first, second = old["formula"], new["formula"]
    if first.get("kind") == second.get("kind") and first.get("kind") != "mean":
        changed = [name for name in {**first, **second} if not _same(first.get(name), second.get(name))]
        if changed and not set(changed) & {"measure", "of"}:
            return found + [
                f"{label}: {name.replace('_', ' ')} {_value(second.get(name))} instead of {_value(first.get(name))}"
                for name in changed
            ]
    return [*found, f"{label}: {_words(second, labels)}; before: {_words(first, labels)}"]


def _limits(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = (DEFAULT_LIMITS | dict(one.get("thresholds", {})) for one in (before, after))
    return [f"{LIMITS[key]} from {new[key]:g} instead of {old[key]:g}" for key in LIMITS if old[key] != new[key]]


def _rules(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    old, new = before.get("expected_daily_rate", {}), after.get("expected_daily_rate", {})
    found += [
        f"Usage: target {_value(new.get(tier))} instead of {_value(old.get(tier))} for {tier}"
        for tier in {**old, **new}
        if not _same(old.get(tier), new.get(tier))
    ]
    old, new = before.get("trend", {}), after.get("trend", {})
    found += [
        f"Trend: {TREND.get(name, name)} {_value(new.get(name))} instead of {_value(old.get(name))}"
        for name in {**old, **new}
        if not _same(old.get(name), new.get(name))
    ]
    if before.get("title") != after.get("title"):
        found.append(f"Called {after.get('title')} instead of {before.get('title')}")
    coverage = [float(one.get("minimum_coverage", 0.5)) for one in (before, after)]
    if coverage[0] != coverage[1]:
        found.append(f"A score needs data for {coverage[1]:.0%} of the weight instead of {coverage[0]:.0%}")
    if not _same(before.get("bands", []), after.get("bands", [])):
        found.append(f"Bands: {_bands(after)} instead of {_bands(before)}")
    if not _same(before.get("risk", []), after.get("risk", [])):
        found.append("The rule for the risk is another one")
    if bool(before.get("risk_from_exact")) != bool(after.get("risk_from_exact")):
        found.append(f"The risk is read from the {'exact' if after.get('risk_from_exact') else 'rounded'} score")
    if bool(before.get("points")) != bool(after.get("points")):
        found.append("Components give points" if after.get("points") else "Components are scored from 0 to 100")
    return found


def _bands(definition: Mapping[str, Any]) -> str:
    bands = definition.get("bands", [])
    return ", ".join(f"{band['word']} from {band['minimum']:g}" for band in bands) or "none of its own"


def _words(formula: Mapping[str, Any], labels: Labels) -> str:
    try:
        parsed = parse_formula(formula)
    except InvalidInputError:
        return "a formula that cannot be read"
    named = defaultdict(str, {slug: slug for slug in parsed.measures}) | MEASURE_LABELS | dict(labels)
    return parsed.words(named)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    return ", ".join(_value(one) for one in value) if isinstance(value, list | tuple) else str(value)


def _same(old: Any, new: Any) -> bool:
    """Return whether two pieces of a definition say the same: 25 is 25.0, a pair is a list of two."""
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    return bool(old == new)
