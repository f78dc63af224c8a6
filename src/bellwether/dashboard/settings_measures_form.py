"""The form of a custom measure: fields to a definition and back. Pure.

What the fields cannot say (a ratio of ratios' sides with filters of their own, many conditions) is edited as JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bellwether.health.custom_measures import Definition

KINDS = (
    ("count", "Count", "How often it happened"),
    ("users", "People", "How many different people did it"),
    ("ratio", "Ratio", "A count for each seat, user or other event"),
    ("days_since", "Days since", "How long ago it last happened"),
    ("sum", "Sum", "A number that events carry, added up"),
    ("last", "Last value", "The newest value of a property or trait"),
)
COMPARISONS = (
    ("equals", "is"),
    ("in", "is one of"),
    ("greater", "is over"),
    ("less", "is under"),
    ("exists", "is given"),
)
WINDOWS = ("7", "14", "30", "60", "90", "180", "365", "all")
PER = (("seats", "licensed users"), ("users", "monthly active users"), ("events", "other events"))
CONDITIONS = ("1", "2", "3")
TEXTS = ("name", "slug", "description", "kind", "events", "module", "feature", "label", "property", "trait", "window",
         "who", "per", "per_events", "unit", "better", "json")  # fmt: skip
FIELDS = (*TEXTS, *(f"{part}{n}" for n in CONDITIONS for part in ("where", "is", "value")))
DEFAULTS = {"kind": "count", "window": "30", "who": "people", "per": "seats", "unit": "", "better": ""}
LONGEST = 8_000


@dataclass(frozen=True)
class MeasureForm:
    """The fields as they stand, and what is wrong with each; "" names what belongs to no field."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def advanced(self) -> bool:
        """Whether the definition is edited as JSON."""
        return "json" in self.values


def read_form(given: Mapping[str, str]) -> MeasureForm:
    """Return the form with what was sent, and defaults for what was not."""
    sent = {name: given[name].replace("\r\n", "\n")[:LONGEST] for name in FIELDS if name in given}
    return MeasureForm(sent if "json" in sent else DEFAULTS | sent)


def definition_data(form: MeasureForm) -> Any:
    """Return what the fields say as data for `parse_definition`; None for JSON that is none."""
    values = form.values
    if form.advanced:
        try:
            return json.loads(values["json"])
        except (ValueError, RecursionError):
            return None
    kind = values["kind"]
    data = _selection(values, "count" if kind == "ratio" else kind)
    if kind == "ratio":
        data = {"kind": "ratio", "of": data, "per": _per(values)}
    return data | {name: values[name] for name in ("unit", "better") if values.get(name)}


def form_of(name: str, slug: str, description: str, definition: Definition) -> MeasureForm:
    """Return the form that says `definition`, as JSON where its fields cannot."""
    values = DEFAULTS | {"name": name, "slug": slug, "description": description}
    values |= {"kind": definition.kind, "unit": definition.unit.value, "better": definition.better.value}
    values |= _selected(definition.of or definition)
    if isinstance(definition.per, Definition):
        values |= {"per": "events", "per_events": "\n".join(definition.per.events)}
    elif definition.per:
        values["per"] = definition.per
    form = MeasureForm(values)
    data = definition.as_data()
    if _same(definition_data(form), data):
        return form
    own = {"name": name, "slug": slug, "description": description}
    return MeasureForm(own | {"json": json.dumps(data, indent=2, ensure_ascii=False)})


def with_errors(form: MeasureForm, errors: Mapping[str, str]) -> MeasureForm:
    """Return the form with `errors` (by path of a draft or a definition) at the fields that they are about."""
    found: dict[str, str] = {}
    for path, text in errors.items():
        name = _field(path, form)
        found[name] = f"{found[name]} {text}" if name in found else text
    return MeasureForm(form.values, found)


def _selection(values: Mapping[str, str], kind: str) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": kind}
    if kind in ("sum", "last"):
        data |= {name: values[name].strip() for name in ("property", "trait") if values.get(name, "").strip()}
    if not data.get("trait"):
        data["events"] = _lines(values.get("events", ""))
        data |= {name: values[name] for name in ("module", "feature", "label") if values.get(name, "").strip()}
    where = [_condition(values, n) for n in CONDITIONS if values.get(f"where{n}", "").strip()]
    data |= {"where": where} if where else {}
    if kind != "users":
        data["people_only"] = values.get("who") != "everybody"
    if kind != "days_since":
        data["window_days"] = _window(values.get("window", ""))
    return data


def _condition(values: Mapping[str, str], number: str) -> dict[str, Any]:
    comparison = values.get(f"is{number}", "equals")
    text = values.get(f"value{number}", "").strip()
    data: dict[str, Any] = {"property": values[f"where{number}"].strip(), "is": comparison}
    if comparison == "in":
        return data | {"value": [part.strip() for part in text.split(",") if part.strip()]}
    return data if comparison == "exists" else data | {"value": text}


def _per(values: Mapping[str, str]) -> Any:
    if values.get("per") != "events":
        return values.get("per", "")
    return {
        "kind": "count",
        "events": _lines(values.get("per_events", "")),
        "people_only": values.get("who") != "everybody",
        "window_days": _window(values.get("window", "")),
    }


def _selected(definition: Definition) -> dict[str, str]:
    values = {
        "events": "\n".join(definition.events),
        "module": definition.module,
        "feature": definition.feature,
        "label": definition.label,
        "property": definition.attribute,
        "trait": definition.trait,
        "who": "people" if definition.people_only else "everybody",
        "window": "all" if definition.window is None else str(definition.window),
    }
    for number, condition in zip(CONDITIONS, definition.where, strict=False):
        values |= {
            f"where{number}": condition.attribute,
            f"is{number}": condition.comparison,
            f"value{number}": ", ".join(condition.values),
        }
    return values


def _same(data: Any, other: Mapping[str, Any]) -> bool:
    """Return whether the form's data say `other`, empty lists and the writing of numbers aside."""
    return bool(_plain(data) == _plain(other))


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: _plain(value) for name, value in data.items() if value != []}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    if isinstance(data, str):
        try:
            return float(data)
        except ValueError:
            return data
    return data if isinstance(data, bool) or not isinstance(data, int | float) else float(data)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _window(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text.strip()


def _field(path: str, form: MeasureForm) -> str:
    parts = path.removeprefix("definition.").split(".")
    if form.advanced:
        return parts[0] if parts[0] in ("name", "slug", "description") else "json"
    if parts[0] == "per" and len(parts) > 1:
        return "per_events" if parts[1] == "events" else "per"
    if parts[0] == "of":
        parts = parts[1:] or ["events"]
    if parts[0] == "where" and len(parts) > 1:
        given = [n for n in CONDITIONS if form.values.get(f"where{n}", "").strip()]
        index = int(parts[1])
        return f"where{given[index]}" if index < len(given) else "where1"
    names = {"window_days": "window", "event": "events", "people_only": "who"}
    name = names.get(parts[0], parts[0])
    return name if name in FIELDS else ""
