"""Where a client could grow: opportunities found by stated rules, each with the figures it rests on. Pure.

Features that half of the peers use and the client has not licensed; features that are licensed and were never set up;
light use of what half of the peers use; seats nearly full. Nothing is said about peers where there are too few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bellwether.health.adoption import FeatureLine
from bellwether.health.feature_use import Level

PEERS_USING = 0.5
SEATS_FULL = 0.9
MOST = 6


class Rule(StrEnum):
    """Which rule found an opportunity."""

    NOT_LICENSED = "not_licensed"
    NEVER_CONFIGURED = "never_configured"
    LIGHT_USE = "light_use"
    SEATS = "seats"


@dataclass(frozen=True)
class Opportunity:
    """One opportunity: the feature ("" for seats), a heading, a sentence, and the share of peers if known (0-1)."""

    rule: Rule
    feature_key: str
    title: str
    text: str
    peers_using: float | None = None


def opportunities(lines: Sequence[FeatureLine], *, seats: int | None, users: int | None) -> list[Opportunity]:
    """Return at most MOST opportunities, those that most peers use first; seats lead. `users` are monthly users."""
    found = [one for line in lines if (one := _of_feature(line))]
    found.sort(key=lambda one: (-(one.peers_using or 0), one.title))
    if seats_full(seats=seats, users=users):
        text = f"{users:,} of {seats:,} seats were used in 30 days; at 90% it is time to talk about more."
        found.insert(0, Opportunity(Rule.SEATS, "", "More seats", text))
    return found[:MOST]


def seats_full(*, seats: int | None, users: float | None) -> bool:
    """Return whether so many of the seats are used that it is time to talk about more."""
    return bool(seats) and users is not None and users >= SEATS_FULL * (seats or 0)


def times(uses: int) -> str:
    """Return "once" or "12 times"."""
    return "once" if uses == 1 else f"{uses:,} times"


def _of_feature(line: FeatureLine) -> Opportunity | None:
    using, key, name = line.peers.using, line.spec.key, line.spec.name
    popular = using is not None and using >= PEERS_USING
    if line.level is Level.NOT_LICENSED and popular:
        extra = f" Used {times(line.use_30d)} in 30 days all the same." if line.use_30d else ""
        text = f"Not licensed, and at least half of the peers use it.{extra}"
        return Opportunity(Rule.NOT_LICENSED, key, name, text, using)
    if line.level is Level.NOT_CONFIGURED:
        return Opportunity(Rule.NEVER_CONFIGURED, key, name, "Licensed, never set up.", using)
    if line.level is Level.LIGHT and popular:
        return Opportunity(Rule.LIGHT_USE, key, name, f"Light use: {_of_expected(line)}.", using)
    return None


def _of_expected(line: FeatureLine) -> str:
    if line.spec.target == "share" and line.share is not None:
        return f"{line.share * 100:.0f}% of the share that is expected"
    return f"{line.use:,} of {line.expected or 0:,.0f} expected in {line.spec.days} days"
