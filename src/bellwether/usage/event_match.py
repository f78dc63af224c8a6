"""What counts as using a feature: an event by its name, or by its module and feature as well. Pure.

Data (TOML, JSON, database): "Case Created" is an event by name; {event = "commit", feature = "tests"} also asks for the
event's feature, {module = "docs"} takes any event of a module. In text, one a line: `commit where feature = tests`,
`any event where module = docs and feature = guides`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANY = "any event"
COLUMNS = ("event", "module", "feature")
_CONDITION = re.compile(r"^(module|feature)\s*=\s*(.+)$")


@dataclass(frozen=True, order=True)
class EventMatch:
    """Events with this name, module and feature, compared exactly; an empty one of the three matches everything."""

    event: str = ""
    module: str = ""
    feature: str = ""

    def as_data(self) -> str | dict[str, str]:
        """Return the match as data: a plain name where that says it all."""
        given = {name: value for name in COLUMNS if (value := getattr(self, name))}
        return self.event if set(given) == {"event"} else given

    def __str__(self) -> str:
        conditions = [f"{name} = {value}" for name in COLUMNS[1:] if (value := getattr(self, name))]
        return f"{self.event or ANY} where {' and '.join(conditions)}" if conditions else self.event


def match_from_data(data: object) -> EventMatch:
    """Return the match that a name or a table says. ValueError with what is wrong."""
    if isinstance(data, str) and data.strip():
        return EventMatch(event=data.strip())
    if not isinstance(data, Mapping):
        raise ValueError("needs the name of an event, or a table of event, module and feature")
    values: dict[str, Any] = dict(data)
    unknown = sorted(set(values) - set(COLUMNS))
    if unknown:
        raise ValueError(f"has {', '.join(map(str, unknown))}; it may have event, module and feature")
    if not all(isinstance(value, str) for value in values.values()) or not any(v.strip() for v in values.values()):
        raise ValueError("needs at least one of event, module and feature, as text")
    return EventMatch(**{name: value.strip() for name, value in values.items()})


def match_from_text(line: str) -> EventMatch:
    """Return the match that a line of text says; a line without conditions is the name of an event.

    ValueError if the line is empty or gives a column twice.
    """
    text = line.strip()
    if not text:
        raise ValueError("is empty")
    name, where, rest = text.partition(" where ")
    parts = rest.split(" and ") if where else []
    conditions = [found for part in parts if (found := _CONDITION.match(part.strip()))]
    if not parts or len(conditions) < len(parts):
        return EventMatch(event=text)
    given: dict[str, str] = {}
    for found in conditions:
        if found[1] in given:
            raise ValueError(f"gives {found[1]} twice")
        given[found[1]] = found[2].strip()
    return EventMatch(event="" if name.strip().lower() == ANY else name.strip(), **given)
