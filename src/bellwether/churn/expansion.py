"""Which clients could grow: signals by stated rules, each in the client's own numbers, and what to propose. Pure.

A client is listed from LEAST_POINTS points on, with at least one sign of need: seats nearly full, use of what is not
licensed, more daily users, every licensed module in use. Signs of trust (broad adoption, promoters, high health) add
strength, they list nobody.
Clients in trouble are held back whatever their signs: at risk or critical health, a churn risk above low, an overdue
payment; so are clients of which no health and no churn risk is known. Rules on seats and licences are those of
health.room_to_grow.
"""

from dataclasses import dataclass
from enum import StrEnum

from bellwether.health.room_to_grow import seats_full, times

RISING_USERS = 0.02
"""Seats count as rising where the share in use rose by at least two points in 28 days."""
GROWTH = 1.15
"""30-day over 90-day average of daily users from which a client grows."""
FEWEST_DAILY = 3
"""Under three people a day a change of the average is one person."""
BROAD, WHOLE = 0.8, 1.0
"""Share of the licensed modules in use: adoption is broad, and everything that is licensed is in use."""
PROMOTER = 9.0
HEALTHY_STATUS = "HEALTHY"
TROUBLED = ("AT_RISK", "CRITICAL")
RISKY = ("MEDIUM", "HIGH")


class Sign(StrEnum):
    """A kind of signal, those of need first."""

    SEATS = "seats"
    UNLICENSED = "unlicensed"
    GROWTH = "growth"
    WHOLE = "whole"
    BREADTH = "breadth"
    PROMOTERS = "promoters"
    HEALTHY = "healthy"


NEEDS = (Sign.SEATS, Sign.UNLICENSED, Sign.GROWTH, Sign.WHOLE)
LABELS = {
    Sign.SEATS: "Seats nearly full",
    Sign.UNLICENSED: "Uses what is not licensed",
    Sign.GROWTH: "More daily users",
    Sign.WHOLE: "Everything in use",
    Sign.BREADTH: "Broad adoption",
    Sign.PROMOTERS: "Promoters",
    Sign.HEALTHY: "High health",
}
POINTS = {
    Sign.SEATS: 3, Sign.UNLICENSED: 2, Sign.GROWTH: 2, Sign.WHOLE: 2, Sign.BREADTH: 1, Sign.PROMOTERS: 1,
    Sign.HEALTHY: 1,
}  # fmt: skip
RISING_POINTS = 1
LEAST_POINTS = 3
"""A weak sign of need alone lists nobody; with a sign of trust beside it, it does."""
MOST_POINTS = sum(POINTS.values()) + RISING_POINTS - POINTS[Sign.BREADTH]
"""Adoption is either whole or broad."""


@dataclass(frozen=True)
class UnlicensedUse:
    """A feature that a client has not licensed and uses all the same: `uses` in `days` days."""

    name: str
    uses: int
    days: int


@dataclass(frozen=True)
class GrowthFacts:
    """What is known of a client; None for what is not.

    `seat_use`: monthly users over seats (may pass 1), `seat_use_before` 28 days earlier. `daily_users`: 30-day average;
    `daily_change`: it over the 90-day average. `breadth`: licensed modules in use over licensed ones. `nps`: mean of
    the respondents' latest answers (0-10).
    """

    arr: float | None
    seats: int | None = None
    seat_use: float | None = None
    seat_use_before: float | None = None
    daily_users: float | None = None
    daily_change: float | None = None
    breadth: float | None = None
    nps: float | None = None
    score: int | None = None
    status: str | None = None
    category: str = ""
    payment_overdue: bool = False
    unlicensed: tuple[UnlicensedUse, ...] = ()


@dataclass(frozen=True)
class Signal:
    """A sign found, why, and the points that it counts."""

    sign: Sign
    reason: str
    points: int

    @property
    def label(self) -> str:
        """What the sign is called."""
        return LABELS[self.sign]


@dataclass(frozen=True)
class Growth:
    """A client that could grow: its signals, those with most points first, and what to propose."""

    signals: tuple[Signal, ...]
    propose: str

    @property
    def strength(self) -> float:
        """The points of the signals over those of all signals, 0-1."""
        return sum(signal.points for signal in self.signals) / MOST_POINTS


