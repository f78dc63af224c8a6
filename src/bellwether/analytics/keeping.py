"""Keeps what is dear to make in this process, for a short while.

What is kept are frames, which a cache that copies its values would copy at every request. What is older than it should
be is still given out for a while, and made again in the background: nobody waits for it. The memory cache decides
whether anything is kept at all: who empties it empties this.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import caches
from django.db import connections
from django.utils import timezone

Made = TypeVar("Made")
Key = tuple[Any, ...]
MOST = 200
OLDER_SECONDS = 600
MARGIN = timedelta(seconds=2)
"""A change carries the time at which its request began; what was read that soon after it may not hold it yet."""
EPOCH = "analytics-epoch"


@dataclass(frozen=True)
class _Entry:
    good_until: float
    made_at: datetime
    value: Any


_LOCK = Lock()
_KEPT: OrderedDict[Key, _Entry] = OrderedDict()
_MAKING: dict[Key, Lock] = {}


def kept(key: Key, make: Callable[[], Made], *, seconds: float, since: datetime | None = None) -> Made:
    """Return what `make` makes, or what it made under the same `key` before.

    It is made anew where the reader has changed something at `since` or later than it was made. Up to `seconds` it is
    good; up to OLDER_SECONDS more it is given out once more while one thread makes it anew; after that callers wait.
    """
    entry = _find(key, since)
    if entry is not None and entry.good_until >= monotonic():
        return entry.value  # type: ignore[no-any-return]
    with _LOCK:
        making = _MAKING.setdefault(key, Lock())
    if entry is not None:
        if making.acquire(blocking=False):
            Thread(target=_again, args=(key, make, seconds, making), daemon=True).start()
        return entry.value  # type: ignore[no-any-return]
    with making:
        entry = _find(key, since)
        return entry.value if entry is not None else _make(key, make, seconds)


def _make(key: Key, make: Callable[[], Made], seconds: float) -> Made:
    began = timezone.now()
    made = make()
    with _LOCK:
        _KEPT[key] = _Entry(monotonic() + seconds, began, made)
        _KEPT.move_to_end(key)
        while len(_KEPT) > MOST:
            gone, _ = _KEPT.popitem(last=False)
            _MAKING.pop(gone, None)
    return made


def _again(key: Key, make: Callable[[], Any], seconds: float, making: Lock) -> None:
    try:
        _make(key, make, seconds)
    finally:
        making.release()
        connections.close_all()


def _find(key: Key, since: datetime | None) -> _Entry | None:
    memory = caches["memory"]
    epoch = memory.get(EPOCH)
    with _LOCK:
        if epoch is None:
            _KEPT.clear()
            memory.set(EPOCH, uuid4().hex, None)
            return None
        entry = _KEPT.get(key)
        if entry is None or entry.good_until + OLDER_SECONDS < monotonic():
            return None
        return entry if since is None or entry.made_at > since + MARGIN else None
