"""A lock on a file: it goes with the process that holds it, however that ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY_SECONDS = 0.2


@contextmanager
def file_lock(path: Path, *, wait_seconds: float | None) -> Iterator[bool]:
    """Hold the lock on `path` while the block runs; the value says whether it is held.

    Waits up to `wait_seconds` while another thread or process of this machine has it, None for as long as it takes.
    The file stays, empty; a lock whose process was killed is free.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _locked(descriptor, wait_seconds)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, wait_seconds: float | None) -> bool:
    if wait_seconds is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(RETRY_SECONDS)
        else:
            return True
