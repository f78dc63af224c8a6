"""Which columns of a warehouse's table are which of an event's, and the table seen as events by Ibis expressions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import Table

from bellwether.portfolio.importing.values import NO, YES
from bellwether.usage import rollup
from bellwether.usage.calendar import MICROSECONDS, OffsetSpan, day_number, utc_offsets
from bellwether.usage.lake import ACTION_TYPES
from bellwether.usage.rollup.events import JsonText

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""Units in which a number may tell a time since 1970, in microseconds."""

TEXTS = ("organization_id", "user_id", "anonymous_id", "type", "event", "module", "feature", "role", "message_id")
TIMES = ("ts", "received_at")
EVENT_TYPES = (*ACTION_TYPES, "identify", "group", "alias")


@dataclass(frozen=True, kw_only=True)
class TableMapping:
    """`columns`: field of an event → column. `constants`: field → one value for all rows. `labels`: property → column.
    `zone`: of times that name none. `unit`: of times that are numbers since 1970 (s, ms or us)."""

    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    unit: str = "s"

    def stored(self) -> dict[str, Any]:
        """Return the mapping as JSON values; `TableMapping(**stored)` gives it back."""
        return {name: getattr(self, name) for name in ("columns", "constants", "labels", "zone", "unit")}


def mapping_problems(mapping: TableMapping, schema: Mapping[str, Any]) -> dict[str, str]:
    """Return what keeps a table with the columns `schema` from being read by `mapping`, by field; empty if nothing."""
    problems: dict[str, str] = {}
    for name, column in mapping.columns.items():
        if column not in schema:
            problems[name] = f"the table has no column {column!r}; it has {', '.join(schema)}"
        elif name in TIMES and not _is_time(schema[column]):
            problems[name] = f"the column {column!r} is of type {schema[column]}; needs a timestamp, a date or a number"
        elif name == "is_service" and not _is_yes_or_no(schema[column]):
            problems[name] = f"the column {column!r} is of type {schema[column]}; needs a boolean, a number or a text"
        elif name == "properties" and not isinstance(schema[column], dt.JSON | dt.String):
            problems[name] = f"the column {column!r} is of type {schema[column]}; needs JSON or text that is JSON"
    for label, column in mapping.labels.items():
        if column not in schema:
            problems[f"properties.{label}"] = f"the table has no column {column!r}; it has {', '.join(schema)}"
    given = mapping.columns.keys() | mapping.constants.keys()
    if "ts" not in mapping.columns:
        problems.setdefault("ts", "needs a column that says when it happened")
    if "organization_id" not in given:
        problems.setdefault("organization_id", "needs a column that says whose event it is, or one value for all rows")
    if "properties" in mapping.constants:
        problems["properties"] = "needs a column, not one value"
    kind = mapping.constants.get("type", "track").lower()
    if kind not in EVENT_TYPES:
        problems["type"] = f"{kind!r} is none of {', '.join(EVENT_TYPES)}"
    if mapping.constants.get("is_service", "no").lower() not in YES | NO:
        problems["is_service"] = f"{mapping.constants['is_service']!r} is neither yes nor no"
    if mapping.unit not in UNITS:
        problems["unit"] = f"{mapping.unit!r} is none of {', '.join(UNITS)}"
    try:
        ZoneInfo(mapping.zone)
    except (KeyError, ValueError, OSError):
        problems["zone"] = f"{mapping.zone!r} is no time zone; needs a name such as Europe/Berlin"
    return problems


def as_events(
    table: Table,
    mapping: TableMapping,
    *,
    source: str,
    labels: Mapping[str, str],
    first: date,
    last: date,
    json_text: JsonText,
) -> Table:
    """Return the rows of `table` as `rollup.prepare` takes them, but without `date`: `us` and `received_at` are
    microseconds since 1970, `user_key` is the raw id of the user. `labels` names for an event the property that is its
    label. Naive times are right from `first` to `last`. A row without a time has no `us`.
    """
    columns = {name: _text(table, mapping, name) for name in TEXTS}
    times = {name: _instant(table, mapping, name, first, last) for name in TIMES}
    event = ibis.coalesce(columns["event"], mapping.constants.get("event") or source)
    return table.select(
        us=times["ts"],
        received_at=times["received_at"],
        source=ibis.literal(source),
        message_id=columns["message_id"],
        organization_id=ibis.coalesce(columns["organization_id"], ""),
        user_key=ibis.coalesce(columns["user_id"], columns["anonymous_id"]),
        is_service=_is_service(table, mapping),
        type=ibis.coalesce(columns["type"].lower(), "track"),
        event=event,
        module=columns["module"],
        feature=columns["feature"],
        role=columns["role"],
        label=_label(table, mapping, event, labels, json_text),
    )


