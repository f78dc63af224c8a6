"""The form of a playbook: posted fields to the data of a definition, and what its buttons do to the lists. Pure.

Fields are named by where their value stands ("steps[2].wait_days"), as errors of playbooks.definition name it. What
cannot be read as a number stays text, so that the definition's own check says what is wrong with it.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.vocabulary import (
    CONDITION_FIELDS,
    MEASURE,
    OUTCOMES,
    STEPS,
    TRIGGERS,
    ValueKind,
)

LONGEST = 100_000
MANY = re.compile(r"(conditions|steps)\[(\d{1,3})\]\.")
TAIL = re.compile(r"\[\d+\]$")
VERBS = ("is", "are", "needs", "has", "names", "does", "goes", "can", "says")

Values = Callable[[str], Sequence[str]]
"""All values posted under a name, in their order; none for an unknown one."""


def first_data() -> dict[str, Any]:
    """Return what a new playbook begins with."""
    return {
        "trigger": {"kind": "alert", "types": [], "within_days": 7},
        "conditions": [],
        "steps": [{"key": "first", "kind": "email", "title": "", "to": "PRIMARY", "approval": True}],
        "exit": {"recovered": True},
        "caps": {"running_per_client": 1, "quiet_days": 30},
        "business_days": True,
        "hold_out": 10,
        "outcome": {"kind": "login", "days": 14},
        "minutes_per_client": 30,
    }


def read_form(names: Sequence[str], values: Values) -> dict[str, Any]:
    """Return the data that the posted fields say; `names` are those of all fields."""

    def one(name: str) -> str:
        found = values(name)
        return found[-1].strip() if found else ""

    data: dict[str, Any] = {"trigger": _trigger(one, values)}
    data["conditions"] = [
        _condition(f"conditions[{place}]", one) for place in _places(names, "conditions")
    ]  # fmt: skip
    data["steps"] = [_step(f"steps[{place}]", one) for place in _places(names, "steps")]
    data["exit"] = {name: True for name in ("recovered", "alert_cleared", "logged_in") if one(f"exit.{name}")}
    if one("exit.score_at_least"):
        data["exit"]["score_at_least"] = whole(one("exit.score_at_least"))
    data["caps"] = {name: whole(one(f"caps.{name}")) for name in ("running_per_client", "quiet_days")}
    data["business_days"] = bool(one("business_days"))
    data["hold_out"] = whole(one("hold_out").removesuffix("%"))
    data["outcome"] = _outcome(one)
    data["minutes_per_client"] = whole(one("minutes_per_client"))
    return data


def _places(names: Sequence[str], many: str) -> list[int]:
    """Return the numbers of the entries of a list that have fields, in their order."""
    found = {int(match[2]) for name in names if (match := MANY.match(name)) and match[1] == many}
    return sorted(found)


def _trigger(one: Callable[[str], str], values: Values) -> dict[str, Any]:
    kind = one("trigger.kind")
    data: dict[str, Any] = {"kind": kind}
    for name in TRIGGERS[kind].fields if kind in TRIGGERS else ():
        path = f"trigger.{name}"
        if name in {"types", "severities", "bands", "milestones"}:
            data[name] = [value for value in values(path) if value]
        elif name == "segments":
            data[name] = listed(one(path))
        elif name == "days":
            own = one(f"trigger.{kind}_days")
            data[name] = [whole(value) for value in listed(own)]
        elif one(path):
            data[name] = one(path) if name in {"since", "login"} else whole(one(path))
    return data


def _condition(path: str, one: Callable[[str], str]) -> dict[str, Any]:
    name, operator, typed = one(f"{path}.field"), one(f"{path}.is"), one(f"{path}.value")
    data: dict[str, Any] = {"field": name, "is": operator}
    if operator in {"yes", "no"}:
        return data
    if operator == "known":
        data["value"] = typed.lower() not in {"no", "false", "not"}
    elif operator in {"in", "not_in"}:
        data["value"] = listed(typed)
    else:
        data["value"] = amount(typed)
    if name in {"tier", "status"} and isinstance(data["value"], list):
        data["value"] = [re.sub(r"[\s-]+", "_", word).upper() for word in data["value"]]
    return data


def _step(path: str, one: Callable[[str], str]) -> dict[str, Any]:
    kind = one(f"{path}.kind")
    data: dict[str, Any] = {"key": one(f"{path}.key"), "kind": kind, "title": one(f"{path}.title")}
    data["wait_days"] = whole(one(f"{path}.wait_days") or "0")
    fields = STEPS[kind].fields if kind in STEPS else ()
    for name in fields:
        typed = one(f"{path}.{name}")
        if name == "approval":
            data[name] = bool(typed)
        elif typed and not (name == "text" and data.get("template")):
            data[name] = typed.replace("\r\n", "\n")
    if kind != "wait" and one(f"{path}.if.field"):
        data["if"] = _condition(f"{path}.if", one)
    if one(f"{path}.then"):
        data["then"] = one(f"{path}.then")
    return data


def _outcome(one: Callable[[str], str]) -> dict[str, Any]:
    kind = one("outcome.kind")
    data: dict[str, Any] = {"kind": kind, "days": whole(one("outcome.days"))}
    for name in OUTCOMES[kind].fields if kind in OUTCOMES else ():
        if one(f"outcome.{name}"):
            data[name] = amount(one("outcome.at_least")) if name == "at_least" else one(f"outcome.{name}")
    return data


def whole(text: str) -> int | str:
    """Return the whole number that `text` says, else `text`."""
    plain = text.replace(",", "").replace(" ", "")
    return int(plain) if re.fullmatch(r"-?[0-9]{1,9}", plain) else text


def amount(text: str) -> float | str:
    """Return the number that `text` says ("50,000", "0.5"), else `text`."""
    plain = text.replace(",", "").replace(" ", "").removeprefix("$").removesuffix("%")
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", plain):
        return text
    return float(plain) if "." in plain else int(plain)


def listed(text: str) -> list[str]:
    """Return the words between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def change(data: dict[str, Any], button: str) -> dict[str, Any]:
    """Return the data as a button of a list leaves it: "step.add.call", "step.2.up", "condition.0.remove"; one that
    makes no sense changes nothing."""
    what, _, rest = button.partition(".")
    place, _, act = rest.partition(".")
    many = {"step": "steps", "condition": "conditions"}.get(what, "")
    if not many:
        return data
    rows = list(data.get(many, []))
    if place == "add":
        rows.append(_new_step(rows, act) if many == "steps" else {"field": "tier", "is": "in", "value": []})
    elif place.isascii() and place.isdigit() and int(place) < len(rows):
        at = int(place)
        to = {"up": at - 1, "down": at + 1}.get(act, at)
        if act == "remove":
            rows.pop(at)
        elif 0 <= to < len(rows):
            rows[at], rows[to] = rows[to], rows[at]
    return data | {many: rows}


