"""The form of a scorecard's components: from a definition to fields and back. Pure.

A field's name says where its value stands: "c0.label", "c0.measure", "c0.p1.factor". What has no field stays as it is
in the definition that the form was made of.
"""

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.common.errors import InvalidInputError

KINDS = {
    "ratio": "Share of another measure",
    "relief": "Burden against an allowance",
    "per_unit": "Points off for each",
    "scale": "Times a factor",
    "linear": "Straight between two values",
    "steps": "Points by steps",
    "values": "Points by word",
    "mean": "Mean of several",
}
NUMBERS = {"ratio": ("target",), "relief": ("base", "per"), "per_unit": ("per_unit",), "scale": ("factor",)}
NUMBER_LABELS = {
    "target": "Share that counts as full", "base": "Allowance for everybody", "per": "And for each",
    "per_unit": "Points off for each", "factor": "Factor",
}  # fmt: skip
LONGEST = 100_000


@dataclass(frozen=True)
class Field:
    """One field: `kind` is "number", "measure", "pair" or "lines"; `value` is its text."""

    name: str
    label: str
    kind: str
    value: str


@dataclass(frozen=True)
class FormulaFields:
    """The fields of one formula; `path` names it. `weight` is its share in a mean, None outside one."""

    path: str
    kind: str
    title: str
    fields: list[Field]
    weight: Field | None = None


@dataclass(frozen=True)
class ComponentFields:
    """The fields of one component."""

    path: str
    key: str
    label: str
    weight: str
    formulas: list[FormulaFields]


def component_fields(definition: Mapping[str, Any]) -> list[ComponentFields]:
    """Return the form's fields for every component of a definition."""
    found = []
    for at, component in enumerate(definition["components"]):
        path, formula = f"c{at}", component["formula"]
        if formula["kind"] == "mean":
            parts = [
                _formula(part, f"{path}.p{number}", weight=part["weight"])
                for number, part in enumerate(formula["parts"])
            ]
        else:
            parts = [_formula(formula, path)]
        found.append(ComponentFields(path, component["key"], component["label"], f"{component['weight']:g}", parts))
    return found


def _formula(data: Mapping[str, Any], path: str, *, weight: float | None = None) -> FormulaFields:
    kind = data["kind"]
    fields = [Field(f"{path}.measure", "Measure", "measure", data["measure"])] if "measure" in data else []
    if "of" in data:
        fields.append(Field(f"{path}.of", "Of", "measure", data["of"]))
    for name in NUMBERS.get(kind, ()):
        value = data.get(name, 1.0)
        fields.append(Field(f"{path}.{name}", NUMBER_LABELS[name], "number", f"{value:g}"))
    if kind == "linear":
        for name, label in (("start", "Up to, and points there"), ("end", "From, and points there")):
            fields.append(Field(f"{path}.{name}", label, "pair", f"{data[name][0]:g}, {data[name][1]:g}"))
    if kind == "steps":
        text = "\n".join(f"{limit:g}: {points:g}" for limit, points in data["steps"])
        fields.append(Field(f"{path}.steps", "Under: points, one a line", "lines", text))
    if kind == "values":
        text = "\n".join(f"{word}: {points:g}" for word, points in data["values"].items())
        fields.append(Field(f"{path}.values", "Word: points, one a line", "lines", text))
    share = None if weight is None else Field(f"{path}.weight", "Share", "number", f"{weight:g}")
    return FormulaFields(path, kind, KINDS.get(kind, kind), fields, share)


