"""Words for the state of the data, the same on the page, in the API's texts and in the command. Pure."""

from bellwether.usage.quality_facts import FILE, SENT, TABLE

LAGS = {
    "10": "under 10 s",
    "60": "under 1 min",
    "600": "under 10 min",
    "3600": "under 1 hour",
    "86400": "under 1 day",
    "604800": "under 7 days",
    "more": "over 7 days",
}
"""How long after it happened an event was received, by the key of its bucket (source_tally.LAG_KEYS)."""

KINDS = {SENT: "Sent to the intake", FILE: "Imported file", TABLE: "Warehouse table"}
SEVERITIES = {"critical": "Critical", "risk": "Serious", "monitor": "To improve", "info": "Good to know"}


def count_text(name: str, count: int) -> str:
    """Return what a job counted: "1 day", "3 files changed" from days and files_changed."""
    words = name.replace("_", " ")
    return f"{count:,} {words.removesuffix('s') if count == 1 else words}"


def lag_text(key: str | None) -> str:
    """Return a bucket of lags in words, "–" for None."""
    return LAGS.get(key, "–") if key else "–"
