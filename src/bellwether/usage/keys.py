"""Write keys: who may send events. The key is shown once; only its SHA-256 is kept."""

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.usage.models import WriteKey

PREFIX = "wk_"
SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
KEPT_SECONDS = 3.0
MAX_KEPT = 10_000


def hash_of(key: str) -> str:
    """Return the hash under which `key` is kept."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def add_key(source: str, *, now: datetime) -> str:
    """Make a write key for `source` and return it: the only time that it can be read.

    A source whose key was revoked gets a new one and stays the same source, so that its messages are still recognised.
    Raises InvalidInputError for an unusable name, ConflictError while the source has a working key.
    """
    if not SOURCE.fullmatch(source):
        raise InvalidInputError(
            f"The source {source!r} needs 1 to 60 lower-case letters, digits, '-' or '_', such as web-app."
        )
    key = PREFIX + secrets.token_urlsafe(24)
    values = {"prefix": key[:8], "key_hash": hash_of(key), "created_at": now, "revoked_at": None}
    with transaction.atomic():
        known = WriteKey.objects.select_for_update().filter(source=source).first()
        if known is not None and known.revoked_at is None:
            raise ConflictError(f"The source {source} has a working key ({known.prefix}…). Revoke it first.")
        WriteKey.objects.update_or_create(source=source, defaults=values)
    return key


def revoke_key(source: str, *, now: datetime) -> None:
    """Revoke the key of `source`; running servers refuse it within seconds. Raises InvalidInputError if it has none."""
    if not WriteKey.objects.filter(source=source, revoked_at=None).update(revoked_at=now):
        raise InvalidInputError(f"The source {source} has no working key; see `bellwether key list`.")


def source_of(key: str) -> str | None:
    """Return the source whose working write key is `key`, None for an unknown or revoked key."""
    return WriteKey.objects.filter(key_hash=hash_of(key), revoked_at=None).values_list("source", flat=True).first()


@dataclass
class KeyRing:
    """Remembers for 3 seconds what `look_up` said about a key, so that a busy sender costs no query a request."""

    look_up: Callable[[str], str | None] = source_of
    _known: dict[str, tuple[str | None, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def source_of(self, key: str, now: float) -> str | None:
        """Return the source of `key` at the monotonic time `now` (seconds), None if the key may not send."""
        kept = self._known.get(key)
        if kept is not None and now - kept[1] < KEPT_SECONDS:
            return kept[0]
        source = self.look_up(key)
        with self._lock:
            if len(self._known) >= MAX_KEPT:
                self._known.clear()
            self._known[key] = (source, now)
        return source
