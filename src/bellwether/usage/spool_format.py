"""What one accepted request looks like in the spool: normalised events and rejects, packed; later, as a frame."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from bellwether.usage.lake import EVENT_SCHEMA

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
INSTANTS = ("ts", "received_at", "sent_at", "original_ts")


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


def to_frame(batches: Iterable[tuple[datetime, str, Batch]]) -> pl.DataFrame:
    """Return the events of `batches` (received_at, source, batch) as one frame with the columns of EVENT_SCHEMA."""
    rows: list[tuple[Any, ...]] = []
    received: list[int] = []
    sources: list[str] = []
    for received_at, source, batch in batches:
        count = len(batch.events)
        rows.extend(map(msgspec.structs.astuple, batch.events))
        received.extend([microseconds(received_at)] * count)
        sources.extend([source] * count)
    values = list(zip(*rows, strict=True)) or [()] * len(SpooledEvent.__struct_fields__)
    columns: dict[str, Iterable[Any]] = dict(zip(SpooledEvent.__struct_fields__, values, strict=True)) | {
        "received_at": received,
        "source": sources,
    }
    return pl.DataFrame([_column(columns[name], name) for name in EVENT_SCHEMA.names])


def _column(values: Iterable[Any], name: str) -> pl.Series:
    if name in INSTANTS:
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    return pl.Series(name, values, dtype=pl.Boolean if name == "is_service" else pl.String)
