"""What can be asked of a client's churn risk: levers in people's words over the features, and what values they take.

A lever stands on figures that are known of the client; where they are not, or it would change nothing, it is not
offered. Towards its good side no lever raises the risk: the model's directions are held (churn.factors). Pure.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.churn.sentences import SHARES, value_text
from bellwether.churn.words import number_of
from bellwether.common.errors import InvalidInputError
from bellwether.health.measures import Unit

A_YEAR = 365
MOST_DAYS, MOST_COUNT = 3_650, 1_000_000
LARGEST_CHANGE = 20.0

Inputs = Mapping[str, Any]
Changed = dict[str, float]


@dataclass(frozen=True)
class Lever:
    """A question of the what-if. `number` False: yes or no, asked by 1. `unit` stands behind the field.

    `needs`: the features that must be known. `reads` gives the value as it is (None: nothing to ask), `apply` the
    features that change for a value; `minimum` and `maximum` bound it.
    """

    slug: str
    label: str
    needs: tuple[str, ...]
    apply: Callable[[Inputs, float], Changed]
    number: bool = False
    unit: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    reads: Callable[[Inputs], float | None] | None = None


@dataclass(frozen=True)
class Offer:
    """A lever as offered for a client: `value` as it is now (None for yes-or-no), `maximum` what is possible here."""

    lever: Lever
    value: float | None
    maximum: float


def _set(slug: str, to: float) -> Callable[[Inputs, float], Changed]:
    return lambda _, __: {slug: to}


def _to(slug: str, scale: float = 1.0) -> Callable[[Inputs, float], Changed]:
    return lambda _, value: {slug: value * scale}


def _of(slug: str, scale: float = 1.0) -> Callable[[Inputs], float | None]:
    def read(inputs: Inputs) -> float | None:
        value = number_of(inputs, slug)
        return None if value is None else round(value / scale, 1)

    return read


def _usage_back(inputs: Inputs, _: float) -> Changed:
    """Daily users at their 90-day average: the changes level, and the 30-day mean what the 90-day mean is."""
    month, week = number_of(inputs, "usage_change_month"), number_of(inputs, "usage_change_week")
    daily, quiet = number_of(inputs, "daily_users"), number_of(inputs, "days_since_use")
    changed: Changed = {}
    if month is not None and month < 1:
        changed["usage_change_month"] = 1.0
        if daily is not None and month > 0:
            changed["daily_users"] = daily / month
    if week is not None and week < 1:
        changed["usage_change_week"] = 1.0
    if quiet:
        changed["days_since_use"] = 0.0
    return changed


def _closed(inputs: Inputs, value: float) -> Changed:
    return {"open_tickets": max(0.0, (number_of(inputs, "open_tickets") or 0.0) - value)}


def _renewed(inputs: Inputs, _: float) -> Changed:
    return {"days_to_renewal": max(0.0, number_of(inputs, "days_to_renewal") or 0.0) + A_YEAR}


LEVERS: tuple[Lever, ...] = (
    Lever("champion_back", "The champion is back", ("champion_quiet_days",), _set("champion_quiet_days", 0.0)),
    Lever("usage_back", "Daily users are back to their 90-day average", ("usage_change_month",), _usage_back),
    Lever("contacted", "The client was contacted today", ("days_since_contact",), _set("days_since_contact", 0.0)),
    Lever("met", "All key contacts were met", ("stakeholder_coverage",), _set("stakeholder_coverage", 1.0)),
    Lever("paid", "The client has paid up", ("payment_late",), _set("payment_late", 0.0)),
    Lever("renewed", "The contract is renewed for a year", ("days_to_renewal",), _renewed),
    Lever(
        "tickets_closed", "Open tickets closed", ("open_tickets",), _closed, number=True, unit="tickets",
        maximum=1_000, reads=lambda _: 0.0,
    ),
    Lever(
        "nps", "The NPS answer becomes", ("nps_latest",), _to("nps_latest"), number=True, unit="of 10",
        maximum=10, reads=_of("nps_latest"),
    ),
    Lever(
        "csat", "CSAT becomes", ("csat_90d",), _to("csat_90d"), number=True, unit="%", maximum=100,
        reads=_of("csat_90d"),
    ),
    Lever(
        "seats", "Seats in use become", ("seat_use",), _to("seat_use", 0.01), number=True, unit="%", maximum=100,
        reads=_of("seat_use", 0.01),
    ),
    Lever(
        "modules", "Licensed modules in use become", ("feature_breadth",), _to("feature_breadth", 0.01), number=True,
        unit="%", maximum=100, reads=_of("feature_breadth", 0.01),
    ),
    Lever(
        "opportunity", "The renewal opportunity becomes", ("renewal_signal",), _to("renewal_signal"), number=True,
        unit="%", maximum=100, reads=_of("renewal_signal"),
    ),
)  # fmt: skip
LEVERS_BY_SLUG: dict[str, Lever] = {lever.slug: lever for lever in LEVERS}


def offers(inputs: Inputs) -> list[Offer]:
    """Return the levers that could change something for a client with these values."""
    found = []
    for lever in LEVERS:
        if any(number_of(inputs, slug) is None for slug in lever.needs):
            continue
        most = _most(lever, inputs)
        if not lever.number:
            changed = lever.apply(inputs, 1.0)
            if any(number_of(inputs, slug) != value for slug, value in changed.items()):
                found.append(Offer(lever, None, 1.0))
        elif most > lever.minimum:
            found.append(Offer(lever, lever.reads(inputs) if lever.reads else None, most))
    return found


def _most(lever: Lever, inputs: Inputs) -> float:
    """Return the largest value that a lever takes for this client: no more tickets are closed than are open."""
    if lever.slug == "tickets_closed":
        return number_of(inputs, "open_tickets") or 0.0
    return lever.maximum


def changed_inputs(inputs: Inputs, levers: Mapping[str, float], values: Mapping[str, float]) -> Changed:
    """Return the features that change and their new values.

    `levers`: value by slug of a lever (yes-or-no: 1 asks, 0 does not), `values`: new value by slug of a feature, in its
    own unit; these hold where both speak of one feature. Raises InvalidInputError naming each field that is unknown,
    out of range, or stands on a figure that is not known of the client.
    """
    problems: dict[str, str] = {}
    changed: Changed = {}
    for slug, value in levers.items():
        problem = lever_problem(slug, value, inputs)
        if problem:
            problems[f"levers.{slug}"] = problem
        elif LEVERS_BY_SLUG[slug].number or value:
            changed |= LEVERS_BY_SLUG[slug].apply(inputs, value)
    for slug, value in values.items():
        problem = value_problem(slug, value)
        if problem:
            problems[f"inputs.{slug}"] = problem
        else:
            changed[slug] = float(value)
    if problems:
        first = next(iter(problems.items()))
        raise InvalidInputError(f"{first[0]}: {first[1]}", problems)
    return {slug: value for slug, value in changed.items() if number_of(inputs, slug) != value}


def lever_problem(slug: str, value: float, inputs: Inputs) -> str:
    """Return what is wrong with a lever's value, "" where nothing is."""
    lever = LEVERS_BY_SLUG.get(slug)
    if lever is None:
        return f"There is no lever of this name. Known: {', '.join(LEVERS_BY_SLUG)}."
    missing = [FEATURES_BY_SLUG[need].label.lower() for need in lever.needs if number_of(inputs, need) is None]
    if missing:
        return f"Cannot be asked: {', '.join(missing)} is not known of this client."
    most = _most(lever, inputs)
    if not math.isfinite(value) or not lever.minimum <= value <= most:
        return f"Give a number from {lever.minimum:g} to {most:g}."
    return ""


