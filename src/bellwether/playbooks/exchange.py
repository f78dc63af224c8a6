"""Playbooks and templates as TOML, in the form of the starter library: out of one workspace and into another."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from bellwether.common.errors import InvalidInputError
from bellwether.common.toml_text import toml_text
from bellwether.playbooks.choices import PlaybookState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import MessageTemplate, Playbook
from bellwether.playbooks.rendering import check
from bellwether.playbooks.services import RESERVED, check_may_define, create, save_version
from bellwether.playbooks.templates import KINDS
from bellwether.playbooks.templates import RESERVED as TEMPLATE_WORDS
from bellwether.staff.models import StaffUser

KEYS = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    made: int = 0
    changed: int = 0
    unchanged: int = 0
    templates: int = 0


def export_toml(playbooks: Sequence[Playbook] | None = None) -> str:
    """Return playbooks (None: all that are not archived) with the templates that they name, as TOML."""
    rows = (
        list(playbooks)
        if playbooks is not None
        else list(Playbook.objects.exclude(state=PlaybookState.ARCHIVED).select_related("version"))
    )
    found = [row for row in rows if row.version is not None]
    named = {
        step["template"]
        for row in found
        if row.version
        for step in row.version.definition["steps"]
        if "template" in step
    }
    templates = MessageTemplate.objects.filter(key__in=named).order_by("key")
    parts = [_template_text(one) for one in templates]
    parts += [_playbook_text(row, row.version.definition) for row in found if row.version is not None]
    return "\n".join(parts)


def _template_text(row: MessageTemplate) -> str:
    head = toml_text({"key": row.key, "name": row.name, "kind": row.kind, "subject": row.subject})
    return f"[[templates]]\n{head}body = {_lines(row.body)}\n"


def _playbook_text(row: Playbook, definition: Mapping[str, Any]) -> str:
    head = toml_text({"key": row.key, "name": row.name, "description": row.description})
    rest = toml_text({name: value for name, value in definition.items() if name != "steps"})
    steps = "".join(f"  {_inline(step)},\n" for step in definition["steps"])
    return f"[[playbooks]]\n{head}\n[playbooks.definition]\n{rest}steps = [\n{steps}]\n"


def _inline(value: Mapping[str, Any]) -> str:
    return toml_text({"x": value}).removeprefix("x = ").rstrip("\n")


def _lines(text: str) -> str:
    """Return a text as a TOML string of several lines, escaped line by line."""
    lines = [json.dumps(line, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f") for line in text.split("\n")]
    return '"""\n' + "\n".join(lines) + '"""'


def import_data(data: object, *, actor: StaffUser | None, now: datetime) -> Imported:
    """Store what parsed TOML says, all or nothing, and return what changed.

    New playbooks come as drafts. One that is there gets another version if its definition differs; its name stays.
    Templates that are there are overwritten. InvalidInputError names the path ("playbooks[1].definition.steps[0].to").
    """
    check_may_define(actor)
    playbooks, templates = _checked(data)
    made = changed = unchanged = written = 0
    with transaction.atomic():
        for one in templates:
            _, new = MessageTemplate.objects.get_or_create(
                key=one["key"], defaults={**one, "created_at": now, "updated_at": now, "updated_by": actor}
            )
            if not new:
                MessageTemplate.objects.filter(key=one["key"]).update(
                    **one, updated_at=now, updated_by=actor, archived_at=None
                )
            written += 1
        for given, definition in playbooks:
            known = Playbook.objects.filter(key=given["key"]).first()
            if known is None:
                create(
                    key=given["key"], name=given["name"], description=given.get("description", ""),
                    definition=definition, note="Imported", actor=actor, now=now,
                )  # fmt: skip
                made += 1
                continue
            _, new = save_version(known, definition, note="Imported", actor=actor, now=now)
            changed, unchanged = changed + new, unchanged + (not new)
    return Imported(made=made, changed=changed, unchanged=unchanged, templates=written)


def _checked(data: object) -> tuple[list[tuple[Mapping[str, Any], Definition]], list[dict[str, Any]]]:
    errors: dict[str, str] = {}
    if not isinstance(data, Mapping) or not set(data) <= {"playbooks", "templates"}:
        raise InvalidInputError(
            "This is no export of playbooks.", {"file": "has [[playbooks]] and [[templates]], nothing else."}
        )
    playbooks, templates = [], []
    for place, one in enumerate(_listed(data.get("templates"), "templates", errors)):
        path = f"templates[{place}]"
        _check_names(one, path, {"key", "name", "kind", "subject", "body"}, errors)
        values = {name: str(one.get(name, "")) for name in ("key", "name", "subject", "body")}
        values["kind"] = str(one.get("kind", "email"))
        if values["kind"] not in KINDS:
            errors[f"{path}.kind"] = f"is one of {', '.join(KINDS)}."
        for name in ("subject", "body"):
            wrong = check(values[name])
            if wrong or (name == "body" and not values["body"].strip()):
                errors[f"{path}.{name}"] = wrong or "needs the text."
        if len(values["subject"]) > 300:
            errors[f"{path}.subject"] = "is at most 300 characters long."
        templates.append(values)
    for place, one in enumerate(_listed(data.get("playbooks"), "playbooks", errors)):
        path = f"playbooks[{place}]"
        _check_names(one, path, {"key", "name", "description", "definition"}, errors)
        try:
            playbooks.append((one, definition_from_data(one.get("definition"))))
        except InvalidInputError as error:
            errors |= {f"{path}.definition.{name}": said for name, said in error.errors.items()}
    if errors:
        first = next(iter(errors.items()))
        raise InvalidInputError(f"Nothing was imported: {first[0]} {first[1]}", errors)
    return playbooks, templates


def _listed(value: object, path: str, errors: dict[str, str]) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        errors[path] = "is a list of tables."
        return []
    return value


def _check_names(one: Mapping[str, Any], path: str, known: set[str], errors: dict[str, str]) -> None:
    for name in sorted(set(one) - known):
        errors[f"{path}.{name}"] = f"is not known; there are {', '.join(sorted(known))}."
    key, title = one.get("key"), one.get("name")
    if not isinstance(key, str) or not KEYS.fullmatch(key):
        errors[f"{path}.key"] = "is 1 to 60 small letters, digits, - and _."
    elif key in TEMPLATE_WORDS | RESERVED:
        errors[f"{path}.key"] = f"{key!r} is a word of the product. Take another one."
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= 120:
        errors[f"{path}.name"] = "is a text of 1 to 120 characters."
