"""The spool in the database: one row for each accepted request, durable before the sender is told so.

Each process has one writer thread. It stores whatever requests wait in one transaction, so that many requests share one
sync of the disk (docs/adr/0003).
"""

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections, router, transaction

from bellwether.common.errors import BellwetherError
from bellwether.usage.models import EventBatch

log = logging.getLogger(__name__)
Row = tuple[datetime, str, int, bytes]  # received_at, source, event count, payload

MAX_GROUP = 256
WAIT_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.5
MIN_FREE_BYTES = 256 * 2**20
INSERT = "INSERT INTO usage_eventbatch (received_at, source, event_count, payload) VALUES (%s, %s, %s, %s)"


class SpoolUnavailableError(BellwetherError):
    """Nothing can be stored right now; the sender shall try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def alias() -> str:
    """Return the alias of the database that holds the spool."""
    return router.db_for_write(EventBatch)


def waiting_batches() -> int:
    """Return about how many batches wait: the span of their ids, which is quick however many there are."""
    with connections[alias()].cursor() as cursor:
        cursor.execute("SELECT (SELECT MIN(id) FROM usage_eventbatch), (SELECT MAX(id) FROM usage_eventbatch)")
        first, last = cursor.fetchone()
    return 0 if first is None else last - first + 1


def store(rows: list[Row]) -> None:
    """Store `rows` in one transaction that is on disk when this returns."""
    connection = connections[alias()]
    adapt = connection.ops.adapt_datetimefield_value
    values = [(adapt(at), source, count, payload) for at, source, count, payload in rows]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.executemany(INSERT, values)


def trouble() -> str:
    """Return why no more should be accepted right now, "" if nothing is wrong."""
    waiting = waiting_batches()
    if waiting > settings.BELLWETHER_SPOOL_LIMIT:
        return f"{waiting:,} batches wait to be flushed, more than {settings.BELLWETHER_SPOOL_LIMIT:,}"
    free = shutil.disk_usage(Path(settings.BELLWETHER_HOME)).free
    return f"only {free // 2**20:,} MB of disk are free" if free < MIN_FREE_BYTES else ""


class _Waiting:
    """One request's rows, and the word whether they are stored."""

    __slots__ = ("_done", "error", "rows")

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.error: Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def settle(self, error: Exception | None) -> None:
        self.error = error
        self._done.release()

    def wait(self, seconds: float) -> bool:
        return self._done.acquire(timeout=seconds)


class SpoolWriter:
    """Stores the rows of many requests together. `write` may be called from any thread."""

    def __init__(self, *, store: Callable[[list[Row]], None] = store, trouble: Callable[[], str] = trouble) -> None:
        self._store = store
        self._look = trouble
        self._trouble = ""
        self._looked_at = float("-inf")
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, rows: list[Row]) -> None:
        """Return once `rows` are durable. Raises SpoolUnavailableError if they are not, or perhaps not."""
        if self._thread is None:
            self._begin()
        waiting = _Waiting(rows)
        self._queue.put(waiting)
        if not waiting.wait(WAIT_SECONDS):
            raise SpoolUnavailableError("The spool did not answer in time.")
        if waiting.error is not None:
            raise waiting.error

    def _begin(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            try:
                while len(group) < MAX_GROUP:
                    group.append(self._queue.get_nowait())
            except queue.Empty:
                pass
            error = self._try(group)
            for waiting in group:
                waiting.settle(error)

    def _try(self, group: list[_Waiting]) -> Exception | None:
        try:
            self._check()
            if self._trouble:
                return SpoolUnavailableError(f"Not now: {self._trouble}.", retry_after=10)
            self._store([row for waiting in group for row in waiting.rows])
        except Exception as error:  # whatever it is, the senders must hear that nothing was stored
            log.exception("The spool could not store %d requests", len(group))
            if isinstance(error, DatabaseError):
                connections[alias()].close()
            return SpoolUnavailableError("Events cannot be stored right now.")
        return None

    def _check(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS:
            return
        before, self._trouble = self._trouble, self._look()
        self._looked_at = time.monotonic()
        if self._trouble != before:
            log.warning("Intake: %s", self._trouble or "accepting again")
