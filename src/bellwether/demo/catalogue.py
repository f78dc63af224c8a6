"""What platform users do: the events of each preset's features, how often, who, and what follows from what."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bellwether.presets import load_preset

NO_FEATURE = -1


@dataclass(frozen=True, kw_only=True)
class EventKind:
    """An event that the product sends. `weight` is its share among what users do; 0: it is only planned or follows."""

    name: str
    type: str = "track"
    module: str | None = None
    feature: str | None = None
    weight: float = 0.0
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """`after` happens `days` after `before` with a chance from `low` (latent health 0) to `high` (health 1)."""

    before: str
    after: str
    low: float
    high: float
    days: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A rare event that an administrator of a healthy client does about every `every_days` days."""

    name: str
    every_days: int


GENERIC = (
    EventKind(name="Signed In"),
    EventKind(name="Page Viewed", type="page", weight=2.2),
    EventKind(name="Search Performed", weight=0.8),
    EventKind(name="File Uploaded", weight=0.5),
    EventKind(name="Comment Added", weight=0.7),
)
SIGNED_IN, PAGE_VIEWED = 0, 1

WEIGHTS = {
    "Case Created": 0.75,
    "Investigation Started": 0.45,
    "Disclosure Reviewed": 0.55,
    "Dashboard Viewed": 1.3,
    "Report Exported": 0.35,
    "Chatbot Conversation": 0.5,
    "Assignment Created": 0.6,
    "Signed In With SSO": 0.6,
    "Hotline Report Received": 0.4,
    "Web Report Received": 0.5,
    "Workflow Run": 0.5,
    "Form Started": 0.9,
    "Journey Started": 0.4,
    "Client Invited": 0.3,
    "Portal Viewed": 1.0,
    "Message Sent": 0.9,
    "Invoice Sent": 0.4,
    "Gallery Shared": 0.3,
    "Appointment Booked": 0.5,
    "Review Requested": 0.2,
}
PLANNED = {
    "Campaign Launched": 32,
    "Policy Published": 35,
    "Attestation Campaign Launched": 60,
}
SERVICE_EVENTS = {"API Called": 7.0, "HRIS Synced": 1.0}
"""Events of service users (bots), with their mean number a day."""
FOLLOW_UPS = (
    FollowUp(before="Case Created", after="Case Closed", low=0.55, high=0.95, days=(2, 24)),
    FollowUp(before="Assignment Created", after="Assignment Completed", low=0.05, high=1.0, days=(1, 15)),
    FollowUp(before="Campaign Launched", after="Campaign Closed", low=0.6, high=1.0, days=(20, 45)),
    FollowUp(before="Form Started", after="Form Completed", low=0.35, high=0.97, days=(0, 3)),
    FollowUp(before="Journey Started", after="Journey Completed", low=0.3, high=0.95, days=(3, 30)),
)
SLA_STATES = ("on_track", "warning", "breached", "critical")

CUSTOMER_ROLE = "customer"
ROLES = {
    "ethico": (("Investigator", 0.4), ("Case Manager", 0.25), ("Compliance Officer", 0.2), ("Admin", 0.15)),
    "operations": (("Investigator", 0.4), ("Case Manager", 0.3), ("Operator", 0.2), ("Admin", 0.1)),
    "suppliers": ((CUSTOMER_ROLE, 0.6), ("coordinator", 0.25), ("owner", 0.15)),
}
MODULE_SHARES = {
    # module: chance of being licensed by tier (starter, professional, enterprise)
    "Case Management": (1.0, 1.0, 1.0),
    "Analytics": (1.0, 1.0, 1.0),
    "Disclosures": (0.4, 1.0, 1.0),
    "Policy Management": (0.35, 0.8, 1.0),
    "Chatbot": (0.0, 0.35, 0.8),
    "API": (0.0, 0.3, 0.85),
    "Core": (1.0, 1.0, 1.0),
    "Advanced": (0.3, 0.8, 1.0),
    "Campaigns": (0.5, 0.9, 1.0),
    "Integrations": (0.1, 0.5, 1.0),
    "Clients": (1.0, 1.0, 1.0),
    "Forms": (1.0, 1.0, 1.0),
    "Journeys": (0.5, 1.0, 1.0),
    "Payments": (0.5, 0.8, 1.0),
    "Planning": (0.6, 0.8, 1.0),
    "Marketing": (0.2, 0.6, 1.0),
}
TIERS = ("STARTER", "PROFESSIONAL", "ENTERPRISE")


@dataclass(frozen=True)
class Catalogue:
    """The features of a preset and the events that users of such a product send."""

    preset: str
    features: tuple[str, ...]
    modules: tuple[str, ...]
    module_of: tuple[str, ...]
    kinds: tuple[EventKind, ...]
    labels: dict[str, str]

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each kind by its event name."""
        return {kind.name: n for n, kind in enumerate(self.kinds)}

    @cached_property
    def feature_of_kind(self) -> np.ndarray:
        """The feature's position of each kind, -1 for kinds that everybody may do."""
        place = {key: n for n, key in enumerate(self.features)}
        return np.array([place[k.feature] if k.feature else NO_FEATURE for k in self.kinds])

    @cached_property
    def weights(self) -> np.ndarray:
        """The cumulative shares of the kinds among what users do."""
        return np.cumsum([k.weight for k in self.kinds]) / sum(k.weight for k in self.kinds)

    @property
    def roles(self) -> tuple[tuple[str, float], ...]:
        """Roles of platform users with their shares."""
        return ROLES[self.preset]

    @property
    def follow_ups(self) -> list[FollowUp]:
        """The follow-ups whose both events this preset knows."""
        return [f for f in FOLLOW_UPS if f.before in self.index and f.after in self.index]

    @property
    def planned(self) -> list[Planned]:
        """The rare planned events of this preset."""
        return [Planned(name=name, every_days=days) for name, days in PLANNED.items() if name in self.index]

    def properties(self, number: int) -> list[str | None]:
        """Return the values that the label of kind `number` may take; [None] for a kind without a label."""
        return list(SLA_STATES) if self.labels.get(self.kinds[number].name) == "sla_status" else [None]

    def modules_of(self, tier: str, rng: np.random.Generator) -> tuple[str, ...]:
        """Return the modules that a client of `tier` has licensed, in the preset's order."""
        place = TIERS.index(tier)
        return tuple(m for m in self.modules if rng.random() < MODULE_SHARES[m][place])


def make_catalogue(preset: str) -> Catalogue:
    """Return the catalogue of `preset`, built from its features, counts and labels."""
    definition: dict[str, Any] = load_preset(preset)
    kinds = list(GENERIC)
    known = {kind.name for kind in kinds}
    for feature in definition["features"]:
        for name in feature["events"]:
            if name not in known:
                known.add(name)
                kinds.append(_kind(name, feature["module"], feature["key"]))
    home = definition["features"][0]["module"]
    for count in definition["counts"].values():
        for name in count["events"]:
            if name not in known:
                known.add(name)
                kinds.append(EventKind(name=name, module=home, weight=WEIGHTS.get(name, 0.0)))
    return Catalogue(
        preset=preset,
        features=tuple(f["key"] for f in definition["features"]),
        modules=tuple(dict.fromkeys(f["module"] for f in definition["features"])),
        module_of=tuple(f["module"] for f in definition["features"]),
        kinds=tuple(kinds),
        labels=dict(definition.get("labels", {})),
    )


def _kind(name: str, module: str, feature: str) -> EventKind:
    return EventKind(name=name, module=module, feature=feature, weight=WEIGHTS.get(name, 0.0))
