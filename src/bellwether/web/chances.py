"""Probabilities and risk categories as the interface shows them. Pure."""

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


def chances(low: float | None, high: float | None) -> str:
    """Return an interval of probabilities as "41 to 66%"; "" where an end is not known."""
    if low is None or high is None:
        return ""
    first, last = chance(low), chance(high)
    return first if first == last else f"{first.removesuffix('%')} to {last}"
