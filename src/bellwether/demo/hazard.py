"""The true hazard of leaving: what the demo draws its churn from, and what an oracle would say on each day. Pure.

On each day a client leaves at the rate (expected leavings a day)

    rate = ACQUIRED + BASE * times(day) * exp(level + fall + champion + support + youth)

level     LEVEL for each unit by which the latent health, its mean of SMOOTH_DAYS days, lies below SOUND
fall      FALL for each unit that this mean has lost in FALL_DAYS days
champion  CHAMPION while the champion is gone and no successor is named, for CHAMPION_DAYS at most
support   SUPPORT during a wave of tickets, fading over WAVE_FADES days after it
youth     YOUTH on the first day of the contract, fading with YOUTH_DAYS
times     TERM_END on the last day of a term, otherwise 1: who has made up their mind mostly leaves with the term

and is gone that evening with the probability 1 - exp(-rate). ACQUIRED foretells nothing, and nothing foretells it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

ACQUIRED = 0.012 / 365
BASE = 1.9e-6
SOUND, LEVEL = 0.85, 8.0
SMOOTH_DAYS = 28
FALL_DAYS, FALL = 60, 2.5
CHAMPION, CHAMPION_DAYS = 1.2, 180
SUPPORT, WAVE_DAYS, WAVE_FADES = 1.6, 25, 40
YOUTH, YOUTH_DAYS = 0.7, 365.0
TERM_END = 2_500.0
LEAD_DAYS = SMOOTH_DAYS + FALL_DAYS
"""Days of latent health that the first day needs before it."""
HORIZONS = (30, 60, 90)

PRICE_WEIGHT = 2.0
"""The price weighs the same on everybody: it is the cause where no other part of the exponent is larger."""
CAUSES = ("low adoption", "champion left", "support", "price", "acquired")
ABRUPT = "acquired"

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """What the hazard follows, clients × days (`term_ends` and `age` 90 days longer: terms are known in advance).

    `health` and what it lost to a champion's leaving and to support (0-1) begin LEAD_DAYS earlier; `champion_gone` and
    `wave` are 0-1, `age` days since the contract's start, negative before it.
    """

    health: Floats
    lost_to_champion: Floats
    lost_to_support: Floats
    champion_gone: Floats
    wave: Floats
    term_ends: Bools
    age: Floats


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """`rate` a day, clients × days; `held` is the rate of an ordinary day at the state of the day, without youth;
    `known` (90 days longer) what the calendar makes of it; `parts` of the exponent by cause."""

    rate: Floats
    held: Floats
    known: Floats
    parts: dict[str, Floats]


def hazard(drivers: Drivers) -> Hazard:
    """Return the true hazard of every client and day."""
    days = drivers.champion_gone.shape[1]
    smooth = _trailing_mean(drivers.health)
    now, before = smooth[:, -days:], smooth[:, -days - FALL_DAYS : -FALL_DAYS]
    level, fall = LEVEL * np.maximum(SOUND - now, 0.0), FALL * np.maximum(before - now, 0.0)
    champion, support = CHAMPION * drivers.champion_gone, SUPPORT * drivers.wave
    held = BASE * np.exp(level + fall + champion + support)
    youth = YOUTH * np.exp(-np.maximum(drivers.age, 0) / YOUTH_DAYS)
    signed = drivers.age > 0
    known = np.where(drivers.term_ends, TERM_END, 1.0) * np.exp(youth) * signed
    to_champion = np.minimum(LEVEL * drivers.lost_to_champion[:, -days:], level)
    to_support = np.minimum(LEVEL * drivers.lost_to_support[:, -days:], level)
    parts = {
        "low adoption": np.maximum(level - to_champion - to_support, 0.0),
        "champion left": champion + to_champion,
        "support": support + to_support,
        "price": np.full_like(level, PRICE_WEIGHT),
    }
    return Hazard(rate=ACQUIRED * signed[:, :days] + held * known[:, :days], held=held, known=known, parts=parts)


def cause_on(found: Hazard, client: int, day: int) -> str:
    """Return the cause of a leaving on a day: what was the largest part of the hazard."""
    if found.rate[client, day] < 2 * ACQUIRED:
        return ABRUPT
    return max(found.parts, key=lambda cause: float(found.parts[cause][client, day]))


def leaving_days(rate: Floats, luck: Floats) -> npt.NDArray[np.int64]:
    """Return the day on which each client leaves, the number of days for those that do not.

    `rate` is clients × days, `luck` one even draw (0-1) a client: the hazard runs up until it has used up the luck.
    """
    gone = -np.expm1(-np.cumsum(rate, axis=1)) > luck[:, None]
    return np.asarray(np.where(gone.any(axis=1), gone.argmax(axis=1), rate.shape[1]), np.int64)


def foretold(found: Hazard, horizon: int) -> Floats:
    """Return the probability (0-1) of leaving within `horizon` days after each day, clients × days, as one would say
    who knows the hazard, the state of the day and the terms, and holds the state."""
    days = found.held.shape[1]
    ahead = np.cumsum(found.known, axis=1)
    coming = ahead[:, horizon : days + horizon] - ahead[:, :days]
    return np.asarray(-np.expm1(-(ACQUIRED * horizon + found.held * coming)))


def came(found: Hazard, horizon: int) -> Floats:
    """Return the same for the path that really came; NaN on the last days, where it is not known."""
    days = found.rate.shape[1]
    ahead = np.cumsum(found.rate, axis=1)
    p = np.full((len(ahead), days), np.nan)
    if days > horizon:
        p[:, : days - horizon] = -np.expm1(-(ahead[:, horizon:] - ahead[:, :-horizon]))
    return p


def _trailing_mean(values: Floats) -> Floats:
    """Return the mean of SMOOTH_DAYS days up to each, of fewer at the start."""
    total = np.cumsum(values, axis=1, dtype=np.float64)
    window = total.copy()
    window[:, SMOOTH_DAYS:] -= total[:, :-SMOOTH_DAYS]
    return np.asarray(window / np.minimum(np.arange(values.shape[1]) + 1, SMOOTH_DAYS))


def years_later(day: date, years: int) -> date:
    """Return the same day `years` later; 28 February for 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def yearly_terms(start: date, until: date) -> list[tuple[date, date]]:
    """Return first and last day of the yearly terms from `start` to the one that holds `until`."""
    terms: list[tuple[date, date]] = []
    first = start
    while True:
        following = years_later(start, len(terms) + 1)
        terms.append((first, following - timedelta(days=1)))
        if following > until:
            return terms
        first = following


def last_days_of_terms(start: date, first: date, days: int) -> Sequence[int]:
    """Return the indexes, 0 to `days` - 1 from `first` on, on which a yearly term that began on `start` ends."""
    ends = ((end - first).days for _, end in yearly_terms(start, first + timedelta(days=days)))
    return [index for index in ends if 0 <= index < days]
