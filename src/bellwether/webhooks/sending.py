"""One attempt over HTTP: no redirects, no proxies, connected to the very address that was checked."""

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import urllib3

from bellwether.webhooks.addresses import Target

TIMEOUT = 20.0
KEPT_BYTES = 2048


@dataclass(frozen=True)
class Answer:
    """What came back: `status` None when nothing did, then `error` says why. `retry_after` in seconds."""

    status: int | None
    milliseconds: int
    text: str = ""
    error: str = ""
    retry_after: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has taken the event: any 2xx, nothing else."""
        return self.status is not None and 200 <= self.status < 300


def post(
    target: Target,
    body: str,
    headers: Mapping[str, str],
    *,
    now: datetime,
    timeout: float = TIMEOUT,
    kept: int = KEPT_BYTES,
) -> Answer:
    """Post `body` and return the answer with its first `kept` bytes; never raises for what the other side or the
    network does."""
    started = time.monotonic()
    limits = urllib3.Timeout(connect=timeout / 2, read=timeout)
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target.address,
            target.port,
            timeout=limits,
            ssl_context=ssl.create_default_context(),
            server_hostname=target.host,
            assert_hostname=target.host,
        )
    else:
        pool = urllib3.HTTPConnectionPool(target.address, target.port, timeout=limits)

    def took() -> int:
        return int((time.monotonic() - started) * 1000)

    try:
        response = pool.urlopen(
            "POST",
            target.path,
            body=body.encode(),
            headers={**headers, "Host": target.host_header},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        text = _first_bytes(response, kept, until=started + timeout).decode("utf-8", "replace")
        asked = retry_seconds(response.headers.get("Retry-After", ""), now)
        return Answer(response.status, took(), text.replace("\x00", ""), _meaning(response.status), asked)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return Answer(None, took(), error=_reason(error))
    finally:
        pool.close()


def _first_bytes(response: urllib3.BaseHTTPResponse, kept: int, *, until: float) -> bytes:
    """Return what came of an answer: at most `kept` bytes, and no more after `until` (monotonic seconds). An answer
    that breaks off is what came of it: its status has been said."""
    found = b""
    with suppress(urllib3.exceptions.HTTPError, OSError):
        while len(found) < kept and time.monotonic() < until:
            piece = response.read1(kept - len(found))
            if not piece:
                break
            found += piece
    return found


def retry_seconds(value: str, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for, given as a number or as a date; None when it says nothing."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _meaning(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"Answered {status}: redirects are not followed. Give the final address."
    return f"Answered {status}."


def _reason(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "No answer in time."
    if isinstance(error, urllib3.exceptions.SSLError):
        return f"The certificate was not accepted: {error}"[:300]
    return f"No connection: {type(error).__name__}."
