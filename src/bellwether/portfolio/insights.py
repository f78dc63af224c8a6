"""What stands out in a portfolio, by rule: sentences about a number of clients, with the filters that list them. Pure.

The thresholds are those of the risk factors where there is one (docs/reference/risk-factors.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bellwether.web.formatting import plural, short_money

FALL_POINTS = 10
RENEWAL_DAYS, SILENT_DAYS = 60, 30
LOW_SCORE = 60
QUIET_DAYS = 14
CRITICAL_SILENT_DAYS = 14


@dataclass(frozen=True)
class Figures:
    """What the filters of a rule find: how many clients, and their ARR in dollars as far as it is known."""

    count: int
    arr: Decimal


@dataclass(frozen=True)
class Insight:
    """A sentence about `count` clients, `filters` being the parameters of the portfolio that list just these."""

    key: str
    text: str
    count: int
    filters: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """The filters of a rule on a day, and its sentence."""

    filters: Callable[[date], Mapping[str, str]]
    text: Callable[[Figures, int], str]


def quarter_end(today: date) -> date:
    """Return the last day of the calendar quarter of `today`."""
    month = 3 * ((today.month - 1) // 3) + 3
    following = date(today.year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)


def _verb(found: Figures, one: str, many: str) -> str:
    return one if found.count == 1 else many


RULES: Mapping[str, Rule] = {
    "critical_silent": Rule(
        lambda today: {"health_status": "CRITICAL", "no_contact": str(CRITICAL_SILENT_DAYS)},
        lambda found, days: (
            f"{plural(found.count, 'critical client')} without a contact in {CRITICAL_SILENT_DAYS} days"
        ),
    ),
    "fell": Rule(
        lambda today: {"change_max": str(-FALL_POINTS)},
        lambda found, days: (
            f"{plural(found.count, 'client')} fell by {FALL_POINTS} points or more in {plural(days, 'day')}"
        ),
    ),
    "renewals_silent": Rule(
        lambda today: {"renewal_within": str(RENEWAL_DAYS), "no_contact": str(SILENT_DAYS)},
        lambda found, days: (
            f"{plural(found.count, 'renewal')} in {RENEWAL_DAYS} days without a contact in {SILENT_DAYS}"
        ),
    ),
    "quarter_low": Rule(
        lambda today: {"renewal_within": str((quarter_end(today) - today).days), "score_max": str(LOW_SCORE - 1)},
        lambda found, days: (
            f"{short_money(found.arr)} ARR of {plural(found.count, 'client')} renews this quarter below {LOW_SCORE}"
        ),
    ),
    "follow_ups": Rule(
        lambda today: {"follow_up": "overdue"},
        lambda found, days: f"{plural(found.count, 'client')} {_verb(found, 'has', 'have')} an overdue follow-up",
    ),
    "quiet": Rule(
        lambda today: {"quiet": str(QUIET_DAYS)},
        lambda found, days: f"No usage by {plural(found.count, 'client')} for {QUIET_DAYS} days or more",
    ),
    "no_score": Rule(
        lambda today: {"health_status": "NA"},
        lambda found, days: f"{plural(found.count, 'client')} {_verb(found, 'has', 'have')} no health score",
    ),
}
"""By key, in the order in which they are told."""


def insights(figures: Mapping[str, Figures], today: date, *, change_days: int) -> list[Insight]:
    """Return the sentences of the rules that found clients, in the order of RULES; rules without figures stay silent.

    `change_days` is what the scorecard's trend looks back.
    """
    return [
        Insight(key, f"{rule.text(found, change_days)}.", found.count, rule.filters(today))
        for key, rule in RULES.items()
        if (found := figures.get(key)) is not None and found.count
    ]
