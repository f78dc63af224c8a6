"""The reference of settings, made from the list that the settings are checked against."""

from bellwether.config.environment import KNOWN, PREFIX


def settings_table() -> str:
    """Return docs/reference/settings.md."""
    rows = [f"| `{PREFIX}{name}` | {meaning} |" for name, meaning in KNOWN.items()]
    return "\n".join(
        [
            "# Settings",
            "",
            "Environment variables, checked at start; every complaint says the cure. Made from the code.",
            "",
            "| variable | meaning |",
            "|---|---|",
            *rows,
            "",
        ]
    )