def read_components(base: Mapping[str, Any], values: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the definition that the form's `values` make of `base`, and what is wrong by field name."""
    made, problems = copy.deepcopy(dict(base)), {}
    kept = []
    for at, component in enumerate(made["components"]):
        path = f"c{at}"
        if values.get(f"{path}.remove"):
            continue
        component["label"] = values.get(f"{path}.label", component["label"]).strip()
        if not component["label"]:
            problems[f"{path}.label"] = "is empty; give a name."
        _number(component, "weight", f"{path}.weight", values, problems)
        formula = component["formula"]
        if formula["kind"] == "mean":
            for number, part in enumerate(formula["parts"]):
                _number(part, "weight", f"{path}.p{number}.weight", values, problems)
                _read_formula(part, f"{path}.p{number}", values, problems)
        else:
            _read_formula(formula, path, values, problems)
        kept.append(component)
    made["components"] = kept
    added = _added(values, {component["key"] for component in kept}, problems)
    if added:
        kept.append(added)
    if not kept:
        problems[""] = "A scorecard needs at least one component."
    return made, problems


def _read_formula(data: dict[str, Any], path: str, values: Mapping[str, str], problems: dict[str, str]) -> None:
    for name in ("measure", "of"):
        if name in data:
            data[name] = values.get(f"{path}.{name}", data[name]).strip()
    for name in NUMBERS.get(data["kind"], ()):
        if f"{path}.{name}" in values:
            _number(data, name, f"{path}.{name}", values, problems)
    if data["kind"] == "linear":
        for name in ("start", "end"):
            text = values.get(f"{path}.{name}")
            if text is not None:
                pair = re.fullmatch(r"\s*(-?[\d.]+)\s*[,;]\s*(-?[\d.]+)\s*", text)
                if pair is None:
                    problems[f"{path}.{name}"] = 'is a value and its points, such as "14, 100".'
                else:
                    data[name] = [float(pair[1]), float(pair[2])]
        if not problems and data["start"][0] >= data["end"][0]:
            problems[f"{path}.end"] = "begins at a higher value than the first."
    for name in ("steps", "values"):
        if data["kind"] == name and f"{path}.{name}" in values:
            lines = _lines(values[f"{path}.{name}"], f"{path}.{name}", problems, words=name == "values")
            data[name] = dict(lines) if name == "values" else [list(line) for line in lines]


def _lines(text: str, name: str, problems: dict[str, str], *, words: bool) -> list[tuple[Any, float]]:
    found: list[tuple[Any, float]] = []
    for line in text.splitlines():
        left, colon, right = line.partition(":")
        if not line.strip():
            continue
        try:
            found.append((left.strip() if words else float(left), float(right)))
        except ValueError:
            problems[name] = f"has the line {line.strip()[:40]!r}; write a {'word' if words else 'number'}: points."
        if not colon:
            problems[name] = f"has the line {line.strip()[:40]!r} without a colon."
    if not found:
        problems.setdefault(name, "is empty; give at least one line.")
    return found


def _number(data: dict[str, Any], key: str, name: str, values: Mapping[str, str], problems: dict[str, str]) -> None:
    text = values.get(name)
    if text is None:
        return
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = float("nan")
    if number != number or abs(number) == float("inf"):
        problems[name] = "is not a number." if text.strip() else "is empty; give a number."
        return
    if number <= 0 and key in {"target", "base"}:
        problems[name] = "is more than 0."
    data[key] = int(number) if number == int(number) else number


def _added(values: Mapping[str, str], keys: set[str], problems: dict[str, str]) -> dict[str, Any] | None:
    """Return the component that the last part of the form adds, None where it is empty."""
    label = values.get("new.label", "").strip()
    measure = values.get("new.measure", "").strip()
    if not label and not measure:
        return None
    if not label:
        problems["new.label"] = "is empty; give a name."
    if not measure:
        problems["new.measure"] = "is empty; choose a measure."
    component: dict[str, Any] = {"key": free_key(label or "component", keys), "label": label, "weight": 0}
    _number(component, "weight", "new.weight", {"new.weight": values.get("new.weight", "") or "0"}, problems)
    if values.get("new.kind") == "ratio":
        formula: dict[str, Any] = {"kind": "ratio", "measure": measure, "of": values.get("new.of", "").strip()}
        if not formula["of"]:
            problems["new.of"] = "is empty; choose what it is a share of."
        formula["target"] = 1.0
        _number(formula, "target", "new.target", {"new.target": values.get("new.target", "") or "1"}, problems)
    else:
        ends: dict[str, Any] = {}
        for name in ("none", "full"):
            _number(ends, name, f"new.{name}", {f"new.{name}": values.get(f"new.{name}", "")}, problems)
        if len(ends) < 2:
            return component | {"formula": {"kind": "scale", "measure": measure, "factor": 1}}
        if ends["none"] == ends["full"]:
            problems["new.full"] = "is the value with 0 points; give another one."
        low, high = sorted([(ends["none"], 0), (ends["full"], 100)])
        formula = {"kind": "linear", "measure": measure, "start": list(low), "end": list(high)}
    return component | {"formula": formula}


def free_key(label: str, keys: set[str]) -> str:
    """Return a key made of `label` that is not in `keys`."""
    base = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "component"
    return next(key for key in [base, *(f"{base}_{n}" for n in range(2, 1000))] if key not in keys)


def read_text(text: str) -> dict[str, Any]:
    """Return the definition that `text`, JSON or TOML, holds. Raises InvalidInputError with the place."""
    if len(text) > LONGEST:
        raise InvalidInputError("The text is too long.", {"text": f"is longer than {LONGEST:,} characters."})
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The text cannot be read.", {"text": f"is neither JSON nor TOML: {error}."}) from error
    if not isinstance(found.get("components"), list):
        raise InvalidInputError("The text is no scorecard.", {"text": "has no list of components."})
    return dict(found)


def as_text(definition: Mapping[str, Any]) -> str:
    """Return the definition as JSON to be edited."""
    return json.dumps(definition, indent=2, ensure_ascii=False)
