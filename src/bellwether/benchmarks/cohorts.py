"""Groups of similar clients: attributes in fixed classes, windows around a client, and filters of saved groups. Pure.

Roles that see all clients compare with windows (half to double the size, six months of tenure either way) and with
any filter. Others compare with fixed classes of ATTRIBUTES, at most two at once: bellwether.benchmarks.privacy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from bellwether.benchmarks.metrics import Floats
from bellwether.common.errors import InvalidInputError

Mask = npt.NDArray[np.bool_]
Group = tuple[tuple[str, str], ...]
"""A group of the fixed family: (attribute, class) pairs in the order of ATTRIBUTES; () is every client."""

ATTRIBUTES = ("tier", "industry", "size", "tenure", "region", "segment")
ATTRIBUTE_NAMES = {
    "tier": "Tier",
    "industry": "Industry",
    "size": "Employees",
    "tenure": "Tenure",
    "region": "Region",
    "segment": "Segment",
    "tag": "Tag",
}
MOST_ATTRIBUTES = 2
SIZE_BANDS = (
    ("smb", "under 250", 0, 250),
    ("midmarket", "250 to 999", 250, 1_000),
    ("enterprise", "1,000 or more", 1_000, None),
)
TENURE_BANDS = (
    ("first-year", "under a year", 0, 12),
    ("one-to-three", "one to three years", 12, 36),
    ("longer", "three years or more", 36, None),
)
TENURE_WINDOW = 6
DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Roster:
    """Clients by place: `classes` maps attribute to class ("" where unknown), sizes in employees, tenure in months."""

    classes: Mapping[str, Sequence[str]]
    employees: Floats
    months: Floats
    tags: Sequence[frozenset[str]]
    counted: Mask

    def of(self, group: Group) -> Mask:
        """Return who is in the `group` of the fixed family."""
        found = self.counted.copy()
        for attribute, name in group:
            found &= np.array([one == name for one in self.classes[attribute]], bool)
        return found

    def of_all(self, groups: Sequence[Group]) -> dict[Group, Mask]:
        """Return who is in each of `groups`, quicker than one by one."""
        single = {one: self.of((one,)) for one in {one for group in groups for one in group}}
        return {group: np.logical_and.reduce([self.counted, *(single[one] for one in group)]) for group in groups}


@dataclass(frozen=True)
class Filters:
    """What a saved group asks for: any of the classes of each attribute, and ranges; `tags` are all wanted."""

    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    def group(self) -> Group | None:
        """Return the same as a group of the fixed family; None where that has none such."""
        chosen = tuple((name, self.classes[name][0]) for name in ATTRIBUTES if self.classes.get(name))
        single = all(len(found) == 1 for found in self.classes.values() if found)
        return chosen if single and not self.tags and len(chosen) <= MOST_ATTRIBUTES else None

    def mask(self, roster: Roster) -> Mask:
        """Return who matches."""
        found = roster.counted.copy()
        for attribute, wanted in self.classes.items():
            if wanted:
                found &= np.array([one in wanted for one in roster.classes[attribute]], bool)
        for tag in self.tags:
            found &= np.array([tag in tags for tags in roster.tags], bool)
        return found

    def as_json(self) -> dict[str, list[str]]:
        """Return the filters as they are stored; read_filters reads them."""
        stored = {name: list(self.classes[name]) for name in ATTRIBUTES if self.classes.get(name)}
        return stored | ({"tag": list(self.tags)} if self.tags else {})

    def without(self, attribute: str) -> "Filters":
        """Return the filters less one attribute ("tag" for the tags)."""
        kept = {name: wanted for name, wanted in self.classes.items() if name != attribute}
        return Filters(kept, () if attribute == "tag" else self.tags)


def read_filters(given: Mapping[str, Any]) -> Filters:
    """Return the filters; raises InvalidInputError that names each attribute that cannot be used."""
    errors, classes = {}, {}
    for name, wanted in given.items():
        words = [wanted] if isinstance(wanted, str) else wanted
        if name not in ATTRIBUTE_NAMES:
            errors[f"filters.{name}"] = f"There is no attribute {name!r}; use {', '.join(ATTRIBUTE_NAMES)}."
        elif not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            errors[f"filters.{name}"] = "Give one or more values as text."
        else:
            classes[name] = tuple(dict.fromkeys(word.strip()[:100] for word in words if word.strip()))
    for name, bands in (("size", SIZE_BANDS), ("tenure", TENURE_BANDS)):
        known = [band[0] for band in bands]
        unknown = [word for word in classes.get(name, ()) if word not in known]
        if unknown:
            errors[f"filters.{name}"] = f"{unknown[0]!r} is no band; use {', '.join(known)}."
    if not errors and not any(classes.values()):
        errors["filters"] = "Choose at least one attribute; without any the group is all clients."
    if errors:
        raise InvalidInputError("The group cannot be used: " + " ".join(errors.values()), errors)
    tags = classes.pop("tag", ())
    return Filters({name: wanted for name, wanted in classes.items() if wanted}, tags)


def family(roster: Roster, attributes: Sequence[str] = ATTRIBUTES) -> list[Group]:
    """Return every group that a role without sight of all clients can ask for, in the order of being decided on.

    That is every client, each class, and each pair of classes of two attributes; attributes in the given order, larger
    classes first, then by name.
    """
    singles = [(name, one) for name in attributes for one in sorted(set(roster.classes[name])) if one]
    pairs: list[Group] = [
        (first, second)
        for first in singles
        for second in singles
        if attributes.index(first[0]) < attributes.index(second[0])
    ]
    masks = {one: roster.of((one,)) for one in singles}
    sizes: dict[Group, int] = {(): int(roster.counted.sum())}
    sizes |= {(one,): int(masks[one].sum()) for one in singles}
    sizes |= {(first, second): int((masks[first] & masks[second]).sum()) for first, second in pairs}
    asked = [group for group, size in sizes.items() if size]
    return sorted(
        asked, key=lambda group: (len(group), [attributes.index(one) for one, _ in group], -sizes[group], group)
    )


def half_to_double(roster: Roster, employees: float) -> Mask:
    """Return the clients with half to double as many employees, both included; nobody where that is unknown."""
    with np.errstate(invalid="ignore"):
        return roster.counted & (roster.employees >= employees / 2) & (roster.employees <= employees * 2)


def tenure_window(roster: Roster, months: float) -> Mask:
    """Return the clients whose tenure is within TENURE_WINDOW months."""
    with np.errstate(invalid="ignore"):
        return roster.counted & (np.abs(roster.months - months) <= TENURE_WINDOW)


def size_band(employees: int | None) -> str:
    """Return the band of a number of employees, "" where it is unknown."""
    return "" if employees is None else _band(employees, SIZE_BANDS)


def tenure_band(months: float | None) -> str:
    """Return the band of a tenure in months, "" where it is unknown or still to begin."""
    return "" if months is None or months < 0 else _band(months, TENURE_BANDS)


def tenure_months(since: date | None, day: date) -> float | None:
    """Return the months from `since` to `day`."""
    return None if since is None else (day - since).days / DAYS_A_MONTH


def class_name(attribute: str, name: str) -> str:
    """Return a class in words: "1,000 or more" for enterprise."""
    for key, words, *_ in (*SIZE_BANDS, *TENURE_BANDS):
        if attribute in {"size", "tenure"} and key == name:
            return words
    return name.capitalize() if attribute == "tier" else name


def group_key(group: Group) -> str:
    """Return the group as text, "all" for every client, such as "tier=ENTERPRISE&size=smb" else."""
    return "&".join(f"{attribute}={name}" for attribute, name in group) or "all"


def _band(value: float, bands: Sequence[tuple[str, str, int, int | None]]) -> str:
    return next(key for key, _, low, high in bands if value >= low and (high is None or value < high))
