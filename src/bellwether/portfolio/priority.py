"""The priority of a client, and why it is what it is (docs/reference/portfolio-page.md, "Priority"). Pure.

priority = risk × ARR × time to renewal × fall × silence × follow-up × thin data. Every number of the formula stands
here; portfolio.ranking says the same to the database.
"""

from dataclasses import dataclass
from math import prod

RISK_WHEN_UNKNOWN = 0.5
URGENCY = ((30, 2.0), (90, 1.5), (180, 1.25))
"""Days to the renewal, at most, and what they count; an overdue renewal counts as the nearest."""
FALL = ((20, 1.5), (10, 1.25))
"""Points that the score lost by the scorecard's trend, at least."""
SILENCE = ((90, 1.5), (45, 1.25))
"""Days without contact, at least; from the start of the contract where there was none yet."""
FOLLOW_UP_OVERDUE = 1.2
CHURN_BANDS = {"MEDIUM": 0.35, "HIGH": 0.75}
"""What a churn risk counts that is known as a band alone, the middle of the band; a low one leaves it to the health."""
THIN_COVERAGE, THIN_DATA = 0.7, 1.1
"""A score that rests on less than this share of its weights may well be lower than it looks."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the priority of a client rests on.

    `score`, `churn_risk`: 0-100 or None. `churn_band`: LOW, MEDIUM or HIGH where the churn risk is known as a band
    alone, else "". `arr` in dollars; `typical_arr` stands for an unknown one. `change`: points since the day that the
    scorecard's trend compares with. `silent_days`: since the last contact, or since the contract began; None when
    neither is known, which counts as the longest silence. `coverage`: 0-1.
    """

    score: int | None
    churn_risk: int | None
    arr: float | None
    typical_arr: float
    renewal_days: int | None
    change: int | None
    silent_days: int | None
    ever_contacted: bool
    follow_up_overdue: bool
    coverage: float | None
    churn_band: str = ""


@dataclass(frozen=True)
class Factor:
    """One factor: a stable `key`, its `label`, the client's own figure as `text`, and what it multiplies by."""

    key: str
    label: str
    text: str
    value: float


@dataclass(frozen=True)
class Priority:
    """The product and its factors in the order of the formula. `value` is in dollars, of no other meaning than rank."""

    value: float
    factors: tuple[Factor, ...]

    @property
    def raised_by(self) -> tuple[Factor, ...]:
        """The factors beyond risk and ARR that lift this client."""
        return tuple(factor for factor in self.factors[2:] if factor.value > 1)


def priority_of(standing: Standing) -> Priority:
    """Return the priority of a client with all of its factors, those that count 1 included."""
    factors = (
        _risk(standing),
        _size(standing),
        _renewal(standing.renewal_days),
        _fall(standing.change),
        _silence(standing),
        Factor(
            "follow_up",
            "Follow-up",
            "overdue" if standing.follow_up_overdue else "none overdue",
            FOLLOW_UP_OVERDUE if standing.follow_up_overdue else 1.0,
        ),
        _data(standing),
    )
    return Priority(prod(factor.value for factor in factors), factors)


def _risk(standing: Standing) -> Factor:
    if standing.score is None:
        share, text = RISK_WHEN_UNKNOWN, "no score, counted as 50"
    else:
        share, text = (100 - standing.score) / 100, f"health {standing.score}"
    risk = share * share
    if standing.churn_band:
        banded = CHURN_BANDS.get(standing.churn_band, 0.0)
        if banded > risk:
            return Factor("risk", "Risk", f"churn risk {standing.churn_band.lower()}, a band", banded)
    elif standing.churn_risk is not None and standing.churn_risk / 100 > risk:
        return Factor("risk", "Risk", f"churn risk {standing.churn_risk}%", standing.churn_risk / 100)
    return Factor("risk", "Risk", text, risk)


def _size(standing: Standing) -> Factor:
    if standing.arr is None:
        return Factor("arr", "ARR", "unknown, the list's average", standing.typical_arr)
    return Factor("arr", "ARR", "a year", standing.arr)


def _renewal(days: int | None) -> Factor:
    if days is None:
        return Factor("renewal", "Time to renewal", "no date", 1.0)
    value = next((factor for limit, factor in URGENCY if days <= limit), 1.0)
    return Factor("renewal", "Time to renewal", f"{days} days" if days >= 0 else f"{-days} days overdue", value)


def _fall(change: int | None) -> Factor:
    if change is None:
        return Factor("fall", "Fall of the score", "no trend yet", 1.0)
    value = next((factor for limit, factor in FALL if -change >= limit), 1.0)
    return Factor("fall", "Fall of the score", f"{-change} points" if change < 0 else "none", value)


def _silence(standing: Standing) -> Factor:
    days = standing.silent_days
    if days is None:
        return Factor("silence", "Silence", "never contacted", SILENCE[0][1])
    value = next((factor for limit, factor in SILENCE if days >= limit), 1.0)
    text = f"{days} days" if standing.ever_contacted else f"none in {days} days as client"
    return Factor("silence", "Silence", text, value)


def _data(standing: Standing) -> Factor:
    coverage = standing.coverage
    thin = standing.score is not None and coverage is not None and coverage < THIN_COVERAGE
    text = "no score" if standing.score is None or coverage is None else f"{round(100 * coverage)}% there"
    return Factor("data", "Data behind the score", text, THIN_DATA if thin else 1.0)
