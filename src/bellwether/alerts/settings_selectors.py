"""Lists of settings that say something: own settings of scopes, and clients that are muted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from bellwether.alerts.choices import SettingScope
from bellwether.alerts.models import AlertSetting
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class Muted:
    """A mute that holds: of all alerts of a client, or of one kind (`alert_type`)."""

    client: Client
    alert_type: str
    until: datetime
    reason: str
    by: StaffUser | None
    since: datetime


def muted_clients(user: StaffUser, now: datetime) -> list[Muted]:
    """Return the mutes of clients that `user` sees which hold at `now`, the first to end first; one query."""
    return [
        Muted(row.client, row.alert_type, row.muted_until, row.mute_reason, row.updated_by, row.updated_at)
        for row in _muted(user, now)
        if row.client is not None and row.muted_until is not None
    ]


def muted_count(user: StaffUser, now: datetime) -> int:
    """Return how many clients that `user` sees have a mute at `now`; one query."""
    return _muted(user, now).order_by().values("client").distinct().count()


def own_settings(user: StaffUser) -> list[AlertSetting]:
    """Return the settings that say something, of all scopes; of clients only those that `user` sees. One query."""
    rows = AlertSetting.objects.filter(Q(client__isnull=True) | Q(client__in=_visible(user)))
    says = (
        Q(is_enabled__isnull=False)
        | Q(severity__isnull=False)
        | Q(media__isnull=False)
        | Q(respond_within_hours__isnull=False)
        | ~Q(thresholds={})
    )
    order = list(SettingScope.values)
    found = rows.filter(says).select_related("client", "updated_by")
    return sorted(found, key=lambda row: (order.index(row.scope), row.scope_value, str(row.client), row.alert_type))


def _muted(user: StaffUser, now: datetime) -> "QuerySet[AlertSetting, AlertSetting]":
    rows = AlertSetting.objects.filter(
        scope=SettingScope.CLIENT, muted_until__gt=now, client__in=_visible(user)
    ).select_related("client", "client__csm_user", "updated_by")
    return rows.order_by("muted_until", "client__name", "alert_type")


def _visible(user: StaffUser) -> Any:
    return Client.objects.visible_to(user).filter(archived_at__isnull=True).order_by().values("pk")
