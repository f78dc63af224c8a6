"""The door for events: a small WSGI application in front of Django's, on the same port (docs/how-to/send-events.md).

It answers everything under /v1/ itself and never redirects; a 200 means that the events are on disk.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from bellwether.usage.intake_events import Identify, accept, identifier
from bellwether.usage.intake_limits import TokenBuckets
from bellwether.usage.intake_wire import (
    BATCH_PATHS,
    MAX_BODY,
    METRICS_PATH,
    SINGLE_PATHS,
    WireError,
    decompressed,
    header_key,
    open_envelope,
)
from bellwether.usage.keys import KeyRing, source_of
from bellwether.usage.spool import SpoolUnavailableError, SpoolWriter
from bellwether.usage.spool_format import pack

log = logging.getLogger(__name__)
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

ROOT = "/v1/"
PATHS = BATCH_PATHS | SINGLE_PATHS.keys() | {METRICS_PATH}
SUCCESS = b'{"success":true}'
BURST_SECONDS = 2
CORS = [("Access-Control-Allow-Origin", "*")]
PREFLIGHT = [
    *CORS,
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "authorization, content-type, content-encoding, x-retry-count"),
    ("Access-Control-Max-Age", "86400"),
    ("Content-Length", "0"),
]
REASONS = {
    200: "200 OK",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}


class _RefusedError(WireError):
    """A request that is answered with more headers than its status needs."""

    def __init__(self, status: int, code: str, message: str, headers: list[tuple[str, str]]) -> None:
        super().__init__(status, code, message)
        self.headers = headers


class Intake:
    """The WSGI application: /v1/* is answered here, everything else by `application`."""

    def __init__(
        self,
        application: Application,
        *,
        keys: KeyRing,
        buckets: TokenBuckets,
        writer: SpoolWriter,
        identify: Identify,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
    ) -> None:
        self._application = application
        self._keys = keys
        self._buckets = buckets
        self._writer = writer
        self._identify = identify
        self._clock = clock
        self._mint = mint

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(ROOT):
            return self._application(environ, start_response)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", PREFLIGHT)
            return [b""]
        status, body, headers = self._answer(environ, path.removeprefix(ROOT).rstrip("/"))
        start_response(
            REASONS[status],
            [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *CORS, *headers],
        )
        return [body]

    def _answer(self, environ: Environ, path: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        try:
            self._receive(environ, path)
        except SpoolUnavailableError as error:
            return _problem(503, "unavailable", str(error), [("Retry-After", str(error.retry_after))])
        except WireError as error:
            return _problem(error.status, error.code, str(error), getattr(error, "headers", []))
        except DatabaseError:
            log.exception("The write keys cannot be read")
            return _problem(503, "unavailable", "Events cannot be stored right now.", [("Retry-After", "5")])
        except Exception:
            log.exception("Intake failed")
            return _problem(500, "internal_error", "The events were not stored; the server's log says why.", [])
        return 200, SUCCESS, []

    def _receive(self, environ: Environ, path: str) -> None:
        """Store the events of one request; returning means that they are durable."""
        if path not in PATHS:
            raise WireError(404, "not_found", "There is no such path here; events go to /v1/batch or /v1/track.")
        if environ["REQUEST_METHOD"] != "POST":
            raise _RefusedError(405, "method_not_allowed", "Events are sent with POST.", [("Allow", "POST, OPTIONS")])
        body = _read_body(environ)
        if path == METRICS_PATH:
            return
        key = header_key(environ.get("HTTP_AUTHORIZATION", ""))
        source = self._admit(key) if key else None
        envelope = open_envelope(decompressed(body, environ.get("HTTP_CONTENT_ENCODING", "")), path)
        if source is None:
            source = self._admit(envelope.write_key)
        received_at = self._clock()
        batch = accept(envelope, received_at=received_at, identify=self._identify, mint=self._mint)
        if batch.events or batch.rejects:
            self._writer.write([(received_at, source, len(batch.events), pack(batch))])

    def _admit(self, key: str | None) -> str:
        """Return the source of `key`; raises WireError 401 for no or an unknown key, 429 when it sends too fast."""
        now = time.monotonic()
        source = self._keys.source_of(key, now) if key else None
        if source is None:
            raise WireError(401, "unknown_write_key", "The write key is missing, unknown or revoked.")
        wait = self._buckets.take(source, now)
        if wait:
            headers = [("Retry-After", str(wait)), ("X-RateLimit-Reset", str(wait))]
            raise _RefusedError(429, "rate_limited", f"Too many requests; go on after {wait} s.", headers)
        return source


def in_front_of(application: Application) -> Intake:
    """Return the intake of this workspace (Django's settings) in front of `application`."""
    rate = float(settings.BELLWETHER_INTAKE_RATE)
    return Intake(
        application,
        keys=KeyRing(_source_of),
        buckets=TokenBuckets(rate=rate, burst=max(1.0, rate * BURST_SECONDS)),
        writer=SpoolWriter(),
        identify=identifier(settings.BELLWETHER_PSEUDONYM_KEY, settings.BELLWETHER_SERVICE_USER_PATTERN),
        clock=lambda: datetime.now(UTC),
        mint=lambda: uuid.uuid4().hex,
    )


def _source_of(key: str) -> str | None:
    close_old_connections()
    return source_of(key)


def _read_body(environ: Environ) -> bytes:
    """Return the body, at most one byte more than is allowed; a longer announced one is refused unread."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MAX_BODY:
        raise WireError(413, "body_too_large", f"The body is over {MAX_BODY:,} bytes; send smaller batches.")
    body: bytes = environ["wsgi.input"].read(int(length) if length.isdigit() else MAX_BODY + 1)
    return body


def _problem(
    status: int, code: str, message: str, headers: list[tuple[str, str]]
) -> tuple[int, bytes, list[tuple[str, str]]]:
    return status, msgspec.json.encode({"code": code, "message": message}), headers
