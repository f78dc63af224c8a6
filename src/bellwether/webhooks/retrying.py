"""When a delivery that failed is tried again, and when it is given up. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Waits after the first, second, ... attempt: ten attempts over three days (Standard Webhooks)."""
JITTER = 0.2
LONGEST_ASKED = timedelta(hours=24)
GIVE_UP_ON_ENDPOINT = timedelta(days=5)


def next_attempt(
    attempts: int, *, now: datetime, retry_after: float | None, random: Callable[[], float]
) -> datetime | None:
    """Return when to try again after `attempts` (at least 1) failed attempts; None: give up.

    The wait is stretched by up to a fifth, `random` (0 to 1) says how far, so that many do not come back at once. A
    receiver that asks for more time with Retry-After (seconds) gets it, up to a day.
    """
    if attempts > len(AFTER):
        return None
    wait = AFTER[attempts - 1] * (1 + JITTER * random())
    if retry_after is not None and retry_after > 0:
        wait = max(wait, min(timedelta(seconds=retry_after), LONGEST_ASKED))
    return now + wait


def given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Return whether an endpoint has failed without a break for so long that it is switched off."""
    return failing_since is not None and now - failing_since >= GIVE_UP_ON_ENDPOINT
