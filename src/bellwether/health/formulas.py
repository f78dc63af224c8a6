"""The kinds of formula that a scorecard's component may use, each over the columns of a frame of measures.

A formula gives a number from 0 to its top (100, or a component's points), or null where it lacks data. Where a
denominator is zero, the formula's own `when_zero` decides; null there means "missing".
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Protocol

import polars as pl

from bellwether.common.errors import InvalidInputError

Labels = Mapping[str, str]


def in_order(terms: Iterable[pl.Expr]) -> pl.Expr:
    """Return the sum of `terms`, added from left to right.

    Polars' own horizontal sum adds in whatever order its threads finish, so that the last bit of a score could change
    from run to run; a stored score must be derivable again bit for bit.
    """
    return reduce(add, terms)


def quotient(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """Return dividend times the reciprocal of the divisor.

    Polars divides by a column but multiplies by the reciprocal of a constant, even where only its optimiser sees that
    a column is constant. The last bit would then depend on which clients are scored together; this is the same always.
    """
    return dividend * (pl.lit(1.0) / divisor)


class Formula(Protocol):
    """A number from measures."""

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""

    def has_data(self) -> pl.Expr:
        """Return whether the value rests on data; false also where a zero denominator was answered by `when_zero`."""

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people, with `labels` for the measures."""


@dataclass(frozen=True)
class Ratio:
    """min(top, top * (measure / of) / target); `when_zero` where `of` is 0."""

    measure: str
    of: str
    target: float = 1.0
    top: float = 100.0
    when_zero: float | None = None
    zero_is_data: bool = False

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure, self.of})

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""
        share = quotient(pl.col(self.measure).cast(pl.Float64), pl.col(self.of).cast(pl.Float64))
        score = pl.min_horizontal(pl.lit(self.top), share * (self.top / self.target))
        known = pl.col(self.measure).is_not_null() & (pl.col(self.of) > 0)
        return pl.when(pl.col(self.of) == 0).then(pl.lit(self.when_zero, pl.Float64)).when(known).then(score)

    def has_data(self) -> pl.Expr:
        """Return whether the ratio could be formed."""
        formed = pl.col(self.measure).is_not_null() & (pl.col(self.of) > 0)
        answered = (pl.col(self.of) == 0) & pl.lit(self.zero_is_data)
        return (formed | answered).fill_null(False)

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        target = "" if self.target == 1 else f", {self.target:.0%} of it counts as full"
        return f"{labels[self.measure]} as a share of {labels[self.of].lower()}{target}"


class DataWhereValue:
    """Has data exactly where it has a value."""

    def has_data(self) -> pl.Expr:
        """Return whether there is a value."""
        return self.value().is_not_null()  # type: ignore[attr-defined, no-any-return]


@dataclass(frozen=True)
class Relief(DataWhereValue):
    """top - min(top, top * measure / (base + per * of)): a burden that weighs less on many shoulders."""

    measure: str
    of: str
    base: float
    per: float
    top: float = 100.0

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure, self.of})

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""
        allowance = self.base + self.per * pl.col(self.of).cast(pl.Float64)
        burden = self.top * quotient(pl.col(self.measure).cast(pl.Float64), allowance)
        known = pl.col(self.measure).is_not_null() & pl.col(self.of).is_not_null()
        return pl.when(known).then(self.top - pl.min_horizontal(pl.lit(self.top), burden))

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        allowance = f"{self.base:g} + {self.per:g} × {labels[self.of].lower()}"
        return f"100 less {labels[self.measure].lower()} against an allowance of {allowance}"


@dataclass(frozen=True)
class PerUnit(DataWhereValue):
    """max(0, top - per_unit * measure)."""

    measure: str
    per_unit: float
    top: float = 100.0

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure})

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""
        score = pl.max_horizontal(pl.lit(0.0), self.top - self.per_unit * pl.col(self.measure).cast(pl.Float64))
        return pl.when(pl.col(self.measure).is_not_null()).then(score)

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        return f"{self.top:g} less {self.per_unit:g} for each of {labels[self.measure].lower()}"


@dataclass(frozen=True)
class Scale(DataWhereValue):
    """min(top, factor * measure), not below 0."""

    measure: str
    factor: float
    top: float = 100.0

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure})

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""
        score = (self.factor * pl.col(self.measure).cast(pl.Float64)).clip(0.0, self.top)
        return pl.when(pl.col(self.measure).is_not_null()).then(score)

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        return labels[self.measure] if self.factor == 1 else f"{self.factor:g} × {labels[self.measure].lower()}"


