"""The mapping of a warehouse's table: as told, else by the names of its columns, as for an import."""

from collections.abc import Iterable, Mapping
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.importing.columns import Field, map_columns
from bellwether.portfolio.importing.values import text
from bellwether.usage.event_fields import EVENT_FIELDS
from bellwether.usage.warehouse_mapping import TableMapping, mapping_problems

FIELDS = (
    *(each for each in EVENT_FIELDS if each.name != "sent_at"),
    Field(name="properties", parser=text(), aliases=("props", "payload"), about="JSON with what labels are made of."),
)


def chosen_mapping(
    schema: Mapping[str, Any],
    *,
    table: str,
    given: Iterable[tuple[str, str]] = (),
    constants: Iterable[tuple[str, str]] = (),
    zone: str = "UTC",
    unit: str = "s",
) -> TableMapping:
    """Return the mapping of a table with the columns `schema` (name → Ibis type), checked.

    `given` are (theirs, ours) pairs as for an import, ours `properties.<name>` for a label's column; fields that nobody
    names take the column of their name. Without a column or a constant for `event`, rows are named after the table.
    Raises InvalidInputError (MappingError among them), with an error for each field that cannot be used.
    """
    pairs = list(given)
    labels = {ours.partition(".")[2]: theirs for theirs, ours in pairs if ours.startswith("properties.")}
    plain = [(theirs, ours) for theirs, ours in pairs if not ours.startswith("properties.")]
    plain += [(theirs, "") for theirs in labels.values() if theirs in schema]
    found = map_columns(list(schema), FIELDS, given=plain, constants=constants)
    fixed = dict(found.constants)
    if "event" not in found.given:
        fixed["event"] = table.rpartition(".")[2]
    mapping = TableMapping(columns=found.columns, constants=fixed, labels=labels, zone=zone, unit=unit)
    if problems := mapping_problems(mapping, schema):
        listed = " ".join(f"{name}: {problem}." for name, problem in problems.items())
        raise InvalidInputError(f"The table cannot be read as events. {listed}", problems)
    return mapping
