"""The hash chain of the access log: what a row's hash is made of. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID

from bellwether.common.text import storable_text

GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Link:
    """The content of one row; `previous_hash` is the hash of the row before, GENESIS for the first."""

    seq: int
    at: datetime
    actor_id: UUID | None
    actor: str
    action: str
    object_type: str
    object_id: str
    client_id: UUID | None
    detail: Mapping[str, Any]
    previous_hash: str


class Linked(Protocol):
    """A row of the log, stored or about to be: the fields of Link."""

    seq: Any
    at: Any
    actor_id: Any
    actor: Any
    action: Any
    object_type: Any
    object_id: Any
    client_id: Any
    detail: Any
    previous_hash: Any


def link_hash(link: Link | Linked) -> str:
    """Return the SHA-256, as 64 hex digits, over the canonical JSON of `link`."""
    content = {
        "action": link.action,
        "actor": link.actor,
        "actor_id": str(link.actor_id) if link.actor_id else None,
        "at": link.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "client_id": str(link.client_id) if link.client_id else None,
        "detail": storable(link.detail),
        "object_id": link.object_id,
        "object_type": link.object_type,
        "previous_hash": link.previous_hash,
        "seq": link.seq,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def storable(value: Any) -> Any:
    """Return `value` as plain JSON data that every database gives back exactly as it was stored.

    Whole floats become integers (PostgreSQL keeps 1e16 as 10000000000000000), NaN and infinity become text, characters
    that a database refuses are replaced, and anything else becomes its text.
    """
    if isinstance(value, str):
        return storable_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {storable_text(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [storable(item) for item in items]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return storable_text(str(value))
