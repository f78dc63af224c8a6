"""When a message that was not taken is tried again, and when several become one. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RETRIES = 3
FIRST_WAIT = timedelta(seconds=30)
GROWS = 4
JITTER = 0.2
LONGEST_ASKED = timedelta(hours=24)
MOST_SINGLE = 5
WINDOW = timedelta(minutes=10)


class Burst(StrEnum):
    """What becomes of the messages that wait for one receiver: one by one, one digest of all, or a later time."""

    SINGLE = "single"
    MERGE = "merge"
    WAIT = "wait"


@dataclass(frozen=True)
class Waiting:
    """A message that is due: its severity, and whether it was held for quiet hours or a digest."""

    severity: str
    held: bool


def next_attempt(
    attempts: int, *, now: datetime, retry_after: float | None, random: Callable[[], float]
) -> datetime | None:
    """Return when to try again after `attempts` (at least 1) failed ones: after 30 s, 2 and 8 minutes; None: give up.

    The wait is stretched by up to a fifth, `random` (0 to 1) says how far. A receiver that asks for time with
    Retry-After (seconds) gets no less, up to a day.
    """
    if attempts > RETRIES:
        return None
    grown: int = GROWS ** (attempts - 1)
    wait = FIRST_WAIT * grown * (1 + JITTER * random())
    if retry_after is not None and retry_after > 0:
        wait = max(wait, min(timedelta(seconds=retry_after), LONGEST_ASKED))
    return now + wait


def burst(waiting: Sequence[Waiting], sent: Sequence[datetime], now: datetime) -> tuple[Burst, datetime]:
    """Return what becomes of the messages that wait for one receiver, and the time until which WAIT lasts.

    `sent` are the times at which that receiver last got something. What was held comes together. Up to 5 messages
    within 10 minutes come one by one; when more come at once they come together, and what comes after 5 waits for the
    end of the 10 minutes, unless one of them is critical.
    """
    recent = [at for at in sent if at > now - WINDOW]
    if len(waiting) > 1 and any(one.held for one in waiting):
        return Burst.MERGE, now
    if len(waiting) + len(recent) <= MOST_SINGLE or any(one.held for one in waiting):
        return Burst.SINGLE, now
    if len(recent) >= MOST_SINGLE and not any(one.severity == "CRITICAL" for one in waiting):
        return Burst.WAIT, min(recent) + WINDOW
    return (Burst.MERGE if len(waiting) > 1 else Burst.SINGLE), now