def bounds_of(slug: str) -> tuple[float, float]:
    """Return the smallest and largest value that a feature may be given."""
    feature = FEATURES_BY_SLUG[slug]
    if slug.startswith("season_"):
        return -1.0, 1.0
    if slug == "payment_late":
        return 0.0, 2.0
    if slug == "days_to_renewal":
        return -float(MOST_DAYS), float(MOST_DAYS)
    match feature.unit:
        case Unit.RATIO:
            return 0.0, 1.0 if slug in SHARES and slug != "seat_use" else LARGEST_CHANGE
        case Unit.PERCENT:
            return 0.0, 100.0
        case Unit.NPS:
            return 0.0, 10.0
        case Unit.DAYS:
            return 0.0, float(MOST_DAYS)
        case _:
            return 0.0, float(MOST_COUNT)


def value_problem(slug: str, value: float) -> str:
    """Return what is wrong with a feature's new value, "" where nothing is."""
    if slug not in FEATURES_BY_SLUG:
        return f"There is no feature of this name. Known: {', '.join(FEATURES_BY_SLUG)}."
    low, high = bounds_of(slug)
    if not math.isfinite(value) or not low <= value <= high:
        return f"Give a number from {low:g} to {high:g}."
    return ""


def told(inputs: Inputs, changed: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Return the label of each changed feature with its value before and after, as text."""
    return [
        (FEATURES_BY_SLUG[slug].label, value_text(slug, number_of(inputs, slug)), value_text(slug, value))
        for slug, value in changed.items()
    ]
