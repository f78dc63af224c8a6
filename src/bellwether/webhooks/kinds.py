"""What the outside can be told: the types of events, in words and with an example of their data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A type of event: what it says, and the `data` of an example."""

    sentence: str
    example: Mapping[str, Any]


CLIENT = {"id": "6f0c5d0e-3a52-4b58-9a35-6f6d0f1f5f11", "organization_id": "org-cobalt", "name": "Cobalt Foundry"}
TEST = "webhook.test"

KINDS: dict[str, Kind] = {
    "client.created": Kind("A client was made.", {"client": CLIENT}),
    "client.changed": Kind(
        "Fields of a client were changed by staff or an import.",
        {"client": CLIENT, "changes": {"segment": {"from": "SMB", "to": "Mid-market"}}},
    ),
    "score.changed": Kind(
        "A client's current health score is another than before.",
        {"client": CLIENT, "date": "2026-02-12", "from": 61, "to": 58, "status": "AT_RISK", "trend": "DOWN"},
    ),
    "score.status_changed": Kind(
        "A client's health status is another than before.",
        {"client": CLIENT, "date": "2026-02-12", "from": "MONITOR", "to": "AT_RISK", "score": 58},
    ),
    "milestone.achieved": Kind(
        "A client reached a milestone.",
        {"client": CLIENT, "milestone_type": "first_case", "name": "First case", "achieved_on": "2026-02-12"},
    ),
}
"""By the type's name. Packages above add theirs with `declare`."""


def declare(event_type: str, sentence: str, example: Mapping[str, Any]) -> None:
    """Add a type of event that a package tells about."""
    KINDS[event_type] = Kind(sentence, example)