def _new_step(rows: Sequence[Mapping[str, Any]], kind: str) -> dict[str, Any]:
    kind = kind if kind in STEPS else "task"
    taken = {row.get("key") for row in rows}
    key = next(key for key in (f"{kind}-{n}".replace("_", "-") for n in range(1, 1000)) if key not in taken)
    step: dict[str, Any] = {"key": key, "kind": kind, "title": "", "wait_days": 3 if rows else 0}
    if kind in {"email", "in_app"}:
        step |= {"to": "PRIMARY", "approval": True}
    return step


def read_text(text: str) -> dict[str, Any]:
    """Return the data that `text`, TOML or JSON, holds. Raises InvalidInputError with the place."""
    if len(text) > LONGEST:
        raise InvalidInputError("The text is too long.", {"text": f"is longer than {LONGEST:,} characters."})
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The text cannot be read.", {"text": f"is neither TOML nor JSON: {error}."}) from error
    return dict(found)


def by_field(errors: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return errors as sentences under the field that shows them: entries of lists count for the whole list; what has
    no field on the page stands under "", with its path."""
    known = set(names)
    found: dict[str, str] = {}
    for path, text in errors.items():
        field = path
        while field not in known and TAIL.search(field):
            field = TAIL.sub("", field)
        if field == "trigger.days":
            field = next((one for one in ("trigger.lifecycle_days", "trigger.renewal_days") if one in known), field)
        said = sentence(text)
        if field in known:
            found.setdefault(field, said)
        else:
            found[""] = f"{found[''] + ' ' if '' in found else ''}{path}: {text}"
    return found


def sentence(text: str) -> str:
    """Return an error as a sentence of its own: "needs an entry." becomes "This needs an entry."."""
    first = text.split(" ", 1)[0]
    return f"This {text}" if first in VERBS else f"{text[:1].upper()}{text[1:]}"


def operators_of(field: str) -> str:
    """Return the kind of values that a condition's field has: "words", "number" or "yes_no"."""
    known = CONDITION_FIELDS.get(field)
    return (known.kind if known else ValueKind.NUMBER if field.startswith(MEASURE) else ValueKind.WORDS).value


def value_text(value: object) -> str:
    """Return a condition's value as it is typed."""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:,.15g}" if isinstance(value, int | float) else str(value)
