"""The custom measures of this workspace, and with the built-in ones everything that a scorecard may read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max

from bellwether.health.custom_grammar import parse_definition
from bellwether.health.custom_measures import Custom
from bellwether.health.custom_text import sentence
from bellwether.health.measures import MEASURES_BY_SLUG, Measure, Source
from bellwether.health.models import CustomMeasure, MeasureValue
from bellwether.staff.models import StaffUser


def as_custom(row: CustomMeasure) -> Custom:
    """Return the measure that a row holds."""
    return Custom(
        slug=row.slug,
        name=row.name,
        definition=parse_definition(row.definition),
        version=row.version,
        description=row.description,
        archived=row.archived_at is not None,
    )


def custom_measures(*, slugs: Collection[str] | None = None, archived: bool = False) -> list[Custom]:
    """Return the custom measures in the order of their names, in one query: all, or those named `slugs`.

    Archived ones only with `archived`.
    """
    rows = CustomMeasure.objects.order_by("name", "slug")
    if slugs is not None:
        rows = rows.filter(slug__in=list(slugs))
    if not archived:
        rows = rows.filter(archived_at=None)
    return [as_custom(row) for row in rows]


def as_measure(custom: Custom) -> Measure:
    """Return the custom measure as the registry of built-in ones would hold it; its description is its sentence."""
    definition = custom.definition
    return Measure(custom.slug, custom.name, definition.unit, definition.better, Source.CUSTOM, sentence(definition))


def known_measures() -> dict[str, Measure]:
    """Return every measure that a scorecard may read now, by slug: built-in ones and the workspace's own."""
    return MEASURES_BY_SLUG | {custom.slug: as_measure(custom) for custom in custom_measures()}


def archived_slugs() -> frozenset[str]:
    """Return the slugs of archived custom measures."""
    return frozenset(CustomMeasure.objects.exclude(archived_at=None).values_list("slug", flat=True))


@dataclass(frozen=True)
class Coverage:
    """How many clients have a value of a measure, of how many, and on which day it was last worked out."""

    with_value: int
    clients: int
    day: date | None


def coverage(user: StaffUser | None = None) -> dict[str, Coverage]:
    """Return the coverage of each custom measure that has been worked out, by slug, in one query.

    Among the clients that `user` sees, all of them without a user.
    """
    values = MeasureValue.objects.all() if user is None else MeasureValue.objects.visible_to(user)
    rows = values.order_by().values_list("measure__slug")
    counted = rows.annotate(with_value=Count("value"), clients=Count("pk"), day=Max("date"))
    return {slug: Coverage(with_value, clients, day) for slug, with_value, clients, day in counted}
