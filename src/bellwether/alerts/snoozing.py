"""Until when an alert is put aside, as the reader's clock on the wall has it. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bellwether.common.errors import InvalidInputError

CHOICES = {"day": "1 day", "week": "1 week"}
DAYS = {"day": 1, "week": 7}
FARTHEST = timedelta(days=366)
NOT_A_TIME = "Give a date and a time, such as 2026-02-12 14:30, or one of: day, week."


def snooze_until(word: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant in UTC that `word` means: "day", "week", or a date and time in `zone`.

    A day later is the same time by the clock of `zone`, also where the clocks change in between; a time that is left
    out there is as much later as the clocks are put on. Raises InvalidInputError for anything else, for what is past
    and for more than a year ahead.
    """
    local = now.astimezone(zone)
    if word in DAYS:
        wall = local.replace(tzinfo=None, fold=0, second=0, microsecond=0) + timedelta(days=DAYS[word])
        return wall.replace(tzinfo=zone).astimezone(UTC)
    try:
        given = datetime.fromisoformat(word.strip())
        until = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(NOT_A_TIME, {"until": NOT_A_TIME}) from None
    return checked_until(until, now)


def checked_until(until: datetime, now: datetime) -> datetime:
    """Return `until` if it lies ahead by a year at most; InvalidInputError otherwise."""
    if until <= now:
        raise InvalidInputError("Choose a time to come.", {"until": "Choose a time to come."})
    if until > now + FARTHEST:
        raise InvalidInputError("Choose a nearer time.", {"until": "This is more than a year ahead."})
    return until
