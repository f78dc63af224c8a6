"""What makes a milestone, as data: a kind of rule and its numbers. Pure.

Data (TOML, JSON, database): {kind = "uses", events = ["Case Created"], times = 100}. Events are written as features
write them (usage.event_match).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.usage.event_match import EventMatch, match_from_data
from bellwether.web.formatting import number, percent, plural

MOST_TIMES = 1_000_000_000


class Kind(StrEnum):
    """What a rule looks at."""

    USES = "uses"
    SEAT_USE = "seat_use"
    MODULES = "modules"
    COMPONENT = "component"
    MEASURE = "measure"
    HEALTH_STREAK = "health_streak"
    TIME = "time"
    GO_LIVE = "go_live"
    ACTIVITY = "activity"
    RENEWAL = "renewal"
    NPS = "nps"


LABELS: dict[Kind, str] = {
    Kind.USES: "The n-th time of an event",
    Kind.SEAT_USE: "A share of the seats in use in a month",
    Kind.MODULES: "Every licensed module used",
    Kind.COMPONENT: "A component of the score at a level",
    Kind.MEASURE: "A measure at a level",
    Kind.HEALTH_STREAK: "Days in a row with a health score of a level",
    Kind.TIME: "Time since the contract started",
    Kind.GO_LIVE: "Go-live",
    Kind.ACTIVITY: "The n-th completed activity of a type",
    Kind.RENEWAL: "The n-th renewal",
    Kind.NPS: "The first NPS answer at a level",
}
FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.USES: ("events", "times", "people_only"),
    Kind.SEAT_USE: ("at_least",),
    Kind.MODULES: (),
    Kind.COMPONENT: ("measure", "at_least"),
    Kind.MEASURE: ("measure", "at_least"),
    Kind.HEALTH_STREAK: ("at_least", "days"),
    Kind.TIME: ("days", "years"),
    Kind.GO_LIVE: (),
    Kind.ACTIVITY: ("activity", "times"),
    Kind.RENEWAL: ("times",),
    Kind.NPS: ("at_least",),
}
"""The fields of a rule by its kind; all are required but `events` (none: any event), people_only, and one of days and
years."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A checked rule. `at_least` is a share (0-1) of seats, a level 0-100, an NPS answer 0-10 or a measure's value."""

    kind: Kind
    events: tuple[EventMatch, ...] = ()
    people_only: bool = False
    times: int = 1
    at_least: float = 0.0
    days: int = 0
    years: int = 0
    measure: str = ""
    activity: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the rule as data, with the fields of its kind."""
        data: dict[str, Any] = {"kind": self.kind.value}
        for name in FIELDS[self.kind]:
            value = getattr(self, name)
            if name == "events":
                data[name] = [event.as_data() for event in value]
            elif value or name not in {"people_only", "days", "years"}:
                data[name] = value
        return data

    @property
    def target(self) -> float:
        """What the value of a client is held against."""
        if self.kind in {Kind.USES, Kind.ACTIVITY, Kind.RENEWAL}:
            return float(self.times)
        if self.kind == Kind.HEALTH_STREAK:
            return float(self.days)
        if self.kind == Kind.TIME:
            return float(self.days or 365 * self.years)
        return self.at_least


def rule_from_data(data: object, *, activity_types: tuple[str, ...] = ()) -> Rule:
    """Return the rule that `data` says. InvalidInputError naming each field that cannot be used."""
    if not isinstance(data, Mapping):
        raise InvalidInputError("The rule cannot be used.", {"kind": "needs a kind and its fields."})
    try:
        kind = Kind(str(data.get("kind", "")))
    except ValueError:
        raise InvalidInputError("The rule cannot be used.", {"kind": f"is one of {', '.join(Kind)}."}) from None
    errors: dict[str, str] = {}
    unknown = sorted(set(data) - {"kind", *FIELDS[kind]})
    if unknown:
        errors[str(unknown[0])] = f"is no field of {kind.value}; it has {', '.join(FIELDS[kind]) or 'none'}."
    values = {name: _READERS[name](data.get(name), kind, errors) for name in FIELDS[kind]}
    if kind == Kind.TIME and not errors and bool(values["days"]) == bool(values["years"]):
        errors["days"] = "give either days or years."
    if kind == Kind.ACTIVITY and activity_types and values["activity"] not in activity_types:
        errors["activity"] = f"is one of {', '.join(activity_types)}."
    if errors:
        raise InvalidInputError("The rule cannot be used.", errors)
    return Rule(kind=kind, **values)


def _events(value: object, kind: Kind, errors: dict[str, str]) -> tuple[EventMatch, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        errors["events"] = "needs a list of events."
        return ()
    found = []
    for one in value:
        try:
            found.append(match_from_data(one))
        except ValueError as error:
            errors["events"] = f"{one!r} {error}."
    return tuple(sorted(set(found)))


def _whole(name: str, low: int, high: int) -> Any:
    def read(value: object, kind: Kind, errors: dict[str, str]) -> int:
        if value is None and kind == Kind.TIME:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            errors[name] = f"is a whole number from {low:,} to {high:,}."
            return low
        return value

    return read


def _at_least(value: object, kind: Kind, errors: dict[str, str]) -> float:
    high = {Kind.SEAT_USE: 10.0, Kind.COMPONENT: 100.0, Kind.HEALTH_STREAK: 100.0, Kind.NPS: 10.0}.get(kind, 1e15)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        errors["at_least"] = f"is a number from 0 to {high:g}."
        return 0.0
    return float(value)


def _word(name: str) -> Any:
    def read(value: object, kind: Kind, errors: dict[str, str]) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > 60:
            errors[name] = "needs a name of at most 60 characters."
            return ""
        return value.strip()

    return read


_READERS: dict[str, Any] = {
    "events": _events,
    "people_only": lambda value, kind, errors: bool(value),
    "times": _whole("times", 1, MOST_TIMES),
    "days": _whole("days", 1, 36_500),
    "years": _whole("years", 1, 100),
    "at_least": _at_least,
    "measure": _word("measure"),
    "activity": _word("activity"),
}


def rule_text(rule: Rule) -> str:
    """Return the rule in words: "100 × Case Created", "25% of the seats used in 30 days"."""
    names = " or ".join(str(event) for event in rule.events) or "any event"
    match rule.kind:
        case Kind.USES:
            return f"{number(rule.times)} × {names}{' by people' if rule.people_only else ''}"
        case Kind.SEAT_USE:
            return f"{percent(rule.at_least)} of the seats used in 30 days"
        case Kind.MODULES:
            return "Every licensed module used at least once"
        case Kind.COMPONENT | Kind.MEASURE:
            return f"{rule.measure.replace('_', ' ').capitalize()} at {number(rule.at_least)} or more"
        case Kind.HEALTH_STREAK:
            return f"Health score of {number(rule.at_least)} or more for {number(rule.days)} days in a row"
        case Kind.TIME:
            return (
                f"{plural(rule.years, 'year') if rule.years else plural(rule.days, 'day')} since the contract started"
            )
        case Kind.GO_LIVE:
            return "The date of the go-live"
        case Kind.ACTIVITY:
            kind = rule.activity if len(rule.activity) <= 3 else rule.activity.replace("_", " ").lower()
            return f"{number(rule.times)} × {kind} completed"
        case Kind.RENEWAL:
            return plural(rule.times, "renewal")
        case Kind.NPS:
            return f"An NPS answer of {number(rule.at_least)} or more"


def progress_text(rule: Rule, value: float, target: float) -> str:
    """Return how far a client is: "92 of 100", "18% of 25%", "71 of 90 days"."""
    if rule.kind == Kind.SEAT_USE:
        return f"{percent(value)} of {percent(target)}"
    unit = " days" if rule.kind in {Kind.HEALTH_STREAK, Kind.TIME} else " modules" if rule.kind == Kind.MODULES else ""
    return f"{number(value)} of {number(target)}{unit}"
