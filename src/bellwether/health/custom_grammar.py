"""Reads custom measures: data of any shape in, a checked Definition out, or every problem by its path. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.health.custom_measures import UNITS, Definition, Size
from bellwether.health.inputs import LONGEST_WINDOW_DAYS
from bellwether.health.measures import Better, Unit
from bellwether.usage.custom_specs import Condition

KINDS = ("count", "users", "ratio", "days_since", "sum", "last")
COMPARISONS = ("equals", "in", "greater", "less", "exists")
USUAL_UNITS = {"users": Unit.PEOPLE, "ratio": Unit.RATIO, "days_since": Unit.DAYS}
MOST_EVENTS, MOST_CONDITIONS, MOST_VALUES, LONGEST_TEXT = 20, 5, 50, 200
_COMMON = {"kind", "unit", "better"}
_SELECT = {"event", "events", "module", "feature", "label", "where", "people_only", "window_days"}
_ALLOWED: dict[str, set[str]] = {
    "count": _SELECT,
    "users": _SELECT - {"people_only"},
    "days_since": _SELECT - {"window_days"},
    "sum": _SELECT | {"property", "trait"},
    "last": _SELECT | {"property", "trait"},
    "ratio": {"of", "per"},
}


def parse_definition(data: Any, *, labelled: Collection[str] | None = None) -> Definition:
    """Return the definition that `data` describes.

    `labelled`: the events that have a label in this workspace, not checked when None. Raises InvalidInputError with a
    field path per problem.
    """
    problems: dict[str, str] = {}
    found = _Reader(problems, labelled).definition(data, "")
    if problems or found is None:
        raise InvalidInputError("The measure cannot be used: " + _joined(problems), problems)
    return found


def _joined(problems: Mapping[str, str]) -> str:
    return " ".join(f"{path} {problem}" if path else problem for path, problem in problems.items())


@dataclass
class _Reader:
    """Reads definitions and notes what is wrong with them, by path."""

    problems: dict[str, str]
    labelled: Collection[str] | None

    def definition(self, data: Any, path: str) -> Definition | None:
        at = f"{path}." if path else ""
        if not isinstance(data, Mapping):
            self.problems[path or "definition"] = "needs an object with a kind."
            return None
        kind = data.get("kind")
        kinds = tuple(k for k in KINDS if k != "ratio") if path else KINDS
        if kind not in kinds:
            self.problems[f"{at}kind"] = f"is {_shown(kind)}; it needs one of {', '.join(kinds)}."
            return None
        allowed = _ALLOWED[kind] | {"kind"} | (set() if path else _COMMON)
        for name in data:
            if name not in allowed:
                self.problems[f"{at}{_shown(name, quote=False)}"] = f"does not belong to a {kind}."
        unit, better = (Unit.COUNT, Better.HIGHER) if path else self._verdict(data, kind)
        if kind == "ratio":
            of = self.definition(data.get("of"), f"{at}of")
            given = data.get("per")
            per: Definition | Size | None = _size(given) or self.definition(given, f"{at}per")
            return Definition("ratio", of=of, per=per, unit=unit, better=better)
        return self._selection(data, kind, at, unit, better)

    def _verdict(self, data: Mapping[str, Any], kind: str) -> tuple[Unit, Better]:
        unit = data.get("unit") or USUAL_UNITS.get(kind, Unit.COUNT)
        better = data.get("better") or (Better.LOWER if kind == "days_since" else Better.HIGHER)
        if unit not in [known.value for known in UNITS]:
            self.problems["unit"] = f"is {_shown(unit)}; it needs one of {', '.join(UNITS)}."
            unit = Unit.COUNT
        if better not in [known.value for known in Better]:
            self.problems["better"] = f"is {_shown(better)}; it needs one of {', '.join(Better)}."
            better = Better.HIGHER
        return Unit(unit), Better(better)

    def _selection(self, data: Mapping[str, Any], kind: str, at: str, unit: Unit, better: Better) -> Definition:
        events = self._events(data, at)
        texts = {name: self._text(data, at, name) for name in ("module", "feature", "label")}
        attribute, trait = (self._property(data.get(name), f"{at}{name}") for name in ("property", "trait"))
        people_only = data.get("people_only", True)
        if not isinstance(people_only, bool):
            self.problems[f"{at}people_only"] = f"is {_shown(people_only)}; it needs true or false."
            people_only = True
        found = Definition(
            kind,
            events=events,
            where=self._where(data.get("where"), f"{at}where"),
            window=None if kind == "days_since" else self._window(data, at),
            people_only=people_only,
            unit=unit,
            better=better,
            attribute=attribute,
            trait=trait,
            module=texts["module"],
            feature=texts["feature"],
            label=texts["label"],
        )
        if not {f"{at}property", f"{at}trait"} & set(self.problems):
            self._fits(found, at)
        return found

    def _fits(self, found: Definition, at: str) -> None:
        """Note what does not go together."""
        if found.kind in ("sum", "last") and bool(found.attribute) == bool(found.trait):
            self.problems[f"{at}property"] = f"is needed for a {found.kind}: a property of the event, or else a trait."
        if found.trait:
            for name in ("events", "module", "feature", "label"):
                if getattr(found, name):
                    self.problems[f"{at}{name}"] = "does not go with a trait, which belongs to no event."
        elif found.kind in ("users", "sum", "last") and not found.events:
            usual = " People with any action are the measures dau, wau and mau." if found.kind == "users" else ""
            self.problems.setdefault(f"{at}events", f"is needed for {found.kind}: the name of an event.{usual}")
        if found.label and not found.events:
            self.problems[f"{at}label"] = "needs the event that it is the label of."
        elif found.label and self.labelled is not None and not set(found.events) & set(self.labelled):
            has = f"; those that have one: {', '.join(sorted(self.labelled))}" if self.labelled else ""
            self.problems[f"{at}label"] = f"is not kept for this event{has}. Use a condition on a property instead."

    def _events(self, data: Mapping[str, Any], at: str) -> tuple[str, ...]:
        given = data.get("events")
        if data.get("event"):
            if given:
                self.problems[f"{at}event"] = "is given beside events; give one of the two."
            given = [data["event"]]
        if given is None or given == []:
            return ()
        if isinstance(given, str):
            given = [given]
        if not isinstance(given, list) or len(given) > MOST_EVENTS or not all(_is_text(name) for name in given):
            self.problems[f"{at}events"] = (
                f"needs 1 to {MOST_EVENTS} names of events, each up to {LONGEST_TEXT} letters."
            )
            return ()
        return tuple(sorted({name.strip() for name in given}))

    def _text(self, data: Mapping[str, Any], at: str, name: str) -> str:
        value = data.get(name)
        if value in (None, ""):
            return ""
        if not _is_text(value):
            self.problems[f"{at}{name}"] = f"needs a text of up to {LONGEST_TEXT} letters."
            return ""
        return str(value).strip()

    def _property(self, value: Any, path: str) -> str:
        if value in (None, ""):
            return ""
        if not _is_text(value) or any(letter in value for letter in "\"\\'"):
            self.problems[path] = f"needs a name of up to {LONGEST_TEXT} letters without quotes and backslashes."
            return ""
        return str(value).strip()

    def _window(self, data: Mapping[str, Any], at: str) -> int | None:
        given = data.get("window_days", 30)
        if given == "all":
            return None
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= LONGEST_WINDOW_DAYS:
            self.problems[f"{at}window_days"] = (
                f'is {_shown(given)}; it needs 1 to {LONGEST_WINDOW_DAYS} days, or "all".'
            )
            return 30
        return given

    def _where(self, given: Any, path: str) -> tuple[Condition, ...]:
        if given in (None, []):
            return ()
        if not isinstance(given, list) or len(given) > MOST_CONDITIONS:
            self.problems[path] = f"needs a list of at most {MOST_CONDITIONS} conditions."
            return ()
        read = (self._condition(entry, f"{path}.{index}") for index, entry in enumerate(given))
        return tuple(sorted({c for c in read if c is not None}, key=lambda c: (c.attribute, c.comparison, c.values)))

    def _condition(self, entry: Any, path: str) -> Condition | None:
        if not isinstance(entry, Mapping):
            self.problems[path] = "needs an object with property, is and value."
            return None
        name = self._property(entry.get("property"), f"{path}.property")
        if not name:
            self.problems.setdefault(f"{path}.property", "is needed: the name of a property of the event.")
        comparison = entry.get("is", "equals")
        if comparison not in COMPARISONS:
            self.problems[f"{path}.is"] = f"is {_shown(comparison)}; it needs one of {', '.join(COMPARISONS)}."
            return None
        values = self._values(comparison, entry.get("value"), f"{path}.value")
        for extra in set(entry) - {"property", "is", "value"}:
            self.problems[f"{path}.{_shown(extra, quote=False)}"] = "does not belong to a condition."
        return None if values is None or not name else Condition(name, comparison, values)

    def _values(self, comparison: str, value: Any, path: str) -> tuple[str, ...] | None:
        if comparison == "exists":
            if value not in (None, "", True):
                self.problems[path] = "does not belong to exists."
            return ()
        if comparison in ("greater", "less"):
            number = _number(value)
            if number is None:
                self.problems[path] = f"is {_shown(value)}; it needs a number."
                return None
            return (repr(number),)
        values = value if comparison == "in" else [value]
        if not isinstance(values, list) or not 1 <= len(values) <= MOST_VALUES:
            self.problems[path] = f"needs 1 to {MOST_VALUES} values."
            return None
        texts = [_value_text(one) for one in values]
        if any(not text for text in texts):
            self.problems[path] = "needs a text, a number, true or false."
            return None
        return tuple(sorted({text for text in texts if text}))


def _size(value: Any) -> Size | None:
    return "users" if value == "users" else "seats" if value == "seats" else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_TEXT and "\x00" not in value


def _value_text(value: Any) -> str:
    """Return a value as JSON writes it, "" for what is no plain value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return value.strip() if _is_text(value) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= 1e11 else None


def _shown(value: Any, *, quote: bool = True) -> str:
    text = str(value)[:60]
    return "missing" if value is None else repr(text) if quote and isinstance(value, str) else text
