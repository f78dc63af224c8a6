"""Values of the dimensions that clients are broken down by, as people read them. Pure."""

from collections.abc import Mapping

LABELS = {"tier": "Tier", "industry": "Industry", "csm": "CSM", "region": "Region", "segment": "Segment"}
TIERS = {"STARTER": "Starter", "PROFESSIONAL": "Professional", "ENTERPRISE": "Enterprise", "CUSTOM": "Custom"}
NOBODY = "No CSM"
LEFT = "Somebody who left"


def value_name(dimension: str, value: str, names: Mapping[str, str]) -> str:
    """Return a value of `dimension`; `names` are those of CSMs by id as 32 hex digits. "" is "No tier", "No CSM"."""
    if not value:
        return NOBODY if dimension == "csm" else f"No {LABELS[dimension].lower()}"
    if dimension == "csm":
        return names.get(value, LEFT)
    return TIERS.get(value, value) if dimension == "tier" else value
