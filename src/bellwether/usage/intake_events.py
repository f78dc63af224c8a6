"""One event of the Segment protocol becomes one normalised event, or a reject that says why.

Pure: the clock, the key of the pseudonyms and the source of random ids are arguments.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from bellwether.common.errors import BellwetherError
from bellwether.usage.intake_wire import MAX_EVENT, TYPES, Context, Envelope, Id, Incoming, parse_instant
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.scrub import holds_personal, scrub, scrub_text
from bellwether.usage.skew import corrected
from bellwether.usage.spool_format import Batch, Reject, SpooledEvent, microseconds

MAX_MESSAGE_ID = 100
MAX_NAME = 200
SAMPLE_TEXT = 200
SAMPLE_KEYS = 20

Identify = Callable[[str], tuple[str, bool]]
_decoder = msgspec.json.Decoder(Incoming)
_encode = msgspec.json.encode


class RejectedEventError(BellwetherError):
    """This event cannot be used; the text names the field. It never holds a value that the sender wrote."""


def identifier(key: bytes, service_pattern: str) -> Identify:
    """Return a function from a raw user id to (pseudonym, is it a service user by its id); it remembers recent ids."""
    is_service = re.compile(service_pattern).search

    @lru_cache(maxsize=100_000)
    def identify(user_id: str) -> tuple[str, bool]:
        return pseudonym(user_id, key), is_service(user_id) is not None

    return identify


def accept(envelope: Envelope, *, received_at: datetime, identify: Identify, mint: Callable[[], str]) -> Batch:
    """Return the usable events of `envelope`, normalised, and its rejects. `mint` makes missing message ids."""
    events: list[SpooledEvent] = []
    rejects: list[Reject] = []
    library = ""
    for raw in envelope.events:
        try:
            if len(memoryview(raw)) > MAX_EVENT:
                raise RejectedEventError(f"event: over {MAX_EVENT:,} bytes of JSON")
            incoming = _decoder.decode(raw)
            events.append(_normalised(incoming, envelope, received_at, identify, mint))
            library = library or _library(incoming.context or envelope.context)
        except (RejectedEventError, msgspec.DecodeError) as error:
            rejects.append(rejected(raw, str(error)))
    rejects.extend(rejected(raw, "batch: more than 2,500 events") for raw in envelope.surplus)
    return Batch(events, rejects, library)


def rejected(raw: msgspec.Raw, reason: str) -> Reject:
    """Return the reject of the event `raw` with a short sample of it, without ids of people and personal data."""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        return Reject("", reason, {"value": type(value).__name__})
    sample = {k: value[k] for k in ("type", "event", "timestamp", "properties") if k in value}
    message_id = value.get("messageId")
    return Reject(
        scrub_text(message_id)[:MAX_MESSAGE_ID].replace("\x00", "") if isinstance(message_id, str) else "",
        reason,
        _shortened(scrub(sample)) | {"fields": [scrub_text(key)[:SAMPLE_TEXT] for key in list(value)[:SAMPLE_KEYS]]},
    )


def _normalised(
    incoming: Incoming, envelope: Envelope, received_at: datetime, identify: Identify, mint: Callable[[], str]
) -> SpooledEvent:
    kind = envelope.event_type or (incoming.type or "").lower()
    if kind not in TYPES:
        raise RejectedEventError(f"type: needs one of {', '.join(TYPES)}")
    if incoming.writeKey and envelope.write_key and incoming.writeKey != envelope.write_key:
        raise RejectedEventError("writeKey: another key than the batch's; send one batch for each key")
    context = _merged(incoming.context, envelope.context)
    about_user = kind in ("identify", "group")
    carried = (incoming.traits if about_user else incoming.properties) or {}
    if about_user and carried:
        carried = {_snake(k): v for k, v in carried.items()}
    found = _found(carried)
    of_user = _found(context.traits) if context is not None and context.traits else {}

    user_id = _text(incoming.userId) or _text(incoming.anonymousId)
    organization_id = _organization(incoming, kind, context, found, of_user)
    if not user_id and not organization_id:
        raise RejectedEventError("userId: missing, and neither anonymousId nor an account is given")
    user_key, is_service = identify(user_id) if user_id else (None, False)
    is_service = is_service or _says_service(found) or _says_service(of_user)
    if kind == "alias":
        carried = {"previous_key": identify(previous)[0]} if (previous := _text(incoming.previousId)) else {}

    sent_at = _instant(incoming.sentAt, "sentAt") or envelope.sent_at
    original_ts = _instant(incoming.originalTimestamp or incoming.timestamp, "timestamp")
    ts = corrected(received_at=received_at, sent_at=sent_at, original_ts=original_ts)
    if ts is None:
        raise RejectedEventError("timestamp: lies before 1970")
    return SpooledEvent(
        _message_id(incoming.messageId) or mint(),
        organization_id,
        user_key,
        is_service,
        kind,
        _event_name(incoming, kind),
        _label(found.get("module")) or _label(incoming.category) or None,
        _label(found.get("feature")) or None,
        _role(found if about_user else {}, of_user),
        microseconds(ts),
        microseconds(sent_at) if sent_at else None,
        microseconds(original_ts) if original_ts else None,
        _encode(scrub(carried) if holds_personal(carried) else carried).decode().replace("\\u0000", "")
        if carried
        else None,
    )


def _merged(own: Context | None, shared: Context | None) -> Context | None:
    """Return the event's context over the batch's."""
    if own is None or shared is None:
        return own or shared
    traits = {**(shared.traits or {}), **(own.traits or {})}
    return Context(own.groupId if own.groupId is not None else shared.groupId, traits, own.library or shared.library)


@lru_cache(maxsize=20_000)
def _wanted(key: str) -> str | None:
    """Return the plain name of a property that means something here, whatever its case and separators."""
    plain = "".join(filter(str.isalnum, key)).lower()
    return plain if plain in {"module", "feature", "groupid", "role", "isbot", "isservice", "company"} else None


@lru_cache(maxsize=20_000)
def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").replace(" ", "_").lower()


def _found(carried: dict[str, Any]) -> dict[str, Any]:
    return {name: value for key, value in carried.items() if (name := _wanted(key)) is not None}


def _organization(
    incoming: Incoming, kind: str, context: Context | None, found: dict[str, Any], of_user: dict[str, Any]
) -> str:
    """Return the account by the order of the protocol; "" when the event names none."""
    named = (
        (_text(incoming.groupId) if kind == "group" else "")
        or (_text(context.groupId) if context else "")
        or _text(found.get("groupid"))
        or _company(of_user)
        or (_company(found) if kind == "identify" else "")
    )
    if kind == "group" and not named:
        raise RejectedEventError("groupId: missing")
    if len(named) > MAX_NAME:
        raise RejectedEventError(f"groupId: over {MAX_NAME} characters")
    return named


def _company(traits: dict[str, Any]) -> str:
    company = traits.get("company")
    return _text(company.get("id")) if isinstance(company, dict) else ""


def _event_name(incoming: Incoming, kind: str) -> str:
    if kind == "track":
        name = _label(incoming.event)
        if not name:
            raise RejectedEventError("event: missing, a track event needs its name")
        return name
    return (_label(incoming.name) or kind) if kind in ("page", "screen") else kind


def _role(*sources: dict[str, Any]) -> str | None:
    """Return the role that the event gives its user, "" if it clears it (null), None if it says nothing."""
    for traits in sources:
        if "role" in traits:
            return _label(traits["role"])[:80] if traits["role"] is not None else ""
    return None


def _library(context: Context | None) -> str:
    library = context.library if context else None
    if not isinstance(library, dict):
        return ""
    return scrub_text(f"{library.get('name', '')} {library.get('version', '')}".strip())[:80].replace("\x00", "")


def _message_id(value: Id) -> str:
    """Return the message id as text; one that is too long or could hold an address is kept as its hash."""
    text = _text(value)
    if len(text) > MAX_MESSAGE_ID or "@" in text:
        return sha256(text.encode()).hexdigest()
    return text


def _text(value: Any) -> str:
    """Return an id as text: numbers as written, without the .0 that some languages add; "" for anything else."""
    if type(value) is str:
        return value.strip().replace("\x00", "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _label(value: Any) -> str:
    return _clean_label(value) if type(value) is str else _text(value)


@lru_cache(maxsize=50_000)
def _clean_label(text: str) -> str:
    return scrub_text(text.strip().replace("\x00", ""))[:MAX_NAME]


def _says_service(found: dict[str, Any]) -> bool:
    return bool(found) and (_true(found.get("isbot")) or _true(found.get("isservice")))


def _true(value: Any) -> bool:
    return value is not None and (
        value is True or value == 1 or (isinstance(value, str) and value.lower() in {"true", "1", "yes"})
    )


def _instant(text: str | None, field: str) -> datetime | None:
    if not text:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise RejectedEventError(f"{field}: is not an ISO 8601 time") from None


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value[:SAMPLE_TEXT].replace("\x00", "")
    if isinstance(value, dict):
        return {_shortened(k): _shortened(value[k]) for k in list(value)[:SAMPLE_KEYS]}
    if isinstance(value, list):
        return [_shortened(item) for item in value[:SAMPLE_KEYS]]
    return value
