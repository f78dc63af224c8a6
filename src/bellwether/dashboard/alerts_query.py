"""What the address of the inbox asks for, and what it becomes when a choice changes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from bellwether.alerts.choices import AlertSeverity, AlertType
from bellwether.alerts.selectors import InboxQuery, Tab
from bellwether.common.text import storable_text

LAST_PAGE = 100_000
NAMES = ("tab", "severity", "type", "csm", "client", "search", "silent", "page")


@dataclass(frozen=True)
class Asked:
    """What the address asks for; what cannot be used is left out."""

    query: InboxQuery
    page: int = 1

    def values(self) -> dict[str, str]:
        """Return the choices by name; "" for those that are not made."""
        query = self.query
        return {
            "tab": "" if query.tab is Tab.OPEN else query.tab.value,
            "severity": query.severities[0] if query.severities else "",
            "type": query.types[0] if query.types else "",
            "csm": str(query.csm_id or ""),
            "client": str(query.client_id or ""),
            "search": query.search,
            "silent": "1" if query.silent else "",
            "page": "" if self.page == 1 else str(self.page),
        }

    def text(self, **changes: object) -> str:
        """Return the query of the address with `changes`; back on the first page unless that is what changes."""
        values: dict[str, object] = self.values() | {"page": ""} | changes
        kept = {name: value for name, value in values.items() if value not in ("", None, "open")}
        return f"?{urlencode(kept)}" if kept else ""

    def link(self, **changes: object) -> str:
        """Return the address of the inbox with `changes`."""
        return reverse("alerts") + self.text(**changes)

    def here(self) -> str:
        """Return the address of the list as it is."""
        return reverse("alerts") + self.text(page=self.values()["page"])

    def opens(self, alert_id: UUID) -> str:
        """Return the address of an alert beside this list."""
        return reverse("alert", args=[alert_id]) + self.text(page=self.values()["page"])


def read_asked(values: QueryDict) -> Asked:
    """Return what the address asks for."""
    page = values.get("page", "")
    tab = next((one for one in Tab if one.value == values.get("tab")), Tab.OPEN)
    query = InboxQuery(
        tab=tab,
        severities=_known(values.getlist("severity"), AlertSeverity.values),
        types=_known(values.getlist("type"), AlertType.values),
        csm_id=_id(values.get("csm", "")),
        client_id=_id(values.get("client", "")),
        search=" ".join(storable_text(values.get("search", ""), 200).split()),
        silent=values.get("silent") == "1",
    )
    return Asked(query, int(page) if page.isdecimal() and 1 <= int(page) <= LAST_PAGE else 1)


def _known(given: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in dict.fromkeys(given) if word in words)


def _id(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None
