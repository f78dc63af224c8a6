"""Custom measures: what a workspace may define without code, and what each needs to be worked out. Pure.

A definition is data that has been checked; `custom_grammar` is the only door. Rows of `event_days` answer counts,
ratios of counts and days since; people, sums, last values, traits and conditions on properties need facts made from
raw events (docs/reference/custom-measures.md).
"""

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from bellwether.health.measures import MEASURES_BY_SLUG, Better, Unit
from bellwether.usage.custom_specs import Condition, FactSpec
from bellwether.usage.lake import ACTION_TYPES

SIZES = {"users": "monthly active users", "seats": "licensed users"}
UNITS = (Unit.COUNT, Unit.PEOPLE, Unit.DAYS, Unit.MINUTES, Unit.POINTS, Unit.RATIO, Unit.PERCENT)
TRAIT_TYPES = ("identify", "group")
SLUG = re.compile(r"[a-z][a-z0-9_]{1,59}")
RESERVED = frozenset(
    {
        "client_id", "organization_id", "date", "score", "exact", "coverage", "missing", "status", "health_status",
        "trend", "trend_change", "risk", "no_score_reason", "bits", "column", "value", "usage", "adoption", "support",
        "relationship", "contract", "outcome", "login", "client", "measure", "activity", "people", "recency", "breadth",
    }
)  # fmt: skip
"""Names that scoring uses for something else."""

Size = Literal["users", "seats"]


@dataclass(frozen=True)
class Definition:
    """What a custom measure is. `window` in days that end on the date, None: all so far.

    `events` empty: any action. `attribute` is a property of the event, `trait` stands instead of it: what identify and
    group calls say about a client.
    `of` and `per` for a ratio only; `per` may be a size of the client.
    """

    kind: str
    events: tuple[str, ...] = ()
    module: str = ""
    feature: str = ""
    label: str = ""
    where: tuple[Condition, ...] = ()
    attribute: str = ""
    trait: str = ""
    window: int | None = None
    people_only: bool = True
    of: "Definition | None" = None
    per: "Definition | Size | None" = None
    unit: Unit = Unit.COUNT
    better: Better = Better.HIGHER

    def as_data(self) -> dict[str, Any]:
        """Return the definition as JSON data, complete and always in the same form; reading it gives the same."""
        data: dict[str, Any] = self._own_data()
        data |= {"unit": self.unit.value, "better": self.better.value}
        return data

    def _own_data(self) -> dict[str, Any]:
        if self.kind == "ratio":
            sides = {"of": self.of, "per": self.per}
            return {"kind": "ratio"} | {
                name: side._own_data() if isinstance(side, Definition) else side for name, side in sides.items()
            }
        data: dict[str, Any] = {"kind": self.kind}
        data |= {name: value for name, value in (("property", self.attribute), ("trait", self.trait)) if value}
        if self.events:
            data["events"] = list(self.events)
        data |= {name: value for name in ("module", "feature", "label") if (value := getattr(self, name))}
        if self.where:
            data["where"] = [_condition_data(condition) for condition in self.where]
        if self.kind != "users":
            data["people_only"] = self.people_only
        if self.kind != "days_since":
            data["window_days"] = "all" if self.window is None else self.window
        return data

    @property
    def parts(self) -> tuple["Definition", ...]:
        """The definitions that are computed from facts: itself, or the sides of a ratio."""
        if self.kind != "ratio":
            return (self,)
        return tuple(side for side in (self.of, self.per) if isinstance(side, Definition))

    @property
    def spec(self) -> FactSpec | None:
        """What has to be kept of raw events for this; None for a ratio and where rows of event_days suffice."""
        if self.kind == "ratio" or (self.kind in ("count", "days_since") and not self.where):
            return None
        keep: Literal["users", "days", "user_values"] = "days"
        if self.kind == "users":
            keep = "users"
        elif self.trait and self.kind == "sum":
            keep = "user_values"
        return FactSpec(
            keep=keep,
            types=TRAIT_TYPES if self.trait else ACTION_TYPES,
            events=self.events,
            module=self.module,
            feature=self.feature,
            label=self.label,
            where=self.where,
            people_only=self.people_only and not (self.trait and self.kind == "last"),
            attribute=self.attribute or self.trait,
        )

    @property
    def specs(self) -> tuple[FactSpec, ...]:
        """What has to be kept of raw events for this measure; empty where rows of event_days suffice."""
        return tuple(spec for part in self.parts if (spec := part.spec) is not None)

    @property
    def needs_raw(self) -> bool:
        """Whether raw events have to be counted for it."""
        return bool(self.specs)

    @property
    def digest(self) -> str:
        """The name of what is selected, without window, unit and direction: 16 hex digits."""
        keys = ("events", "module", "feature", "label", "people_only")
        text = json.dumps([getattr(self, key) for key in keys], separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Custom:
    """A custom measure of the workspace as scoring and pages use it. `version` grows with every change."""

    slug: str
    name: str
    definition: Definition
    version: int = 1
    description: str = ""
    archived: bool = False


def check_slug(slug: str, *, taken: Collection[str] = ()) -> str | None:
    """Return why `slug` cannot name a custom measure, None if it can. `taken`: the slugs of other custom measures."""
    if not SLUG.fullmatch(slug):
        return "needs 2 to 60 small letters, digits and underscores, a letter first, such as reports_exported."
    if slug in MEASURES_BY_SLUG:
        return f"is a built-in measure ({MEASURES_BY_SLUG[slug].label}); choose another name."
    if slug in RESERVED:
        return "is a word that scoring uses itself; choose another name."
    return "is the name of another measure; choose another." if slug in taken else None


def slug_of(name: str) -> str:
    """Return a slug made of a name: "Reports exported, 30 days" gives reports_exported_30_days; may be empty."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")[:60]


def _condition_data(condition: Condition) -> dict[str, Any]:
    data: dict[str, Any] = {"property": condition.attribute, "is": condition.comparison}
    if condition.comparison == "in":
        return data | {"value": list(condition.values)}
    if condition.comparison in ("greater", "less"):
        return data | {"value": float(condition.values[0])}
    return data if condition.comparison == "exists" else data | {"value": condition.values[0]}
