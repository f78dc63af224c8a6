"""What one accepted request looks like in the spool: normalised events and rejects, packed; later, as a table."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from bellwether.usage.lake import EVENT_SCHEMA, INSTANT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class SpooledEvent(msgspec.Struct, array_like=True, gc=False):
    """One normalised event: pseudonymous, scrubbed, corrected for skew. Times are microseconds since 1970, UTC.

    `role` is None when the event says nothing about it and "" when it clears it.
    """

    message_id: str
    organization_id: str
    user_key: str | None
    is_service: bool
    type: str
    event: str
    module: str | None
    feature: str | None
    role: str | None
    ts: int
    sent_at: int | None
    original_ts: int | None
    properties: str | None


class Reject(msgspec.Struct, array_like=True, gc=False):
    """One event that could not be used: why, and a scrubbed sample of it."""

    message_id: str
    reason: str
    sample: dict[str, Any]


class Batch(msgspec.Struct, array_like=True, gc=False):
    """The payload of one spool row."""

    events: list[SpooledEvent]
    rejects: list[Reject]
    library: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def pack(batch: Batch) -> bytes:
    """Return `batch` as the bytes of a spool row."""
    return _encoder.encode(batch)


def unpack(payload: bytes) -> Batch:
    """Return the batch in `payload`; raises msgspec.DecodeError if it is not one."""
    return _decoder.decode(payload)


def microseconds(instant: datetime) -> int:
    """Return the aware `instant` as microseconds since 1970 UTC."""
    return (instant - EPOCH) // MICROSECOND


def to_table(batches: Iterable[tuple[datetime, str, Batch]]) -> pa.Table:
    """Return the events of `batches` (received_at, source, batch) as one table of EVENT_SCHEMA, in that order."""
    rows: list[tuple[Any, ...]] = []
    received: list[int] = []
    sources: list[str] = []
    for received_at, source, batch in batches:
        count = len(batch.events)
        rows.extend(map(msgspec.structs.astuple, batch.events))
        received.extend([microseconds(received_at)] * count)
        sources.extend([source] * count)
    columns: dict[str, Any] = (
        dict(zip(SpooledEvent.__struct_fields__, zip(*rows, strict=True), strict=True)) if rows else {}
    )
    columns |= {"received_at": received, "source": sources}
    return pa.table([_column(columns.get(f.name, ()), f) for f in EVENT_SCHEMA], schema=EVENT_SCHEMA)


def _column(values: Any, field: pa.Field) -> pa.Array:
    if field.type == INSTANT:
        return pa.array(values, pa.int64()).cast(INSTANT)
    return pa.array(values, field.type)
