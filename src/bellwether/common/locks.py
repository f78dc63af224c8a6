"""Locks between processes that a killed process cannot leave behind."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection


@contextmanager
def exclusive(name: str) -> Iterator[bool]:
    """Hold the lock `name` while the block runs; the value says whether it was free. Never waits.

    With SQLite everything runs on one machine, and the lock is on a file; with PostgreSQL it is an advisory lock of the
    session. Either goes with its process, so that a kill leaves no lock to clean up.
    """
    if connection.vendor == "postgresql":
        yield from _advisory(name)
    else:
        yield from _on_file(Path(settings.BELLWETHER_HOME) / "locks" / f"{name}.lock")


def _on_file(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def _advisory(name: str) -> Iterator[bool]:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
