"""The Segment protocol on the wire: paths, credentials, bodies. Pure: bytes in, typed envelopes out."""

import base64
import binascii
import zlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from bellwether.common.errors import BellwetherError

MAX_BODY = 512_000
MAX_EVENT = 32_768
MAX_EVENTS = 2_500

TYPES = ("track", "identify", "group", "page", "screen", "alias")
BATCH_PATHS = frozenset({"batch", "b", "import"})
METRICS_PATH = "m"
SINGLE_PATHS = {name: name for name in TYPES} | {name[0]: name for name in TYPES}

Id = str | int | float | None


class Context(msgspec.Struct):
    """The part of an event's `context` that matters here."""

    groupId: Id = None  # noqa: N815
    traits: dict[str, Any] | None = None
    library: Any = None


class Incoming(msgspec.Struct):
    """One event as a sender writes it; every field may be missing or null."""

    type: str | None = None
    messageId: Id = None  # noqa: N815
    timestamp: str | None = None
    originalTimestamp: str | None = None  # noqa: N815
    sentAt: str | None = None  # noqa: N815
    userId: Id = None  # noqa: N815
    anonymousId: Id = None  # noqa: N815
    groupId: Id = None  # noqa: N815
    previousId: Id = None  # noqa: N815
    event: str | None = None
    name: str | None = None
    category: str | None = None
    context: Context | None = None
    traits: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    writeKey: str | None = None  # noqa: N815


class _BatchBody(msgspec.Struct):
    batch: list[msgspec.Raw]
    sentAt: str | None = None  # noqa: N815
    writeKey: str | None = None  # noqa: N815
    context: Context | None = None


class _SingleBody(msgspec.Struct):
    sentAt: str | None = None  # noqa: N815
    writeKey: str | None = None  # noqa: N815


class _KeyOnly(msgspec.Struct):
    writeKey: str | None = None  # noqa: N815


class Envelope(msgspec.Struct, frozen=True):
    """A decoded request: its events still raw, and what the batch says for all of them. `event_type` is None when each
    event says its own; `surplus` events came after the first 2,500."""

    events: list[msgspec.Raw]
    surplus: list[msgspec.Raw]
    event_type: str | None
    sent_at: datetime | None
    write_key: str | None
    context: Context | None


class WireError(BellwetherError):
    """The request as a whole cannot be used: HTTP `status`, stable `code`, and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


_batch_decoder = msgspec.json.Decoder(_BatchBody)
_single_decoder = msgspec.json.Decoder(_SingleBody)
_key_decoder = msgspec.json.Decoder(_KeyOnly)


def header_key(authorization: str) -> str | None:
    """Return the write key of an Authorization header, None if it holds none.

    Basic with the key as user name, with or without the colon. Bearer tokens are another system's; the key is in the
    body then.
    """
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(rest.strip() + "=" * (-len(rest.strip()) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text.partition(":")[0].strip() or None


def decompressed(body: bytes, encoding: str) -> bytes:
    """Return the plain bytes of `body`. Raises WireError 413 when they are more than 512,000, however small they came,
    400 when the compression is broken, 415 when it is not gzip."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        plain = body
    elif encoding in {"gzip", "x-gzip"}:
        plain = _gunzip(body)
    else:
        raise WireError(415, "unsupported_encoding", f"Content-Encoding {encoding[:40]!r} is not supported; use gzip.")
    if len(plain) > MAX_BODY:
        raise WireError(413, "body_too_large", f"The body is over {MAX_BODY:,} bytes; send smaller batches.")
    return plain


def _gunzip(body: bytes) -> bytes:
    plain, rest = b"", body
    while rest and len(plain) <= MAX_BODY:
        machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            plain += machine.decompress(rest, MAX_BODY + 1 - len(plain))
        except zlib.error:
            raise WireError(400, "invalid_gzip", "The body is announced as gzip but cannot be decompressed.") from None
        if not machine.eof and len(plain) <= MAX_BODY:
            raise WireError(400, "invalid_gzip", "The gzip body ends too early.")
        rest = machine.unused_data
    return plain


def open_envelope(body: bytes, path: str) -> Envelope:
    """Return the envelope of the request `body` that came to /v1/`path`.

    Raises WireError 400 that names the first bad field, or 404 for a path that is not of the protocol.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        if path in BATCH_PATHS:
            batch = _batch_decoder.decode(body)
            events, surplus = batch.batch[:MAX_EVENTS], batch.batch[MAX_EVENTS:]
            key = batch.writeKey or _first_key(events)
            return Envelope(events, surplus, None, _sent_at(batch.sentAt), key, batch.context)
        if path not in SINGLE_PATHS:
            raise WireError(404, "not_found", "There is no such path here; events go to /v1/batch or /v1/track.")
        single = _single_decoder.decode(body)
    except msgspec.ValidationError as error:
        raise WireError(400, "invalid_field", f"The body cannot be used: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WireError(400, "invalid_json", "The body is not valid JSON in UTF-8.") from None
    if len(body) > MAX_EVENT:
        raise WireError(400, "event_too_large", f"The event is over {MAX_EVENT:,} bytes of JSON.")
    raw = msgspec.Raw(body)
    return Envelope([raw], [], SINGLE_PATHS[path], _sent_at(single.sentAt), single.writeKey, None)


def parse_instant(text: str) -> datetime:
    """Return the ISO 8601 `text` as aware UTC datetime; a time without offset counts as UTC. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _sent_at(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise WireError(400, "invalid_field", "The body cannot be used: sentAt is not an ISO 8601 time.") from None


def _first_key(events: list[msgspec.Raw]) -> str | None:
    """Return the first write key that an event carries itself; senders without a batch-level key do that."""
    for event in events:
        try:
            key = _key_decoder.decode(event).writeKey
        except msgspec.ValidationError:
            continue
        if key:
            return key
    return None
