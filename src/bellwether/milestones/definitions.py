"""The workspace's kinds of milestones: filled from the preset once, edited in the product from then on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import slugify

from bellwether.common.errors import InvalidInputError
from bellwether.milestones.mail import check_template
from bellwether.milestones.models import MilestoneDefinition
from bellwether.milestones.rules import Rule, rule_from_data
from bellwether.portfolio.choices import ActivityType
from bellwether.presets import load_preset
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

WHY_NOT = "Only administrators change what a milestone is."
ACTIVITY_TYPES = tuple(ActivityType.values)


@dataclass(frozen=True, kw_only=True)
class DefinitionDraft:
    """A checked definition, not stored yet."""

    name: str
    sentence: str
    rule: Rule
    mail_subject: str = ""
    mail_text: str = ""
    enabled: bool = True


def definitions(*, enabled_only: bool = False) -> list[MilestoneDefinition]:
    """Return the definitions in their order. The first call of a workspace fills them from its preset."""
    rows = list(MilestoneDefinition.objects.all())
    if not rows:
        fill_from_preset(settings.BELLWETHER_PRESET, now=timezone.now())
        rows = list(MilestoneDefinition.objects.all())
    return [row for row in rows if row.enabled] if enabled_only else rows


def fill_from_preset(preset: str, *, now: datetime) -> int:
    """Add the definitions of `preset` that are missing and return how many the preset has."""
    rows = []
    for position, data in enumerate(load_preset(preset).get("milestones", [])):
        draft = draft_from_data(data)
        rows.append(
            MilestoneDefinition(
                key=data["key"],
                name=draft.name,
                sentence=draft.sentence,
                rule=draft.rule.as_data(),
                enabled=draft.enabled,
                position=position,
                created_at=now,
                updated_at=now,
            )
        )
    MilestoneDefinition.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def rule_of(definition: MilestoneDefinition) -> Rule:
    """Return the rule of a stored definition."""
    return rule_from_data(definition.rule)


def find_definition(key: str) -> MilestoneDefinition:
    """Return the definition `key`; Http404 if there is none."""
    definitions()
    found: MilestoneDefinition = get_object_or_404(MilestoneDefinition, key=key)
    return found


def draft_from_data(data: Mapping[str, Any]) -> DefinitionDraft:
    """Return the checked draft that `data` says. InvalidInputError naming each field that cannot be used."""
    errors: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, longest in (("name", 120), ("sentence", 200)):
        values[name] = str(data.get(name, "")).strip()
        if not values[name] or len(values[name]) > longest:
            errors[name] = f"Give 1 to {longest} characters."
    if values["sentence"] and "{client}" not in values["sentence"]:
        errors["sentence"] = "Write {client} where the client's name belongs."
    for name, longest in (("mail_subject", 200), ("mail_text", 5000)):
        values[name] = str(data.get(name, "")).strip()
        wrong = (
            check_template(values[name]) if len(values[name]) <= longest else f"Give at most {longest:,} characters."
        )
        if wrong:
            errors[name] = wrong
    rule = None
    try:
        rule = rule_from_data(data.get("rule"), activity_types=ACTIVITY_TYPES)
    except InvalidInputError as error:
        errors |= error.errors
    if errors or rule is None:
        raise InvalidInputError("The milestone cannot be saved.", errors)
    return DefinitionDraft(rule=rule, enabled=bool(data.get("enabled", True)), **values)


def save_definition(
    draft: DefinitionDraft, *, key: str = "", actor: StaffUser, now: datetime
) -> tuple[MilestoneDefinition, bool]:
    """Store a new definition, or a change of `key`, and return it with whether anything changed.

    A changed rule makes the version grow; milestones reached before stay as they are. PermissionDenied for people who
    may not configure; InvalidInputError for a name that another one has.
    """
    if not actor.may_configure:
        raise PermissionDenied(WHY_NOT)
    with transaction.atomic():
        row = MilestoneDefinition.objects.select_for_update().filter(key=key).first() if key else None
        _check_name(draft.name, row)
        new = row is None
        if row is None:
            last = MilestoneDefinition.objects.aggregate(last=Max("position"))["last"]
            row = MilestoneDefinition(key=_free_key(draft.name), position=(last or 0) + 1, version=0, created_at=now)
        values = {
            "name": draft.name,
            "sentence": draft.sentence,
            "rule": draft.rule.as_data(),
            "mail_subject": draft.mail_subject,
            "mail_text": draft.mail_text,
            "enabled": draft.enabled,
        }
        changed = {
            name: [getattr(row, name, None), value] for name, value in values.items() if getattr(row, name) != value
        }
        if not changed and not new:
            return row, False
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1 if new or "rule" in changed else 0
        row.updated_at, row.updated_by = now, actor
        row.save()
        action = "milestone.defined" if new else "milestone.redefined"
        record(
            actor=actor, action=action, object_type="milestonedefinition", object_id=row.key, detail=changed, now=now
        )
    return row, True


def _check_name(name: str, row: MilestoneDefinition | None) -> None:
    same = MilestoneDefinition.objects.filter(name__iexact=name)
    if (same.exclude(pk=row.pk) if row else same).exists():
        sentence = "Another milestone has this name."
        raise InvalidInputError(f"The milestone cannot be saved. {sentence}", {"name": sentence})


def _free_key(name: str) -> str:
    base = slugify(name).replace("-", "_")[:50] or "milestone"
    taken = set(MilestoneDefinition.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(key for key in (base, *(f"{base}_{n}" for n in range(2, 10_000))) if key not in taken)


def move(key: str, *, down: bool, actor: StaffUser, now: datetime) -> None:
    """Move a definition one place up or down; at the end nothing happens."""
    if not actor.may_configure:
        raise PermissionDenied(WHY_NOT)
    with transaction.atomic():
        rows = list(MilestoneDefinition.objects.select_for_update())
        at = next(place for place, row in enumerate(rows) if row.key == key)
        to = at + (1 if down else -1)
        if 0 <= to < len(rows):
            rows[at], rows[to] = rows[to], rows[at]
            for place, row in enumerate(rows):
                row.position = place
            MilestoneDefinition.objects.bulk_update(rows, ["position"])
