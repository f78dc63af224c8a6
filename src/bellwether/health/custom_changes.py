"""Making, changing, archiving and restoring custom measures: checked, recorded, and with what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.health.configs import configs_in_force
from bellwether.health.custom_grammar import parse_definition
from bellwether.health.custom_measures import Definition, check_slug, slug_of
from bellwether.health.custom_registry import custom_measures
from bellwether.health.models import CustomMeasure, MeasureValue
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.custom_wants import want_facts
from bellwether.usage.dirty import mark_scores
from bellwether.usage.workspace import workspace_labels

MOST_MEASURES = 50
LONGEST_NAME, LONGEST_DESCRIPTION = 120, 300


@dataclass(frozen=True)
class Draft:
    """A measure as somebody gave it, not yet checked. An empty slug is made of the name."""

    name: str
    definition: Any
    slug: str = ""
    description: str = ""


def read_definition(data: Any) -> Definition:
    """Return the definition that `data` describes in this workspace. Raises InvalidInputError with a path per field."""
    return parse_definition(data, labelled=workspace_labels())


def create_measure(draft: Draft, *, actor: StaffUser | None, now: datetime) -> CustomMeasure:
    """Return the new measure. Raises InvalidInputError with every problem by field."""
    slug = (draft.slug or slug_of(draft.name)).strip()
    taken = set(CustomMeasure.objects.values_list("slug", flat=True))
    problems = {"slug": problem} if (problem := check_slug(slug, taken=taken)) else {}
    if CustomMeasure.objects.filter(archived_at=None).count() >= MOST_MEASURES:
        problems["name"] = f"would be measure number {MOST_MEASURES + 1}; archive one that nobody needs first."
    definition = _checked(draft, problems)
    with transaction.atomic():
        row = CustomMeasure.objects.create(
            slug=slug,
            name=draft.name.strip(),
            description=draft.description.strip(),
            definition=definition.as_data(),
            created_at=now,
            updated_at=now,
            updated_by=actor,
        )
        _follow(now)
        _record(row, "measure.create", actor, now, version=1, definition=row.definition)
    return row


def change_measure(row: CustomMeasure, draft: Draft, *, actor: StaffUser | None, now: datetime) -> CustomMeasure:
    """Return the measure as changed; its slug stays. The version grows when the definition does; the same again changes
    nothing. Raises InvalidInputError as `create_measure`, ConflictError for an archived one.
    """
    if row.archived_at is not None:
        raise ConflictError(f"{row.name} is archived; restore it before you change it.")
    problems: dict[str, str] = {}
    if draft.slug and draft.slug != row.slug:
        problems["slug"] = f"stays {row.slug}, because scorecards may name it; make a new measure for another."
    definition = _checked(draft, problems).as_data()
    before = {"name": row.name, "description": row.description, "definition": row.definition}
    after = {"name": draft.name.strip(), "description": draft.description.strip(), "definition": definition}
    changed = {field: value for field, value in after.items() if value != before[field]}
    if not changed:
        return row
    with transaction.atomic():
        row = CustomMeasure.objects.select_for_update().get(pk=row.pk)
        for field, value in changed.items():
            setattr(row, field, value)
        row.version += "definition" in changed
        row.updated_at, row.updated_by = now, actor
        row.save()
        _follow(now)
        _record(
            row, "measure.change", actor, now, version=row.version, before={f: before[f] for f in changed}, **changed
        )
    return row


def archive_measure(row: CustomMeasure, *, actor: StaffUser | None, now: datetime) -> CustomMeasure:
    """Return the measure, archived: no longer counted, kept for what was scored with it; again changes nothing.

    Raises ConflictError while a scorecard in force reads it.
    """
    if row.archived_at is not None:
        return row
    users = used_by().get(row.slug, [])
    if users:
        raise ConflictError(f"{row.name} is used by {', '.join(users)}. Take it out of the scorecard first.")
    with transaction.atomic():
        row.archived_at, row.updated_at, row.updated_by = now, now, actor
        row.save(update_fields=["archived_at", "updated_at", "updated_by"])
        MeasureValue.objects.filter(measure=row).delete()
        _follow(now)
        _record(row, "measure.archive", actor, now)
    return row


def restore_measure(row: CustomMeasure, *, actor: StaffUser | None, now: datetime) -> CustomMeasure:
    """Return the measure, in use again as it was; its values come with the next scoring. Again changes nothing."""
    if row.archived_at is None:
        return row
    if CustomMeasure.objects.filter(archived_at=None).count() >= MOST_MEASURES:
        raise ConflictError(f"There are {MOST_MEASURES} measures already; archive one that nobody needs first.")
    with transaction.atomic():
        row.archived_at, row.updated_at, row.updated_by = None, now, actor
        row.save(update_fields=["archived_at", "updated_at", "updated_by"])
        _follow(now)
        _record(row, "measure.restore", actor, now)
    return row


def used_by() -> dict[str, list[str]]:
    """Return the titles of the scorecards in force by the slug of each measure that they read."""
    users: dict[str, list[str]] = {}
    for config in configs_in_force():
        for slug in config.scorecard.measures:
            titles = users.setdefault(slug, [])
            if config.scorecard.title not in titles:
                titles.append(config.scorecard.title)
    return users


def _checked(draft: Draft, problems: dict[str, str]) -> Definition:
    """Return the definition, if neither `problems` nor the draft has any; raises InvalidInputError with all of them."""
    if not draft.name.strip():
        problems.setdefault("name", "is needed: what people call it.")
    elif len(draft.name.strip()) > LONGEST_NAME:
        problems.setdefault("name", f"is longer than {LONGEST_NAME} letters.")
    if len(draft.description.strip()) > LONGEST_DESCRIPTION:
        problems["description"] = f"is longer than {LONGEST_DESCRIPTION} letters."
    definition = None
    try:
        definition = read_definition(draft.definition)
    except InvalidInputError as error:
        problems |= {f"definition.{path}".removesuffix(".definition"): text for path, text in error.errors.items()}
    if problems or definition is None:
        text = " ".join(f"{path} {problem}" for path, problem in problems.items())
        raise InvalidInputError(f"The measure cannot be saved: {text}", problems)
    return definition


def _follow(now: datetime) -> None:
    """Have what the measures need counted, and today scored."""
    want_facts([spec for custom in custom_measures() for spec in custom.definition.specs], now=now)
    mark_scores([day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)], now=now)


def _record(row: CustomMeasure, action: str, actor: StaffUser | None, now: datetime, **detail: Any) -> None:
    told: Mapping[str, Any] = {"name": row.name} | detail
    record(actor=actor, action=action, object_type="measure", object_id=row.slug, detail=told, now=now)
