"""Risk factors of a client by rule, from the figures that its own row carries. Pure: a list of clients needs no query.

Each factor names a kind (stable, for programs), an impact and a sentence in the client's own numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Impact = Literal["high", "medium"]
AT_MOST = 6
CONTACT_DAYS, LONG_CONTACT_DAYS = 45, 90
RENEWAL_DAYS, SOON_DAYS, RENEWAL_SCORE = 90, 30, 60
DROP, DEEP_DROP = -10, -20
LOW, POOR = 60, 40


@dataclass(frozen=True)
class RiskFactor:
    """One reason for concern."""

    factor: str
    impact: Impact
    detail: str


@dataclass(frozen=True, kw_only=True)
class RowFacts:
    """The figures of a client's row. Dates are days of the workspace; components are 0-100, half-up."""

    today: date
    score: int | None
    trend_change: int | None
    trend_days: int
    components: Mapping[str, int | None]
    payment_status: str | None
    last_contact: date | None
    renewal: date | None


def risk_factors(facts: RowFacts) -> list[RiskFactor]:
    """Return the factors that apply, high impact first, at most AT_MOST."""
    return sorted(_all(facts), key=lambda factor: factor.impact != "high")[:AT_MOST]


def _all(facts: RowFacts) -> Iterator[RiskFactor]:
    if facts.payment_status in {"late", "overdue"}:
        impact: Impact = "high" if facts.payment_status == "overdue" else "medium"
        yield RiskFactor("payment_issue", impact, f"Payment {facts.payment_status}")
    if facts.trend_change is not None and facts.trend_change <= DROP:
        detail = f"Score down {-facts.trend_change} points in {facts.trend_days} days"
        yield RiskFactor("health_decline", "high" if facts.trend_change <= DEEP_DROP else "medium", detail)
    if facts.renewal is not None:
        days = (facts.renewal - facts.today).days
        if 0 <= days <= RENEWAL_DAYS and (facts.score is None or facts.score < RENEWAL_SCORE):
            health = "without a health score" if facts.score is None else f"at a score of {facts.score}"
            detail = f"Renewal in {days} day{'s' * (days != 1)} {health}"
            yield RiskFactor("renewal_approaching", "high" if days <= SOON_DAYS else "medium", detail)
    if facts.last_contact is not None:
        days = (facts.today - facts.last_contact).days
        if days >= CONTACT_DAYS:
            impact = "high" if days >= LONG_CONTACT_DAYS else "medium"
            yield RiskFactor("no_recent_contact", impact, f"No contact for {days} days")
    for component, score in sorted(facts.components.items(), key=lambda item: (item[1] is None, item[1] or 0)):
        if score is not None and score < LOW:
            impact = "high" if score < POOR else "medium"
            yield RiskFactor(f"{component}_low", impact, f"{component.capitalize()} at {score} of 100")
