"""One rollup at a time: two of them would each replace a month's file without the other's days."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from bellwether.common.errors import BellwetherError
from bellwether.usage.lake import Lake

ADVISORY_KEY = 0x62656C6C_726F6C6C
"""PostgreSQL's number for this lock: 'bellroll'."""

RETRY_SECONDS = 0.2


class RollupBusyError(BellwetherError):
    """Another process is rolling up this lake."""


@contextmanager
def rollup_lock(lake: Lake, *, wait_seconds: float) -> Iterator[None]:
    """Hold the rollup of `lake` for this process; RollupBusyError when another still has it after `wait_seconds`.

    A lock on a file in the lake keeps processes of one machine apart, and with PostgreSQL an advisory lock those of
    several machines. Both are gone with the process that held them, however it ends.
    """
    lake.root.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    with (lake.root / ".rollup.lock").open("w") as file:
        while not _locked_file(file.fileno()):
            _wait(deadline, lake)
        if connection.vendor != "postgresql":
            yield
            return
        while not _advisory("pg_try_advisory_lock"):
            _wait(deadline, lake)
        try:
            yield
        finally:
            _advisory("pg_advisory_unlock")


def _locked_file(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _advisory(function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [ADVISORY_KEY])
        return bool(cursor.fetchone()[0])


def _wait(deadline: float, lake: Lake) -> None:
    if time.monotonic() >= deadline:
        raise RollupBusyError(
            f"Another process is rolling up the lake {lake.root}. Wait until it is done, then try again."
        )
    time.sleep(RETRY_SECONDS)
