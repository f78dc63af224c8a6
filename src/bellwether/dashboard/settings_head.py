"""The tabs above the pages of settings."""

from django.urls import reverse

from bellwether.dashboard.client_head import Tab

TABS = {"settings_features": "Features", "settings_measures": "Measures", "settings_notifications": "Notifications"}
"""The tabs by the name of their address."""


def settings_tabs(current: str) -> list[Tab]:
    """Return the tabs with `current` (a key of TABS) as the one that is open."""
    return [Tab(text, reverse(name), name == current) for name, text in TABS.items()]
