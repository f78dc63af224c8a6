"""What is counted of raw events for one custom measure, as data and as SQL. Pure.

The daily rows of `event_days` do not say who did something, nor what the other properties of an event were. A measure
that asks for that names a FactSpec, whose small daily facts are kept beside the others (usage.custom_facts).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

SCALE = 10_000
"""Numbers are summed as whole ten-thousandths, so that a sum never depends on the order of the events."""

LARGEST = 1e11
"""A number beyond this is left out, as if the event did not carry it."""

Comparison = Literal["equals", "in", "greater", "less", "exists"]
FactKind = Literal["users", "days", "user_values"]


@dataclass(frozen=True)
class Condition:
    """A condition on a property of the event. `values`: one text for equals, several for in; one number as text for
    greater and less; none for exists."""

    attribute: str
    comparison: Comparison
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class FactSpec:
    """Which events are counted, and what is kept of them.

    `keep`: "users" who did it by day; "days" sum and last value of `attribute` and the number of events by day;
    "user_values" the last value of `attribute` of each user by day. `events` empty: any event of `types`.
    """

    keep: FactKind
    types: tuple[str, ...]
    events: tuple[str, ...] = ()
    module: str = ""
    feature: str = ""
    label: str = ""
    where: tuple[Condition, ...] = ()
    people_only: bool = True
    attribute: str = ""

    @property
    def digest(self) -> str:
        """Return the name of these facts: 16 hex digits that are the same for the same content."""
        text = json.dumps(self.as_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_data(self) -> dict[str, Any]:
        """Return the spec as JSON data; `spec_from_data` reads it again."""
        return asdict(self)


def spec_from_data(data: Mapping[str, Any]) -> FactSpec:
    """Return the spec that `as_data` gave."""
    where = tuple(Condition(c["attribute"], c["comparison"], tuple(c["values"])) for c in data["where"])
    fixed = {"types": tuple(data["types"]), "events": tuple(data["events"]), "where": where}
    return FactSpec(**(dict(data) | fixed))


def facts_sql(spec: FactSpec, source: str, *, labels: Mapping[str, str]) -> str:
    """Return the DuckDB query for the facts of `spec` over the events in the table `source`, each message once.

    Columns for "days": organization_id, date, measure (the digest), events, total (ten-thousandths), last and last_us;
    else organization_id, user_key, date, measure, value (ten-thousandths) and last_us. `labels` names for an event the
    property that is its label.
    """
    chosen = f"SELECT *, {_number(spec)} AS number FROM {source} WHERE {' AND '.join(_conditions(spec, labels))}"
    latest = "arg_max(number, {'ts': ts, 'source': source, 'message_id': message_id}) FILTER (number IS NOT NULL)"
    last_us = "epoch_us(MAX(ts) FILTER (number IS NOT NULL))"
    scaled = f"CAST(round(number * {SCALE}) AS HUGEINT)"
    if spec.keep == "days":
        return (
            f"SELECT organization_id, date, {_text(spec.digest)} AS measure, COUNT(*) AS events, "
            f"TRY_CAST(SUM({scaled}) AS BIGINT) AS total, {latest} AS last, {last_us} AS last_us "
            f"FROM ({chosen}) GROUP BY organization_id, date"
        )
    value = f"CAST(round(({latest}) * {SCALE}) AS BIGINT)" if spec.keep == "user_values" else "CAST(NULL AS BIGINT)"
    having = " HAVING COUNT(number) > 0" if spec.keep == "user_values" else ""
    return (
        f"SELECT organization_id, user_key, date, {_text(spec.digest)} AS measure, {value} AS value, "
        f"epoch_us(MAX(ts)) AS last_us FROM ({chosen}) WHERE user_key IS NOT NULL "
        f"GROUP BY organization_id, user_key, date{having}"
    )


def _conditions(spec: FactSpec, labels: Mapping[str, str]) -> list[str]:
    found = ["organization_id <> ''", f"type IN ({_texts(spec.types)})"]
    if spec.events:
        found.append(f"event IN ({_texts(spec.events)})")
    if spec.people_only:
        found.append("NOT is_service")
    for name, value in (("module", spec.module), ("feature", spec.feature)):
        if value:
            found.append(f"lower({name}) = {_text(value.lower())}")
    if spec.label:
        properties = {labels[event] for event in spec.events if event in labels}
        found.append(" OR ".join(f"{_property(name)} = {_text(spec.label)}" for name in sorted(properties)) or "false")
    found += [_condition(condition) for condition in spec.where]
    return [f"({text})" for text in found]


def _condition(condition: Condition) -> str:
    value = _property(condition.attribute)
    if condition.comparison == "exists":
        return f"{value} IS NOT NULL"
    if condition.comparison in ("equals", "in"):
        return f"{value} IN ({_texts(condition.values)})"
    sign = ">" if condition.comparison == "greater" else "<"
    return f"{_finite(value)} {sign} {float(condition.values[0])!r}"


def _number(spec: FactSpec) -> str:
    return _finite(_property(spec.attribute)) if spec.attribute else "CAST(NULL AS DOUBLE)"


def _finite(value: str) -> str:
    """Return the text `value` as a number: true is 1, false 0; null for what is none, too large or not finite."""
    number = f"CASE {value} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE TRY_CAST({value} AS DOUBLE) END"
    return f"(CASE WHEN abs({number}) <= {LARGEST!r} THEN {number} END)"


def _property(name: str) -> str:
    """Return the property as text; names have been checked not to hold quotes or backslashes."""
    path = f'$."{name}"'
    return f"json_extract_string(properties, {_text(path)})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(_text(value) for value in values)
