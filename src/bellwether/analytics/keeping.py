"""Keeps what is dear to make in this process, for a short while.

What is kept are frames, which a cache that copies its values would copy at every request. The memory cache decides how
long: who empties it empties this.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import caches

Kept = TypeVar("Kept")
MOST = 200
EPOCH = "analytics-epoch"

_LOCK = Lock()
_KEPT: OrderedDict[tuple[Any, ...], tuple[float, str, Any]] = OrderedDict()
_MAKING: dict[tuple[Any, ...], Lock] = {}


def kept(key: tuple[Any, ...], make: Callable[[], Kept], *, seconds: float, stamp: str = "") -> Kept:
    """Return what `make` makes, or what it made under the same `key` and `stamp` at most `seconds` ago.

    One thread at a time makes it; the others wait for that.
    """
    found = _find(key, stamp)
    if found is not None:
        return found[0]  # type: ignore[no-any-return]
    with _LOCK:
        making = _MAKING.setdefault(key, Lock())
    with making:
        found = _find(key, stamp)
        if found is not None:
            return found[0]  # type: ignore[no-any-return]
        made = make()
        with _LOCK:
            _KEPT[key] = (monotonic() + seconds, stamp, made)
            _KEPT.move_to_end(key)
            while len(_KEPT) > MOST:
                gone, _ = _KEPT.popitem(last=False)
                _MAKING.pop(gone, None)
    return made


def _find(key: tuple[Any, ...], stamp: str) -> tuple[Any] | None:
    memory = caches["memory"]
    epoch = memory.get(EPOCH)
    with _LOCK:
        if epoch is None:
            _KEPT.clear()
            memory.set(EPOCH, uuid4().hex, None)
            return None
        entry = _KEPT.get(key)
        if entry is None or entry[0] < monotonic() or entry[1] != stamp:
            return None
        return (entry[2],)
