"""Probabilities and risk categories as the interface shows them. Pure."""

from math import ceil, floor

from bellwether.web.formatting import DASH, Status, percent

RISKS: dict[str, Status] = {
    "HIGH": Status("critical", "High", "chevrons-up"),
    "MEDIUM": Status("monitor", "Medium", "equal"),
    "LOW": Status("healthy", "Low", "chevrons-down"),
}
"""How a risk category looks: the word of `data-status`, its name, and the icon that repeats it."""
NOT_PREDICTED = Status("na", "Not predicted", "circle-dashed")


def risk_of(category: str) -> Status:
    """Return the look of a risk category; "" and unknown words are not predicted."""
    return RISKS.get(category, NOT_PREDICTED)


def chance(p: float | None) -> str:
    """Return a probability (0-1) as "24%"; never 0% or 100%, which would be a promise."""
    if p is None:
        return DASH
    return "<1%" if p < 0.005 else ">99%" if p >= 0.995 else percent(p)


def chance_in(p: float, category: str) -> str:
    """Return a 90-day probability as `chance` does, with a decimal where rounding would put it into another category:
    "19.6%" of a low and "50.3%" of a high risk."""
    if category == "LOW" and p >= 0.195:
        return f"{min(floor(p * 1000), 199) / 10:.1f}%"
    if category == "HIGH" and p < 0.505:
        return f"{max(ceil(p * 1000), 501) / 10:.1f}%"
    return chance(p)


def chances(low: float | None, high: float | None) -> str:
    """Return an interval of probabilities as "41 to 66%"; "" where an end is not known."""
    if low is None or high is None:
        return ""
    first, last = chance(low), chance(high)
    return first if first == last else f"{first.removesuffix('%')} to {last}"
