"""The unusual days of one client in words: what came, what was expected, and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, isfinite
from typing import Literal

import numpy as np

from bellwether.usage.anomalies import Expectation, Floats, expectations
from bellwether.usage.hours import WEEKDAYS

Kind = Literal["low", "high", "holiday"]
SEASON_SHARE = 0.15


@dataclass(frozen=True)
class UnusualDay:
    """A day on which `people` lay outside `low` to `high`; `expected` is the most likely number.

    `kind` is holiday where a public holiday explains it: that is no anomaly.
    """

    day: date
    kind: Kind
    people: int
    expected: float
    low: int
    high: int
    reason: str


@dataclass(frozen=True)
class Judged:
    """The days from `first` on: `unusual` ones in order, and for each day the interval, None where none is known."""

    unusual: list[UnusualDay]
    intervals: list[tuple[int, int] | None]


def judge(
    people: Floats,
    *,
    begins: date,
    first: date,
    last: date,
    holidays: Mapping[date, str],
    unfinished: Sequence[date],
    season: Floats,
) -> Judged:
    """Return the unusual days from `first` to `last` of one client.

    `people` are its daily active users on consecutive days from `begins`, NaN before its first event; `season` the
    factor of each of these days. `holidays` and `unfinished` days are neither judged nor used for other days.
    """
    out = np.zeros((1, len(people)), bool)
    for day in [*holidays, *unfinished]:
        if 0 <= (day - begins).days < len(people):
            out[0, (day - begins).days] = True
    found = expectations(people[None, :], left_out=out, season=season)
    intervals, unusual = [], []
    for at in range((first - begins).days, (last - begins).days + 1):
        day = begins + timedelta(days=at)
        interval = _interval(found, at)
        intervals.append(interval)
        if interval is None or day in unfinished or not isfinite(people[at]):
            continue
        if found.unusual[0, at]:
            unusual.append(_unusual(found, at, day, int(people[at]), interval))
        elif day in holidays and people[at] < interval[0]:
            unusual.append(_holiday(found, at, day, int(people[at]), interval, holidays[day]))
    return Judged(unusual, intervals)


def _interval(found: Expectation, at: int) -> tuple[int, int] | None:
    low, high = found.low[0, at], found.high[0, at]
    return (ceil(low - 1e-9), floor(high + 1e-9)) if isfinite(low) and isfinite(high) else None


def _unusual(found: Expectation, at: int, day: date, people: int, interval: tuple[int, int]) -> UnusualDay:
    expected = float(found.expected[0, at])
    weekday = WEEKDAYS[day.weekday()]
    reason = (
        f"{_people(people)} came; {interval[0]} to {interval[1]} were expected, from the {weekday}s of the eight weeks "
        "before and the level of the last two."
    )
    moved = float(found.season[at]) - 1
    if abs(moved) >= SEASON_SHARE:
        way = "fewer" if moved < 0 else "more"
        reason += f" All clients had {abs(moved):.0%} {way} people than usual that day, which is taken into account."
    kind: Kind = "low" if people < expected else "high"
    return UnusualDay(day, kind, people, expected, *interval, reason)


def _holiday(found: Expectation, at: int, day: date, people: int, interval: tuple[int, int], name: str) -> UnusualDay:
    reason = f"{name}, a public holiday of the client's country. {_people(people)} came; not counted as unusual."
    return UnusualDay(day, "holiday", people, float(found.expected[0, at]), *interval, reason)


def _people(count: int) -> str:
    return "Nobody" if count == 0 else "1 person" if count == 1 else f"{count:,} people"
