"""The shape of a scorecard as data: which fields there are and what they may hold. Pure.

What the fields mean: docs/reference/scorecards.md. That weights sum to 100 and measures exist is checked on top of it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

RESERVED_KEYS = frozenset(
    {
        "client_id", "date", "score", "exact", "coverage", "missing", "status", "health_status", "previous_score",
        "trend", "trend_change", "risk", "no_score_reason",
    }
)  # fmt: skip
"""Columns of a scored frame: no component may have one of these keys."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Slug = Annotated[str, Field(min_length=1, max_length=60)]
Word = Annotated[str, Field(min_length=1, max_length=20)]
Point = tuple[Number, Number]
Limit = Annotated[int, Field(ge=0, le=100)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class _Ratio(_Shape):
    kind: Literal["ratio"]
    measure: Slug
    of: Slug
    target: Positive = 1.0
    top: Positive = 100.0
    when_zero: Number | None = None
    zero_is_data: bool = False


class _Relief(_Shape):
    kind: Literal["relief"]
    measure: Slug
    of: Slug
    base: Positive
    per: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    top: Positive = 100.0


class _PerUnit(_Shape):
    kind: Literal["per_unit"]
    measure: Slug
    per_unit: Positive
    top: Positive = 100.0


class _Scale(_Shape):
    kind: Literal["scale"]
    measure: Slug
    factor: Number
    top: Positive = 100.0


class _Linear(_Shape):
    kind: Literal["linear"]
    measure: Slug
    start: Point
    end: Point


class _Steps(_Shape):
    kind: Literal["steps"]
    measure: Slug
    steps: Annotated[list[Point], Field(min_length=1)]


class _Values(_Shape):
    kind: Literal["values"]
    measure: Slug
    values: Annotated[dict[str, Number], Field(min_length=1)]


class _Weighted(BaseModel):
    weight: Positive
    required: bool = False


class _RatioPart(_Weighted, _Ratio):
    pass


class _ReliefPart(_Weighted, _Relief):
    pass


class _PerUnitPart(_Weighted, _PerUnit):
    pass


class _ScalePart(_Weighted, _Scale):
    pass


class _LinearPart(_Weighted, _Linear):
    pass


class _StepsPart(_Weighted, _Steps):
    pass


class _ValuesPart(_Weighted, _Values):
    pass


_AnyPart = Annotated[
    _RatioPart | _ReliefPart | _PerUnitPart | _ScalePart | _LinearPart | _StepsPart | _ValuesPart,
    Field(discriminator="kind"),
]


class _Mean(_Shape):
    kind: Literal["mean"]
    parts: Annotated[list[_AnyPart], Field(min_length=1)]


_AnyFormula = Annotated[
    _Ratio | _Relief | _PerUnit | _Scale | _Linear | _Steps | _Values | _Mean, Field(discriminator="kind")
]


class _Component(_Shape):
    key: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
    label: Annotated[str, Field(min_length=1, max_length=60)]
    weight: Annotated[float, Field(allow_inf_nan=False)]
    formula: _AnyFormula
    whole: bool = False


class _Thresholds(_Shape):
    healthy: Limit = 80
    monitor: Limit = 60
    at_risk: Limit = 40


class _Band(_Shape):
    minimum: Annotated[float, Field(ge=0, le=100)]
    word: Word


class _Trend(_Shape):
    against: Literal["window", "previous"]
    days: Annotated[int, Field(ge=1, le=400)]
    at_least: Annotated[int, Field(ge=1, le=400)]
    threshold: Annotated[int, Field(ge=0, le=100)]
    up: Word
    down: Word
    flat: Word


class _Risk(_Shape):
    word: Word
    below: Number | None = None
    below_if_down: Number | None = None
    any_down: bool = False


class _Definition(_Shape):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    components: Annotated[list[_Component], Field(min_length=1, max_length=20)]
    points: bool = False
    minimum_coverage: Annotated[float, Field(ge=0, le=1)] = 0.5
    thresholds: _Thresholds = _Thresholds()
    bands: list[_Band] = []
    trend: _Trend
    risk: list[_Risk] = []
    risk_from_exact: bool = False
    expected_daily_rate: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}


_SHAPE = TypeAdapter(_Definition)
_KINDS = re.compile(r"^(ratio|relief|per_unit|scale|linear|steps|values|mean)$")


def shape_problems(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the shape of a definition, a sentence by field path; empty where nothing is.

    Components are named by their key in the paths: "components.usage.formula.target".
    """
    try:
        found = _SHAPE.validate_python(dict(definition))
    except ValidationError as error:
        problems: dict[str, str] = {}
        for entry in error.errors(include_url=False, include_context=False):
            problems.setdefault(_path(entry["loc"], definition), f"cannot be used: {_sentence(entry)}.")
        return problems
    return _limits(found) | _components(found)


def _limits(found: _Definition) -> dict[str, str]:
    problems = {}
    limits = found.thresholds
    if limits.monitor > limits.healthy:
        problems["thresholds.monitor"] = f"is {limits.monitor}, above healthy, {limits.healthy}."
    if limits.at_risk > limits.monitor:
        problems["thresholds.at_risk"] = f"is {limits.at_risk}, above monitor, {limits.monitor}."
    minimums = [band.minimum for band in found.bands]
    if minimums and (len(set(minimums)) < len(minimums) or min(minimums) > 0):
        problems["bands"] = "each need a minimum of their own, and one of them 0."
    if found.trend.at_least > found.trend.days:
        problems["trend.at_least"] = f"is {found.trend.at_least}, more than days, {found.trend.days}."
    return problems


def _components(found: _Definition) -> dict[str, str]:
    problems = {}
    for component in found.components:
        path = f"components.{component.key}"
        if component.key in RESERVED_KEYS:
            problems[f"{path}.key"] = "is a word that scoring uses itself; choose another."
        formula = component.formula
        parts = [("", formula)] if not isinstance(formula, _Mean) else [
            (f".parts.{index}", part) for index, part in enumerate(formula.parts)
        ]  # fmt: skip
        for where, part in parts:
            if isinstance(part, _Linear) and part.start[0] >= part.end[0]:
                problems[f"{path}.formula{where}.end"] = "lies at a smaller value of the measure than start."
            if isinstance(part, _Steps):
                limits = [limit for limit, _ in part.steps]
                if limits != sorted(set(limits)):
                    problems[f"{path}.formula{where}.steps"] = "go up from limit to limit."
    return problems


def _path(location: tuple[int | str, ...], definition: Mapping[str, Any]) -> str:
    """Return the path of a problem with components by their key and without the kind of formula that was tried."""
    parts = list(location)
    if len(parts) > 1 and parts[0] == "components" and isinstance(parts[1], int):
        entry = definition["components"][parts[1]]
        key = entry.get("key") if isinstance(entry, Mapping) else None
        parts[1] = key if isinstance(key, str) and key else parts[1]
    tried = {at for at, part in enumerate(parts) if at and _is_kind(part) and _holds_formula(parts[:at])}
    named = [part for at, part in enumerate(parts) if at not in tried]
    return ".".join(str(part) for part in named) or "definition"


def _is_kind(part: int | str) -> bool:
    return isinstance(part, str) and _KINDS.match(part) is not None


def _holds_formula(before: list[int | str]) -> bool:
    return before[-1] == "formula" or "parts" in before


def _sentence(entry: Any) -> str:
    message = str(entry["msg"])
    return message[:1].lower() + message[1:]
