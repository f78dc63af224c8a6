"""Reads the definition of a playbook from data. Pure.

Unknown fields are refused, and everything that is wrong is named by its path ("steps[2].wait_days").
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.definition import Caps, Condition, Definition, Exit, Outcome, Step, Trigger
from bellwether.playbooks.rendering import check
from bellwether.playbooks.vocabulary import (
    ALERT_TYPES,
    BANDS,
    CONDITION_FIELDS,
    END,
    MEASURE,
    OPERATORS,
    OUTCOMES,
    RECEIVERS,
    SEVERITIES,
    SINCE,
    STEPS,
    TIERS,
    TRIGGERS,
    LoginState,
    ValueKind,
)

MOST_STEPS = 30
MOST_CONDITIONS = 20
MOST_VALUES = 200
MOST_DAYS = 3_650
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class _Reader:
    """Reads fields of data and notes what is wrong, by path."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def table(self, data: object, path: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        """Return `data` as a table; unknown fields are noted."""
        if not isinstance(data, Mapping):
            self.errors[path or "definition"] = "needs a table of fields."
            return {}
        for name in data:
            if name not in known:
                self.errors[f"{path}.{name}" if path else str(name)] = f"is not known; there are {', '.join(known)}."
        return data

    def listed(self, data: object, path: str, most: int) -> list[Any]:
        if data is None:
            return []
        if not isinstance(data, list | tuple):
            self.errors[path] = "needs a list."
            return []
        if len(data) > most:
            self.errors[path] = f"has {len(data):,} entries; there may be {most}."
        return list(data[:most])

    def text(self, data: Mapping[str, Any], name: str, path: str, most: int) -> str:
        value = data.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            self.errors[f"{path}{name}"] = f"is a text of at most {most:,} characters."
            return ""
        return value.strip()

    def flag(self, data: Mapping[str, Any], name: str, path: str, otherwise: bool = False) -> bool:
        value = data.get(name, otherwise)
        if not isinstance(value, bool):
            self.errors[f"{path}{name}"] = "is true or false."
            return otherwise
        return value

    def whole(self, value: object, path: str, low: int, high: int, otherwise: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.errors[path] = f"is a whole number from {low} to {high:,}."
            return otherwise
        return value

    def choice(self, value: object, path: str, known: Any, otherwise: str = "") -> str:
        if not isinstance(value, str) or value not in known:
            self.errors[path] = f"is one of {', '.join(known)}."
            return otherwise
        return value

    def words(self, value: object, path: str, known: Any = None, most: int = MOST_VALUES) -> tuple[str, ...]:
        found = []
        for place, one in enumerate(self.listed(value, path, most)):
            if not isinstance(one, str) or not one.strip() or len(one) > 120:
                self.errors[f"{path}[{place}]"] = "is a text of 1 to 120 characters."
            elif known is not None and one not in known:
                self.errors[f"{path}[{place}]"] = f"is one of {', '.join(known)}."
            else:
                found.append(one.strip())
        return tuple(dict.fromkeys(found))


def definition_from_data(data: object) -> Definition:
    """Return the definition that `data` says. InvalidInputError names the path of everything that cannot be used."""
    read = _Reader()
    given = read.table(data, "", tuple(one.name for one in fields(Definition)))
    made = Definition(
        trigger=_trigger(read, given.get("trigger")),
        conditions=tuple(
            _condition(read, one, f"conditions[{place}]", steps=False)
            for place, one in enumerate(read.listed(given.get("conditions"), "conditions", MOST_CONDITIONS))
        ),
        steps=_steps(read, given.get("steps")),
        exit=_exit(read, given.get("exit", {})),
        caps=_caps(read, given.get("caps", {})),
        business_days=read.flag(given, "business_days", "", True),
        hold_out=read.whole(given.get("hold_out", 10), "hold_out", 0, 50, 10),
        outcome=_outcome(read, given.get("outcome")),
        minutes_per_client=read.whole(
            given.get("minutes_per_client", 30), "minutes_per_client", 0, 10_000, 30
        ),
    )  # fmt: skip
    if made.exit.alert_cleared and made.trigger.kind != "alert":
        read.errors.setdefault("exit.alert_cleared", "needs an alert as the trigger.")
    if made.exit.recovered and made.trigger.kind not in {"alert", "band", "segment", "lifecycle"}:
        read.errors.setdefault("exit.recovered", "needs a trigger that can pass: alert, band, segment or lifecycle.")
    if read.errors:
        first = next(iter(read.errors.items()))
        more = f" ({len(read.errors) - 1} more)" if len(read.errors) > 1 else ""
        raise InvalidInputError(f"The playbook cannot be used: {first[0]} {first[1]}{more}", read.errors)
    return made


def _trigger(read: _Reader, data: object) -> Trigger:
    if not isinstance(data, Mapping):
        read.errors["trigger"] = "needs a table with a kind."
        return Trigger(kind="hand")
    kind = read.choice(data.get("kind"), "trigger.kind", TRIGGERS)
    if not kind:
        return Trigger(kind="hand")
    names = TRIGGERS[kind].fields
    read.table(data, "trigger", ("kind", *names))
    known = {"types": ALERT_TYPES, "severities": SEVERITIES, "bands": BANDS}
    values: dict[str, Any] = {}
    for name in names:
        path, value = f"trigger.{name}", data.get(name)
        if name in {"types", "severities", "bands", "segments", "milestones"}:
            values[name] = read.words(value, path, known.get(name))
        elif value is None:
            continue
        elif name == "days":
            listed = value if isinstance(value, list | tuple) else [value]
            found = [read.whole(one, f"{path}[{n}]", 0, MOST_DAYS, 0) for n, one in enumerate(listed[:12])]
            values[name] = tuple(sorted(set(found), reverse=True))
        elif name == "score_below":
            values[name] = read.whole(value, path, 1, 100, 50)
        elif name == "within_days":
            values[name] = read.whole(value, path, 1, MOST_DAYS, 7)
        elif name == "since":
            values[name] = read.choice(value, path, SINCE, "set_up")
        else:
            values[name] = read.choice(value, path, list(LoginState), LoginState.ANY)
    made = Trigger(kind=kind, **values)
    _check_trigger(read, made)
    return made


def _check_trigger(read: _Reader, made: Trigger) -> None:
    needed = {"alert": "types", "segment": "segments", "milestone": "milestones", "renewal": "days"}
    name = needed.get(made.kind, "")
    if name and not getattr(made, name):
        read.errors.setdefault(f"trigger.{name}", "needs at least one entry.")
    if made.kind == "band" and bool(made.bands) == (made.score_below is not None):
        read.errors.setdefault("trigger.bands", "give either bands or score_below.")
    if made.kind == "lifecycle" and len(made.days) != 1:
        read.errors.setdefault("trigger.days", "needs one number of days.")


def _condition(read: _Reader, data: object, path: str, *, steps: bool) -> Condition:
    nothing = Condition(field="score", operator="known", value=True)
    given = read.table(data, path, ("field", "is", "value"))
    if not given:
        return nothing
    name = str(given.get("field", ""))
    kind = kind_of_field(name)
    if kind is None:
        read.errors[f"{path}.field"] = f"is one of {', '.join(CONDITION_FIELDS)} or measure:<name>."
        return nothing
    if not steps and CONDITION_FIELDS.get(name) and CONDITION_FIELDS[name].steps_only:
        read.errors[f"{path}.field"] = "can be asked of a step only: it looks back to the enrolment."
    operator = read.choice(given.get("is"), f"{path}.is", OPERATORS[kind])
    if not operator:
        return nothing
    return Condition(field=name, operator=operator, value=_value(read, given, f"{path}.value", name, kind, operator))


def _value(
    read: _Reader, given: Mapping[str, Any], path: str, name: str, kind: ValueKind, operator: str
) -> tuple[str, ...] | float | bool | None:
    value = given.get("value")
    if operator in {"yes", "no"}:
        if value is not None:
            read.errors[path] = f'goes without a value where "is" says {operator}.'
        return None
    if operator == "known":
        if value is not None and not isinstance(value, bool):
            read.errors[path] = "is true or false."
        return value if isinstance(value, bool) else True
    if kind == ValueKind.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
            read.errors[path] = "is a number."
            return 0
        return value
    known = {"tier": TIERS, "status": BANDS}.get(name)
    found = read.words([value] if isinstance(value, str) else value, path, known)
    if not found and not any(one.startswith(path) for one in read.errors):
        read.errors[path] = "needs at least one entry."
    return found


def kind_of_field(name: str) -> ValueKind | None:
    """Return what values a field of conditions has; None for a field that there is not."""
    if name.startswith(MEASURE):
        return ValueKind.NUMBER if 0 < len(name) - len(MEASURE) <= 60 else None
    found = CONDITION_FIELDS.get(name)
    return found.kind if found else None


STEP_FIELDS = (
    "key", "kind", "title", "wait_days", "template", "text", "to", "approval", "tag", "if", "then", "otherwise",
)  # fmt: skip


def _steps(read: _Reader, data: object) -> tuple[Step, ...]:
    entries = read.listed(data, "steps", MOST_STEPS)
    if not entries and "steps" not in read.errors:
        read.errors["steps"] = "needs at least one step."
    made = [_step(read, one, f"steps[{place}]") for place, one in enumerate(entries)]
    places = {one.key: place for place, one in reversed(list(enumerate(made)))}
    for place, one in enumerate(made):
        path = f"steps[{place}]"
        if one.key and places[one.key] != place:
            read.errors[f"{path}.key"] = f"{one.key!r} is the key of another step too."
        for name in ("then", "otherwise"):
            target = getattr(one, name)
            if target and target != END and places.get(target, -1) <= place:
                read.errors[f"{path}.{name}"] = f'names a later step or "{END}", so that every playbook ends.'
    return tuple(made)


def _step(read: _Reader, data: object, path: str) -> Step:
    given = read.table(data, path, STEP_FIELDS)
    if not given:
        return Step(key="", kind="wait")
    dotted = f"{path}."
    kind = read.choice(given.get("kind"), f"{path}.kind", STEPS)
    key = read.text(given, "key", dotted, 40)
    if not KEY.fullmatch(key) or key == END:
        read.errors[f"{path}.key"] = "is 1 to 40 small letters, digits, - and _, other than end."
    made = Step(
        key=key,
        kind=kind or "wait",
        title=read.text(given, "title", dotted, 200),
        wait_days=read.whole(given.get("wait_days", 0), f"{path}.wait_days", 0, 365, 0),
        template=read.text(given, "template", dotted, 60),
        text=read.text(given, "text", dotted, 5_000),
        to=read.choice(given["to"], f"{path}.to", RECEIVERS) if given.get("to") else "",
        approval=read.flag(given, "approval", dotted),
        tag=read.text(given, "tag", dotted, 60),
        when=_condition(read, given["if"], f"{path}.if", steps=True) if given.get("if") else None,
        then=read.text(given, "then", dotted, 40),
        otherwise=read.text(given, "otherwise", dotted, 40),
    )
    if kind:
        _check_step(read, made, path)
    return made


def _check_step(read: _Reader, step: Step, path: str) -> None:
    allowed = STEPS[step.kind].fields
    for name in ("title", "text"):
        wrong = check(getattr(step, name))
        if wrong:
            read.errors.setdefault(f"{path}.{name}", wrong)
    for name in ("template", "text", "to", "approval", "tag", "otherwise"):
        if getattr(step, name) and name not in allowed:
            read.errors.setdefault(f"{path}.{name}", f"does not belong to a step of kind {step.kind}.")
    if step.kind in {"email", "in_app"} and bool(step.template) == bool(step.text):
        read.errors.setdefault(f"{path}.template", "give either a template or a text.")
    if step.kind == "slack" and not step.text:
        read.errors.setdefault(f"{path}.text", "says what is posted.")
    if step.kind == "tag" and not step.tag:
        read.errors.setdefault(f"{path}.tag", "needs the tag.")
    if step.kind in {"call", "task", "crm_task"} and not step.title:
        read.errors.setdefault(f"{path}.title", "says what is to be done.")
    if step.kind == "wait" and not step.wait_days:
        read.errors.setdefault(f"{path}.wait_days", "is at least 1 for a wait.")
    if step.kind == "branch" and step.when is None:
        read.errors.setdefault(f"{path}.if", "needs the condition of the branch.")
    if step.kind == "branch" and not (step.then or step.otherwise):
        read.errors.setdefault(f"{path}.then", "give the next step where the condition holds, or where not.")


def _exit(read: _Reader, data: object) -> Exit:
    given = read.table(data, "exit", tuple(one.name for one in fields(Exit)))
    score = given.get("score_at_least")
    return Exit(
        recovered=read.flag(given, "recovered", "exit."),
        alert_cleared=read.flag(given, "alert_cleared", "exit."),
        score_at_least=None if score is None else read.whole(score, "exit.score_at_least", 1, 100, 60),
        logged_in=read.flag(given, "logged_in", "exit."),
    )


def _caps(read: _Reader, data: object) -> Caps:
    given = read.table(data, "caps", ("running_per_client", "quiet_days"))
    return Caps(
        running_per_client=read.whole(given.get("running_per_client", 1), "caps.running_per_client", 1, 20, 1),
        quiet_days=read.whole(given.get("quiet_days", 30), "caps.quiet_days", 0, 365, 30),
    )


def _outcome(read: _Reader, data: object) -> Outcome:
    nothing = Outcome(kind="score_change", days=30)
    if not isinstance(data, Mapping):
        read.errors["outcome"] = "needs a table with a kind and days: it is declared before the start."
        return nothing
    kind = read.choice(data.get("kind"), "outcome.kind", OUTCOMES)
    if not kind:
        return nothing
    found = OUTCOMES[kind]
    given = read.table(data, "outcome", ("kind", "days", *found.fields))
    days = read.whole(given.get("days", found.days), "outcome.days", 1, 365, found.days)
    level, feature = given.get("at_least"), ""
    if level is not None and (isinstance(level, bool) or not isinstance(level, int | float)):
        read.errors["outcome.at_least"] = "is a number."
        level = None
    if "feature" in found.fields:
        feature = read.text(given, "feature", "outcome.", 60)
    return Outcome(kind=kind, days=days, at_least=level, feature=feature)
