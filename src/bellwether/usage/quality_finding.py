"""A finding about the data: the one form in which page, API and command show what is wrong. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bellwether.usage.quality_thresholds import SHOWN
from bellwether.web.formatting import plural

SEVERITIES = ("critical", "risk", "monitor", "info")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing about the data. `key` stays the same while it lasts.

    `severity` is one of SEVERITIES. `meaning` says what it does to scores, `action` what to do, `about` the section of
    the page that shows more. `clients` and `events` say how many are concerned, None where that is no number of it.
    `items` are the first few of what it is about, `more` how many others there are.
    """

    key: str
    severity: str
    title: str
    meaning: str
    action: str
    about: str
    clients: int | None = None
    events: int | None = None
    items: tuple[str, ...] = ()
    more: int = 0
    source: str = ""


def finding(
    key: str,
    severity: str,
    title: str,
    meaning: str,
    action: str,
    about: str,
    *,
    clients: int | None = None,
    events: int | None = None,
    items: Sequence[str] = (),
    source: str = "",
) -> Finding:
    """Return a finding that lists the first few of its `items`."""
    return Finding(
        key=key,
        severity=severity,
        title=title,
        meaning=meaning,
        action=action,
        about=about,
        clients=clients,
        events=events,
        items=tuple(items[:SHOWN]),
        more=max(0, len(items) - SHOWN),
        source=source,
    )


def listed(found: Finding) -> str:
    """Return the items of a finding as text: "a, b and 3 more"; empty without items."""
    text = ", ".join(found.items)
    return f"{text} and {found.more} more" if found.more else text


def counted(count: int, noun: str, one: str, many: str) -> str:
    """Return "1 day waits" or "3 days wait"."""
    return f"{plural(count, noun)} {one if count == 1 else many}"
