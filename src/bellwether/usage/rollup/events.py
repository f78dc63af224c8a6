"""Raw rows of the lake made ready to be counted: each message once, microseconds, local hour, label."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import ibis
from ibis.expr.types import IntegerScalar, StringValue, Table, Value

from bellwether.usage.calendar import MICROSECONDS, OffsetSpan
from bellwether.usage.lake import ACTION_TYPES, EVENT_SCHEMA

MESSAGE = ("date", "source", "message_id")
"""What makes a message within the read. Repeats on other days were dropped when they were landed."""

JsonText = Callable[[Any, str], Any]
"""Gives the property (second) of a JSON column (first) as text."""

FIRST_KEPT = ("received_at", "sent_at", "ts", "us")
"""How the copies of a message compete; all other columns follow, so that the winner is always the same."""


def distinct_ids(raw: Table) -> IntegerScalar:
    """Return how many message ids of `raw` differ for sure. As many as rows: no message lies there twice.

    Counting hashes is cheaper than comparing ids, and ids that share a hash can only make the number smaller.
    """
    return raw.message_id.hash().nunique()


def repeated(raw: Table) -> Table:
    """Return the messages (date, source, message_id) of `raw` that lie there more than once; mostly none.

    Rows without a message id, which a warehouse may have, are each a message of their own.
    """
    raw = raw.filter(raw.message_id.notnull())
    return raw.group_by(list(MESSAGE)).having(raw.count() > 1).agg(copies=raw.count()).drop("copies")


def without_repeats(raw: Table, repeats: Table) -> Table:
    """Return `raw` with one row for each message of `repeats`: the earliest received, then the earliest sent.

    Only the repeated messages are sorted: a window over all of them would cost more than the whole rollup.
    """
    names = [*FIRST_KEPT, *(name for name in EVENT_SCHEMA.names if name not in FIRST_KEPT and name not in MESSAGE)]
    copies = raw.semi_join(repeats, list(MESSAGE))
    order = [copies[name].asc(nulls_first=False) for name in names if name in raw.columns]
    rank = ibis.row_number().over(ibis.window(group_by=list(MESSAGE), order_by=order))
    kept = copies.mutate(copy=rank).filter(ibis._.copy == 0).drop("copy")
    return raw.anti_join(repeats, list(MESSAGE)).union(kept, distinct=False)


def prepare(
    raw: Table, *, offsets: Sequence[OffsetSpan], labels: Mapping[str, str], json_text: JsonText | None = None
) -> Table:
    """Return the events as the counting needs them: `us` (microseconds since 1970 UTC), `slot` (half hours since 1970
    UTC), `hour` (0-23, local by `offsets`), `is_action`, and `label` (the property that `labels` names for the event).

    `raw` has the columns of the lake's events; `us` may stand for `ts`, and `label` for `properties`. `json_text` gives
    a property of JSON as text where an engine has its own way.
    """
    us = raw.us if "us" in raw.columns else since_epoch(raw.ts)
    kept = [raw[c] for c in ("date", "organization_id", "user_key", "is_service", "event", "module", "feature", "role")]
    events = raw.select(
        *kept,
        us=us,
        is_action=raw.type.isin(ACTION_TYPES),
        label=raw.label if "label" in raw.columns else _label(raw, labels, json_text or property_text),
    )
    return in_slots(events, offsets)


def in_slots(events: Table, offsets: Sequence[OffsetSpan]) -> Table:
    """Return the `events` with the `slot` and the local `hour` of their `us`."""
    hour = (local_seconds(events.us, offsets) // 3600) % 24
    return events.mutate(slot=events.us // MICROSECONDS // 1800, hour=hour)


def since_epoch(instant: Any) -> Any:
    """Return the instants (UTC, with or without a zone) as microseconds since 1970."""
    return instant.cast("timestamp").delta(ibis.timestamp("1970-01-01 00:00:00"), unit="microsecond")


def local_seconds(us: Any, offsets: Sequence[OffsetSpan]) -> Any:
    """Return the instants `us` as seconds of the local clock since its 1 January 1970."""
    return us // MICROSECONDS + _offset(us, offsets)


def _offset(us: Any, offsets: Sequence[OffsetSpan]) -> Any:
    if len(offsets) == 1:
        return ibis.literal(offsets[0].seconds, type="int64")
    branches = [(us < after.start_us, span.seconds) for span, after in pairwise(offsets)]
    return ibis.cases(*branches, else_=offsets[-1].seconds)


def _label(raw: Table, labels: Mapping[str, str], json_text: JsonText) -> Value:
    if not labels:
        return ibis.null("string")
    return ibis.cases(*[(raw.event == name, json_text(raw.properties, key)) for name, key in sorted(labels.items())])


def property_text(properties: StringValue, key: str) -> Value:
    """Return the property as text: strings as they are, numbers and booleans as JSON writes them, null as null."""
    value: Any = properties.cast("json")[key]
    return ibis.coalesce(value.str, value.cast("string").nullif("null"))
