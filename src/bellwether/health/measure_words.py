"""Measures in words: how a value reads, and how two values of one measure differ. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwether.health.measures import MEASURES_BY_SLUG, Measure, Unit
from bellwether.web.formatting import number, percent

MOST_PLACES = 3
NAMES: dict[str, str] = {
    "dau": "daily users",
    "wau": "weekly users",
    "mau": "monthly users",
    "dau_avg_7d": "daily users",
    "dau_avg_30d": "daily users over 30 days",
    "dau_avg_90d": "daily users over 90 days",
    "active_users_30d": "active users",
    "ticket_points_30d": "ticket points in 30 days",
    "csat_90d": "CSAT",
    "nps_latest": "NPS",
    "stakeholder_coverage_90d": "key contacts met in 90 days",
    "renewal_signal": "renewal probability",
    "payment_status": "payment",
    "form_completion_rate": "forms completed",
    "journey_performance": "journeys completed",
    "features_used": "licensed features in use",
    "cases_on_time": "cases closed on time",
}
"""What a measure is called in a sentence, where its label would not do."""

AGO = {"days_since_contact": "last contact", "days_since_login": "last login"}
COUNTED = {
    "tickets_30d": ("ticket in 30 days", "tickets in 30 days"),
    "cases_created": ("case created in 30 days", "cases created in 30 days"),
    "cases_closed": ("case closed in 30 days", "cases closed in 30 days"),
    "cases_overdue": ("overdue case", "overdue cases"),
    "campaigns_active": ("active campaign", "active campaigns"),
    "days_to_renewal": ("day to renewal", "days to renewal"),
}
"""Whole numbers that read better as "2 tickets in 30 days instead of 6"."""


@dataclass(frozen=True)
class Pair:
    """The values of one measure on two days; None where it had none."""

    measure: Measure
    before: Any
    after: Any

    @property
    def moved(self) -> bool:
        """Whether the two values differ."""
        return bool(self.before != self.after)

    @property
    def known(self) -> bool:
        """Whether both days have a value."""
        return self.before is not None and self.after is not None


def measure_of(slug: str, customs: Mapping[str, Measure]) -> Measure:
    """Return the measure `slug`, built-in or one of `customs`; one by that name where it is neither."""
    known = MEASURES_BY_SLUG.get(slug) or customs.get(slug)
    base = MEASURES_BY_SLUG["sessions"]
    return known or Measure(slug, slug, Unit.COUNT, base.better, base.source, "")


def name_of(measure: Measure) -> str:
    """Return the measure's name within a sentence: "daily users"; a custom one's as it was given, but its capital."""
    text = NAMES.get(measure.slug, measure.label)
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def value_text(measure: Measure, value: Any, *, places: int = 1) -> str:
    """Return a value with its unit where the name does not say it: "12.4", "40%", "45 days", "late", "unknown"."""
    if value is None:
        return "unknown"
    if measure.unit is Unit.WORD or isinstance(value, str | bool):
        return str(value).lower()
    if measure.unit is Unit.RATIO:
        return percent(value, places - 1)
    if measure.slug == "renewal_signal":
        return percent(value / 100, places - 1)
    text = _digits(value, places)
    if measure.unit is Unit.DAYS:
        return f"{text} {'day' if value == 1 else 'days'}"
    return f"{text} min" if measure.unit is Unit.MINUTES else text


def both_texts(pair: Pair) -> tuple[str, str]:
    """Return the two values as texts, with as many decimals as tell them apart, at most MOST_PLACES."""
    for places in range(1, MOST_PLACES + 1):
        texts = (
            value_text(pair.measure, pair.before, places=places),
            value_text(pair.measure, pair.after, places=places),
        )
        if texts[0] != texts[1] or not pair.moved:
            break
    return texts


def movement(pair: Pair) -> str:
    """Return how the value moved, as part of a sentence; that it stayed, where it did.

    "daily users fell from 12.4 to 8.1", "2 tickets in 30 days instead of 6", "last contact 45 days ago instead of 12",
    "payment went from current to late", "NPS is known now: 9", "CSAT is not known any more, it was 81".
    """
    name, (before, after) = name_of(pair.measure), both_texts(pair)
    ago = AGO.get(pair.measure.slug)
    if not pair.known:
        return _appeared(pair, ago or name, before, after)
    if not pair.moved:
        return f"{name} stayed at {after}"
    if ago:
        return f"{ago} {_days_ago(pair.after)} instead of {number(pair.before)}"
    if pair.measure.slug in COUNTED:
        one, many = COUNTED[pair.measure.slug]
        return f"{number(pair.after)} {one if pair.after == 1 else many} instead of {number(pair.before)}"
    if pair.measure.unit is Unit.WORD or isinstance(pair.after, str):
        return f"{name} went from {before} to {after}"
    if pair.measure.unit in {Unit.DAYS, Unit.MINUTES}:
        before = before.rpartition(" ")[0]
    return f"{name} {verb(pair.before, pair.after)} from {before} to {after}"


def verb(before: float, after: float) -> str:
    """Return "fell" or "rose"."""
    return "fell" if after < before else "rose"


def _appeared(pair: Pair, name: str, before: str, after: str) -> str:
    if pair.before is None and pair.after is None:
        return f"{name} is not known"
    if pair.after is None:
        return f"{name} is not known any more, it was {before}"
    return f"{name} is known now: {after}"


def _days_ago(days: float) -> str:
    return "today" if days == 0 else f"{number(days)} {'day' if days == 1 else 'days'} ago"


def _digits(value: float, places: int) -> str:
    if places <= 1:
        return number(value)
    return f"{Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):,f}".replace("-", "−")
