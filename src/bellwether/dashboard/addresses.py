"""The address of a page with its choices, and what it becomes when one of them changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Address:
    """A path and its query; an empty or missing choice is left out."""

    path: str
    query: Mapping[str, str]

    def with_(self, **changes: object) -> str:
        """Return the address with `changes` made; None takes a choice away."""
        query = dict(self.query) | {key: "" if value is None else str(value) for key, value in changes.items()}
        kept = {key: value for key, value in query.items() if value}
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def __str__(self) -> str:
        return self.with_()
