"""A scorecard as data: components, weights, bands, trend and risk rules (formulas.md, section 2)."""

import copy
import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from bellwether.common.errors import InvalidInputError
from bellwether.health.formulas import Formula, parse_formula

SCORECARDS = ("prd-015", "operations", "suppliers", "usage-only")


@dataclass(frozen=True)
class Component:
    """One component. `weight` is its share of 100; a points scorecard gives 0 to `weight` points, others 0-100."""

    key: str
    label: str
    weight: float
    formula: Formula
    whole: bool = False  # rounded half-up to an integer before it is weighted


@dataclass(frozen=True)
class Band:
    """Scores of `minimum` and more are called `word`, unless a better band fits."""

    minimum: float
    word: str


@dataclass(frozen=True)
class TrendRule:
    """Change against an earlier score: over `threshold` up, under minus `threshold` down, else flat.

    `against` is "window" (the oldest score of the last `days`, at least `at_least` days back) or "previous".
    """

    against: Literal["window", "previous"]
    days: int
    at_least: int
    threshold: int
    up: str
    down: str
    flat: str


@dataclass(frozen=True)
class RiskLevel:
    """A level of the risk rule: applies under `below`, or under `below_if_down` while the trend is down.

    `any_down`: applies whenever the trend is down.
    """

    word: str
    below: float | None = None
    below_if_down: float | None = None
    any_down: bool = False


@dataclass(frozen=True)
class Thresholds:
    """The product's four bands: healthy, monitor and at risk begin here, critical is below."""

    healthy: int = 80
    monitor: int = 60
    at_risk: int = 40


@dataclass(frozen=True)
class Scorecard:
    """A complete scorecard. `expected_daily_rate` maps lower-case tier to the share of seats expected each day."""

    name: str
    title: str
    components: tuple[Component, ...]
    points: bool
    minimum_coverage: float
    thresholds: Thresholds
    bands: tuple[Band, ...]
    trend: TrendRule
    risk: tuple[RiskLevel, ...]
    risk_from_exact: bool
    expected_daily_rate: tuple[tuple[str, float], ...]

    @property
    def measures(self) -> frozenset[str]:
        """The measures that the components read."""
        return frozenset().union(*(component.formula.measures for component in self.components))

    @property
    def weights(self) -> dict[str, float]:
        """Weight by component."""
        return {component.key: component.weight for component in self.components}


def parse_scorecard(
    data: Mapping[str, Any],
    *,
    known_measures: Collection[str] | None = None,
    archived_measures: Collection[str] = (),
) -> Scorecard:
    """Return the scorecard that `data` describes.

    Raises InvalidInputError with a field path per problem: weights that do not sum to 100, components without a key or
    given twice, formulas of unknown kind, and measures that are not in `known_measures` (not checked when None); of
    those in `archived_measures` it says so.
    """
    problems: dict[str, str] = {}
    components = []
    for index, entry in enumerate(data.get("components", [])):
        path = f"components.{entry.get('key', index)}"
        try:
            formula = parse_formula(entry["formula"])
            component = Component(
                entry["key"], entry["label"], float(entry["weight"]), formula, bool(entry.get("whole", False))
            )
        except InvalidInputError as error:
            problems[path] = str(error)
            continue
        except KeyError as error:
            problems[path] = f"needs the field {error.args[0]!r}."
            continue
        if component.weight < 0:
            problems[f"{path}.weight"] = f"is {component.weight:g}; a weight is 0 or more."
        unknown = sorted(formula.measures - set(known_measures)) if known_measures is not None else []
        archived = [slug for slug in unknown if slug in archived_measures]
        if archived:
            problems[f"{path}.formula"] = f"reads {', '.join(archived)}, which is archived; restore it first."
        elif unknown:
            problems[f"{path}.formula"] = f"reads the unknown measures {', '.join(unknown)}."
        components.append(component)
    keys = [component.key for component in components]
    if len(set(keys)) < len(keys):
        problems["components"] = "has a key twice."
    total = sum(component.weight for component in components)
    if abs(total - 100) > 1e-9:
        problems["weights"] = f"sum to {total:g}; they must sum to 100."
    if problems:
        raise InvalidInputError(f"Scorecard {data.get('name', '?')!r} cannot be used.", problems)
    return Scorecard(
        name=data["name"],
        title=data["title"],
        components=tuple(components),
        points=bool(data.get("points", False)),
        minimum_coverage=float(data.get("minimum_coverage", 0.5)),
        thresholds=Thresholds(**data.get("thresholds", {})),
        bands=tuple(Band(float(band["minimum"]), band["word"]) for band in data.get("bands", [])),
        trend=TrendRule(**data["trend"]),
        risk=tuple(RiskLevel(**level) for level in data.get("risk", [])),
        risk_from_exact=bool(data.get("risk_from_exact", False)),
        expected_daily_rate=tuple(data.get("expected_daily_rate", {}).items()),
    )


def shipped_definition(name: str) -> dict[str, Any]:
    """Return the shipped scorecard `name` as data of the caller's own. Raises InvalidInputError for an unknown name."""
    if name not in SCORECARDS:
        raise InvalidInputError(f"There is no scorecard {name!r}; there are {', '.join(SCORECARDS)}.")
    return copy.deepcopy(_shipped(name))


@cache
def _shipped(name: str) -> dict[str, Any]:
    return tomllib.loads((files("bellwether.health") / "scorecards" / f"{name}.toml").read_text("utf-8"))


@cache
def load_scorecard(name: str) -> Scorecard:
    """Return the shipped scorecard `name`. Raises InvalidInputError for an unknown name."""
    return parse_scorecard(shipped_definition(name))


def definition_digest(definition: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the definition as canonical JSON: equal definitions have equal digests."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
