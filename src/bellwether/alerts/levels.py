"""Whether an alert is told at all, and by when somebody should respond to it. Pure."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

NONE = "NONE"
CRITICAL = "CRITICAL"


def is_silent(level: str, *, enabled: bool, muted_until: datetime | None, now: datetime) -> bool:
    """Return whether an alert is kept without telling anybody: the client's level is NONE, its type is switched off,
    or it is muted until later than `now`."""
    return level == NONE or not enabled or (muted_until is not None and muted_until > now)


def respond_by(
    start: datetime, hours: float, *, severity: str, working_days: Collection[int], zone: ZoneInfo
) -> datetime:
    """Return the instant (UTC) by which somebody should respond to what began at the aware `start`.

    Critical alerts count every hour. For the others only hours of working days count (Monday is 1, days of `zone`), so
    that 24 hours from Friday noon end on Monday noon. Without any working day every hour counts.
    """
    if severity == CRITICAL or not set(working_days) & set(range(1, 8)):
        return start.astimezone(UTC) + timedelta(hours=hours)
    left, at = timedelta(hours=hours), start.astimezone(UTC)
    while True:
        local = at.astimezone(zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), zone).astimezone(UTC)
        if local.isoweekday() in working_days:
            if at + left <= midnight:
                return at + left
            left -= midnight - at
        at = midnight
