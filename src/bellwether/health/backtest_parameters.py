"""How a back-test is made: which days, which horizons, against what. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.health.backtest_rules import RULES

HORIZONS = (30, 60, 90, 180)
SHOWN_FIRST = 90
STEP_DAYS = 28
LONGEST_HORIZON, LONGEST_STEP = 730, 366
MOST_HORIZONS = 8
MOST_DATES = 400
SEED = 15


@dataclass(frozen=True)
class LabelsFile:
    """Which labels were read from a file: the column, and the SHA-256 of the rows."""

    column: str
    digest: str


@dataclass(frozen=True)
class Parameters:
    """How to back-test. Days and horizons as in docs/reference/backtest.md.

    `first` and `last` None mean all there is; `against` None means both naive rules and every other scorecard there is,
    else keys of rules and names of scorecards. `as_known`: scores rest on what had arrived on the day.
    """

    first: date | None = None
    last: date | None = None
    step_days: int = STEP_DAYS
    horizons: tuple[int, ...] = HORIZONS
    against: tuple[str, ...] | None = None
    as_known: bool = True
    labels: LabelsFile | None = None
    seed: int = SEED

    @property
    def shown_first(self) -> int:
        """The horizon that is shown first: 90 days, or the longest where that is none of them."""
        return SHOWN_FIRST if SHOWN_FIRST in self.horizons else max(self.horizons)

    def as_data(self) -> dict[str, Any]:
        """Return the parameters as JSON data."""
        days = {name: str(day) if day else None for name, day in (("first", self.first), ("last", self.last))}
        against = None if self.against is None else list(self.against)
        return asdict(self) | days | {"horizons": list(self.horizons), "against": against}


def checked(given: Parameters, *, scorecards: Mapping[str, Any], today: date) -> Parameters:
    """Return the parameters with horizons in order. Raises InvalidInputError that names each field that is wrong."""
    problems: dict[str, str] = {}
    if given.first and given.last and given.first > given.last:
        problems["first"] = f"{given.first} is after the last day, {given.last}; exchange them."
    if given.last and given.last > today:
        problems["last"] = f"{given.last} is after today, {today}."
    if given.first and given.first > today:
        problems["first"] = f"{given.first} is after today, {today}."
    if not 1 <= given.step_days <= LONGEST_STEP:
        problems["step_days"] = f"is {given.step_days}; take 1 to {LONGEST_STEP} days."
    if not given.horizons or len(given.horizons) > MOST_HORIZONS:
        problems["horizons"] = f"give 1 to {MOST_HORIZONS} horizons."
    elif not all(1 <= days <= LONGEST_HORIZON for days in given.horizons):
        problems["horizons"] = f"must be whole days from 1 to {LONGEST_HORIZON}."
    known = [*RULES, *scorecards]
    unknown = [name for name in given.against or () if name not in known]
    if unknown:
        problems["against"] = f"{', '.join(unknown)} is not known; there are {', '.join(known)}."
    if problems:
        raise InvalidInputError("The back-test cannot be made.", problems)
    return replace(given, horizons=tuple(sorted(set(given.horizons))))


def key_of(parameters: Parameters, stamp: str) -> str:
    """Return the natural key of a back-test beside its definition: parameters and what the data were."""
    text = json.dumps([parameters.as_data(), stamp], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def parameters_from(data: Mapping[str, Any]) -> Parameters:
    """Return the parameters that `as_data` made `data` from; keys that are not theirs are left alone."""
    labels = data.get("labels")

    def day(name: str) -> date | None:
        return date.fromisoformat(data[name]) if data.get(name) else None

    return Parameters(
        first=day("first"),
        last=day("last"),
        step_days=int(data["step_days"]),
        horizons=tuple(data["horizons"]),
        against=None if data.get("against") is None else tuple(data["against"]),
        as_known=bool(data["as_known"]),
        labels=LabelsFile(**labels) if labels else None,
        seed=int(data["seed"]),
    )