def growth_of(facts: GrowthFacts) -> Growth | None:
    """Return how a client could grow; None without a sign of need or under LEAST_POINTS points.

    Trouble is not looked at: see `trouble`.
    """
    found = [
        signal for find in (_seats, _unlicensed, _growth, _breadth, _promoters, _healthy) if (signal := find(facts))
    ]
    if not any(signal.sign in NEEDS for signal in found) or sum(signal.points for signal in found) < LEAST_POINTS:
        return None
    found.sort(key=lambda signal: -signal.points)
    return Growth(tuple(found), _propose(facts, found))


def trouble(facts: GrowthFacts) -> str:
    """Return why nothing should be sold to the client now; "" where nothing stands against it."""
    if facts.status in TROUBLED:
        return "Health is at risk or critical."
    if facts.category in RISKY:
        return f"Churn risk is {facts.category.lower()}."
    if facts.payment_overdue:
        return "A payment is overdue."
    if facts.status is None and not facts.category:
        return "Neither health nor churn risk is known."
    return ""


def _users(facts: GrowthFacts) -> int | None:
    return None if facts.seats is None or facts.seat_use is None else round(facts.seat_use * facts.seats)


def _seats(facts: GrowthFacts) -> Signal | None:
    users = _users(facts)
    if users is None or facts.seats is None or not seats_full(seats=facts.seats, users=users):
        return None
    before = facts.seat_use_before
    rising = before is not None and facts.seat_use is not None and facts.seat_use - before >= RISING_USERS
    course = f", up from {round((before or 0) * facts.seats):,} four weeks ago" if rising else ""
    reason = f"{users:,} of {facts.seats:,} seats used in 30 days{course}"
    return Signal(Sign.SEATS, reason, POINTS[Sign.SEATS] + (RISING_POINTS if rising else 0))


def _unlicensed(facts: GrowthFacts) -> Signal | None:
    if not facts.unlicensed:
        return None
    most = max(facts.unlicensed, key=lambda one: (one.uses, one.name))
    more = len(facts.unlicensed) - 1
    others = f", and {more} more {'feature' if more == 1 else 'features'}" if more else ""
    reason = f"{most.name} used {times(most.uses)} in {most.days} days without a licence{others}"
    return Signal(Sign.UNLICENSED, reason, POINTS[Sign.UNLICENSED])


def _growth(facts: GrowthFacts) -> Signal | None:
    users, ratio = facts.daily_users, facts.daily_change
    if users is None or ratio is None or ratio < GROWTH or users < FEWEST_DAILY:
        return None
    reason = f"Daily users up {round(100 * (ratio - 1))}% on their 90-day average, to {users:.0f}"
    return Signal(Sign.GROWTH, reason, POINTS[Sign.GROWTH])


def _breadth(facts: GrowthFacts) -> Signal | None:
    if facts.breadth is None or facts.breadth < BROAD:
        return None
    if facts.breadth >= WHOLE:
        return Signal(Sign.WHOLE, "Every licensed module in use", POINTS[Sign.WHOLE])
    return Signal(Sign.BREADTH, f"{round(100 * facts.breadth)}% of the licensed modules in use", POINTS[Sign.BREADTH])


def _promoters(facts: GrowthFacts) -> Signal | None:
    if facts.nps is None or facts.nps < PROMOTER:
        return None
    return Signal(Sign.PROMOTERS, f"NPS answers average {facts.nps:.1f}", POINTS[Sign.PROMOTERS])


def _healthy(facts: GrowthFacts) -> Signal | None:
    if facts.status != HEALTHY_STATUS or facts.score is None:
        return None
    return Signal(Sign.HEALTHY, f"Health {facts.score}", POINTS[Sign.HEALTHY])


def _propose(facts: GrowthFacts, found: list[Signal]) -> str:
    """Return what to propose for the strongest sign of need."""
    sign = next(signal.sign for signal in found if signal.sign in NEEDS)
    if sign is Sign.SEATS and facts.seats:
        users = _users(facts) or 0
        free = facts.seats - users
        room = f"{free:,} {'is' if free == 1 else 'are'} left" if free > 0 else "none is left"
        price = f" A seat is {_money(facts.arr / facts.seats)} a year now." if facts.arr else ""
        return f"More seats: {room}.{price}"
    if sign is Sign.UNLICENSED:
        most = max(facts.unlicensed, key=lambda one: (one.uses, one.name))
        return f"A licence for {most.name}, which the client tries already."
    if sign is Sign.GROWTH:
        return "A plan for the next teams, and seats for them, while use grows."
    return "The next module or tier: what is licensed is in use."


def _money(amount: float) -> str:
    return f"${amount:,.0f}"
