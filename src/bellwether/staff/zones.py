"""The time zone in which a member of staff reads and types times."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from bellwether.staff.models import StaffUser


def zone_of(user: StaffUser) -> ZoneInfo:
    """Return the user's own zone, the workspace's where none is chosen or it is not known on this machine."""
    try:
        return ZoneInfo(user.time_zone) if user.time_zone else workspace_zone()
    except (ZoneInfoNotFoundError, ValueError):
        return workspace_zone()


def workspace_zone() -> ZoneInfo:
    """Return the zone whose days are the workspace's days."""
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return zone
