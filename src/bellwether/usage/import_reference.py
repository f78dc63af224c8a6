"""The reference page of what can be imported, made from the kinds themselves.

Refresh with: bellwether import-columns > docs/reference/import-columns.md (a test compares).
"""

from collections.abc import Iterable

from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.services import KINDS
from bellwether.usage.event_fields import EVENT_FIELDS
from bellwether.usage.kind_features import FEATURES

HEAD = """# Columns that can be imported

Made from the code by `bellwether import-columns`; a test compares. How to import:
[import your data](../how-to/import-your-data.md).

A column is found by its field's name or by one of the other names, whatever its case, spaces and punctuation, and
without HubSpot's `property_` and Salesforce's `__c`. Everything else needs `--map THEIRS=OURS`. **Bold** fields are
required. An empty cell clears the field; a column that the file does not have leaves it alone.
"""
EVENTS_ABOUT = (
    "Usage events. Columns that are no field become properties of the event, without names, e-mail addresses, phone "
    "numbers and network addresses."
)
EVENTS_KEY = "source (`--source`) and message_id, else the content of the row and how many equal rows precede it"


def import_columns_page() -> str:
    """Return the page in Markdown."""
    sections = [_section(kind.name, kind.about, kind.key_text, kind.fields) for kind in (*KINDS, FEATURES)]
    sections.append(_section("events", EVENTS_ABOUT, EVENTS_KEY, EVENT_FIELDS))
    return HEAD + "".join(sections)


def _section(name: str, about: str, key: str, fields: Iterable[Field]) -> str:
    lines = [
        f"\n## {name}\n",
        f"{about} Natural key: {key}.\n",
        "| field | holds | empty | other names | note |",
        "|---|---|---|---|---|",
    ]
    for f in fields:
        shown = f"**{f.name}**" if f.required else f.name
        aliases = ", ".join(f.aliases)
        lines.append(f"| {shown} | {f.parser.label.replace('|', '&#124;')} | {_default(f)} | {aliases} | {f.about} |")
    return "\n".join(lines) + "\n"


def _default(f: Field) -> str:
    if f.required:
        return "refused"
    default = f.default[0] if isinstance(f.default, tuple) else f.default
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if default else ""
