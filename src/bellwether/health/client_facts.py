"""What risk factors, brief and next steps may rest on: figures only, no models. Every rule reads nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Part(StrEnum):
    """Where a figure stands: the part of the client page, by its name there."""

    HEALTH = "Health"
    SCORE = "Score"
    USAGE = "Usage"
    TIMELINE = "Timeline"
    SUPPORT = "Support"
    CONTRACT = "Contract"
    CONTACTS = "Contacts"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A stakeholder. `login_days`: whole days since the last login, None if unknown; `left_on` if gone."""

    name: str
    role: str
    is_champion: bool = False
    is_key: bool = False
    login_days: int | None = None
    left_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class OpenTicket:
    """A ticket that is not solved yet."""

    subject: str
    priority: str
    opened_on: date


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A component's share in the change of the score, in points."""

    label: str
    effect: float


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """The figures of one client on `today`. What is not known stays at its default, and its rules stay silent.

    `score`: 0-100, None if there is none, then `no_score_reason` says why. `change`: points against `change_days` days
    before, None if there was none; `trend` is UP, DOWN or FLAT by the scorecard's rule. `components`: label and value
    0-100 (of a points scorecard the share of the top, in percent). `coverage`: share of the weight with data, 0-1;
    `missing`: labels of components without. `inputs`: measure to value (formulas, section 1). `contact_days`: whole
    days since the last completed contact, None if there was none. `quiet_days`: whole days since the last usage event.
    """

    name: str
    today: date
    score: int | None = None
    status: str = ""
    trend: str | None = None
    change: int | None = None
    change_days: int = 30
    causes: tuple[Cause, ...] = ()
    components: tuple[tuple[str, int], ...] = ()
    coverage: float | None = None
    missing: tuple[str, ...] = ()
    no_score_reason: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    contact_days: int | None = None
    contact_label: str = ""
    contact_on: date | None = None
    people: tuple[Person, ...] = ()
    open_tickets: tuple[OpenTicket, ...] = ()
    payment: str = ""
    renewal_on: date | None = None
    auto_renew: bool | None = None
    seats_licensed: int | None = None
    quiet_days: int | None = None
    has_usage: bool = True
    ended: bool = False

    @property
    def renewal_days(self) -> int | None:
        """Days until the renewal; negative when the date has passed."""
        return (self.renewal_on - self.today).days if self.renewal_on else None

    def number(self, measure: str) -> float | None:
        """Return the value of a numeric measure, None if it is missing or no number."""
        value = self.inputs.get(measure)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