@dataclass(frozen=True)
class Linear(DataWhereValue):
    """Straight between two points (measure, score), flat outside them."""

    measure: str
    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure})

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""
        (x0, y0), (x1, y1) = self.start, self.end
        x = pl.col(self.measure).cast(pl.Float64).clip(x0, x1)
        return (y0 + (x - x0) * ((y1 - y0) / (x1 - x0))).clip(min(y0, y1), max(y0, y1))

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        (x0, y0), (x1, y1) = self.start, self.end
        return f"{labels[self.measure]}: {y0:g} up to {x0:g}, falling evenly to {y1:g} at {x1:g}"


@dataclass(frozen=True)
class Steps(DataWhereValue):
    """The points of the first step whose limit the measure is under, else 0; null counts as 0 and as no data."""

    measure: str
    steps: tuple[tuple[float, float], ...]

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure})

    def value(self) -> pl.Expr:
        """Return the points as Float64; null where data are missing."""
        result: pl.Expr = pl.lit(0.0)
        for limit, points in reversed(self.steps):
            result = pl.when(pl.col(self.measure) < limit).then(pl.lit(float(points))).otherwise(result)
        return pl.when(pl.col(self.measure).is_not_null()).then(result)

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        steps = ", ".join(f"under {limit:g}: {points:g}" for limit, points in self.steps)
        return f"{labels[self.measure]}: {steps}, else 0"


@dataclass(frozen=True)
class Values(DataWhereValue):
    """A score for each word of a measure; an unknown word is missing."""

    measure: str
    values: tuple[tuple[str, float], ...]

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset({self.measure})

    def value(self) -> pl.Expr:
        """Return the score as Float64; null where data are missing."""
        word = pl.col(self.measure).cast(pl.String).str.to_lowercase()
        return word.replace_strict(dict(self.values), default=None, return_dtype=pl.Float64)

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        return f"{labels[self.measure]}: " + ", ".join(f"{word} {score:g}" for word, score in self.values)


@dataclass(frozen=True)
class Part:
    """A part of a mean. `required`: without it the whole mean is missing."""

    weight: float
    formula: Formula
    required: bool = False


@dataclass(frozen=True)
class Mean(DataWhereValue):
    """The weighted mean of parts; missing parts are scaled out unless they are required."""

    parts: tuple[Part, ...]

    @property
    def measures(self) -> frozenset[str]:
        """The measures it reads."""
        return frozenset().union(*(part.formula.measures for part in self.parts))

    def value(self) -> pl.Expr:
        """Return the mean as Float64; null where all parts, or a required one, are missing."""
        values = [part.formula.value() for part in self.parts]
        pairs = list(zip(self.parts, values, strict=True))
        total = in_order([part.weight * value.fill_null(0.0) for part, value in pairs])
        weight = in_order([pl.when(value.is_not_null()).then(part.weight).otherwise(0.0) for part, value in pairs])
        known = weight > 0
        for part, value in pairs:
            if part.required:
                known = known & value.is_not_null()
        return pl.when(known).then(quotient(total, weight).clip(0.0, 100.0))

    def words(self, labels: Labels) -> str:
        """Return the formula as a phrase for people."""
        whole = sum(part.weight for part in self.parts)
        return "; ".join(f"{part.weight / whole:.0%} {part.formula.words(labels)}" for part in self.parts)


def number_measures(formula: Formula) -> frozenset[str]:
    """Return the measures that `formula` reads as numbers: all but those whose words have values."""
    if isinstance(formula, Values):
        return frozenset()
    if isinstance(formula, Mean):
        return frozenset().union(*(number_measures(part.formula) for part in formula.parts))
    return formula.measures


def _pair(value: Any) -> tuple[float, float]:
    first, second = value
    return float(first), float(second)


_KINDS: dict[str, Callable[[dict[str, Any]], Formula]] = {
    "ratio": lambda d: Ratio(**d),
    "relief": lambda d: Relief(**d),
    "per_unit": lambda d: PerUnit(**d),
    "scale": lambda d: Scale(**d),
    "linear": lambda d: Linear(d["measure"], _pair(d["start"]), _pair(d["end"])),
    "steps": lambda d: Steps(d["measure"], tuple(_pair(step) for step in d["steps"])),
    "values": lambda d: Values(d["measure"], tuple(d["values"].items())),
    "mean": lambda d: Mean(tuple(_part(part) for part in d["parts"])),
}


def _part(data: dict[str, Any]) -> Part:
    rest = {key: value for key, value in data.items() if key not in {"weight", "required"}}
    return Part(float(data["weight"]), parse_formula(rest), bool(data.get("required", False)))


def parse_formula(data: Mapping[str, Any]) -> Formula:
    """Return the formula that `data` describes: `kind` and the fields of that kind. Raises InvalidInputError."""
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind not in _KINDS:
        raise InvalidInputError(f"Formula kind {kind!r} is unknown; there are {', '.join(_KINDS)}.")
    try:
        return _KINDS[kind](fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError(f"Formula of kind {kind!r} has wrong fields: {error}.") from error
