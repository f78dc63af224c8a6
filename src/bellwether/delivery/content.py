"""What a message says, whatever the medium. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SEVERITY_WORDS = {"CRITICAL": "Critical", "HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}


@dataclass(frozen=True)
class Item:
    """One thing that is told. `href` is an absolute address or empty; `lines` are further facts."""

    title: str
    text: str = ""
    href: str = ""
    severity: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """A message: one item, or a digest of several with `item` as its heading. `total` counts those of the digest, also
    where not all are among `parts`."""

    item: Item
    parts: tuple[Item, ...] = ()
    total: int = 0

    @property
    def left_out(self) -> int:
        """How many things of a digest are not among its parts."""
        return max(0, self.total - len(self.parts))


def item_of(payload: Mapping[str, Any], severity: str, base: str) -> Item:
    """Return what a stored payload says, with addresses below `base` (the site's address)."""
    href = str(payload.get("href") or "")
    return Item(
        title=str(payload.get("title") or ""),
        text=str(payload.get("text") or ""),
        href=absolute(href, base),
        severity=severity,
        lines=tuple(str(line) for line in payload.get("lines") or ()),
    )


def absolute(href: str, base: str) -> str:
    """Return an address of the site in full; empty stays empty."""
    return base.rstrip("/") + href if href.startswith("/") else href


def digest_title(topics: Sequence[str], severities: Sequence[str]) -> str:
    """Return what a digest of messages is called: "12 alerts, 3 critical"."""
    same = set(topics)
    word = {"alert": "alerts", "playbook": "messages from playbooks"}.get(next(iter(same)) if len(same) == 1 else "")
    critical = sum(severity == "CRITICAL" for severity in severities)
    return f"{len(topics)} {word or 'messages'}" + (f", {critical} critical" if critical else "")


def shortened(text: str, length: int) -> str:
    """Return `text` with at most `length` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"