def on_days(events: Table, offsets: Sequence[OffsetSpan], *, from_us: int, until_us: int) -> Table:
    """Return the `events` from one instant to before another with their `date`: the number of the local day."""
    within = events.filter(events.us.notnull() & (events.us >= from_us) & (events.us < until_us))
    return within.mutate(date=rollup.local_seconds(within.us, offsets) // 86_400)


def near(table: Table, mapping: TableMapping, first: date, last: date) -> Table:
    """Return the rows of `table` about the days `first` to `last` by its own column of time, which may have an index:
    a day more on either side, so that zones do not matter."""
    column = table[mapping.columns["ts"]]
    begin, end = first - timedelta(days=1), last + timedelta(days=2)
    kind = column.type()
    if isinstance(kind, dt.Date):
        low, high = ibis.date(begin.isoformat()), ibis.date(end.isoformat())
    elif isinstance(kind, dt.Timestamp):
        low, high = (ibis.literal(datetime.combine(day, time()), type=kind.copy(scale=None)) for day in (begin, end))
    else:
        low, high = (day_number(day) * 86_400 * MICROSECONDS // UNITS[mapping.unit] for day in (begin, end))
    return table.filter((column >= low) & (column < high))


def _text(table: Table, mapping: TableMapping, name: str) -> Any:
    """Return a field as text: without spaces around it, null where empty."""
    if name in mapping.columns:
        return table[mapping.columns[name]].cast("string").strip().nullif("")
    return ibis.literal(mapping.constants.get(name) or None, type="string")


def _instant(table: Table, mapping: TableMapping, name: str, first: date, last: date) -> Any:
    if name not in mapping.columns:
        return ibis.null("int64")
    column = table[mapping.columns[name]]
    kind = column.type()
    if isinstance(kind, dt.Integer):
        return column.cast("int64") * UNITS[mapping.unit]
    if not isinstance(kind, dt.Timestamp | dt.Date):
        return (column * UNITS[mapping.unit]).cast("int64")
    us = rollup.since_epoch(column)
    if isinstance(kind, dt.Timestamp) and kind.timezone is not None:
        return us
    return us - _ahead_us(us, utc_offsets(first, last, ZoneInfo(mapping.zone)))


def _ahead_us(local_us: Any, offsets: Sequence[OffsetSpan]) -> Any:
    """Return the microseconds that `local_us` are ahead of UTC; of a repeated hour the first one is meant."""
    ahead = [ibis.literal(span.seconds * MICROSECONDS, type="int64") for span in offsets]
    if len(offsets) == 1:
        return ahead[0]
    branches = [
        (local_us < after.start_us + max(span.seconds, after.seconds) * MICROSECONDS, value)
        for (span, after), value in zip(pairwise(offsets), ahead, strict=False)
    ]
    return ibis.cases(*branches, else_=ahead[-1])


def _is_service(table: Table, mapping: TableMapping) -> Any:
    if "is_service" not in mapping.columns:
        return ibis.literal(mapping.constants.get("is_service", "").strip().lower() in YES)
    column = table[mapping.columns["is_service"]]
    if isinstance(column.type(), dt.Boolean):
        said = column
    elif isinstance(column.type(), dt.String):
        said = column.strip().lower().isin(sorted(YES))
    else:
        said = column != 0
    return ibis.coalesce(said, False)


def _label(table: Table, mapping: TableMapping, event: Any, labels: Mapping[str, str], json_text: JsonText) -> Any:
    def value(key: str) -> Any:
        if key in mapping.labels:
            return table[mapping.labels[key]].cast("string")
        return json_text(table[mapping.columns["properties"]], key)

    known = {name: key for name, key in labels.items() if key in mapping.labels or "properties" in mapping.columns}
    if not known:
        return ibis.null("string")
    return ibis.cases(*[(event == name, value(key)) for name, key in sorted(known.items())])


def _is_time(kind: dt.DataType) -> bool:
    return isinstance(kind, dt.Timestamp | dt.Date | dt.Integer | dt.Floating | dt.Decimal)


def _is_yes_or_no(kind: dt.DataType) -> bool:
    return isinstance(kind, dt.Boolean | dt.String | dt.Numeric)
