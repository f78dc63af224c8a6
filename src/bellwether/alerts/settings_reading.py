"""Reads the settings of alerts and the clients they hold for, in two queries."""

from typing import Any

import polars as pl

from bellwether.alerts.models import AlertSetting
from bellwether.alerts.settings_resolving import CLIENTS, Setting, effective, settings_frame
from bellwether.portfolio.models import Client


def read_settings() -> list[Setting]:
    """Return all settings of the workspace, in one query."""
    return [setting_of(row) for row in AlertSetting.objects.all()]


def read_rules(clients: Any = None) -> pl.DataFrame:
    """Return RULES (settings_resolving) of `clients`, a queryset of Client, in two queries; None: all active ones."""
    return effective(settings_frame(read_settings()), read_clients(clients))


def read_clients(clients: Any = None) -> pl.DataFrame:
    """Return CLIENTS (settings_resolving) of a queryset of Client; None: all active ones."""
    rows = Client.objects.active() if clients is None else clients
    values = rows.order_by().values_list("pk", "contract_tier", "segment", "alert_level")
    found = [(pk.hex, tier, segment, level) for pk, tier, segment, level in values]
    return pl.DataFrame(found, schema=CLIENTS, orient="row")


def setting_of(row: AlertSetting) -> Setting:
    """Return a stored setting as the pure modules read it."""
    return Setting(
        scope=row.scope,
        scope_value=row.scope_value,
        client_id=row.client_id.hex if row.client_id else None,
        alert_type=row.alert_type,
        is_enabled=row.is_enabled,
        thresholds=dict(row.thresholds),
        severity=row.severity,
        media=None if row.media is None else tuple(row.media),
        respond_within_hours=row.respond_within_hours,
        muted_until=row.muted_until,
        mute_reason=row.mute_reason,
    )
