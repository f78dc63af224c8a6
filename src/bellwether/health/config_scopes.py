"""For whom a configuration of a scorecard holds. Pure."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bellwether.common.errors import InvalidInputError


@dataclass(frozen=True)
class Scope:
    """All clients (nothing given), those of a tier, those of a segment, or one client; never two of them.

    The most specific one with a configuration wins: client, segment, tier, all. `name` is the client's, for words only.
    """

    tier: str | None = None
    segment: str = ""
    client_id: UUID | None = None
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if sum((bool(self.tier), bool(self.segment), self.client_id is not None)) > 1:
            sentence = "is one of tier, segment and client; give one of them, or none for all clients."
            raise InvalidInputError(f"The scope {sentence}", {"scope": sentence})

    @property
    def kind(self) -> str:
        """Return "default", "tier", "segment" or "client"."""
        if self.client_id is not None:
            return "client"
        return "segment" if self.segment else "tier" if self.tier else "default"

    @property
    def is_default(self) -> bool:
        """Whether it is all clients."""
        return self.kind == "default"

    @property
    def words(self) -> str:
        """Return whom it is for: "All clients", "Tier Enterprise", "Segment Growth", "Client Northwind"."""
        if self.client_id is not None:
            return f"Client {self.name or self.client_id}"
        if self.segment:
            return f"Segment {self.segment}"
        return f"Tier {self.tier.capitalize()}" if self.tier else "All clients"

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns of a row of this scope: applies_to_tier, applies_to_segment, applies_to_client_id."""
        return {
            "applies_to_tier": self.tier or None,
            "applies_to_segment": self.segment,
            "applies_to_client_id": self.client_id,
        }


DEFAULT = Scope()


def scope_of(row: Any) -> Scope:
    """Return the scope of a row of HealthScoreConfig or ConfigActivation; the client's name where it is loaded."""
    client_id = row.applies_to_client_id
    named = client_id is not None and "applies_to_client" in row._state.fields_cache
    return Scope(
        tier=row.applies_to_tier or None,
        segment=row.applies_to_segment,
        client_id=client_id,
        name=row.applies_to_client.name if named else "",
    )
