"""Locks between processes that a killed process cannot leave behind: on a file, and with PostgreSQL in the database."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from bellwether.common.file_lock import RETRY_SECONDS, file_lock


@contextmanager
def exclusive(name: str) -> Iterator[bool]:
    """Hold the lock `name` while the block runs; the value says whether it was free. Never waits.

    With SQLite everything runs on one machine, and the lock is on a file; with PostgreSQL it is an advisory lock of the
    session. Either goes with its process, so that a kill leaves no lock to clean up.
    """
    if connection.vendor == "postgresql":
        with in_database(name, wait_seconds=0) as held:
            yield held
    else:
        with file_lock(Path(settings.BELLWETHER_HOME) / "locks" / f"{name}.lock", wait_seconds=0) as held:
            yield held


@contextmanager
def in_database(name: str, *, wait_seconds: float | None) -> Iterator[bool]:
    """Hold PostgreSQL's advisory lock `name` while the block runs; the value says whether it is held.

    Waits up to `wait_seconds`, None for as long as it takes. With SQLite there is no other machine to wait for: held.
    """
    if connection.vendor != "postgresql":
        yield True
        return
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
    while not (held := _advisory("pg_try_advisory_lock", number)):
        if deadline is not None and time.monotonic() >= deadline:
            break
        time.sleep(RETRY_SECONDS)
    try:
        yield held
    finally:
        if held:
            _advisory("pg_advisory_unlock", number)


def _advisory(function: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        return bool(cursor.fetchone()[0])
