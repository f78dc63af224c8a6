"""The tabs above the pages of settings."""

from dataclasses import dataclass

from django.urls import reverse

TABS = {
    "settings_you": "You",
    "settings_alerts": "Alerts",
    "settings_milestones": "Milestones",
    "settings_notifications": "Notifications",
    "settings_delivery": "Delivery",
    "settings_channels": "Channels",
    "settings_features": "Features",
    "settings_measures": "Measures",
}
"""The tabs by the name of their address."""
ADMIN_TABS = {"settings_webhooks": "Webhooks"}
"""Those that only administrators see."""


@dataclass(frozen=True)
class SettingsTab:
    """A tab of the settings; `admin`: shown to administrators only."""

    text: str
    href: str
    current: bool
    admin: bool


def settings_tabs(current: str) -> list[SettingsTab]:
    """Return the tabs with `current` (a key of TABS or ADMIN_TABS) as the one that is open."""
    return [
        SettingsTab(text, reverse(name), name == current, name in ADMIN_TABS)
        for name, text in {**TABS, **ADMIN_TABS}.items()
    ]
