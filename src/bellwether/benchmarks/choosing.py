"""The groups that a client can be compared with, for a viewer: how many peers each has, and what keeps it locked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from bellwether.benchmarks.cohorts import (
    ATTRIBUTE_NAMES,
    Filters,
    Group,
    Mask,
    class_name,
    half_to_double,
    tenure_window,
)
from bellwether.benchmarks.metrics import METRICS
from bellwether.benchmarks.night import Night, Sight
from bellwether.benchmarks.percentiles import AT_LEAST

KINDS = {"tier": "Same tier", "industry": "Same industry", "size": "Same size", "tenure": "Same tenure"}


@dataclass(frozen=True)
class Choice:
    """A group for one client. `title` continues "among 41"; `group` is that of the fixed family, if it is one.

    `mask` are its peers, without the client. `locked` says why nothing may be shown, "" if something is; `needed` is
    how many more peers that takes, 0 where it is not a matter of number.
    """

    key: str
    label: str
    title: str
    mask: Mask
    group: Group | None
    locked: str = ""
    needed: int = 0

    @property
    def peers(self) -> int:
        """How many peers the group has."""
        return int(self.mask.sum())


def choices(night: Night, sight: Sight, client_id: UUID) -> list[Choice]:
    """Return the four groups of a client in the order of KINDS; all of them locked for a client the night lacks."""
    return [_kind(night, sight, client_id, kind) for kind in KINDS]


def custom(night: Night, sight: Sight, client_id: UUID, filters: Filters, *, key: str, name: str) -> Choice:
    """Return the group that `filters` describe, for one client."""
    place = night.places.get(client_id)
    made = Choice(key, name, f"clients of {name}", _without(filters.mask(night.roster), place), filters.group())
    if sight.shown is not None and filters.group() is None:
        return replace(
            made,
            locked="Groups of several values, of tags or of more than two attributes are only for roles that see all "
            "clients: their differences would tell about single ones.",
        )
    return _locked(made, night, sight)


def nearest_larger(choice: Choice, others: Sequence[Choice]) -> list[Choice]:
    """Return what can be shown instead: the larger groups that are not locked, the smallest first, then the rest."""
    free = [one for one in others if one.key != choice.key and not one.locked]
    larger = sorted((one for one in free if one.peers > choice.peers), key=lambda one: one.peers)
    return larger + sorted((one for one in free if one.peers <= choice.peers), key=lambda one: -one.peers)


def narrowed(night: Night, sight: Sight, client_id: UUID, filters: Filters) -> list[Choice]:
    """Return the groups with one attribute of `filters` left out that can be shown, key "drop:ATTRIBUTE"."""
    found = []
    for attribute in filters.as_json():
        rest = filters.without(attribute)
        if rest.as_json():
            name = f"Drop {ATTRIBUTE_NAMES[attribute].lower()}"
            found.append(custom(night, sight, client_id, rest, key=f"drop:{attribute}", name=name))
    return [one for one in found if not one.locked]


def describe(filters: Filters) -> list[tuple[str, str, str]]:
    """Return (attribute, its name, values in words) of the filters."""
    return [
        (name, ATTRIBUTE_NAMES[name], " or ".join(class_name(name, one) for one in values))
        for name, values in filters.as_json().items()
    ]


def _kind(night: Night, sight: Sight, client_id: UUID, kind: str) -> Choice:
    place = night.places.get(client_id)
    label = KINDS[kind]
    if place is None or not night.roster.counted[place]:
        nobody = np.zeros(len(night.places), bool)
        return Choice(kind, label, "clients", nobody, None, "This client takes part from next month on.", 0)
    own = night.roster.classes[kind][place]
    group: Group | None = ((kind, own),) if own else None
    mask, title = night.roster.of(group) if group else np.zeros(len(night.places), bool), _title(kind, own)
    if sight.sees_all and kind == "size" and not np.isnan(night.roster.employees[place]):
        employees = float(night.roster.employees[place])
        mask, group = half_to_double(night.roster, employees), None
        title = f"clients of {max(1, round(employees / 2)):,} to {round(employees * 2):,} employees"
    if sight.sees_all and kind == "tenure" and not np.isnan(night.roster.months[place]):
        mask, group = tenure_window(night.roster, float(night.roster.months[place])), None
        title = "clients of the same tenure, six months either way"
    made = Choice(kind, label, title, _without(mask, place), group)
    if not own:
        return replace(made, locked=f"It is not known what {KINDS[kind][5:]} this client has.", needed=AT_LEAST)
    return _locked(made, night, sight)


def _title(kind: str, own: str) -> str:
    name = class_name(kind, own)
    return (
        f"clients with {name} employees"
        if kind == "size"
        else (f"clients of {name}" if kind == "tenure" else f"{name} clients")
    )


def _without(mask: Mask, place: int | None) -> Mask:
    found = mask.copy()
    if place is not None:
        found[place] = False
    return found


def _locked(made: Choice, night: Night, sight: Sight) -> Choice:
    if made.peers < AT_LEAST:
        count = f"It has {made.peers} peer{'' if made.peers == 1 else 's'}."
        return replace(
            made,
            locked=f"{count} Benchmarks need at least {AT_LEAST}, so that no single client can be recognised.",
            needed=AT_LEAST - made.peers,
        )
    told = [
        sight.allows(made.group, metric.key)
        for metric in METRICS
        if int((~np.isnan(night.values[metric.key][made.mask])).sum()) >= AT_LEAST
    ]
    if told and not any(told):
        return replace(
            made,
            locked=f"It has {made.peers} peers, but beside the other groups it would tell about fewer than {AT_LEAST} "
            "clients that you do not see.",
        )
    return made


def saved_key(cohort_id: UUID) -> str:
    """Return the key of a saved group as addresses and the API have it."""
    return f"custom:{cohort_id}"


def classes_of(night: Night) -> Mapping[str, list[str]]:
    """Return the classes that occur, by attribute, in the order of their names; tags under "tag"."""
    found = {name: sorted(set(words) - {""}) for name, words in night.roster.classes.items()}
    return found | {"tag": sorted(set().union(*night.roster.tags)) if night.roster.tags else []}
