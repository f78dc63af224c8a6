"""`bellwether serve`: web server, worker and schedule under one command."""

import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time

from django.conf import settings
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

logger = logging.getLogger(__name__)

TARGET = "bellwether.config.wsgi:application"
BLOCKING_THREADS = 32
STOP_WITHIN_S = 20
QUICK_FAILURE_S = 10
QUICK_FAILURES_ALLOWED = 5


class WorkerProcess:
    """The worker beside the web server, started again when it dies."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start the worker and watch over it."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the worker: asked first, killed when it does not end in time. Its work is taken up at the next start."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join(STOP_WITHIN_S)

    def _watch(self) -> None:
        quick_failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            # A session of its own: Ctrl C reaches this process only, which then stops the worker in order.
            command = [sys.executable, "-m", "bellwether", "worker", "--parent", str(os.getpid())]
            self._process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 (our own command)
            status = self._process.wait()
            if self._stopping.is_set():
                return
            quick_failures = quick_failures + 1 if time.monotonic() - started < QUICK_FAILURE_S else 0
            if quick_failures >= QUICK_FAILURES_ALLOWED:
                logger.error("The worker ended %d times at once. Run `bellwether doctor`; pages go on.", quick_failures)
                return
            logger.error("The worker ended with status %d and is started again.", status)
            self._stopping.wait(1 + quick_failures)


def serve(*, port: int | None = None, web_only: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; the worker runs beside unless `web_only`."""
    environment = settings.ENVIRONMENT
    # Web processes start from scratch: a fork of a process that has used Polars or Arrow inherits locks of threads that
    # do not exist in it, and the first page that computes would wait for ever.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        TARGET,
        address=environment.bind,
        port=port or environment.port,
        interface=Interfaces.WSGI,
        workers=environment.web_processes,
        blocking_threads=BLOCKING_THREADS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.error,
    )
    worker = None if web_only else WorkerProcess()
    if worker is not None:
        worker.start()
    try:
        server.serve()
    finally:
        if worker is not None:
            worker.stop()
