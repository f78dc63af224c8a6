"""The form of a kind of milestone: what was typed, turned into a checked draft or into errors by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from bellwether.common.errors import InvalidInputError
from bellwether.milestones.definitions import DefinitionDraft, draft_from_data, rule_of
from bellwether.milestones.models import MilestoneDefinition
from bellwether.milestones.rules import FIELDS, Kind
from bellwether.usage.event_match import match_from_text

NUMBERS = ("times", "days", "years")


@dataclass(frozen=True)
class MilestoneForm:
    """What the form shows. `errors` by name of the field; `draft` is None until everything is right."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    draft: DefinitionDraft | None = None


def new_form() -> MilestoneForm:
    """Return an empty form."""
    return MilestoneForm({"kind": Kind.USES.value, "times": "1", "enabled": "on", "sentence": "{client} "})


def form_of(row: MilestoneDefinition) -> MilestoneForm:
    """Return the form filled with a stored definition."""
    rule = rule_of(row)
    share = 100 if rule.kind == Kind.SEAT_USE else 1
    values = {
        "name": row.name,
        "sentence": row.sentence,
        "kind": rule.kind.value,
        "events": "\n".join(str(event) for event in rule.events),
        "people_only": "on" if rule.people_only else "",
        "times": str(rule.times) if "times" in FIELDS[rule.kind] else "",
        "at_least": f"{round(rule.at_least * share, 6):g}" if "at_least" in FIELDS[rule.kind] else "",
        "days": str(rule.days or ""),
        "years": str(rule.years or ""),
        "measure": rule.measure,
        "activity": rule.activity,
        "mail_subject": row.mail_subject,
        "mail_text": row.mail_text,
        "enabled": "on" if row.enabled else "",
    }
    return MilestoneForm(values)


def read_form(posted: QueryDict) -> MilestoneForm:
    """Return what was typed with its draft, or with its errors."""
    values = {name: str(value) for name, value in posted.dict().items()}
    errors: dict[str, str] = {}
    rule = _rule(values, errors)
    data: dict[str, Any] = {name: values.get(name, "") for name in ("name", "sentence", "mail_subject", "mail_text")}
    data |= {"rule": rule, "enabled": bool(values.get("enabled"))}
    draft = None
    try:
        draft = draft_from_data(data)
    except InvalidInputError as error:
        errors = {**error.errors, **errors}
    return MilestoneForm(values, errors, None if errors else draft)


def _rule(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Return the rule as data, with the fields of its kind; what is no number becomes an error."""
    kind = values.get("kind", "")
    rule: dict[str, Any] = {"kind": kind}
    if kind not in set(Kind):
        return rule
    for name in FIELDS[Kind(kind)]:
        typed = values.get(name, "").strip()
        if name == "events":
            rule[name] = _events(typed, errors)
        elif name == "people_only":
            rule[name] = bool(typed)
        elif name in NUMBERS:
            if typed or kind != Kind.TIME:
                rule[name] = _number(name, typed, errors, whole=True)
        elif name == "at_least":
            number = _number(name, typed.removesuffix("%"), errors, whole=False)
            rule[name] = number / 100 if kind == Kind.SEAT_USE else number
        else:
            rule[name] = typed
    return rule


def _events(typed: str, errors: dict[str, str]) -> list[Any]:
    found = []
    for line in typed.splitlines():
        if line.strip():
            try:
                found.append(match_from_text(line.strip()).as_data())
            except ValueError as error:
                errors["events"] = f"{line.strip()!r} {error}."
    return found


def _number(name: str, typed: str, errors: dict[str, str], *, whole: bool) -> float:
    plain = typed.replace(",", "").replace(" ", "")
    try:
        return int(plain) if whole else float(plain)
    except ValueError:
        errors[name] = f"{typed!r} is no {'whole ' if whole else ''}number." if typed else "Give a number."
        return 1
